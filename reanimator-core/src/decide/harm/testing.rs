//! A small scene to judge actions in: three nodes with two VMs and a container, one node that stands alone, one plain host.

use super::objections;
use crate::model::{
    Action, Bytes, GuestChange, GuestId, GuestKind, GuestStatus, HostChange, MigrationMode, Rule, Scene, UnitVerb,
    scene::{
        Answers, PlacementRule, SceneCluster, SceneDisk, SceneGuest, SceneHost, SceneNode, SceneStorage, ServedBy,
        Server,
    },
};

const GIB: u64 = 1 << 30;

/// Guests by name, with their numbers.
const NUMBERS: [(&str, u32); 3] = [("mail", 101), ("dns", 102), ("web", 103)];

pub(super) fn lab() -> Scene {
    let mut scene = Scene::default();
    let cluster = |name: &str, expected_votes, quorate| SceneCluster {
        name: name.into(),
        expected_votes,
        quorate,
        ..SceneCluster::default()
    };
    scene.clusters.insert("c1".into(), cluster("lab", 3, Some(true)));
    scene.clusters.insert("c2".into(), cluster("far", 0, None));
    for (name, cluster) in [("pve1", "c1"), ("pve2", "c1"), ("pve3", "c1"), ("far1", "c2")] {
        let node = SceneNode {
            votes: 1,
            memory_total: Some(Bytes(32 * GIB)),
            memory_used: Some(Bytes(8 * GIB)),
            cpus: Some(16),
            storages: storages(),
            bridges: Some(["vmbr0".to_owned()].into()),
            ..SceneNode::new(cluster.into(), name)
        };
        let host = SceneHost { name: name.into(), online: true, node: Some(node), ..SceneHost::default() };
        scene.hosts.insert(name.into(), host);
    }
    scene.hosts.insert("pi".into(), SceneHost { name: "pi".into(), online: true, ..SceneHost::default() });
    let qemu = |name: &str, host: &str, gib: u64| SceneGuest {
        name: name.into(),
        host: host.into(),
        status: GuestStatus::Running,
        memory: Bytes(gib * GIB),
        cpus: Some(2),
        disks: vec![disk("scsi0", "shared", true, 32)],
        bridges: ["vmbr0".to_owned()].into(),
        ..SceneGuest::default()
    };
    scene.guests.insert(id("mail"), qemu("mail", "pve1", 4));
    scene.guests.insert(id("web"), qemu("web", "pve2", 2));
    let dns = SceneGuest {
        kind: GuestKind::Lxc,
        cpus: None,
        disks: vec![disk("rootfs", "local", false, 8)],
        servers: vec![Server { answers: Answers::Dns, by: ServedBy::Host, up: true }],
        ..qemu("dns", "pve1", 1)
    };
    scene.guests.insert(id("dns"), dns);
    scene
}

fn storages() -> std::collections::BTreeMap<String, SceneStorage> {
    let storage = |shared, content: &[&str], gib: u64| SceneStorage {
        shared,
        content: content.iter().map(|word| (*word).to_owned()).collect(),
        free: Some(Bytes(gib * GIB)),
        active: true,
    };
    let local = storage(false, &["images", "rootdir", "iso", "backup"], 100);
    [("local".to_owned(), local), ("shared".to_owned(), storage(true, &["images", "rootdir"], 300))].into()
}

fn disk(name: &str, storage: &str, shared: bool, gib: u64) -> SceneDisk {
    let (name, storage, size) = (name.into(), Some(storage.into()), Some(Bytes(gib * GIB)));
    SceneDisk { name, storage, shared, size, cdrom: false }
}

/// What a rule says against an action.
pub(super) fn words(scene: &Scene, action: &Action, rule: Rule) -> Vec<String> {
    objections(scene, action).into_iter().filter(|each| each.rule == rule).map(|each| each.why).collect()
}

pub(super) fn id(name: &str) -> GuestId {
    let number = NUMBERS.iter().find(|(known, _)| *known == name).map(|(_, number)| number.to_string());
    GuestId(format!("c1:{}", number.unwrap_or_else(|| name.to_owned())))
}

pub(super) fn guest<'a>(scene: &'a mut Scene, name: &str) -> &'a mut SceneGuest {
    scene.guests.get_mut(&id(name)).expect("it is in the lab")
}

pub(super) fn host<'a>(scene: &'a mut Scene, name: &str) -> &'a mut SceneHost {
    scene.hosts.get_mut(&name.into()).expect("it is in the lab")
}

pub(super) fn node<'a>(scene: &'a mut Scene, name: &str) -> &'a mut SceneNode {
    host(scene, name).node.as_mut().expect("it is a node")
}

pub(super) fn change(name: &str, change: GuestChange) -> Action {
    Action::Guest { id: id(name), change }
}

pub(super) fn start(name: &str) -> Action {
    change(name, GuestChange::Start)
}

pub(super) fn stop(name: &str) -> Action {
    change(name, GuestChange::Stop)
}

pub(super) fn migrate(name: &str, to: &str) -> Action {
    let (mode, local_disks, storage) = (MigrationMode::Auto, false, None);
    change(name, GuestChange::Migrate { to: to.into(), mode, local_disks, storage })
}

pub(super) fn shutdown(host: &str) -> Action {
    Action::Host { id: host.into(), change: HostChange::Shutdown }
}

pub(super) fn unit(host: &str, unit: &str, verb: UnitVerb) -> Action {
    Action::Unit { host: host.into(), unit: unit.into(), verb }
}

fn rule(scene: &mut Scene, rule: PlacementRule) {
    scene.clusters.get_mut(&"c1".into()).expect("it is in the lab").rules.push(rule);
}

pub(super) fn nodes(scene: &mut Scene, name: &str, hosts: &[&str], strict: bool) {
    let hosts = hosts.iter().map(|host| (*host).into()).collect();
    rule(scene, PlacementRule::Nodes { name: "rule here".into(), guests: [id(name)].into(), hosts, strict });
}

pub(super) fn apart(scene: &mut Scene, names: &[&str]) {
    let guests = names.iter().map(|name| id(name)).collect();
    rule(scene, PlacementRule::Apart { name: "rule apart".into(), guests });
}

pub(super) fn together(scene: &mut Scene, names: &[&str]) {
    let guests = names.iter().map(|name| id(name)).collect();
    rule(scene, PlacementRule::Together { name: "rule together".into(), guests });
}
