//! What programs belong to, by their control groups, and what they are called.

use std::collections::BTreeMap;

use super::{
    super::{containers::container_of, words},
    Socket,
};
use crate::model::facts::listeners::Listener;

/// Programs by their numbers.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Programs {
    by_pid: BTreeMap<u32, Program>,
}

/// What is known of one.
#[derive(Debug, Default, PartialEq, Eq)]
struct Program {
    name: Option<String>,
    unit: Option<String>,
    container: Option<String>,
}

/// Reads lines of `/proc/616/cgroup:0::/system.slice/unbound.service` and `/proc/616/comm:unbound`.
pub(super) fn read(text: &str) -> Programs {
    let mut programs = Programs::default();
    for line in text.lines() {
        let Some((pid, rest)) = line.strip_prefix("/proc/").and_then(|rest| rest.split_once('/')) else { continue };
        let Ok(pid) = pid.parse() else { continue };
        let program = programs.by_pid.entry(pid).or_default();
        if let Some(name) = rest.strip_prefix("comm:") {
            program.name = words::clip(name);
        } else if let Some(path) = rest.strip_prefix("cgroup:").and_then(|group| group.splitn(3, ':').nth(2)) {
            // Version 1 has a line for each controller: any that tells will do.
            program.unit = program.unit.take().or_else(|| unit(path));
            program.container =
                program.container.take().or_else(|| path.split('/').find_map(container_of).map(str::to_owned));
        }
    }
    programs
}

/// The host's own unit in a path: what a user's manager or a container started is inside of one.
fn unit(path: &str) -> Option<String> {
    path.split('/').find(|part| part.ends_with(".service")).and_then(words::clip)
}

impl Programs {
    /// A socket with what is known of who holds it.
    pub(super) fn name(&self, socket: Socket) -> Listener {
        let Socket { mut listener, pids } = socket;
        let Some(program) = pids.first().and_then(|pid| self.by_pid.get(pid)) else { return listener };
        listener.process = listener.process.or_else(|| program.name.clone());
        listener.unit.clone_from(&program.unit);
        listener.container_id.clone_from(&program.container);
        listener
    }
}
