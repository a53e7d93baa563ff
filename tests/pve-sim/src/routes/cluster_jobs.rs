//! `/cluster`: what the cluster does by itself: backup jobs, replication, Ceph,
//! software-defined networks.
//!
//! Unrecorded are: writes to backup jobs beyond their creation, replication and
//! zones beyond empty lists, and what is said where there is no Ceph (the words
//! are those of the source).

use serde_json::{Map, Value, json};

use super::{Call, Handler, cluster::number};
use crate::params::plain;
use crate::refusal::{Answer, Refusal, Reply};
use crate::state::Guest;

/// The handler for a path below `/cluster`.
pub(super) fn find(method: &str, rest: &str) -> Option<Handler> {
    Some(match (method, rest) {
        ("GET", "backup") => backup_jobs,
        ("POST", "backup") => create_backup_job,
        ("GET", "backup/{id}") => backup_job,
        ("DELETE", "backup/{id}") => delete_backup_job,
        ("GET", "backup-info/not-backed-up") => not_backed_up,
        ("GET", "replication") => replication,
        ("GET", "ceph/status") => no_ceph,
        ("GET", "sdn/zones") => zones,
        ("GET", "sdn/vnets") => vnets,
        _ => return None,
    })
}

/// Jobs as they are configured. Unrecorded but for the empty list.
fn replication(call: &mut Call<'_>) -> Answer {
    let configured = ["id", "type", "guest", "jobnum", "source", "target", "schedule"];
    let job = |job: &Map<String, Value>| {
        let kept = job.iter().filter(|(name, _)| configured.contains(&name.as_str()));
        Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
    };
    Ok(call.cluster.replication.iter().map(job).collect::<Value>().into())
}

/// Jobs from one node, and how they go; numbers of guests come as text here.
/// Unrecorded.
pub(super) fn replication_of_node(call: &mut Call<'_>) -> Answer {
    let node = &call.cluster.nodes[call.node].name;
    let jobs = call.cluster.replication.iter().filter(|job| job.get("source") == Some(&json!(node)));
    let state = |job: &Map<String, Value>| {
        let mut job = job.clone();
        for name in ["guest", "jobnum"] {
            let text = job.get(name).map(plain).unwrap_or_default();
            job.insert(name.to_owned(), json!(text));
        }
        Value::Object(job)
    };
    Ok(jobs.map(state).collect::<Value>().into())
}

/// What a cluster without Ceph says. Unrecorded; the words are those of the
/// source.
pub(super) fn no_ceph(_: &mut Call<'_>) -> Answer {
    Err(Refusal::died("binary not installed: /usr/bin/ceph-mon"))
}

/// A zone where there is more than one node. Unrecorded but for the empty list.
fn zones(call: &mut Call<'_>) -> Answer {
    Ok(match call.cluster.clustered() {
        true => json!([{"zone": "lab", "type": "vlan", "bridge": "vmbr0", "ipam": "pve", "mtu": 1500}]),
        false => json!([]),
    }
    .into())
}

/// A network in that zone. Unrecorded but for the empty list.
fn vnets(call: &mut Call<'_>) -> Answer {
    Ok(match call.cluster.clustered() {
        true => json!([{"vnet": "labnet", "type": "vnet", "zone": "lab", "tag": 120, "alias": "laboratory"}]),
        false => json!([]),
    }
    .into())
}

fn backup_jobs(call: &mut Call<'_>) -> Answer {
    let midnight = (call.now as i64 / 86_400 + 1) * 86_400;
    let list = call.cluster.backup_jobs.values().map(|job| {
        let mut job = job.clone();
        job.insert("next-run".to_owned(), json!(midnight));
        Value::Object(job)
    });
    Ok(list.collect::<Value>().into())
}

fn backup_job(call: &mut Call<'_>) -> Answer {
    let id = call.params.string("id");
    let job = call.cluster.backup_jobs.get(&id);
    job.map(|job| Reply::from(Value::Object(job.clone())))
        .ok_or_else(|| Refusal::parameter("id", format!("No such job '{id}'")))
}

fn create_backup_job(call: &mut Call<'_>) -> Answer {
    call.quorum()?;
    let mut job: Map<String, Value> = call.params.iter().map(|(name, value)| (name.clone(), number(value))).collect();
    let id = match call.params.text("id") {
        Some(id) => id.to_owned(),
        None => format!("backup-{:08x}", call.now as u64),
    };
    if call.cluster.backup_jobs.contains_key(&id) {
        return Err(Refusal::parameter("id", format!("Job '{id}' already exists")));
    }
    if let Some((key, value)) = call.params.text("prune-backups").and_then(|text| text.split_once('=')) {
        job.insert("prune-backups".to_owned(), json!({key: value}));
    }
    job.insert("id".to_owned(), json!(id));
    job.insert("type".to_owned(), json!("vzdump"));
    call.cluster.backup_jobs.insert(id, job);
    Ok(Value::Null.into())
}

fn delete_backup_job(call: &mut Call<'_>) -> Answer {
    call.quorum()?;
    let id = call.params.string("id");
    match call.cluster.backup_jobs.remove(&id) {
        Some(_) => Ok(Value::Null.into()),
        None => Err(Refusal::parameter("id", format!("No such job '{id}'"))),
    }
}

/// Whether a job takes a guest along, on whichever node. Unrecorded but for
/// `all`; the order is that of the source.
fn takes_along(job: &Map<String, Value>, guest: &Guest) -> bool {
    let text = |name: &str| job.get(name).map(plain).unwrap_or_default();
    let lists = |name: &str| text(name).split(',').any(|vmid| vmid == guest.vmid.to_string());
    match (text("pool"), text("vmid")) {
        (pool, _) if !pool.is_empty() => guest.pool.as_deref() == Some(pool.as_str()),
        (_, vmids) if !vmids.is_empty() => lists("vmid"),
        _ => (text("all") == "1" || job.contains_key("exclude")) && !lists("exclude"),
    }
}

fn not_backed_up(call: &mut Call<'_>) -> Answer {
    let in_job = |guest: &Guest| call.cluster.backup_jobs.values().any(|job| takes_along(job, guest));
    let list = call
        .cluster
        .guests
        .values()
        .filter(|guest| !in_job(guest))
        .map(|guest| json!({"vmid": guest.vmid, "type": guest.kind.word(), "name": guest.name()}));
    Ok(list.collect::<Value>().into())
}
