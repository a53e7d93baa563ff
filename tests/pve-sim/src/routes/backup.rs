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
    let job = Job {
        node: call.node,
        storage,
        stop: call.params.text("mode") == Some("stop"),
        notes: call.params.text("notes-template").unwrap_or_default().to_owned(),
    };
    let id = match chosen.as_slice() {
        [one] => one.to_string(),
        _ => String::new(),
    };
    let mut locked = Vec::new();
    for vmid in &chosen {
        if let Some(guest) = call.cluster.guests.get_mut(vmid).filter(|guest| guest.node == job.node) {
            locked.extend(guest.lock.is_some().then_some(*vmid));
            guest.lock.get_or_insert("backup".to_owned());
        }
    }
    let units = 2.0 + chosen.len() as f64;
    let log = vec!["INFO: starting new backup job".to_owned()];
    let effect: Effect = Box::new(move |cluster, now| job.carry_out(cluster, &chosen, &locked, now));
    call.start_task("vzdump", id, units, log, effect)
}

struct Job {
    node: usize,
    storage: String,
    stop: bool,
    notes: String,
}

impl Job {
    /// Backs one after the other up. One that somebody else has locked fails
    /// alone; the others are backed up (unrecorded).
    fn carry_out(self, cluster: &mut Cluster, chosen: &[u32], locked: &[u32], now: f64) -> Outcome {
        let mut ending = Ending::default();
        for vmid in chosen.iter().filter(|vmid| !locked.contains(vmid)) {
            self.back_up(cluster, *vmid, now, &mut ending)?;
        }
        if !locked.is_empty() {
            return Err("job errors".to_owned());
        }
        ending.log.push("INFO: Backup job finished successfully".to_owned());
        Ok(ending)
    }

    fn back_up(&self, cluster: &mut Cluster, vmid: u32, now: f64, ending: &mut Ending) -> Result<(), String> {
        let (cluster_name, node_name) = (cluster.name.clone(), cluster.nodes[self.node].name.clone());
        let guest = cluster.guests.get_mut(&vmid).filter(|guest| guest.node == self.node);
        let guest = guest.ok_or_else(|| format!("unable to find VM '{vmid}'"))?;
        guest.lock = None;
        // As recorded: stopping a container for its backup ends with a warning.
        ending.warnings += u32::from(guest.kind == Kind::Lxc && self.stop);
        let stamp = jiff::Timestamp::from_second(now as i64)
            .map(|at| at.strftime("%Y_%m_%d-%H_%M_%S").to_string())
            .unwrap_or_default();
        let ending_of_file = if guest.kind == Kind::Qemu { "vma.zst" } else { "tar.zst" };
        ending.log.push(format!("INFO: Starting Backup of VM {vmid} ({})", guest.kind.word()));
        ending.log.push(format!("INFO: Finished Backup of VM {vmid} (00:00:02)"));
        let notes = self.notes.replace("\\n", "\n").replace("\\\\", "\\");
        let notes = notes.replace("{{guestname}}", &guest.name()).replace("{{vmid}}", &vmid.to_string());
        let notes = notes.replace("{{node}}", &node_name).replace("{{cluster}}", &cluster_name);
        let backup = Backup {
            storage: self.storage.clone(),
            node: self.node,
            vmid,
            kind: guest.kind,
            time: now as i64,
            size: guest.max_disk() / 5,
            file: format!("vzdump-{}-{vmid}-{stamp}.{ending_of_file}", guest.kind.word()),
            notes,
        };
        cluster.backups.push(backup);
        Ok(())
    }
}
