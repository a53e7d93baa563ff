//! What is silent is as it was last seen, and so is its age: pure.
//!
//! A cluster goes on listing the guests and storages of a node that does not answer, often without their names and
//! figures. They are kept from the look before, with the time at which they were really seen.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ClusterSnapshot, Guest, GuestCounts, GuestId, GuestStatus, NodeSnapshot, Storage};

/// Gives what is silent in `now` what was last seen of it.
pub(super) fn keep_last_seen(before: Option<&ClusterSnapshot>, now: &mut ClusterSnapshot) {
    let silent: BTreeSet<String> = silent_nodes(now).map(str::to_owned).collect();
    if silent.is_empty() {
        return;
    }
    let old_guests: BTreeMap<&GuestId, &Guest> =
        before.into_iter().flat_map(|before| &before.guests).map(|guest| (&guest.id, guest)).collect();
    for guest in now.guests.iter_mut().filter(|guest| silent.contains(&guest.node)) {
        if let Some(old) = old_guests.get(&guest.id) {
            keep_guest(guest, old);
        }
    }
    let old_storage = |id: &str| before?.storages.iter().find(|old| old.id == id);
    for storage in now.storages.iter_mut().filter(|storage| is_silent(storage, &silent)) {
        if let Some(old) = old_storage(&storage.id) {
            (storage.observed_at, storage.space) = (old.observed_at, storage.space.or(old.space));
        }
    }
    let old_node = |name: &str| before?.nodes.iter().find(|old| old.name == name);
    for node in now.nodes.iter_mut().filter(|node| !node.online) {
        if let Some(old) = old_node(&node.name) {
            (node.telemetry, node.identity) = (old.telemetry.clone(), old.identity.clone());
        }
        node.guests = counts(&now.guests, &node.name);
    }
}

/// Whether a cluster sees other nodes than it did.
pub(super) fn other_nodes_answer(before: &ClusterSnapshot, now: &ClusterSnapshot) -> bool {
    silent_nodes(before).collect::<BTreeSet<_>>() != silent_nodes(now).collect()
}

fn silent_nodes(snapshot: &ClusterSnapshot) -> impl Iterator<Item = &str> {
    snapshot.nodes.iter().filter(|node| !node.online).map(|node: &NodeSnapshot| node.name.as_str())
}

/// A shared storage is seen through any of its nodes.
fn is_silent(storage: &Storage, silent: &BTreeSet<String>) -> bool {
    !storage.nodes.is_empty() && storage.nodes.iter().all(|node| silent.contains(node))
}

fn keep_guest(guest: &mut Guest, old: &Guest) {
    guest.observed_at = old.observed_at;
    guest.rates = old.rates;
    guest.template |= old.template;
    guest.name = guest.name.take().or_else(|| old.name.clone());
    guest.cpus = guest.cpus.or(old.cpus);
    guest.cpu_percent = guest.cpu_percent.or(old.cpu_percent);
    guest.memory = guest.memory.take().or_else(|| old.memory.clone());
    guest.disk = guest.disk.or(old.disk);
    guest.uptime_seconds = guest.uptime_seconds.or(old.uptime_seconds);
    if guest.tags.is_empty() {
        guest.tags.clone_from(&old.tags);
    }
}

