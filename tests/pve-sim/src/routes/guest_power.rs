//! Starting, stopping, rebooting, suspending guests.
//!
//! A VM that runs already takes a start with a UPID and the task fails; a
//! container refuses at once. Suspending and resuming are unrecorded.

use serde_json::Value;

use super::{Call, Handler};
use crate::refusal::{Answer, Refusal};
use crate::state::{Cluster, Guest, Kind, Running};
use crate::tasks::{Effect, Ending, Outcome};

#[derive(Clone, Copy, PartialEq)]
enum Verb {
    Start,
    Stop,
    Shutdown,
    Reboot,
    Reset,
    Suspend,
    Resume,
}

/// The handler for a path below `/nodes/{node}/{qemu,lxc}/{vmid}`.
pub(super) fn find(method: &str, room: &str, below: &str) -> Option<Handler> {
    if method != "POST" {
        return None;
    }
    Some(match (below, room == "qemu") {
        ("status/start", true) => |call: &mut Call<'_>| power(call, Kind::Qemu, Verb::Start),
        ("status/start", false) => |call: &mut Call<'_>| power(call, Kind::Lxc, Verb::Start),
        ("status/stop", true) => |call: &mut Call<'_>| power(call, Kind::Qemu, Verb::Stop),
        ("status/stop", false) => |call: &mut Call<'_>| power(call, Kind::Lxc, Verb::Stop),
        ("status/shutdown", true) => |call: &mut Call<'_>| power(call, Kind::Qemu, Verb::Shutdown),
        ("status/shutdown", false) => |call: &mut Call<'_>| power(call, Kind::Lxc, Verb::Shutdown),
        ("status/reboot", true) => |call: &mut Call<'_>| power(call, Kind::Qemu, Verb::Reboot),
        ("status/reboot", false) => |call: &mut Call<'_>| power(call, Kind::Lxc, Verb::Reboot),
        ("status/reset", true) => |call: &mut Call<'_>| power(call, Kind::Qemu, Verb::Reset),
        ("status/suspend", true) => |call: &mut Call<'_>| power(call, Kind::Qemu, Verb::Suspend),
        ("status/suspend", false) => |call: &mut Call<'_>| power(call, Kind::Lxc, Verb::Suspend),
        ("status/resume", true) => |call: &mut Call<'_>| power(call, Kind::Qemu, Verb::Resume),
        ("status/resume", false) => |call: &mut Call<'_>| power(call, Kind::Lxc, Verb::Resume),
        _ => return None,
    })
}

/// The task's kind after `qm` or `vz`, and how long it takes.
fn task_of(verb: Verb) -> (&'static str, f64) {
    match verb {
        Verb::Start => ("start", 1.0),
        Verb::Stop => ("stop", 1.0),
        Verb::Shutdown => ("shutdown", 3.0),
        Verb::Reboot => ("reboot", 4.0),
        Verb::Reset => ("reset", 1.0),
        Verb::Suspend => ("suspend", 1.0),
        Verb::Resume => ("resume", 1.0),
    }
}

fn power(call: &mut Call<'_>, kind: Kind, verb: Verb) -> Answer {
    let guest = call.guest(kind)?;
    if !(call.params.flag("skiplock") && call.caller.is_root()) {
        guest.unlocked()?;
    }
    call.quorum()?;
    if kind == Kind::Lxc {
        possible(guest, verb).map_err(Refusal::died)?;
    }
    if verb == Verb::Start && guest.template() {
        return Err(Refusal::died(format!(
            "you can't start a {} if it's a template",
            if kind == Kind::Qemu { "vm" } else { "CT" }
        )));
    }
    let vmid = guest.vmid;
    let (word, units) = task_of(verb);
    let effect: Effect = Box::new(move |cluster, now| carry_out(cluster, vmid, verb, now));
    call.start_task(format!("{}{word}", kind.task()), vmid, units, Vec::new(), effect)
}

/// Whether a guest's state allows it.
fn possible(guest: &Guest, verb: Verb) -> Result<(), String> {
    let (title, vmid) = (guest.kind.title(), guest.vmid);
    match (verb, guest.running.is_some()) {
        (Verb::Start, true) => Err(format!("{title} {vmid} already running")),
        (Verb::Start, false) | (_, true) => Ok(()),
        (_, false) => Err(format!("{title} {vmid} not running")),
    }
}

fn carry_out(cluster: &mut Cluster, vmid: u32, verb: Verb, now: f64) -> Outcome {
    let pid = cluster.tasks.new_pid();
    let guest = cluster.guests.get_mut(&vmid).ok_or(format!("no such guest {vmid}"))?;
    // Stopping a VM that does not run is no error; a container refused earlier.
    if !(guest.kind == Kind::Qemu && verb == Verb::Stop) {
        possible(guest, verb)?;
    }
    match verb {
        Verb::Start | Verb::Reboot => start(guest, pid, now),
        Verb::Stop | Verb::Shutdown => guest.running = None,
        Verb::Reset => {
            if let Some(running) = &mut guest.running {
                running.since = now;
            }
        }
        Verb::Suspend | Verb::Resume => {
            if let Some(running) = &mut guest.running {
                running.paused = verb == Verb::Suspend;
            }
        }
    }
    Ok(Ending::default())
}

/// Makes a guest run with its configuration as written.
pub(crate) fn start(guest: &mut Guest, pid: u32, now: f64) {
    guest.running = Some(Running { since: now, pid, live: guest.config.clone(), paused: false });
}

/// Whether a guest starts with its node.
pub(crate) fn starts_at_boot(guest: &Guest) -> bool {
    guest.config.get("onboot").is_some_and(|value: &Value| crate::params::plain(value) == "1")
}
