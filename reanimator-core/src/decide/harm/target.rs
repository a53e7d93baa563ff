//! What a target must have: it is there, and has the memory, the processors and the bridges that the guest needs.

use std::collections::BTreeSet;

use super::case::{Case, How, Landing, guest_id};
use crate::model::{
    Bytes, GuestChange, GuestKind, HostId, Objection, Rule,
    scene::{SceneGuest, SceneHost},
};

/// It is known, answers, is of the right cluster, and nothing keeps new guests from it.
pub(super) fn target(case: &Case<'_>) -> Vec<Objection> {
    let refuse = |why: String| vec![Objection::for_good(Rule::Target, why)];
    if let Some(id) = guest_id(case.action).filter(|id| !case.scene.guests.contains_key(*id)) {
        return refuse(format!("guest {id} is not known"));
    }
    if let Some(id) = case.host().filter(|id| !case.scene.hosts.contains_key(*id)) {
        return refuse(format!("host {id} is not known"));
    }
    if let Some((_, guest)) = case.guest()
        && let Some(host) = case.scene.hosts.get(&guest.host).filter(|host| !host.online)
    {
        return refuse(format!("guest {} is on {}, which does not answer", guest.name, host.name));
    }
    // Whoever is moved along goes to the same target.
    let Some(landing) = case.landings.first() else { return Vec::new() };
    let Some(host) = case.scene.hosts.get(landing.to) else {
        return refuse(format!("host {} is not known", landing.to));
    };
    match unfit(case, landing, host) {
        Some(why) => refuse(why),
        None if host.maintenance => {
            vec![Objection::new(Rule::Target, format!("{} is in maintenance: nothing new is put on it", host.name))]
        }
        None => Vec::new(),
    }
}

/// Why a guest cannot come to a host whatever an admin wishes.
fn unfit(case: &Case<'_>, landing: &Landing<'_>, host: &SceneHost) -> Option<String> {
    let (guest, name) = (landing.guest, &host.name);
    let Some(node) = &host.node else { return Some(format!("{name} is no Proxmox node")) };
    let same_cluster = case.scene.node(&guest.host).is_some_and(|from| from.cluster == node.cluster);
    match landing.how {
        How::Move { .. } if guest.host == *landing.to => return Some(format!("guest {} is on {name}", guest.name)),
        How::Move { .. } | How::Along | How::Copy { .. } if !same_cluster => {
            return Some(format!("{name} is in another cluster than guest {}", guest.name));
        }
        How::Remote { .. } if same_cluster => {
            return Some(format!("{name} is in the cluster of guest {}: migrate within it instead", guest.name));
        }
        _ => {}
    }
    let cluster = case.scene.clusters.get(&node.cluster);
    match cluster {
        _ if !host.online => Some(format!("{name} does not answer")),
        Some(cluster) if cluster.quorate == Some(false) => Some(format!("cluster {} has no quorum", cluster.name)),
        _ => None,
    }
}

/// The memory that is free, the reserve left alone, is as much as the guest may ever take.
///
/// What a node uses now is compared, not the sum of what its guests may take: many hosts give out more than they have,
/// and live well, as guests give back what they do not need. A newcomer though is counted in full. What it takes now
/// says little: a VM that was just moved or started fills its memory within minutes, and a balloon that is blown up
/// again takes back everything at once.
pub(super) fn memory(case: &Case<'_>) -> Vec<Objection> {
    let Some((on, needs, who)) = memory_wish(case) else { return Vec::new() };
    let (Some(host), true) = (case.scene.hosts.get(on), needs.0 > 0) else { return Vec::new() };
    let Some(node) = &host.node else { return Vec::new() };
    let why = match node.memory_left(&case.scene.limits) {
        None => format!("nobody knows how much memory {} has left", host.name),
        Some(left) if left >= needs => return Vec::new(),
        Some(left) => format!("{} has {left} of memory left beside its reserve, and {who} needs {needs}", host.name),
    };
    vec![Objection::new(Rule::Memory, why)]
}