/// A template is no guest that could run.
fn counts(guests: &[Guest], node: &str) -> GuestCounts {
    let own = guests.iter().filter(|guest| guest.node == node && !guest.template);
    own.fold(GuestCounts::default(), |counts, guest| GuestCounts {
        total: counts.total.saturating_add(1),
        running: counts.running.saturating_add(u32::from(guest.status == GuestStatus::Running)),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Bytes, ConnectionId, GuestKind, Space, Telemetry};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn node(name: &str, online: bool, second: i64) -> NodeSnapshot {
        NodeSnapshot {
            name: name.into(),
            online,
            ip: None,
            telemetry: Telemetry {
                at: online.then(|| at(second)),
                cpu_percent: online.then_some(5.0),
                ..Telemetry::default()
            },
            identity: Default::default(),
            guests: GuestCounts::default(),
            problem: None,
            unseen: vec![],
        }
    }

    fn storage(name: &str, nodes: &[&str], seen: Option<i64>) -> Storage {
        Storage {
            id: name.into(),
            connection: ConnectionId::from("c"),
            name: name.into(),
            cluster: None,
            nodes: nodes.iter().map(|node| (*node).to_owned()).collect(),
            storage_type: "dir".into(),
            content: vec![],
            shared: nodes.len() > 1,
            active: seen.is_some(),
            space: seen.map(|_| Space { total_bytes: Bytes(10), used_bytes: Bytes(2) }),
            observed_at: seen.map(at),
        }
    }

    /// A guest, as the cluster tells of it: with no name and no figures where its node is silent.
    fn guest(vmid: u32, node: &str, seen: Option<i64>) -> Guest {
        Guest {
            id: GuestId::new(&ConnectionId::from("c"), vmid),
            connection: ConnectionId::from("c"),
            vmid: vmid.to_string(),
            name: seen.map(|_| format!("guest{vmid}")),
            kind: GuestKind::Qemu,
            node: node.into(),
            host_id: None,
            cluster: None,
            status: if seen.is_some() { GuestStatus::Running } else { GuestStatus::Unknown },
            cpu_percent: seen.map(|_| 5.0),
            cpus: None,
            memory: None,
            disk: None,
            counters: None,
            rates: None,
            uptime_seconds: None,
            tags: vec![],
            template: false,
            linked_host: None,
            observed_at: seen.map(at),
        }
    }

    fn look(second: i64, second_node_answers: bool) -> ClusterSnapshot {
        let seen = second_node_answers.then_some(second);
        ClusterSnapshot {
            connection: ConnectionId::from("c"),
            cluster: None,
            quorate: None,
            nodes: vec![node("pve1", true, second), node("pve2", second_node_answers, second)],
            guests: vec![guest(100, "pve1", Some(second)), guest(101, "pve2", seen)],
            storages: vec![storage("local", &["pve2"], seen), storage("nas", &["pve1", "pve2"], Some(second))],
            unseen: vec![],
            at: at(second),
        }
    }

    #[test]
    fn what_is_on_a_silent_node_keeps_its_figures_and_the_time_they_were_seen() {
        let mut known = look(10, true);
        for second in [20, 30, 40] {
            let mut now = look(second, false);
            keep_last_seen(Some(&known), &mut now);
            known = now;
        }
        let [fresh, silent] = known.guests.as_slice() else { panic!("two guests") };
        assert_eq!((fresh.observed_at, silent.observed_at), (Some(at(40)), Some(at(10))));
        assert_eq!((silent.name.as_deref(), silent.cpu_percent), (Some("guest101"), Some(5.0)));
        assert_eq!(silent.status, GuestStatus::Unknown, "whether it runs nobody knows");
        assert_eq!(known.nodes[1].telemetry, look(10, true).nodes[1].telemetry);
        assert_eq!(known.nodes[1].guests, GuestCounts { running: 0, total: 1 });
        let [local, nas] = known.storages.as_slice() else { panic!("two storages") };
        assert_eq!((local.observed_at, local.space.is_some(), local.active), (Some(at(10)), true, false));
        assert_eq!(nas.observed_at, Some(at(40)), "another node of it answers");
        let mut back = look(50, true);
        keep_last_seen(Some(&known), &mut back);
        assert_eq!(back, look(50, true));
    }

    #[test]
    fn what_was_silent_from_the_first_look_on_has_never_been_seen() {
        let mut now = look(10, false);
        keep_last_seen(None, &mut now);
        assert_eq!((now.guests[1].observed_at, now.nodes[1].telemetry.at), (None, None));
    }

    #[test]
    fn a_node_that_goes_or_comes_is_noticed() {
        assert!(other_nodes_answer(&look(10, true), &look(20, false)));
        assert!(other_nodes_answer(&look(10, false), &look(20, true)));
        assert!(!other_nodes_answer(&look(10, false), &look(20, false)));
    }
}
