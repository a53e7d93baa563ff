//! What a cluster does by itself: `/cluster/replication`, `/nodes/{node}/replication`, `/cluster/backup`,
//! `/cluster/backup-info/not-backed-up`, `/pools`, `/cluster/ceph/status`, `/cluster/tasks`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    lenient::{self, Fields},
    node_machine::list,
    options::{LIST_LIMIT, cut, hundredths, time},
};
use crate::{
    Error, ErrorKind, Result,
    model::{
        Bytes,
        facts::cluster::{BackupJob, BackupSelection, CephCheck, CephFacts, NotBackedUp, ReplicationJob, TaskFailure},
    },
    transport::http::Request,
};

/// How many guests a backup job may name.
const VMIDS_LISTED: usize = 10_000;

/// How many failed tasks are kept.
const FAILURES_KEPT: usize = 20;

/// What to ask for replication jobs. Shows those on whose guest the login has `VM.Audit`.
pub fn replication_request() -> Request {
    Request::get(["cluster", "replication"])
}

/// What to ask for how replication from one node goes.
pub fn replication_states_request(node: &str) -> Request {
    Request::get(["nodes", node, "replication"])
}

/// What to ask for backup jobs. Needs `Sys.Audit` on `/`.
pub fn backup_jobs_request() -> Request {
    Request::get(["cluster", "backup"])
}

/// What to ask for guests without a backup job. Needs `Sys.Audit` on `/`.
pub fn not_backed_up_request() -> Request {
    Request::get(["cluster", "backup-info", "not-backed-up"])
}

/// What to ask for Ceph's health. Needs `Sys.Audit` or `Datastore.Audit` on `/`.
pub fn ceph_request() -> Request {
    Request::get(["cluster", "ceph", "status"])
}

/// What to ask for the last tasks. Shows the login's own, without `Sys.Audit` on `/`.
pub fn tasks_request() -> Request {
    Request::get(["cluster", "tasks"])
}

/// Reads replication jobs; those of a node come with how they go.
///
/// # Errors
/// When the answer is no list.
pub fn replication(data: &Value) -> Result<Vec<ReplicationJob>> {
    let job = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        Some(ReplicationJob {
            id: text("id")?,
            vmid: text("guest"),
            source: text("source"),
            target: text("target"),
            schedule: text("schedule").or_else(|| Some("*/15".to_owned())),
            disabled: row.flag("disable").unwrap_or(false),
            rate_mb_per_second: row.number("rate").filter(|rate| *rate > 0.0),
            comment: text("comment"),
            last_sync: time(row.count("last_sync")),
            last_try: time(row.count("last_try")),
            next_sync: time(row.count("next_sync")),
            duration_seconds: row.number("duration").filter(|seconds| *seconds >= 0.0).map(hundredths),
            fail_count: row.count("fail_count"),
            error: text("error"),
        })
    };
    list(data, "the replication jobs", job)
}

/// What to ask for the guests of a pool. Needs `Pool.Audit` on `/pool/{pool}`.
pub fn pool_request(pool: &str) -> Request {
    Request::get(["pools"]).param("poolid", pool)
}

/// Reads the numbers of the guests of a pool.
///
/// # Errors
/// When the answer is no list, or about another pool.
pub fn pool_members(data: &Value, pool: &str) -> Result<BTreeSet<String>> {
    let rows = lenient::rows(data, "the pool")?;
    let Some(found) = rows.into_iter().find(|row| row.text("poolid").as_deref() == Some(pool)) else {
        return Err(
            Error::new(ErrorKind::NotFound, format!("read the pool {pool:?}")).because("it is not in the answer")
        );
    };
    // Storages are among the members too.
    let members = found.list("members").iter().filter_map(Fields::of);
    Ok(members.filter_map(|member| member.count("vmid")).map(|vmid| vmid.to_string()).collect())
}

/// Reads backup jobs.
///
/// # Errors
/// When the answer is no list.
pub fn backup_jobs(data: &Value) -> Result<Vec<BackupJob>> {
    let job = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        let all = row.flag("all").unwrap_or(false).then(|| "all".to_owned());
        let vmids = |name: &str| {
            let listed = row.text(name).unwrap_or_default();
            let numbers = listed.split([',', ';', ' ']).filter(|vmid| vmid.bytes().all(|byte| byte.is_ascii_digit()));
            numbers.filter_map(cut).take(VMIDS_LISTED).collect::<BTreeSet<String>>()
        };
        Some(BackupJob {
            id: text("id")?,
            enabled: row.flag("enabled").unwrap_or(true),
            schedule: text("schedule"),
            storage: text("storage"),
            mode: text("mode"),
            guests: all.or_else(|| text("vmid")).or_else(|| text("pool").map(|pool| format!("pool {pool}"))),
            excluded: text("exclude"),
            selection: BackupSelection {
                // Who leaves some out takes all others along.
                all: all_of(row),
                vmids: vmids("vmid"),
                pool: text("pool"),
                pool_members: None,
                excluded: vmids("exclude"),
                node: text("node"),
            },
            next_run: time(row.count("next-run")),
            comment: text("comment"),
        })
    };
    list(data, "the backup jobs", job)
}

