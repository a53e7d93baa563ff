//! What to write so that a guest has the sizes that are wanted: pure.

use serde::{Deserialize, Serialize};

use crate::model::{
    GuestKind,
    facts::guest::{GuestConfig, PendingChange},
};

/// What Proxmox takes as the least memory.
const LEAST_MIB: u64 = 16;

/// What of a guest's sizes is wanted, or was there before; none where it stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::action::guest) struct Sizes {
    pub(in crate::action::guest) cores: Option<u32>,
    pub(in crate::action::guest) memory_mib: Option<u64>,
    pub(in crate::action::guest) balloon_mib: Option<u64>,
}

/// A setting to be written; none gives it its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) to: Option<String>,
}

/// A guest as it is seen before and after.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) kind: GuestKind,
    pub(super) config: GuestConfig,
    pub(super) digest: String,
    /// What waits for a restart.
    pub(super) waiting: Vec<PendingChange>,
    pub(super) runs: bool,
    pub(super) used_bytes: Option<u64>,
    pub(super) node: String,
    pub(super) node_cpus: Option<f64>,
    pub(super) node_bytes: Option<u64>,
}

impl Seen {
    fn sockets(&self) -> u64 {
        u64::from(self.config.sockets.unwrap_or(1).max(1))
    }

    /// CPUs that it has, or has after a restart; none where it has all of its node.
    fn cpus(&self) -> Option<u64> {
        let places = u64::from(self.config.cores?) * self.sockets();
        Some(self.config.vcpus.map_or(places, u64::from))
    }

    fn memory_mib(&self) -> u64 {
        self.config.memory.unwrap_or(512)
    }

    /// What the balloon leaves it; none where nobody chose it, or where there is no balloon.
    fn balloon_mib(&self) -> Option<u64> {
        self.config.balloon_mb.filter(|least| *least > 0)
    }

    /// Whether CPUs can be plugged in and out while it runs.
    fn plugs_cpus(&self) -> bool {
        let setting = self.config.other.get("hotplug").map(String::as_str).unwrap_or_default();
        let waits = |name: &str| self.waiting.iter().any(|change| change.key == name);
        self.runs && setting.split([',', ';', ' ']).any(|what| what == "cpu") && !waits("cores") && !waits("sockets")
    }

    /// What it has, and what it will have after a restart, for people.
    pub(super) fn words(&self) -> String {
        let cores = match self.cpus() {
            None => "all cores of its node".to_owned(),
            Some(cpus) if self.sockets() == 1 => counted(cpus, "core"),
            Some(cpus) => format!("{cpus} CPUs in {} sockets", self.sockets()),
        };
        let has = format!("{cores} and {} MiB of memory", self.memory_mib());
        let sizes = ["cores", "sockets", "vcpus", "memory", "balloon"];
        let waiting: Vec<String> =
            self.waiting.iter().filter(|change| sizes.contains(&change.key.as_str())).map(waits).collect();
        if waiting.is_empty() {
            return format!("it has {has}");
        }
        format!("it will have {has}: pending until it is restarted, as {}", waiting.join(" and "))
    }
}

impl Sizes {
    /// Why it makes no sense, where it does not.
    pub(super) fn problem(&self, seen: &Seen) -> Option<String> {
        let memory = self.memory_mib.unwrap_or_else(|| seen.memory_mib());
        match (self.cores, self.memory_mib, self.balloon_mib) {
            (None, None, None) => return Some("is to get neither cores nor memory: name how much".to_owned()),
            (Some(0), ..) => return Some("needs a core at least".to_owned()),
            (_, Some(memory), _) if memory < LEAST_MIB => {
                return Some(format!("cannot live on {memory} MiB of memory: {LEAST_MIB} are the least"));
            }
            (.., Some(_)) if seen.kind == GuestKind::Lxc => {
                return Some("is a container, and those have no balloon".to_owned());
            }
            (.., Some(least)) if least > memory => {
                return Some(format!("cannot be left {least} MiB by its balloon with {memory} MiB of memory"));
            }
            _ => {}
        }
        self.cpu_problem(seen).or_else(|| self.memory_problem(seen))
    }

