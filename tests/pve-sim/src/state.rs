//! What a simulated cluster is made of: nodes, guests, storages, pools.
//!
//! Everything here is plain data under one lock per cluster. Figures that move
//! (load, counters) are not stored: [`figures`](crate::figures) computes them
//! from the seed and the time. Tasks that are due take effect at the next
//! [`Cluster::settle`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use crate::access::Access;
use crate::machines::Machines;
use crate::manager::{self, Wish};
use crate::power::Turn;
use crate::refusal::Refusal;
use crate::tasks::Tasks;
use crate::uploads::Received;

/// One Proxmox cluster, or one node that is in none.
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) seed: u64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) guests: BTreeMap<u32, Guest>,
    pub(crate) storages: Vec<Storage>,
    /// Pool name to its comment.
    pub(crate) pools: BTreeMap<String, Option<String>>,
    pub(crate) access: Access,
    pub(crate) tasks: Tasks,
    pub(crate) ha: Ha,
    /// Datacenter options (`/cluster/options`).
    pub(crate) options: Map<String, Value>,
    /// Backup jobs by id.
    pub(crate) backup_jobs: BTreeMap<String, Map<String, Value>>,
    /// Backups that were made: volumes on storages.
    pub(crate) backups: Vec<Backup>,
    /// Files that were put on storages.
    pub(crate) files: Vec<StoredFile>,
    /// Files that came in and were not put anywhere yet, by where they lie.
    pub(crate) received: BTreeMap<String, Received>,
    /// Replication jobs with how they go.
    pub(crate) replication: Vec<Map<String, Value>>,
    /// Told so from outside, whatever nodes are up.
    pub(crate) quorum_lost: bool,
    /// What nodes have before them: when, which one, what.
    pub(crate) turns: Vec<(f64, usize, Turn)>,
    /// Told when there is a new turn.
    pub(crate) keeper: Arc<Notify>,
    /// What is inside its guests.
    pub(crate) machines: Machines,
}

/// A node and its hardware.
pub(crate) struct Node {
    pub(crate) name: String,
    /// Where its API listens.
    pub(crate) ip: String,
    pub(crate) fingerprint: String,
    pub(crate) certificate_pem: String,
    /// Seconds since 1970 at boot.
    pub(crate) booted: f64,
    /// Cut off or off since; None while it answers.
    pub(crate) down_since: Option<f64>,
    /// Switched off, which is more than cut off.
    pub(crate) off: bool,
    pub(crate) hardware: Hardware,
    /// `/nodes/{node}/config`.
    pub(crate) config: Map<String, Value>,
    pub(crate) dns: Map<String, Value>,
    pub(crate) timezone: String,
}

/// What a node has built in.
pub(crate) struct Hardware {
    pub(crate) model: String,
    pub(crate) vendor: String,
    pub(crate) sockets: u32,
    /// Physical cores of all sockets.
    pub(crate) cores: u32,
    /// Logical CPUs.
    pub(crate) cpus: u32,
    pub(crate) mhz: f64,
    pub(crate) memory: u64,
    pub(crate) swap: u64,
    pub(crate) root_disk: u64,
    /// Use of the root file system.
    pub(crate) root_used: u64,
    pub(crate) serial: String,
}

/// Which kind of guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Qemu,
    Lxc,
}

impl Kind {
    /// The word in paths and ids.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Lxc => "lxc",
        }
    }

    /// What messages call it: VM or CT.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Qemu => "VM",
            Self::Lxc => "CT",
        }
    }

    /// How its tasks begin: `qm` or `vz`.
    pub(crate) fn task(self) -> &'static str {
        match self {
            Self::Qemu => "qm",
            Self::Lxc => "vz",
        }
    }

    /// The kind of the task that moves it.
    pub(crate) fn migration(self) -> &'static str {
        match self {
            Self::Qemu => "qmigrate",
            Self::Lxc => "vzmigrate",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Qemu => "qemu-server",
            Self::Lxc => "lxc",
        }
    }
}

/// A virtual machine or a container.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) vmid: u32,
    pub(crate) kind: Kind,
    /// Index of the node it is on.
    pub(crate) node: usize,
    /// The configuration as written, with changes that wait for a restart.
    pub(crate) config: Map<String, Value>,
    pub(crate) running: Option<Running>,
    /// Such as `backup` or `migrate`.
    pub(crate) lock: Option<String>,
    pub(crate) snapshots: Vec<Snapshot>,
    pub(crate) pool: Option<String>,
    /// Use of its root disk, for containers.
    pub(crate) disk_used: u64,
}

/// A guest while it runs.
#[derive(Clone)]
pub(crate) struct Running {
    /// Seconds since 1970 at its start.
    pub(crate) since: f64,
    pub(crate) pid: u32,
    /// The configuration it was started with, plus what could be changed live.
    pub(crate) live: Map<String, Value>,
    /// Suspended in memory.
    pub(crate) paused: bool,
}

/// A guest's earlier state.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) time: i64,
    pub(crate) parent: Option<String>,
    pub(crate) with_memory: bool,
    pub(crate) config: Map<String, Value>,
}

