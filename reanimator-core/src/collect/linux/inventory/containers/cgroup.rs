//! What containers use, out of the kernel's control groups of version 1 and 2.

use std::collections::BTreeMap;

use super::super::hardware::text::number;
use crate::model::units::Bytes;

/// What one container uses.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Use {
    /// CPU time since it was started.
    pub(super) cpu_seconds: Option<f64>,
    memory_bytes: Option<u64>,
    inactive_file_bytes: Option<u64>,
    /// The same with the groups inside, which version 1 counts apart.
    total_inactive_file_bytes: Option<u64>,
}

impl Use {
    /// Memory without files that can be dropped, as `docker stats` counts.
    pub(super) fn memory(&self) -> Option<Bytes> {
        let droppable = self.total_inactive_file_bytes.or(self.inactive_file_bytes).unwrap_or(0);
        self.memory_bytes.map(|all| Bytes(if droppable < all { all - droppable } else { all }))
    }
}

/// What all of them use, and the machine's uptime when they were asked.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Uses {
    pub(super) uptime_seconds: Option<f64>,
    pub(super) by_id: BTreeMap<String, Use>,
}

/// The id in `docker-ID.scope`, `libpod-ID.scope`, `libpod-ID` or `ID`.
fn id(folder: &str) -> Option<&str> {
    let id = folder.strip_suffix(".scope").unwrap_or(folder);
    let id = id.strip_prefix("docker-").or_else(|| id.strip_prefix("libpod-")).unwrap_or(id);
    (id.len() == 64 && id.chars().all(|c| c.is_ascii_hexdigit())).then_some(id)
}

/// The container that a folder of the control groups is of, or of whose engine's helper it is.
pub(in super::super) fn container_of(folder: &str) -> Option<&str> {
    id(folder).or_else(|| id(folder.strip_prefix("libpod-conmon-")?))
}

/// Reads `/proc/uptime` and lines of `PATH:CONTENT`.
pub(super) fn read(text: &str) -> Uses {
    let mut uses = Uses::default();
    for line in text.lines() {
        let Some((path, content)) = line.strip_prefix('/').and_then(|line| line.split_once(':')) else {
            if uses.uptime_seconds.is_none() {
                let first = line.split_whitespace().next();
                uses.uptime_seconds = first.and_then(number).filter(|seconds: &f64| seconds.is_finite());
            }
            continue;
        };
        let mut folders = path.rsplit('/');
        let (Some(file), Some(id)) = (folders.next(), folders.next().and_then(id)) else { continue };
        let of = uses.by_id.entry(id.to_owned()).or_default();
        let counter = |name: &str| content.strip_prefix(name)?.strip_prefix(' ').and_then(number::<u64>);
        match file {
            "cpu.stat" => of.cpu_seconds = counter("usage_usec").map(|micros| micros as f64 / 1e6).or(of.cpu_seconds),
            "cpuacct.usage" => of.cpu_seconds = number::<u64>(content).map(|nanos| nanos as f64 / 1e9),
            "memory.current" | "memory.usage_in_bytes" => of.memory_bytes = number(content),
            "memory.stat" => {
                of.inactive_file_bytes = counter("inactive_file").or(of.inactive_file_bytes);
                of.total_inactive_file_bytes = counter("total_inactive_file").or(of.total_inactive_file_bytes);
            }
            _ => {}
        }
    }
    uses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_two_is_read_under_either_driver() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let text = format!(
            "100.5 200.1\n/sys/fs/cgroup/system.slice/docker-{a}.scope/cpu.stat:usage_usec 2500000\n\
             /sys/fs/cgroup/system.slice/docker-{a}.scope/memory.current:3000\n\
             /sys/fs/cgroup/system.slice/docker-{a}.scope/memory.stat:inactive_file 1000\n\
             /sys/fs/cgroup/machine.slice/libpod-{b}.scope/memory.current:500\n\
             /sys/fs/cgroup/machine.slice/libpod-{b}.scope/memory.stat:inactive_file 900\n/sys/fs/cgroup/docker/buildkit/cpu.stat:usage_usec 1\n"
        );
        let uses = read(&text);
        assert_eq!((uses.uptime_seconds, uses.by_id.len()), (Some(100.5), 2));
        assert_eq!((uses.by_id[&a].cpu_seconds, uses.by_id[&a].memory()), (Some(2.5), Some(Bytes(2000))));
        assert_eq!((uses.by_id[&b].cpu_seconds, uses.by_id[&b].memory()), (None, Some(Bytes(500))));
    }
}
