//! Guests sent to another cluster. Unrecorded; see [`remote`](crate::remote).

use super::{Call, Handler, cluster, guest_migrate};
use crate::refusal::{Answer, Refusal};
use crate::remote::{self, Departure};
use crate::state::Kind;
use crate::tasks::{Effect, Ending};

/// The handler for a path of guests; `below` is what follows the id.
pub(super) fn find(method: &str, room: &str, below: &str) -> Option<Handler> {
    Some(match (method, below, room == "qemu") {
        ("POST", "remote_migrate", true) => |call: &mut Call<'_>| send(call, Kind::Qemu),
        ("POST", "remote_migrate", false) => |call: &mut Call<'_>| send(call, Kind::Lxc),
        _ => return None,
    })
}

fn send(call: &mut Call<'_>, kind: Kind) -> Answer {
    call.quorum()?;
    let guest = call.guest(kind)?;
    guest.unlocked()?;
    let (vmid, runs) = (guest.vmid, guest.running.is_some());
    if call.cluster.ha.resources.contains_key(&cluster::sid(guest)) {
        let why = match kind {
            Kind::Qemu => "cannot remote-migrate VM that is configured for HA",
            Kind::Lxc => "cannot migrate HA-managed CT to remote cluster",
        };
        return Err(Refusal::parameter("vmid", why));
    }
    let (online, restart) = (call.params.flag("online"), call.params.flag("restart"));
    match kind {
        Kind::Qemu if runs && !online => return Err(Refusal::died("can't migrate running VM without --online")),
        Kind::Lxc if runs && !online && !restart => {
            return Err(Refusal::died("can't migrate running container without --online or --restart"));
        }
        _ => {}
    }
    let nobody = || Refusal::died("there is no other cluster on this way");
    let far = call.far.clone().ok_or_else(nobody)??;
    if call.params.text("target-storage") == Some("1") {
        return Err(Refusal::died("remote migration requires explicit storage mapping!"));
    }
    let devices = guest_migrate::devices(call.guest(kind)?).0;
    let hindered = if kind == Kind::Qemu && !devices.is_empty() {
        Some(format!("can't migrate VM which uses local devices: {}", devices.join(", ")))
    } else if kind == Kind::Lxc && runs && !restart {
        Some("lxc live migration is currently not implemented".to_owned())
    } else {
        None
    };
    let departure = Departure {
        vmid,
        far_vmid: call.params.integer("target-vmid").and_then(|vmid| u32::try_from(vmid).ok()).unwrap_or(vmid),
        storage: call.params.string("target-storage"),
        bridge: call.params.string("target-bridge"),
        delete: call.params.flag("delete"),
        restart: kind == Kind::Lxc && runs,
        far,
    };
    let log = vec![remote::first_line(kind, vmid, &departure.far)];
    if hindered.is_none() {
        call.guest_mut(kind)?.lock = Some("migrate".to_owned());
    }
    let effect: Effect = Box::new(move |_, _| match hindered {
        Some(why) => Err(guest_migrate::aborted(&why)),
        None => Ok(Ending::default()),
    });
    let goes = call.guest(kind)?.lock.is_some();
    let answer = call.start_task(kind.migration(), vmid, 6.0, log, effect)?;
    if goes && let Some(upid) = answer.data.as_str() {
        call.cluster.tasks.depart(upid, departure);
    }
    Ok(answer)
}