fn all_of(row: Fields<'_>) -> bool {
    row.flag("all").unwrap_or(false) || row.text("exclude").is_some()
}

/// Reads the guests that no backup job takes along.
///
/// # Errors
/// When the answer is no list.
pub fn not_backed_up(data: &Value) -> Result<Vec<NotBackedUp>> {
    let guest = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        Some(NotBackedUp { vmid: text("vmid")?, name: text("name"), kind: text("type") })
    };
    list(data, "the guests without backups", guest)
}

/// Reads what `ceph status` says.
///
/// # Errors
/// When the answer is no object.
pub fn ceph(data: &Value) -> Result<CephFacts> {
    let fields = lenient::object(data, "Ceph's status")?;
    let small =
        |fields: Option<Fields<'_>>, name: &str| fields?.count(name).and_then(|count| u32::try_from(count).ok());
    let health = fields.object("health");
    // Older versions have a map within the map.
    let osds = fields.object("osdmap").map(|map| map.object("osdmap").unwrap_or(map));
    let groups = fields.object("pgmap");
    let monitors = fields.object("monmap");
    let listed = monitors.map(|map| map.list("mons").len()).filter(|count| *count > 0);
    let in_quorum = fields.list("quorum_names").len();
    Ok(CephFacts {
        health: health.and_then(|health| health.text("status")).as_deref().and_then(cut),
        checks: health.and_then(|health| health.object("checks")).map(checks).unwrap_or_default(),
        monitors: small(monitors, "num_mons").or(listed.and_then(|count| u32::try_from(count).ok())),
        monitors_in_quorum: u32::try_from(in_quorum).ok().filter(|count| *count > 0),
        osds: small(osds, "num_osds"),
        osds_up: small(osds, "num_up_osds"),
        osds_in: small(osds, "num_in_osds"),
        total_bytes: groups.and_then(|groups| groups.count("bytes_total")).map(Bytes),
        used_bytes: groups.and_then(|groups| groups.count("bytes_used")).map(Bytes),
        placement_groups: groups.and_then(|groups| groups.count("num_pgs")),
        misplaced_percent: groups
            .and_then(|groups| groups.number("misplaced_ratio"))
            .filter(|share| (0.0..=1.0).contains(share))
            .map(|share| hundredths(share * 100.0)),
    })
}

fn checks(fields: Fields<'_>) -> Vec<CephCheck> {
    let check = |(name, value): (&str, &Value)| {
        let check = Fields::of(value)?;
        Some(CephCheck {
            name: cut(name)?,
            severity: check.text("severity").as_deref().and_then(cut),
            message: check.object("summary").and_then(|summary| summary.text("message")).as_deref().and_then(cut),
        })
    };
    fields.iter().filter_map(check).take(64).collect()
}

/// Whether a refusal means that Ceph is not there, which is nothing to tell.
pub fn is_without_ceph(error: &Error) -> bool {
    let said = crate::message(error);
    let words = ["not installed", "not initialized", "not enabled", "does not know"];
    error.kind() == ErrorKind::NotFound || words.iter().any(|words| said.contains(words))
}

/// Reads the tasks that failed, newest first. One with warnings has not failed.
///
/// # Errors
/// When the answer is no list.
pub fn failed_tasks(data: &Value) -> Result<Vec<TaskFailure>> {
    let failure = |row: Fields<'_>| {
        let text = |name: &str| row.text(name).as_deref().and_then(cut);
        // A task that still runs has no end.
        row.value("endtime")?;
        let error = text("status").filter(|status| status != "OK" && !status.starts_with("WARNINGS"))?;
        Some(TaskFailure {
            upid: text("upid")?,
            node: text("node"),
            kind: text("type"),
            subject: text("id"),
            user: text("user"),
            started_at: time(row.count("starttime")),
            ended_at: time(row.count("endtime")),
            error,
        })
    };
    let mut failures = list(data, "the tasks", failure)?;
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.ended_at));
    failures.truncate(FAILURES_KEPT.min(LIST_LIMIT));
    Ok(failures)
}
