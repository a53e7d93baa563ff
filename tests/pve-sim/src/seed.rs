//! Makes a believable cluster out of a seed.
//!
//! The first five guests of every cluster are always the same cast, so a test
//! can name them: 100 a running VM, 101 a running container, 102 a stopped
//! container in the pool `prod`, 103 a stopped VM with a snapshot, 104 a
//! template. The others follow the seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Map, Value, json};

use crate::access::{Access, Entry, Token, User};
use crate::machines::Machines;
use crate::state::{Cluster, Guest, Ha, Hardware, Kind, Node, Running, Snapshot, Storage, hex};
use crate::tasks::Tasks;

/// The secrets by which a cluster is entered.
#[derive(Clone)]
pub(crate) struct Secrets {
    pub(crate) password: String,
    /// Of `root@pam!sim`, which may do what root may.
    pub(crate) token: String,
    /// Of `root@pam!stranger`, to which nothing is granted.
    pub(crate) stranger: String,
}

/// What a node's listener and certificate look like.
pub(crate) struct Place {
    pub(crate) ip: String,
    pub(crate) fingerprint: String,
    pub(crate) certificate_pem: String,
}

/// How a cluster is to be.
pub(crate) struct Plan {
    /// Which cluster it is, from 0.
    pub(crate) index: usize,
    pub(crate) guests: u32,
    pub(crate) seed: u64,
    pub(crate) pace: f64,
    pub(crate) now: f64,
}

const MODELS: [(&str, &str, u32, u32, f64); 4] = [
    ("Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz", "GenuineIntel", 2, 40, 2100.0),
    ("AMD EPYC 7443P 24-Core Processor", "AuthenticAMD", 1, 24, 2850.0),
    ("Intel(R) Core(TM) i5-8500T CPU @ 2.10GHz", "GenuineIntel", 1, 6, 2100.0),
    ("AMD EPYC 7302P 16-Core Processor", "AuthenticAMD", 1, 16, 3000.0),
];

const WORDS: [&str; 16] = [
    "web", "db", "mail", "git", "wiki", "proxy", "cache", "queue", "build", "files", "monitor", "auth", "shop",
    "search", "backup", "dns",
];

const TAGS: [&str; 6] = ["prod;web", "prod;db", "dev", "test", "prod", "infra"];

/// Builds a cluster. One place per node.
pub(crate) fn cluster(plan: &Plan, places: Vec<Place>, secrets: &Secrets) -> Cluster {
    let seed = plan.seed ^ ((plan.index as u64 + 1) << 32);
    let mut random = StdRng::seed_from_u64(seed);
    let nodes: Vec<Node> =
        places.into_iter().enumerate().map(|(index, place)| node(&mut random, plan, index, place)).collect();
    let mut tasks = Tasks::new(plan.pace);
    let mut guests = BTreeMap::new();
    for index in 0..plan.guests {
        let guest = guest(&mut random, plan, nodes.len(), index, &mut tasks);
        guests.insert(guest.vmid, guest);
    }
    let mut cluster = Cluster {
        name: format!("sim{}", plan.index + 1),
        seed,
        nodes,
        guests,
        storages: storages(),
        pools: BTreeMap::from([("prod".to_owned(), Some("Production".to_owned()))]),
        access: access(secrets, &mut random),
        tasks,
        ha: Ha::default(),
        options: map(json!({"mac_prefix": "BC:24:11", "description": "",
            "allowed-tags": ["db", "dev", "infra", "prod", "test", "web"]})),
        backup_jobs: BTreeMap::from([(
            "nightly".to_owned(),
            map(json!({"id": "nightly", "type": "vzdump", "schedule": "daily", "storage": "local",
                "mode": "snapshot", "all": 1, "enabled": 1, "compress": "zstd",
                "prune-backups": {"keep-last": "3"}})),
        )]),
        backups: Vec::new(),
        files: Vec::new(),
        received: BTreeMap::new(),
        replication: Vec::new(),
        quorum_lost: false,
        turns: Vec::new(),
        keeper: Arc::default(),
        machines: Machines::default(),
    };
    crate::seed_facts::enrich(&mut cluster, plan);
    cluster
}

/// An object literal as a map.
pub(crate) fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The name of a node: its number, and the cluster's where there are several.
pub(crate) fn node_name(cluster: usize, node: usize) -> String {
    if cluster == 0 { format!("pve{}", node + 1) } else { format!("c{}-pve{}", cluster + 1, node + 1) }
}

