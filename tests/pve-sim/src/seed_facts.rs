//! What makes a cluster worth looking at: backups, changes that wait, a disk on
//! ZFS, high availability and replication where there are nodes enough.
//!
//! The cast of the first five guests stays as it is, but for backups.

use serde_json::{Map, Value, json};

use crate::seed::{Plan, map};
use crate::state::{Backup, Cluster, Kind};

/// Nodes from which on guests are kept running and replicated: smaller
/// clusters stay as bare as those that were recorded.
const NODES_FOR_HA: usize = 3;

/// Puts it all into a cluster.
pub(crate) fn enrich(cluster: &mut Cluster, plan: &Plan) {
    backups(cluster, plan.now as i64);
    let running = cluster
        .guests
        .values()
        .filter(|guest| guest.vmid >= 105 && guest.kind == Kind::Qemu && guest.running.is_some());
    let Some(chosen) = running.map(|guest| guest.vmid).next() else { return };
    waiting_change(cluster, chosen);
    disk_on_zfs(cluster, chosen);
    if cluster.nodes.len() >= NODES_FOR_HA {
        high_availability(cluster, chosen);
        replication(cluster, chosen, plan.now as i64);
    }
}

/// Two backups of every other guest on the shared storage, a day apart.
fn backups(cluster: &mut Cluster, now: i64) {
    for guest in cluster.guests.values().filter(|guest| guest.vmid.is_multiple_of(2) && !guest.template()) {
        for days in [2, 1] {
            let time = now - days * 86_400;
            let ending = if guest.kind == Kind::Qemu { "vma.zst" } else { "tar.zst" };
            let stamp = jiff::Timestamp::from_second(time).unwrap_or_default().strftime("%Y_%m_%d-%H_%M_%S");
            cluster.backups.push(Backup {
                storage: "shared-nfs".to_owned(),
                node: guest.node,
                vmid: guest.vmid,
                kind: guest.kind,
                time,
                size: guest.max_disk() / 5,
                file: format!("vzdump-{}-{}-{stamp}.{ending}", guest.kind.word(), guest.vmid),
                notes: guest.name(),
            });
        }
    }
}

/// More memory at the next start, and a serial port gone by then.
fn waiting_change(cluster: &mut Cluster, vmid: u32) {
    let Some(guest) = cluster.guests.get_mut(&vmid) else { return };
    let mebibytes = guest.memory() >> 20;
    guest.config.insert("memory".to_owned(), json!((mebibytes * 2).to_string()));
    if let Some(running) = &mut guest.running {
        running.live.insert("serial0".to_owned(), json!("socket"));
    }
}

fn disk_on_zfs(cluster: &mut Cluster, vmid: u32) {
    let Some(guest) = cluster.guests.get_mut(&vmid) else { return };
    let disk = json!(format!("tank:vm-{vmid}-disk-1,discard=on,iothread=1,size=16G,ssd=1"));
    guest.config.insert("scsi1".to_owned(), disk.clone());
    if let Some(running) = &mut guest.running {
        running.live.insert("scsi1".to_owned(), disk);
    }
}

fn high_availability(cluster: &mut Cluster, vmid: u32) {
    let options = map(json!({"state": "started", "max_restart": 2, "max_relocate": 1, "comment": "keep it up"}));
    cluster.ha.resources.insert(format!("vm:{vmid}"), options);
    let nodes = format!("{}:2,{}", cluster.nodes[0].name, cluster.nodes[1].name);
    let rule: Map<String, Value> = map(json!({
        "rule": "near-the-disks", "type": "node-affinity", "resources": format!("vm:{vmid}"), "nodes": nodes,
        "strict": 0, "comment": "where its disks are fast",
    }));
    cluster.ha.rules.insert("near-the-disks".to_owned(), rule);
}

/// One job, which failed twice by now.
fn replication(cluster: &mut Cluster, vmid: u32, now: i64) {
    let Some(guest) = cluster.guests.get(&vmid) else { return };
    let source = cluster.nodes[guest.node].name.clone();
    let target = cluster.nodes[(guest.node + 1) % cluster.nodes.len()].name.clone();
    cluster.replication.push(map(json!({
        "id": format!("{vmid}-0"), "type": "local", "guest": vmid, "jobnum": 0, "source": source, "target": target,
        "schedule": "*/15", "vmtype": "qemu", "last_sync": now - 2_700, "last_try": now - 900, "next_sync": now + 300,
        "duration": 4.217_531, "fail_count": 2, "error": "command 'zfs recv' failed: no space left on device",
    })));
}