    /// What its node does not have at all. A login that may not see the node's size leaves that to Proxmox.
    #[expect(clippy::cast_precision_loss, reason = "far below what a double holds exactly")]
    fn cpu_problem(&self, seen: &Seen) -> Option<String> {
        let cpus = u64::from(self.cores?) * seen.sockets();
        let (has, node) = (seen.node_cpus.unwrap_or(f64::INFINITY), &seen.node);
        if cpus as f64 > has {
            return Some(format!("cannot have {cpus} CPUs: {node} has {has}"));
        }
        None
    }

    /// Memory that its node does not have, or that a container uses now: it would lose processes at once.
    fn memory_problem(&self, seen: &Seen) -> Option<String> {
        let wanted = self.memory_mib?;
        let node_mib = seen.node_bytes.map_or(u64::MAX, |bytes| bytes >> 20);
        if wanted > node_mib {
            return Some(format!("cannot have {wanted} MiB of memory: {} has {node_mib}", seen.node));
        }
        let used = seen.used_bytes.filter(|_| seen.runs && seen.kind == GuestKind::Lxc)? >> 20;
        (used >= wanted).then(|| format!("uses {used} MiB of memory now: stop what uses it first, or leave it more"))
    }

    /// What has to be written.
    pub(super) fn settings(&self, seen: &Seen) -> Vec<Setting> {
        let mut settings = self.cpu_settings(seen);
        let memory = self.memory_mib.unwrap_or_else(|| seen.memory_mib());
        if memory != seen.memory_mib() {
            settings.push(set("memory", memory));
        }
        let least = self.balloon_mib.or_else(|| seen.balloon_mib().filter(|least| *least > memory).map(|_| memory));
        if let Some(least) = least.filter(|least| seen.config.balloon_mb != Some(*least)) {
            settings.push(set("balloon", least));
        }
        settings
    }

    fn cpu_settings(&self, seen: &Seen) -> Vec<Setting> {
        let Some(cores) = self.cores else { return Vec::new() };
        if seen.kind == GuestKind::Lxc {
            return if seen.config.cores == Some(cores) { Vec::new() } else { vec![set("cores", u64::from(cores))] };
        }
        let wanted = u64::from(cores) * seen.sockets();
        if seen.cpus() == Some(wanted) {
            return Vec::new();
        }
        let places = u64::from(seen.config.cores.unwrap_or(1)) * seen.sockets();
        let all_plugged = seen.config.vcpus.map(|_| Setting { name: "vcpus".to_owned(), to: None });
        if seen.plugs_cpus() && wanted < places {
            return vec![set("vcpus", wanted)];
        }
        // All places are plugged in then: so few of them as were, and the cores would be of no use.
        let cores = (wanted != places).then(|| set("cores", u64::from(cores)));
        cores.into_iter().chain(all_plugged).collect()
    }

    /// The sizes before: what takes it back. None where it had what cannot be asked for.
    pub(super) fn before(&self, seen: &Seen, settings: &[Setting]) -> Option<Self> {
        let changes = |names: &[&str]| settings.iter().any(|setting| names.contains(&setting.name.as_str()));
        let cores = match changes(&["cores", "vcpus"]) {
            true => Some(whole(seen.cpus()?, seen.sockets())?),
            false => None,
        };
        let memory = seen.memory_mib();
        Some(Self {
            cores,
            memory_mib: changes(&["memory"]).then_some(memory),
            // Where nobody chose it, the balloon leaves all of it.
            balloon_mib: changes(&["balloon"]).then_some(seen.config.balloon_mb.unwrap_or(memory)),
        })
    }
}

fn whole(cpus: u64, sockets: u64) -> Option<u32> {
    cpus.is_multiple_of(sockets).then(|| u32::try_from(cpus / sockets).ok())?
}

fn set(name: &str, value: u64) -> Setting {
    Setting { name: name.to_owned(), to: Some(value.to_string()) }
}

fn waits(change: &PendingChange) -> String {
    let then = if change.delete { Some("its default") } else { change.pending.as_deref() };
    format!(
        "{} is {} now and {} then",
        change.key,
        change.value.as_deref().unwrap_or("its default"),
        then.unwrap_or("?")
    )
}