fn node(random: &mut StdRng, plan: &Plan, index: usize, place: Place) -> Node {
    let (model, vendor, sockets, cores, mhz) = MODELS[random.random_range(0..MODELS.len())];
    let memory = [32_u64, 64, 128, 256][random.random_range(0..4)] << 30;
    let root_disk = 100_u64 << 30;
    Node {
        name: node_name(plan.index, index),
        ip: place.ip,
        fingerprint: place.fingerprint,
        certificate_pem: place.certificate_pem,
        booted: plan.now - random.random_range(86_400.0..3_456_000.0),
        down_since: None,
        off: false,
        hardware: Hardware {
            model: model.to_owned(),
            vendor: vendor.to_owned(),
            sockets,
            cores,
            cpus: if model.contains("i5") { cores } else { cores * 2 },
            mhz,
            memory: memory - (memory / 64),
            swap: 8 << 30,
            root_disk,
            root_used: root_disk / 100 * random.random_range(6..40),
            serial: hex(&random.random::<[u8; 16]>()).to_uppercase(),
        },
        config: Map::new(),
        dns: map(json!({"search": "sim.local", "dns1": "127.0.0.53"})),
        timezone: "UTC".to_owned(),
    }
}

fn storages() -> Vec<Storage> {
    let storage = |name: &str, plugin, content, shared, total: u64, config: Value| Storage {
        name: name.to_owned(),
        plugin,
        content,
        shared,
        total,
        base_used: total / 12,
        config: map(config),
    };
    vec![
        storage(
            "local",
            "dir",
            "iso,vztmpl,backup,import,snippets",
            false,
            100 << 30,
            json!({"path": "/var/lib/vz", "prune-backups": "keep-all=1"}),
        ),
        storage(
            "local-lvm",
            "lvmthin",
            "images,rootdir",
            false,
            800 << 30,
            json!({"vgname": "pve", "thinpool": "data"}),
        ),
        storage("tank", "zfspool", "images,rootdir", false, 400 << 30, json!({"pool": "tank/guests", "sparse": 1})),
        storage(
            "shared-nfs",
            "nfs",
            "images,rootdir,backup,iso,vztmpl",
            true,
            20 << 40,
            json!({"server": "127.0.0.1", "export": "/srv/pve", "path": "/mnt/pve/shared-nfs",
                "options": "vers=4.2"}),
        ),
    ]
}

fn access(secrets: &Secrets, random: &mut StdRng) -> Access {
    let token = |secret: &str, separated| Token { secret: secret.to_owned(), expire: 0, separated, comment: None };
    let root = User {
        password: Some(secrets.password.clone()),
        enable: true,
        tokens: BTreeMap::from([
            ("sim".to_owned(), token(&secrets.token, false)),
            ("stranger".to_owned(), token(&secrets.stranger, true)),
        ]),
        ..User::default()
    };
    let alice = User {
        enable: true,
        first_name: Some("Alice".to_owned()),
        last_name: Some("Lee".to_owned()),
        email: Some("alice@example.org".to_owned()),
        groups: ["ops".to_owned()].into(),
        ..User::default()
    };
    Access {
        users: BTreeMap::from([("root@pam".to_owned(), root), ("alice@pve".to_owned(), alice)]),
        groups: BTreeMap::from([("ops".to_owned(), Some("Operators".to_owned()))]),
        acl: vec![Entry {
            path: "/vms".to_owned(),
            kind: "group",
            who: "ops".to_owned(),
            role: "PVEVMUser".to_owned(),
            propagate: true,
        }],
        own_roles: BTreeMap::new(),
        ticket_key: hex(&random.random::<[u8; 32]>()),
    }
}

/// A MAC address with the prefix of Proxmox.
fn mac(random: &mut StdRng) -> String {
    let [a, b, c]: [u8; 3] = random.random();
    format!("BC:24:11:{a:02X}:{b:02X}:{c:02X}")
}

/// A UUID from the seed.
fn uuid(random: &mut StdRng) -> String {
    uuid::Builder::from_random_bytes(random.random()).into_uuid().to_string()
}

