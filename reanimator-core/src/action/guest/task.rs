//! Tasks of Proxmox: found again by what was the newest one before, followed to their end.

use std::time::Duration;

use serde_json::Value;

use super::super::Said;
use crate::{Error, ErrorKind, Result, host::pve::PveApi, transport::http::Request};

/// How often a task is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a node may be silent before a task on it is given up as unknown.
const SILENCE: Duration = Duration::from_secs(300);
/// Lines of a log that are read at once.
const LINES: usize = 500;
/// How many tasks of one guest are looked through.
const LOOKED_THROUGH: u32 = 50;

/// The node that a task runs on: the second field of its id.
pub(in crate::action) fn node_of(upid: &str) -> Result<&str> {
    upid.strip_prefix("UPID:")
        .and_then(|rest| rest.split(':').next())
        .filter(|node| !node.is_empty())
        .ok_or_else(|| Error::new(ErrorKind::Protocol, "read a task's id").because(format!("{upid:?} is none")))
}

/// What kind of task it is, and when it started: the sixth and fifth fields of its id.
pub(super) fn kind_and_start(upid: &str) -> Option<(&str, i64)> {
    let mut fields = upid.split(':').skip(4);
    let start = i64::from_str_radix(fields.next()?, 16).ok()?;
    Some((fields.next()?, start))
}

/// The first task of one of some kinds about a guest on the node of another task that began no earlier than that one.
pub(super) async fn begun_by(api: &dyn PveApi, upid: &str, vmid: &str, kinds: &[&str]) -> Result<Option<String>> {
    let from = kind_and_start(upid).map_or(i64::MAX, |(_, start)| start);
    let is_it = |upid: &str| kind_and_start(upid).is_some_and(|(_, start)| start >= from);
    let rows = tasks(api, node_of(upid)?, vmid, LOOKED_THROUGH).await?;
    let mut later = rows.into_iter().filter(|(upid, kind)| kinds.contains(&kind.as_str()) && is_it(upid));
    Ok(later.next_back().map(|(upid, _)| upid))
}

/// The newest task about a guest on a node.
pub(super) async fn newest(api: &dyn PveApi, node: &str, vmid: &str) -> Result<Option<String>> {
    Ok(tasks(api, node, vmid, 1).await?.into_iter().next().map(|(upid, _)| upid))
}

/// The first task of one of some kinds about a guest that came after `newest`, which was the newest then.
pub(super) async fn since(
    api: &dyn PveApi,
    node: &str,
    vmid: &str,
    newest: Option<&str>,
    kinds: &[&str],
) -> Result<Option<String>> {
    let rows = tasks(api, node, vmid, LOOKED_THROUGH).await?;
    let later = rows.iter().take_while(|(upid, _)| Some(upid.as_str()) != newest);
    Ok(later.filter(|(_, kind)| kinds.contains(&kind.as_str())).last().map(|(upid, _)| upid.clone()))
}

/// Tasks about a guest, running ones too, the newest first, with their kinds.
async fn tasks(api: &dyn PveApi, node: &str, vmid: &str, limit: u32) -> Result<Vec<(String, String)>> {
    let request = Request::get(["nodes", node, "tasks"])
        .param("vmid", vmid)
        .param("source", "all")
        .param("limit", limit.to_string());
    let data = api.call(request).await?;
    let text = |row: &Value, name: &str| Some(row.get(name)?.as_str()?.to_owned());
    let rows = data.as_array().map(Vec::as_slice).unwrap_or_default();
    let mut tasks: Vec<(i64, String, String)> = rows
        .iter()
        .filter_map(|row| Some((row.get("starttime")?.as_i64()?, text(row, "upid")?, text(row, "type")?)))
        .collect();
    tasks.sort_by_key(|(start, ..)| std::cmp::Reverse(*start));
    Ok(tasks.into_iter().map(|(_, upid, kind)| (upid, kind)).collect())
}

/// Waits until a task has ended, and passes its log on.
pub(in crate::action) async fn follow(api: &dyn PveApi, upid: &str, said: &(dyn Said + Sync)) -> Result<()> {
    let node = node_of(upid)?;
    let mut seen = 0;
    let mut silent_since = None;
    loop {
        let status = async {
            let status = api.call(Request::get(["nodes", node, "tasks", upid, "status"])).await?;
            seen += pass_on(api, node, upid, seen, said).await?;
            Ok::<_, Error>(status)
        };
        match status.await {
            Ok(status) => {
                silent_since = None;
                if let Some(verdict) = verdict(&status) {
                    return verdict;
                }
            }
            Err(error) if error.kind().is_retryable() => {
                let since = *silent_since.get_or_insert_with(tokio::time::Instant::now);
                if since.elapsed() > SILENCE {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Ends a task that is running.
pub(in crate::action) async fn stop(api: &dyn PveApi, upid: &str) -> Result<bool> {
    api.call(Request::delete(["nodes", node_of(upid)?, "tasks", upid])).await?;
    Ok(true)
}

/// How a task ended: `OK` and `WARNINGS: 2` are well.
fn verdict(status: &Value) -> Option<Result<()>> {
    if status.get("status").and_then(Value::as_str) != Some("stopped") {
        return None;
    }
    let ended = status.get("exitstatus").and_then(Value::as_str).unwrap_or("unexpected status");
    Some(if ended == "OK" || ended.starts_with("WARNINGS") {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::Protocol, "carry it out").because(format!("Proxmox says: {}", ended.trim())))
    })
}

/// Passes on the lines of a task's log from a number on; how many there were.
async fn pass_on(api: &dyn PveApi, node: &str, upid: &str, from: usize, said: &(dyn Said + Sync)) -> Result<usize> {
    let request = Request::get(["nodes", node, "tasks", upid, "log"])
        .param("start", from.to_string())
        .param("limit", LINES.to_string());
    let data = api.call(request).await?;
    let lines = data.as_array().map(Vec::as_slice).unwrap_or_default();
    // A log without a line yet has one that says so, which is none.
    let text =
        |line: &Value| line.get("t").and_then(Value::as_str).filter(|text| *text != "no content").map(str::to_owned);
    let lines: Vec<String> = lines.iter().filter_map(text).collect();
    for line in &lines {
        said.line(line).await;
    }
    Ok(lines.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn warnings_are_well_and_anything_else_is_told_in_its_own_words() {
        let ended = |text: &str| verdict(&json!({ "status": "stopped", "exitstatus": text })).unwrap();
        assert!(ended("OK").is_ok() && ended("WARNINGS: 2").is_ok());
        assert!(crate::report(&ended("can't lock file\n").unwrap_err()).contains("Proxmox says: can't lock file"));
        assert!(verdict(&json!({ "status": "running" })).is_none());
        assert!(verdict(&json!({ "status": "stopped" })).unwrap().is_err());
    }

    #[test]
    fn a_tasks_id_names_its_node_its_kind_and_its_start() {
        assert_eq!(node_of("UPID:pve1:0001:0002:6A0:qmstart:100:root@pam!t:").unwrap(), "pve1");
        assert_eq!(kind_and_start("UPID:pve1:0001:0002:6A0:qmstart:100:root@pam!t:"), Some(("qmstart", 0x6a0)));
        assert_eq!(kind_and_start("UPID:pve1:"), None);
        assert!(node_of("pve1").is_err() && node_of("UPID::").is_err());
    }
}
