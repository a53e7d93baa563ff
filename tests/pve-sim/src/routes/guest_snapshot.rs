//! Snapshots: list, make, roll back, delete.

use serde_json::{Value, json};

use super::{Call, Handler, guest_power};
use crate::refusal::{Answer, Refusal};
use crate::state::{Kind, Snapshot};
use crate::tasks::{Effect, Ending};

/// The handler for a path below `/nodes/{node}/{qemu,lxc}/{vmid}`.
pub(super) fn find(method: &str, room: &str, below: &str) -> Option<Handler> {
    Some(match (method, below, room == "qemu") {
        ("GET", "snapshot", true) => |call: &mut Call<'_>| list(call, Kind::Qemu),
        ("GET", "snapshot", false) => |call: &mut Call<'_>| list(call, Kind::Lxc),
        ("POST", "snapshot", true) => |call: &mut Call<'_>| create(call, Kind::Qemu),
        ("POST", "snapshot", false) => |call: &mut Call<'_>| create(call, Kind::Lxc),
        ("GET", "snapshot/{snapname}/config", true) => |call: &mut Call<'_>| config(call, Kind::Qemu),
        ("GET", "snapshot/{snapname}/config", false) => |call: &mut Call<'_>| config(call, Kind::Lxc),
        ("DELETE", "snapshot/{snapname}", true) => |call: &mut Call<'_>| delete(call, Kind::Qemu),
        ("DELETE", "snapshot/{snapname}", false) => |call: &mut Call<'_>| delete(call, Kind::Lxc),
        ("POST", "snapshot/{snapname}/rollback", true) => |call: &mut Call<'_>| roll_back(call, Kind::Qemu),
        ("POST", "snapshot/{snapname}/rollback", false) => |call: &mut Call<'_>| roll_back(call, Kind::Lxc),
        _ => return None,
    })
}

fn list(call: &Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    let mut list: Vec<Value> = guest
        .snapshots
        .iter()
        .map(|snapshot| {
            let mut entry = json!({
                "name": snapshot.name,
                "description": snapshot.description,
                "snaptime": snapshot.time,
            });
            if kind == Kind::Qemu {
                entry["vmstate"] = json!(u8::from(snapshot.with_memory));
            }
            if let Some(parent) = &snapshot.parent {
                entry["parent"] = json!(parent);
            }
            entry
        })
        .collect();
    let mut current = json!({
        "name": "current",
        "description": "You are here!",
        "digest": guest.digest(),
        "running": u8::from(guest.running.is_some()),
    });
    if let Some(last) = guest.snapshots.last() {
        current["parent"] = json!(last.name);
    }
    list.push(current);
    Ok(Value::Array(list).into())
}

fn missing(name: &str) -> Refusal {
    Refusal::died(format!("snapshot '{name}' does not exist"))
}

fn config(call: &Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    let name = call.params.string("snapname");
    let snapshot = guest.snapshots.iter().find(|snapshot| snapshot.name == name);
    let snapshot = snapshot.ok_or_else(|| missing(&name))?;
    let mut config = snapshot.config.clone();
    config.insert("snaptime".to_owned(), json!(snapshot.time));
    config.insert("description".to_owned(), json!(snapshot.description));
    Ok(Value::Object(config).into())
}

fn create(call: &mut Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    guest.unlocked()?;
    let name = call.params.string("snapname");
    if name == "current" {
        return Err(Refusal::died("unable to use snapshot name 'current' (reserved name)"));
    }
    if guest.snapshots.iter().any(|snapshot| snapshot.name == name) {
        return Err(Refusal::died(format!("snapshot name '{name}' already used")));
    }
    if kind == Kind::Lxc && guest.disks().iter().any(|disk| disk.1.ends_with(".raw")) {
        return Err(Refusal::died("snapshot feature is not available"));
    }
    call.quorum()?;
    let vmid = call.params.vmid();
    let snapshot = Snapshot {
        name: name.clone(),
        description: call.params.string("description"),
        time: call.now as i64,
        parent: guest.snapshots.last().map(|last| last.name.clone()),
        with_memory: call.params.flag("vmstate"),
        config: guest.config.clone(),
    };
    call.guest_mut(kind)?.lock = Some("snapshot".to_owned());
    let effect: Effect = Box::new(move |cluster, _| {
        let guest = cluster.guests.get_mut(&vmid).ok_or(format!("no such guest {vmid}"))?;
        guest.lock = None;
        cluster.machines.keep(&vmid.to_string(), &snapshot.name)?;
        guest.snapshots.push(snapshot);
        Ok(Ending::default())
    });
    let log = vec![format!("snapshotting {} {vmid} as '{name}'", kind.title())];
    call.start_task(format!("{}snapshot", kind.task()), vmid, 1.0, log, effect)
}

fn delete(call: &mut Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    guest.unlocked()?;
    let name = call.params.string("snapname");
    if !guest.snapshots.iter().any(|snapshot| snapshot.name == name) {
        return Err(missing(&name));
    }
    call.quorum()?;
    let vmid = call.params.vmid();
    call.guest_mut(kind)?.lock = Some("snapshot-delete".to_owned());
    let effect: Effect = Box::new(move |cluster, _| {
        let guest = cluster.guests.get_mut(&vmid).ok_or(format!("no such guest {vmid}"))?;
        guest.lock = None;
        cluster.machines.throw_away(&vmid.to_string(), &name)?;
        let gone = guest.snapshots.iter().position(|snapshot| snapshot.name == name);
        if let Some(index) = gone {
            let parent = guest.snapshots.remove(index).parent;
            for snapshot in &mut guest.snapshots {
                if snapshot.parent.as_deref() == Some(&name) {
                    snapshot.parent.clone_from(&parent);
                }
            }
        }
        Ok(Ending::default())
    });
    call.start_task(format!("{}delsnapshot", kind.task()), vmid, 1.0, Vec::new(), effect)
}

fn roll_back(call: &mut Call<'_>, kind: Kind) -> Answer {
    let guest = call.guest(kind)?;
    guest.unlocked()?;
    let name = call.params.string("snapname");
    let snapshot = guest.snapshots.iter().find(|snapshot| snapshot.name == name);
    let snapshot = snapshot.ok_or_else(|| missing(&name))?.clone();
    call.quorum()?;
    let vmid = call.params.vmid();
    let start = call.params.flag("start") || snapshot.with_memory;
    call.guest_mut(kind)?.lock = Some("rollback".to_owned());
    let effect: Effect = Box::new(move |cluster, now| {
        let pid = cluster.tasks.new_pid();
        let guest = cluster.guests.get_mut(&vmid).ok_or(format!("no such guest {vmid}"))?;
        guest.lock = None;
        cluster.machines.roll_back(&vmid.to_string(), &snapshot.name)?;
        guest.config = snapshot.config;
        guest.running = None;
        if start {
            guest_power::start(guest, pid, now);
        }
        Ok(Ending::default())
    });
    call.start_task(format!("{}rollback", kind.task()), vmid, 2.0, Vec::new(), effect)
}