/// An entry of storage.cfg.
pub(crate) struct Storage {
    pub(crate) name: String,
    pub(crate) plugin: &'static str,
    pub(crate) content: &'static str,
    pub(crate) shared: bool,
    /// Size; of each node's own where it is not shared.
    pub(crate) total: u64,
    /// Use that is not by guests.
    pub(crate) base_used: u64,
    /// Further keys as `/storage` shows them (path, server, pool ...).
    pub(crate) config: Map<String, Value>,
}

/// A file that was put on a storage.
#[derive(Clone)]
pub(crate) struct StoredFile {
    pub(crate) storage: String,
    /// Node that holds it where the storage is not shared.
    pub(crate) node: usize,
    pub(crate) content: String,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) sha256: String,
    pub(crate) time: i64,
}

/// A backup that was made.
#[derive(Clone)]
pub(crate) struct Backup {
    pub(crate) storage: String,
    /// Node that holds it where the storage is not shared.
    pub(crate) node: usize,
    pub(crate) vmid: u32,
    pub(crate) kind: Kind,
    pub(crate) time: i64,
    pub(crate) size: u64,
    pub(crate) file: String,
    pub(crate) notes: String,
}

/// High availability.
#[derive(Default)]
pub(crate) struct Ha {
    /// Resource (`vm:100`) to its options.
    pub(crate) resources: BTreeMap<String, Map<String, Value>>,
    pub(crate) rules: BTreeMap<String, Map<String, Value>>,
    /// Nodes in maintenance.
    pub(crate) maintenance: Vec<String>,
    /// Guests that the manager is to move.
    pub(crate) queue: Vec<Wish>,
    /// Seconds until its next round; two units of the simulated pace where nothing else was told.
    pub(crate) round: Option<f64>,
    /// Commands about maintenance that its manager has not heard yet: when it does, which node, whether in or out.
    pub(crate) commands: Vec<(f64, String, bool)>,
    /// Guests that its manager moved away from a node in maintenance.
    pub(crate) left: BTreeMap<u32, usize>,
}

impl Cluster {
    /// Whether there is more than one node, so corosync runs.
    pub(crate) fn clustered(&self) -> bool {
        self.nodes.len() > 1
    }

    /// Whether writes are possible: most nodes are up, and nobody said else.
    pub(crate) fn quorate(&self) -> bool {
        let up = self.nodes.iter().filter(|node| node.up()).count();
        !self.quorum_lost && up * 2 > self.nodes.len()
    }

    /// The index of a node.
    ///
    /// # Errors
    /// What the real one says about a name that does not resolve.
    pub(crate) fn node_index(&self, name: &str) -> Result<usize, Refusal> {
        self.nodes.iter().position(|node| node.name == name).ok_or_else(|| {
            Refusal::died(format!(
                "hostname lookup '{name}' failed - failed to get address info for: {name}: \
                     Temporary failure in name resolution"
            ))
        })
    }

    /// The guest with this id on this node.
    ///
    /// # Errors
    /// That there is no such configuration file: Proxmox has no 404.
    pub(crate) fn guest(&self, node: usize, kind: Kind, vmid: u32) -> Result<&Guest, Refusal> {
        self.guests
            .get(&vmid)
            .filter(|guest| guest.node == node && guest.kind == kind)
            .ok_or_else(|| self.no_guest(node, kind, vmid))
    }

    /// The same, to change it.
    ///
    /// # Errors
    /// As for [`Cluster::guest`].
    pub(crate) fn guest_mut(&mut self, node: usize, kind: Kind, vmid: u32) -> Result<&mut Guest, Refusal> {
        let missing = self.no_guest(node, kind, vmid);
        self.guests.get_mut(&vmid).filter(|guest| guest.node == node && guest.kind == kind).ok_or(missing)
    }

    fn no_guest(&self, node: usize, kind: Kind, vmid: u32) -> Refusal {
        Refusal::died(format!(
            "Configuration file 'nodes/{}/{}/{vmid}.conf' does not exist",
            self.nodes[node].name,
            kind.folder()
        ))
    }

    /// Lets every task that is due by now end and take effect, and what goes on by itself go on.
    pub(crate) fn settle(&mut self, now: f64) {
        self.take_turns(now);
        self.hear_commands(now);
        loop {
            while let Some((upid, effect)) = self.tasks.next_due(now) {
                let outcome = effect(self, now);
                self.tasks.finish(&upid, outcome, now);
            }
            if !manager::round(self, now) {
                return;
            }
        }
    }
}

impl Storage {
    /// Whether a node has it.
    pub(crate) fn is_on(&self, node: &str) -> bool {
        let nodes = self.config.get("nodes").and_then(Value::as_str);
        nodes.is_none_or(|nodes| nodes.split(',').any(|name| name == node))
    }
}

impl Node {
    pub(crate) fn up(&self) -> bool {
        self.down_since.is_none()
    }

    /// The time its figures are of: they stop when it is cut off.
    pub(crate) fn figures_at(&self, now: f64) -> f64 {
        self.down_since.unwrap_or(now)
    }
}