fn counted(count: u64, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vm(cores: u32, sockets: u32, vcpus: Option<u32>, hotplug: Option<&str>, runs: bool) -> Seen {
        let other = hotplug.map(|what| ("hotplug".to_owned(), what.to_owned())).into_iter().collect();
        let (cores, sockets) = (Some(cores), Some(sockets));
        Seen {
            kind: GuestKind::Qemu,
            config: GuestConfig { cores, sockets, vcpus, other, memory: Some(2048), ..GuestConfig::default() },
            digest: String::new(),
            waiting: Vec::new(),
            runs,
            used_bytes: Some(1 << 30),
            node: "pve1".into(),
            node_cpus: Some(16.0),
            node_bytes: Some(32 << 30),
        }
    }

    fn sizes(cores: impl Into<Option<u32>>, memory_mib: impl Into<Option<u64>>) -> Sizes {
        Sizes { cores: cores.into(), memory_mib: memory_mib.into(), balloon_mib: None }
    }

    fn written(wanted: &Sizes, seen: &Seen) -> String {
        let one = |setting: &Setting| format!("{}={}", setting.name, setting.to.as_deref().unwrap_or("-"));
        wanted.settings(seen).iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn cpus_are_plugged_where_there_are_places_and_written_down_where_not() {
        let hot = |vcpus| vm(4, 1, vcpus, Some("network,disk,cpu"), true);
        assert_eq!(written(&sizes(2, None), &hot(None)), "vcpus=2");
        assert_eq!(written(&sizes(4, None), &hot(Some(2))), "vcpus=-");
        assert_eq!(written(&sizes(8, None), &hot(Some(2))), "cores=8 vcpus=-");
        assert_eq!(written(&sizes(2, None), &hot(Some(2))), "");
        for still in [vm(4, 1, None, None, true), vm(4, 1, None, Some("1"), true), vm(4, 1, None, Some("cpu"), false)] {
            assert_eq!(written(&sizes(2, None), &still), "cores=2");
        }
        assert_eq!(written(&sizes(2, None), &vm(4, 2, None, Some("cpu"), true)), "vcpus=4");
    }

    #[test]
    fn a_balloon_never_leaves_more_than_there_is_and_what_was_there_is_kept() {
        let mut seen = vm(2, 1, None, None, true);
        seen.config.balloon_mb = Some(1024);
        assert_eq!(written(&sizes(None, 1536), &seen), "memory=1536");
        let less = sizes(None, 512);
        assert_eq!(written(&less, &seen), "memory=512 balloon=512");
        let before = less.before(&seen, &less.settings(&seen));
        assert_eq!(before, Some(Sizes { cores: None, memory_mib: Some(2048), balloon_mib: Some(1024) }));
        seen.config.balloon_mb = Some(0);
        assert_eq!(written(&less, &seen), "memory=512");
    }

    #[test]
    fn nonsense_is_refused() {
        let seen = vm(2, 2, None, None, true);
        let problem = |wanted: Sizes| wanted.problem(&seen).unwrap_or_default();
        assert!(problem(sizes(None, None)).contains("neither cores nor memory"));
        assert!(problem(sizes(0, None)).contains("a core at least"));
        assert!(problem(sizes(None, 15)).contains("16 are the least"));
        assert_eq!(problem(sizes(9, None)), "cannot have 18 CPUs: pve1 has 16");
        assert!(problem(sizes(None, 40_000)).contains("pve1 has 32768"));
        assert_eq!(problem(sizes(8, 512)), "");
        let small = Sizes { balloon_mib: Some(4096), ..sizes(None, None) };
        assert!(problem(small.clone()).contains("4096 MiB by its balloon"));
        let container = Seen { kind: GuestKind::Lxc, ..seen.clone() };
        assert!(small.problem(&container).unwrap_or_default().contains("no balloon"));
        assert!(sizes(None, 1024).problem(&container).unwrap_or_default().contains("uses 1024 MiB"));
        assert_eq!(sizes(None, 1025).problem(&container), None);
    }

    #[test]
    fn what_waits_for_a_restart_is_said() {
        let mut seen = vm(4, 1, None, None, true);
        assert_eq!(seen.words(), "it has 4 cores and 2048 MiB of memory");
        seen.waiting = vec![PendingChange {
            key: "cores".into(),
            value: Some("2".into()),
            pending: Some("4".into()),
            delete: false,
        }];
        assert_eq!(
            seen.words(),
            "it will have 4 cores and 2048 MiB of memory: pending until it is restarted, as cores is 2 now and 4 then"
        );
    }
}