fn guest(random: &mut StdRng, plan: &Plan, nodes: usize, index: u32, tasks: &mut Tasks) -> Guest {
    let vmid = 100 + index;
    let (kind, runs) = match index {
        0 => (Kind::Qemu, true),
        1 => (Kind::Lxc, true),
        2 => (Kind::Lxc, false),
        3 | 4 => (Kind::Qemu, false),
        _ if random.random_bool(0.6) => (Kind::Qemu, random.random_bool(0.8)),
        _ => (Kind::Lxc, random.random_bool(0.8)),
    };
    let config = match kind {
        Kind::Qemu => qemu_config(random, plan, index),
        Kind::Lxc => lxc_config(random, index),
    };
    let running = runs.then(|| Running {
        since: plan.now - random.random_range(600.0..86_000.0),
        pid: tasks.new_pid(),
        live: config.clone(),
        paused: false,
    });
    let snapshots = (index == 3)
        .then(|| Snapshot {
            name: "before-upgrade".to_owned(),
            description: "pre upgrade".to_owned(),
            time: plan.now as i64 - 400_000,
            parent: None,
            with_memory: false,
            config: config.clone(),
        })
        .into_iter()
        .collect();
    Guest {
        vmid,
        kind,
        node: index as usize % nodes.max(1),
        disk_used: (1 << 30) + u64::from(random.random::<u32>()) / 2,
        config,
        running,
        lock: None,
        snapshots,
        pool: matches!(index, 2 | 3).then(|| "prod".to_owned()),
    }
}

/// Its name: fixed for the cast, else a word with the number.
fn name(index: u32) -> String {
    match index {
        0 => "db1".to_owned(),
        1 => "web1".to_owned(),
        2 => "db2".to_owned(),
        3 => "clone1".to_owned(),
        4 => "tmpl-debian12".to_owned(),
        _ => format!("{}{index}", WORDS[index as usize % WORDS.len()]),
    }
}

fn tags(random: &mut StdRng, index: u32) -> &'static str {
    match index {
        0 => "prod;db",
        1 => "prod;web",
        2 => "dev",
        3 | 4 => "template",
        _ => TAGS[random.random_range(0..TAGS.len())],
    }
}

fn one_of(random: &mut StdRng, choices: &[u32]) -> u32 {
    choices[random.random_range(0..choices.len())]
}

fn qemu_config(random: &mut StdRng, plan: &Plan, index: u32) -> Map<String, Value> {
    let vmid = 100 + index;
    let gibibytes = if index < 5 { 8 } else { random.random_range(8..200) };
    let volume = match (index, index % 3) {
        (4, _) => format!("local-lvm:base-{vmid}-disk-0"),
        (_, 0) => format!("shared-nfs:{vmid}/vm-{vmid}-disk-0.qcow2"),
        _ => format!("local-lvm:vm-{vmid}-disk-0"),
    };
    let created = plan.now as i64 - 900_000 - i64::from(index);
    let mut config = map(json!({
        "name": name(index),
        "tags": tags(random, index),
        "ostype": "l26",
        "cores": one_of(random, &[1, 2, 4]),
        "cpu": "x86-64-v2-AES",
        "memory": one_of(random, &[512, 1024, 2048, 4096, 8192]).to_string(),
        "scsihw": "virtio-scsi-single",
        "scsi0": format!("{volume},size={gibibytes}G"),
        "net0": format!("virtio={},bridge=vmbr0", mac(random)),
        "boot": "order=scsi0;net0",
        "kvm": 0,
        "meta": format!("creation-qemu=10.0.13,ctime={created}"),
        "smbios1": format!("uuid={}", uuid(random)),
        "vmgenid": uuid(random),
    }));
    let extra = match index {
        3 | 4 => json!({"ide2": "none,media=cdrom", "serial0": "socket", "vga": "serial0"}),
        _ => json!({"agent": "1", "onboot": 1, "sockets": 1,
            "description": format!("Simulated guest {vmid}\n\nline2 ünïcode")}),
    };
    config.extend(map(extra));
    if index == 4 {
        config.insert("template".to_owned(), json!(1));
    }
    config
}

fn lxc_config(random: &mut StdRng, index: u32) -> Map<String, Value> {
    let vmid = 100 + index;
    let gibibytes = if index < 5 { 2 } else { random.random_range(2..60) };
    let volume = if index.is_multiple_of(3) {
        format!("shared-nfs:{vmid}/vm-{vmid}-disk-0.raw")
    } else {
        format!("local-lvm:vm-{vmid}-disk-0")
    };
    let mut config = map(json!({
        "hostname": name(index),
        "tags": tags(random, index),
        "ostype": "debian",
        "arch": "amd64",
        "cores": one_of(random, &[1, 2, 4]),
        "memory": one_of(random, &[256, 512, 1024, 2048]),
        "swap": if index == 2 { 64 } else { 0 },
        "rootfs": format!("{volume},size={gibibytes}G"),
        "net0": format!("name=eth0,bridge=vmbr0,hwaddr={},ip=dhcp,type=veth", mac(random)),
        "unprivileged": 1,
    }));
    if index == 2 {
        config.insert("description".to_owned(), json!("# dev ct\nwith *markdown*\n"));
    } else {
        config.insert("features".to_owned(), json!("nesting=1"));
    }
    config
}
