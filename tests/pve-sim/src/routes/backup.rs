//! `/nodes/{node}/vzdump`: backups of guests, as volumes on a storage.

use super::{Call, Handler};
use crate::refusal::{Answer, Refusal};
use crate::state::{Backup, Cluster, Kind};
use crate::tasks::{Effect, Ending, Outcome};

/// The handler for a path below `/nodes/{node}/vzdump`.
pub(super) fn find(method: &str, below: &str) -> Option<Handler> {
    (method == "POST" && below.is_empty()).then_some(vzdump as Handler)
}

fn vzdump(call: &mut Call<'_>) -> Answer {
    let storage = call.params.text("storage").unwrap_or("local").to_owned();
    let found = call.cluster.storages.iter().find(|entry| entry.name == storage);
    let found = found.ok_or_else(|| Refusal::parameter("storage", format!("storage '{storage}' does not exist")))?;
    if !found.content.split(',').any(|content| content == "backup") {
        let text = format!("storage '{storage}' does not support backups");
        return Err(Refusal::parameter("storage", text));
    }
    let guests = call.cluster.guests.values();
    let chosen: Vec<u32> = if call.params.flag("all") {
        guests.filter(|guest| guest.node == call.node).map(|guest| guest.vmid).collect()
    } else {
        call.params.list("vmid").iter().filter_map(|vmid| vmid.parse().ok()).collect()
    };
    if chosen.is_empty() {
        return Err(Refusal::parameter("vmid", "property is missing and it is not optional"));
    }
    for vmid in &chosen {
        if !call.may(&format!("/vms/{vmid}"), &["VM.Backup"]) {
            return Err(Refusal::forbidden(&format!("/vms/{vmid}, VM.Backup")));
        }
    }
    call.quorum()?;
    let (node, stop) = (call.node, call.params.text("mode") == Some("stop"));
    let id = match chosen.as_slice() {
        [one] => one.to_string(),
        _ => String::new(),
    };
    for vmid in &chosen {
        if let Some(guest) = call.cluster.guests.get_mut(vmid).filter(|guest| guest.node == node) {
            guest.lock.get_or_insert("backup".to_owned());
        }
    }
    let units = 2.0 + chosen.len() as f64;
    let log = vec!["INFO: starting new backup job".to_owned()];
    let effect: Effect = Box::new(move |cluster, now| back_up(cluster, node, &storage, &chosen, stop, now));
    call.start_task("vzdump", id, units, log, effect)
}

fn back_up(cluster: &mut Cluster, node: usize, storage: &str, chosen: &[u32], stop: bool, now: f64) -> Outcome {
    let mut ending = Ending::default();
    for vmid in chosen {
        let guest = cluster.guests.get_mut(vmid).filter(|guest| guest.node == node);
        let Some(guest) = guest else {
            return Err(format!("unable to find VM '{vmid}'"));
        };
        guest.lock = None;
        // As recorded: stopping a container for its backup ends with a warning.
        if guest.kind == Kind::Lxc && stop {
            ending.warnings += 1;
        }
        let stamp = jiff::Timestamp::from_second(now as i64)
            .map(|at| at.strftime("%Y_%m_%d-%H_%M_%S").to_string())
            .unwrap_or_default();
        let ending_of_file = if guest.kind == Kind::Qemu { "vma.zst" } else { "tar.zst" };
        ending.log.push(format!("INFO: Finished Backup of VM {vmid} (00:00:02)"));
        cluster.backups.push(Backup {
            storage: storage.to_owned(),
            node,
            vmid: *vmid,
            kind: guest.kind,
            time: now as i64,
            size: guest.max_disk() / 5,
            file: format!("vzdump-{}-{vmid}-{stamp}.{ending_of_file}", guest.kind.word()),
            notes: guest.name(),
        });
    }
    ending.log.push("INFO: Backup job finished successfully".to_owned());
    Ok(ending)
}