impl Guest {
    /// `qemu/100`, as resources are named.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.kind.word(), self.vmid)
    }

    /// Its name; Proxmox makes one up where there is none.
    pub(crate) fn name(&self) -> String {
        let key = match self.kind {
            Kind::Qemu => "name",
            Kind::Lxc => "hostname",
        };
        match self.config.get(key).and_then(Value::as_str) {
            Some(name) => name.to_owned(),
            None => format!("{}{}", self.kind.title(), self.vmid),
        }
    }

    pub(crate) fn tags(&self) -> Option<&str> {
        self.config.get("tags").and_then(Value::as_str)
    }

    pub(crate) fn template(&self) -> bool {
        self.config.contains_key("template")
    }

    pub(crate) fn status(&self) -> &'static str {
        if self.running.is_some() { "running" } else { "stopped" }
    }

    /// The configuration that is in force: what it runs with, else the file.
    pub(crate) fn effective(&self) -> &Map<String, Value> {
        self.running.as_ref().map_or(&self.config, |running| &running.live)
    }

    /// Logical CPUs.
    pub(crate) fn cpus(&self) -> u32 {
        let number = |key: &str| {
            let value = self.effective().get(key).map(crate::params::plain);
            value.and_then(|text| text.parse().ok()).unwrap_or(1)
        };
        match self.kind {
            Kind::Qemu if self.effective().contains_key("vcpus") => number("vcpus"),
            Kind::Qemu => number("cores") * number("sockets"),
            Kind::Lxc => number("cores"),
        }
    }

    /// Memory in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let value = self.effective().get("memory").map(crate::params::plain);
        let mebibytes: u64 = value
            .and_then(|text| text.split(',').next().map(|text| text.replace("current=", "")))
            .and_then(|text| text.parse().ok())
            .unwrap_or(512);
        mebibytes << 20
    }

    /// Its disks: key, volume, size in bytes.
    pub(crate) fn disks(&self) -> Vec<(String, String, u64)> {
        let is_disk = |key: &str| {
            let stem = key.trim_end_matches(|c: char| c.is_ascii_digit());
            key == "rootfs" || ["scsi", "virtio", "sata", "ide", "mp"].contains(&stem)
        };
        self.config
            .iter()
            .filter(|(key, _)| is_disk(key))
            .filter_map(|(key, value)| {
                let text = value.as_str()?;
                let volume = text.split(',').next()?;
                let size = text.split(',').find_map(|part| part.strip_prefix("size="))?;
                (!text.contains("media=cdrom")).then(|| Some((key.clone(), volume.to_owned(), parse_size(size)?)))?
            })
            .collect()
    }

    /// Images in its CD drives: key, volume, size in bytes where it is told.
    pub(crate) fn cdroms(&self) -> Vec<(String, String, u64)> {
        let drives = self.config.iter().filter_map(|(key, value)| Some((key, value.as_str()?)));
        drives
            .filter(|(_, text)| text.contains("media=cdrom") && !text.starts_with("none"))
            .map(|(key, text)| {
                let size = text.split(',').find_map(|part| parse_size(part.strip_prefix("size=")?));
                (key.clone(), text.split(',').next().unwrap_or_default().to_owned(), size.unwrap_or(0))
            })
            .collect()
    }

    /// The size of its first disk, as lists show it.
    pub(crate) fn max_disk(&self) -> u64 {
        self.disks().first().map_or(0, |disk| disk.2)
    }

    /// A digest of the configuration, as writers send back.
    pub(crate) fn digest(&self) -> String {
        config_digest(&self.config)
    }

    /// Refuses where the guest is locked.
    ///
    /// # Errors
    /// Which lock it has.
    pub(crate) fn unlocked(&self) -> Result<(), Refusal> {
        match &self.lock {
            None => Ok(()),
            Some(lock) => Err(Refusal::died(format!("{} is locked ({lock})", self.kind.title()))),
        }
    }
}

/// Forty hexadecimal digits over a configuration.
pub(crate) fn config_digest(config: &Map<String, Value>) -> String {
    let text = Value::Object(config.clone()).to_string();
    hex(&Sha256::digest(text.as_bytes()))[..40].to_owned()
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `32G` in bytes.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'T']);
    let shift = match &text[digits.len()..] {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    let number: f64 = digits.parse().ok()?;
    Some((number * f64::from(1_u32 << 30) * 2_f64.powi(shift - 30)) as u64)
}

/// Bytes in the largest unit that divides them, as configurations write sizes.
pub(crate) fn format_size(bytes: u64) -> String {
    for (shift, unit) in [(40, "T"), (30, "G"), (20, "M"), (10, "K")] {
        if bytes >= 1 << shift && bytes.is_multiple_of(1 << shift) {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_write_alike() {
        for text in ["1G", "1280M", "32G", "2T", "4K", "7"] {
            assert_eq!(parse_size(text).map(format_size).as_deref(), Some(text));
        }
        assert_eq!(parse_size("two"), None);
    }
}
