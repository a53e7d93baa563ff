//! High availability's manager, as far as it moves guests that it was told to move.
//!
//! Unrecorded. A wish is taken at once and waits for the manager's next round; then each migration begins as a task of
//! its own, by root, with what must stay together. Of a node that fails they are not restarted elsewhere here.

use crate::access::Caller;
use crate::routes::{MoveWork, cluster_sid, ha_motion};
use crate::state::{Cluster, Kind};
use crate::tasks::Work;

/// A guest that is to be moved in the next round.
pub(crate) struct Wish {
    vmid: u32,
    target: usize,
    due: f64,
}

/// Takes a wish in, for the guest and all that must stay with it.
///
/// # Errors
/// Why the manager does not take it, as `ha-manager` says.
pub(crate) fn wish(cluster: &mut Cluster, vmid: u32, target: usize, now: f64) -> Result<(), String> {
    let guest = cluster.guests.get(&vmid).ok_or_else(|| format!("no such guest {vmid}"))?;
    let sid = cluster_sid(guest);
    let state = cluster.ha.resources.get(&sid).and_then(|options| options.get("state")?.as_str().map(str::to_owned));
    if state.as_deref() == Some("error") {
        return Err(format!("service '{sid}' in error state, must be disabled and fixed first"));
    }
    let motion = ha_motion(cluster, &sid);
    let name = cluster.nodes[target].name.clone();
    if motion.blocked.contains_key(&name) {
        return Err(format!("cannot migrate '{sid}' to node '{name}': it is blocked by a rule"));
    }
    let due = now + cluster.ha.round.unwrap_or(cluster.tasks.pace * 2.0);
    let others = motion.together.iter().filter_map(|sid| sid.split_once(':')?.1.parse().ok());
    let all: Vec<u32> = std::iter::once(vmid).chain(others).collect();
    cluster.ha.queue.retain(|wish| !all.contains(&wish.vmid));
    cluster.ha.queue.extend(all.into_iter().map(|vmid| Wish { vmid, target, due }));
    Ok(())
}

/// Whether a guest waits to be moved, or is being moved.
pub(crate) fn is_moving(cluster: &Cluster, vmid: u32) -> bool {
    let locked = cluster.guests.get(&vmid).is_some_and(|guest| guest.lock.as_deref() == Some("migrate"));
    locked || cluster.ha.queue.iter().any(|wish| wish.vmid == vmid)
}

/// Begins what is due; whether there was something.
pub(crate) fn round(cluster: &mut Cluster, now: f64) -> bool {
    let Some(place) = cluster.ha.queue.iter().position(|wish| wish.due <= now) else { return false };
    let wish = cluster.ha.queue.swap_remove(place);
    begin(cluster, wish.vmid, wish.target, now);
    true
}

/// Begins to move a guest that is not there yet.
pub(crate) fn begin(cluster: &mut Cluster, vmid: u32, target: usize, now: f64) {
    let Some(guest) = cluster.guests.get(&vmid).filter(|guest| guest.node != target) else { return };
    let (node, kind, runs) = (guest.node, guest.kind, guest.running.is_some());
    // It always asks for a live one, or a restart; and for nothing else.
    let work = MoveWork { vmid, target, live_disks: false, restart: kind == Kind::Lxc && runs, storage: None };
    let (name, booted) = (cluster.nodes[node].name.clone(), cluster.nodes[node].booted);
    let log = vec![work.first_line(cluster)];
    work.lock(cluster);
    let work = Work {
        node,
        kind: kind.migration().to_owned(),
        id: vmid.to_string(),
        units: 3.0,
        log,
        effect: Box::new(move |cluster, now| work.carry_out(cluster, now)),
    };
    cluster.tasks.start(&name, booted, &Caller::user("root@pam"), work, now);
}