/// Where memory is wished for, how much, and by whom.
fn memory_wish<'a>(case: &'a Case<'_>) -> Option<(&'a HostId, Bytes, String)> {
    if let Some(landing) = case.landings.first() {
        let new = case.landings.iter().filter(|each| each.runs() && each.guest.coming_to.as_ref() != Some(each.to));
        let new: Vec<&SceneGuest> = new.map(|each| each.guest).collect();
        let names: Vec<&str> = new.iter().map(|guest| guest.name.as_str()).collect();
        let needs = new.iter().map(|guest| guest.memory).sum();
        return Some((landing.to, needs, format!("guest {}", names.join(" with "))));
    }
    let (_, guest) = case.guest()?;
    let needs = match case.change()? {
        GuestChange::Start | GuestChange::Resume if !guest.may_run() && !guest.template => guest.memory,
        GuestChange::Scale { memory_mib: Some(mib), .. } if guest.may_run() => {
            Bytes(mib.saturating_mul(1 << 20).saturating_sub(guest.memory.0))
        }
        _ => return None,
    };
    Some((&guest.host, needs, format!("guest {}", guest.name)))
}

/// Proxmox starts no VM with more processors than its node has.
pub(super) fn processors(case: &Case<'_>) -> Vec<Objection> {
    let too_many = |on: &HostId, guest: &SceneGuest, needs: u32| {
        let host = case.scene.hosts.get(on)?;
        let there = host.node.as_ref()?.cpus?;
        (guest.kind == GuestKind::Qemu && needs > there).then(|| {
            let why = format!("{} has {there} processors, and guest {} has {needs}", host.name, guest.name);
            Objection::for_good(Rule::Processors, why)
        })
    };
    let landings = case.landings.iter().filter(|landing| landing.moves());
    let mut objections: Vec<Objection> =
        landings.filter_map(|each| too_many(each.to, each.guest, each.guest.cpus?)).collect();
    objections.extend(case.guest().and_then(|(_, guest)| match case.change()? {
        GuestChange::Start | GuestChange::Resume if !guest.may_run() => too_many(&guest.host, guest, guest.cpus?),
        GuestChange::Scale { cores: Some(cores), .. } => {
            too_many(&guest.host, guest, cores.saturating_mul(guest.sockets.max(1)))
        }
        _ => None,
    }));
    objections
}

/// A guest without its bridge does not start, and a VM that runs does not come there.
pub(super) fn bridge(case: &Case<'_>) -> Vec<Objection> {
    case.landings.iter().filter_map(|landing| missing_bridges(case, landing)).collect()
}

