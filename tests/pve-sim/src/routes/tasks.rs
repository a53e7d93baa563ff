//! `/nodes/{node}/tasks`: lists, status, logs, and stopping a task.

use serde_json::{Value, json};

use super::{Call, Handler};
use crate::params::Params;
use crate::refusal::{Answer, Refusal, Reply};
use crate::tasks::{Task, release};

/// The handler for a path below `/nodes/{node}/tasks`.
pub(super) fn find(method: &str, below: &str) -> Option<Handler> {
    Some(match (method, below) {
        ("GET", "") => list,
        ("GET", "{upid}/status") => status,
        ("GET", "{upid}/log") => log,
        ("DELETE", "{upid}") => stop,
        _ => return None,
    })
}

fn list(call: &mut Call<'_>) -> Answer {
    let params = &call.params;
    let source = params.text("source").unwrap_or("archive");
    let all = call.may(&format!("/nodes/{}", call.cluster.nodes[call.node].name), &["Sys.Audit"]);
    let user = params.text("userfilter");
    let kind = params.text("typefilter");
    let wanted = |task: &&Task| {
        task.node == call.node
            && (all || task.user == call.caller.user)
            && match source {
                "active" => task.running(),
                "archive" => !task.running(),
                _ => true,
            }
            && params.text("vmid").is_none_or(|vmid| task.id == vmid)
            && kind.is_none_or(|kind| task.kind == kind)
            && user.is_none_or(|user| task.user.contains(user))
            && params.integer("since").is_none_or(|since| task.start >= since)
            && params.integer("until").is_none_or(|until| task.start <= until)
            && (!params.flag("errors") || task.status.as_deref().is_some_and(|status| status != "OK"))
    };
    let found: Vec<Value> = call.cluster.tasks.iter().filter(wanted).map(Task::in_node_list).collect();
    let start = params.integer("start").unwrap_or(0).max(0) as usize;
    let limit = params.integer("limit").unwrap_or(50).max(0) as usize;
    let total = (source != "active").then_some(found.len());
    Ok(Reply { data: found.into_iter().skip(start).take(limit).collect(), total })
}

/// The task in the path, where the caller may see it.
fn task<'a>(call: &'a Call<'_>) -> Result<&'a Task, Refusal> {
    let upid = call.params.string("upid");
    if !upid.starts_with("UPID:") || upid.split(':').count() != 9 {
        return Err(Refusal::parameter("upid", format!("unable to parse worker upid '{upid}'")));
    }
    let node = &call.cluster.nodes[call.node].name;
    let task = call
        .cluster
        .tasks
        .find(&upid)
        .filter(|task| task.node == call.node)
        .ok_or_else(|| Refusal::parameter("upid", "no such task"))?;
    if task.user != call.caller.user && !call.may(&format!("/nodes/{node}"), &["Sys.Audit"]) {
        return Err(Refusal::forbidden(&format!("/nodes/{node}, Sys.Audit")));
    }
    Ok(task)
}

fn status(call: &mut Call<'_>) -> Answer {
    Ok(task(call)?.as_status().into())
}

fn log(call: &mut Call<'_>) -> Answer {
    let lines = task(call)?.log.clone();
    numbered(&lines, &call.params)
}

/// Lines with their numbers, cut by `start` and `limit`.
pub(super) fn numbered(lines: &[String], params: &Params) -> Answer {
    let start = params.integer("start").unwrap_or(0).max(0) as usize;
    let limit = params.integer("limit").unwrap_or(50).max(0) as usize;
    let limit = if limit == 0 { usize::MAX } else { limit };
    let data = lines
        .iter()
        .enumerate()
        .skip(start)
        .take(limit)
        .map(|(index, line)| json!({"n": index + 1, "t": line}))
        .collect();
    Ok(Reply { data, total: Some(lines.len()) })
}

fn stop(call: &mut Call<'_>) -> Answer {
    let task = task(call)?;
    let (upid, own) = (task.upid.clone(), task.user == call.caller.user);
    let node = &call.cluster.nodes[call.node].name;
    if !own && !call.may(&format!("/nodes/{node}"), &["Sys.Modify"]) {
        return Err(Refusal::forbidden(&format!("/nodes/{node}, Sys.Modify")));
    }
    let now = call.now;
    let broken = call.cluster.tasks.break_off("interrupted by signal", now, |task| task.upid == upid);
    for id in broken {
        release(call.cluster, &id);
    }
    Ok(Value::Null.into())
}