fn missing_bridges(case: &Case<'_>, landing: &Landing<'_>) -> Option<Objection> {
    let host = case.scene.hosts.get(landing.to)?;
    let needed: BTreeSet<&str> = match landing.how {
        How::Remote { bridge, .. } => [bridge].into(),
        How::Copy { .. } if landing.guest.host == *landing.to => return None,
        How::Move { .. } | How::Along | How::Copy { .. } => landing.guest.bridges.iter().map(String::as_str).collect(),
    };
    if needed.is_empty() {
        return None;
    }
    let Some(bridges) = &host.node.as_ref()?.bridges else {
        return Some(Objection::new(Rule::Bridge, format!("nobody knows which bridges {} has", host.name)));
    };
    let missing: Vec<&str> = needed.into_iter().filter(|name| !bridges.contains(*name)).collect();
    (!missing.is_empty()).then(|| {
        let why = format!("{} has no {}, which guest {} hangs on", host.name, missing.join(", "), landing.guest.name);
        Objection { can_override: !landing.runs(), ..Objection::new(Rule::Bridge, why) }
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{change, guest, host, lab, migrate, node, start, together, words};
    use crate::model::{Bytes, GuestChange, GuestStatus, Rule};

    const NONE: [&str; 0] = [];
    const GIB: u64 = 1 << 30;

    #[test]
    fn a_target_is_there_and_fit() {
        let mut scene = lab();
        let why = |scene: &crate::model::Scene, to: &str| words(scene, &migrate("mail", to), Rule::Target);
        assert_eq!(why(&scene, "pve2"), NONE);
        assert_eq!(why(&scene, "pve1"), ["guest mail is on pve1"]);
        assert_eq!(why(&scene, "pi"), ["pi is no Proxmox node"]);
        assert_eq!(why(&scene, "nowhere"), ["host nowhere is not known"]);
        assert_eq!(why(&scene, "far1"), ["far1 is in another cluster than guest mail"]);
        assert_eq!(words(&scene, &start("nobody"), Rule::Target), ["guest c1:nobody is not known"]);
        host(&mut scene, "pve2").maintenance = true;
        assert_eq!(why(&scene, "pve2"), ["pve2 is in maintenance: nothing new is put on it"]);
        host(&mut scene, "pve2").online = false;
        assert_eq!(why(&scene, "pve2"), ["pve2 does not answer"]);
        let lost = words(&scene, &start("web"), Rule::Target);
        assert_eq!(lost, ["guest web is on pve2, which does not answer"]);
    }

    #[test]
    fn a_guest_goes_to_another_cluster_by_its_own_way() {
        let scene = lab();
        let remote = |to: &str| GuestChange::RemoteMigrate {
            to: to.into(),
            storage: "local".into(),
            bridge: "vmbr0".into(),
            vmid: None,
            keep: false,
            online: true,
        };
        assert_eq!(words(&scene, &change("mail", remote("far1")), Rule::Target), NONE);
        let why = "pve2 is in the cluster of guest mail: migrate within it instead";
        assert_eq!(words(&scene, &change("mail", remote("pve2")), Rule::Target), [why]);
    }

    #[test]
    fn a_target_has_the_memory_and_keeps_its_reserve() {
        let mut scene = lab();
        // 32 GiB with a reserve of 1.6, and mail takes up to 4.
        node(&mut scene, "pve2").memory_used = Some(Bytes(26 * GIB));
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Memory), NONE);
        node(&mut scene, "pve2").memory_used = Some(Bytes(27 * GIB));
        let why = "pve2 has 3.4 GiB of memory left beside its reserve, and guest mail needs 4.0 GiB";
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Memory), [why]);
        node(&mut scene, "pve2").memory_used = None;
        let why = "nobody knows how much memory pve2 has left";
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Memory), [why]);
        guest(&mut scene, "mail").status = GuestStatus::Stopped;
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Memory), NONE, "it takes none there");
    }

    #[test]
    fn starting_and_growing_take_memory_too_and_so_do_those_that_come_along() {
        let mut scene = lab();
        node(&mut scene, "pve1").memory_used = Some(Bytes(28 * GIB));
        let grow = |mib| change("mail", GuestChange::Scale { cores: None, memory_mib: Some(mib), balloon_mib: None });
        assert_eq!(words(&scene, &grow(6144), Rule::Memory), NONE);
        assert_eq!(words(&scene, &grow(8192), Rule::Memory).len(), 1);
        assert_eq!(words(&scene, &start("mail"), Rule::Memory), NONE, "it runs already");
        guest(&mut scene, "mail").status = GuestStatus::Stopped;
        assert_eq!(words(&scene, &start("mail"), Rule::Memory).len(), 1);

        let mut scene = lab();
        node(&mut scene, "pve3").memory_used = Some(Bytes(26 * GIB));
        assert_eq!(words(&scene, &migrate("mail", "pve3"), Rule::Memory), NONE);
        together(&mut scene, &["mail", "web"]);
        let why = "pve3 has 4.4 GiB of memory left beside its reserve, and guest mail with web needs 6.0 GiB";
        assert_eq!(words(&scene, &migrate("mail", "pve3"), Rule::Memory), [why]);
    }

    #[test]
    fn a_vm_has_no_more_processors_than_its_node() {
        let mut scene = lab();
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Processors), NONE);
        node(&mut scene, "pve2").cpus = Some(1);
        let why = "pve2 has 1 processors, and guest mail has 2";
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Processors), [why]);
        let scale = change("mail", GuestChange::Scale { cores: Some(32), memory_mib: None, balloon_mib: None });
        assert_eq!(words(&scene, &scale, Rule::Processors).len(), 1);
        assert_eq!(words(&scene, &migrate("dns", "pve2"), Rule::Processors), NONE, "a container takes what is there");
    }

    #[test]
    fn a_target_has_the_bridges() {
        let mut scene = lab();
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Bridge), NONE);
        node(&mut scene, "pve2").bridges = Some(["vmbr1".to_owned()].into());
        let why = "pve2 has no vmbr0, which guest mail hangs on";
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Bridge), [why]);
        node(&mut scene, "pve2").bridges = None;
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Bridge), ["nobody knows which bridges pve2 has"]);
        let copy =
            GuestChange::Clone { name: "copy".into(), vmid: None, to: None, storage: None, snapshot: None, full: true };
        assert_eq!(words(&scene, &change("mail", copy), Rule::Bridge), NONE);
    }
}
