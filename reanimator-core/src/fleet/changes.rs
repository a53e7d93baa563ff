//! What differs from last time: pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{
    ClusterSnapshot, Entity, Guest, HostId, HostState, Identity, NewChange, Unseen,
    facts::{Dated, Watched},
};

/// What is new in some facts of an entity. The first look is no news.
///
/// What is gone counts only where nothing more is hidden from us than last time: a tool that fails must not look like
/// a disk that was pulled.
pub(super) fn of_facts<T: Watched>(entity: &str, old: Option<&Dated<T>>, new: &Dated<T>) -> Vec<NewChange> {
    let Some(old) = old else { return Vec::new() };
    let whole = new.unseen.iter().all(|note| was_hidden(note, &old.unseen));
    // What was hidden last time was there all along.
    let was_whole = old.unseen.iter().all(|note| was_hidden(note, &new.unseen));
    between(entity, &old.facts.watched(), &new.facts.watched(), was_whole, whole, new.at)
}

fn was_hidden(note: &Unseen, others: &[Unseen]) -> bool {
    others.iter().any(|other| other.what == note.what)
}

/// What is new in who a host is.
pub(super) fn of_identity(entity: &str, old: &Identity, new: &Identity, at: Timestamp) -> Vec<NewChange> {
    between(entity, &identity(old), &identity(new), false, false, at)
}

fn identity(identity: &Identity) -> BTreeMap<String, String> {
    [
        ("hostname", identity.hostname.clone()),
        ("os", identity.os.clone()),
        ("kernel", identity.kernel.clone()),
        ("architecture", identity.architecture.clone()),
        ("virtualization", identity.virtualization.clone()),
        ("cpus", identity.cpus.map(|count| count.to_string())),
        ("cpu model", identity.cpu_model.clone()),
        ("proxmox version", identity.proxmox_version.clone()),
        ("machine id", identity.machine_id.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

/// A host that went away, or came back. What was never seen did neither.
pub(super) fn of_state(entity: &str, old: HostState, new: HostState, at: Timestamp) -> Option<NewChange> {
    use HostState::{Maintenance, Offline, Online};
    let told = matches!((old, new), (Online | Maintenance, Offline) | (Offline, Online));
    told.then(|| NewChange {
        entity: entity.to_owned(),
        field: "state".to_owned(),
        old_value: Some(old.as_str().to_owned()),
        new_value: Some(new.as_str().to_owned()),
        created_at: at,
    })
}

/// What is new in a guest between two rounds.
pub(super) fn of_guest(entity: &str, old: &Guest, new: &Guest, at: Timestamp) -> Vec<NewChange> {
    between(entity, &guest(old), &guest(new), false, false, at)
}

fn guest(guest: &Guest) -> BTreeMap<String, String> {
    let status = match guest.status {
        crate::model::GuestStatus::Running => Some("running"),
        crate::model::GuestStatus::Stopped => Some("stopped"),
        crate::model::GuestStatus::Paused => Some("paused"),
        // Its node is silent: that is no news of the guest.
        crate::model::GuestStatus::Unknown => None,
    };
    [
        ("name", guest.name.clone()),
        ("node", Some(guest.node.clone())),
        ("status", status.map(str::to_owned)),
        ("cpus", guest.cpus.map(|count| count.to_string())),
        ("memory", guest.memory.as_ref().map(|memory| memory.total_bytes.to_string())),
        ("disk", guest.disk.map(|disk| disk.total_bytes.to_string())),
        ("tags", (!guest.tags.is_empty()).then(|| guest.tags.join(", "))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

/// An entity that came or went as a whole.
pub(super) fn existence(entity: &str, field: &str, there_now: bool, name: &str, at: Timestamp) -> NewChange {
    let value = Some(name.to_owned());
    let (old_value, new_value) = if there_now { (None, value) } else { (value, None) };
    NewChange { entity: entity.to_owned(), field: field.to_owned(), old_value, new_value, created_at: at }
}

/// What came to a node's host and went from it: guests, by number. A guest that moves does both, at two hosts.
pub(super) fn of_nodes_guests(
    hosts: &BTreeMap<String, HostId>,
    old: &ClusterSnapshot,
    new: &ClusterSnapshot,
) -> Vec<NewChange> {
    let guests = |snapshot: &ClusterSnapshot, node: &str| -> BTreeMap<String, String> {
        let on_node = snapshot.guests.iter().filter(|guest| guest.node == node);
        let name = |guest: &Guest| guest.name.clone().unwrap_or_else(|| guest.kind.as_str().to_owned());
        on_node.map(|guest| (format!("guest {}", guest.vmid), name(guest))).collect()
    };
    let of_host = |(node, host): (&String, &HostId)| {
        let entity = Entity::Host(host.clone()).to_string();
        between(&entity, &guests(old, node), &guests(new, node), true, true, new.at)
    };
    hosts.iter().flat_map(of_host).collect()
}

/// Entries that one look at one entity makes at most, so that a host which lies cannot fill the disk of those who watch it.
const MOST_AT_ONCE: usize = 256;

fn between(
    entity: &str,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    appearing_counts: bool,
    going_counts: bool,
    at: Timestamp,
) -> Vec<NewChange> {
    let change = |field: &String, old_value: Option<&String>, new_value: Option<&String>| NewChange {
        entity: entity.to_owned(),
        field: field.clone(),
        old_value: old_value.cloned(),
        new_value: new_value.cloned(),
        created_at: at,
    };
    let now = new.iter().filter_map(|(field, value)| match old.get(field) {
        Some(before) if before == value => None,
        None if !appearing_counts => None,
        before => Some(change(field, before, Some(value))),
    });
    let gone = old.iter().filter(|(field, _)| going_counts && !new.contains_key(*field));
    let mut changes: Vec<_> = now.chain(gone.map(|(field, value)| change(field, Some(value), None))).collect();
    if let Some(more) = changes.len().checked_sub(MOST_AT_ONCE).filter(|more| *more > 0) {
        changes.truncate(MOST_AT_ONCE);
        changes.push(change(&"more changes".to_owned(), None, Some(&format!("{more} more changed at the same time"))));
    }
    changes
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Disks(&'static [(&'static str, &'static str)]);

    impl Watched for Disks {
        fn watched(&self) -> BTreeMap<String, String> {
            self.0.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        }
    }

    #[test]
    fn a_host_that_goes_and_comes_back_is_told_once_each() {
        use HostState::{Maintenance, Offline, Online, Unknown};
        let looks = [Unknown, Online, Online, Offline, Offline, Online, Maintenance, Online, Maintenance, Offline];
        let told: Vec<_> = looks
            .windows(2)
            .filter_map(|pair| of_state("host:a", pair[0], pair[1], Timestamp::UNIX_EPOCH))
            .map(|change| (change.field, change.old_value.unwrap(), change.new_value.unwrap()))
            .collect();
        let turn = |old: &str, new: &str| ("state".to_owned(), old.to_owned(), new.to_owned());
        assert_eq!(told, [turn("online", "offline"), turn("offline", "online"), turn("maintenance", "offline")]);
        assert_eq!(of_state("host:a", Unknown, Offline, Timestamp::UNIX_EPOCH), None, "it was never there");
    }

    #[test]
    fn a_host_that_changes_all_at_once_leaves_so_many_entries_and_how_many_more() {
        let fields = |value: &str| (0..1000).map(|number| (format!("disk {number}"), value.to_owned())).collect();
        let changes = between("host:a", &fields("old"), &fields("new"), true, true, Timestamp::UNIX_EPOCH);
        assert_eq!(changes.len(), MOST_AT_ONCE + 1);
        assert_eq!(changes.last().unwrap().new_value.as_deref(), Some("744 more changed at the same time"));
    }

    fn seen(disks: &'static [(&'static str, &'static str)], unseen: &[&str]) -> Dated<Disks> {
        let unseen = unseen.iter().map(|what| Unseen::new(*what, "why")).collect();
        Dated { at: Timestamp::UNIX_EPOCH, unseen, facts: Disks(disks) }
    }

    fn told(old: Option<&Dated<Disks>>, new: &Dated<Disks>) -> Vec<String> {
        let changes = of_facts("host:1", old, new);
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        changes.into_iter().map(|c| format!("{}: {} > {}", c.field, text(c.old_value), text(c.new_value))).collect()
    }

    #[test]
    fn what_differs_is_told_with_both_values() {
        let old = seen(&[("sda", "1 TiB"), ("sdb", "2 TiB")], &[]);
        let new = seen(&[("sda", "4 TiB"), ("sdc", "3 TiB")], &[]);
        assert_eq!(told(Some(&old), &new), ["sda: 1 TiB > 4 TiB", "sdc: - > 3 TiB", "sdb: 2 TiB > -"]);
        assert_eq!(told(Some(&new), &new), [""; 0]);
        assert_eq!(told(None, &new), [""; 0]);
    }

    #[test]
    fn what_a_failing_tool_hides_is_not_gone_and_not_new_when_it_is_back() {
        let whole = seen(&[("sda", "1 TiB")], &[]);
        let hidden = seen(&[], &["block devices"]);
        assert_eq!(told(Some(&whole), &hidden), [""; 0]);
        assert_eq!(told(Some(&hidden), &whole), [""; 0]);
    }

    fn cluster(guests: &[(u32, &str, &str)]) -> ClusterSnapshot {
        let guest = |(vmid, name, node): &(u32, &str, &str)| {
            serde_json::json!({"id": format!("c1:{vmid}"), "connection": "c1", "vmid": vmid.to_string(), "kind": "lxc",
                "name": name, "node": node, "status": "running", "tags": [], "template": false})
        };
        let snapshot = serde_json::json!({"connection": "c1", "cluster": "lab", "quorate": true, "nodes": [],
            "guests": guests.iter().map(guest).collect::<Vec<_>>(), "storages": [], "unseen": [],
            "at": "2026-01-02T03:04:05Z"});
        serde_json::from_value(snapshot).expect("a snapshot")
    }

    #[test]
    fn a_guest_that_moves_goes_from_one_host_and_comes_to_another() {
        let hosts = [("pve1", "h1"), ("pve2", "h2")].map(|(node, id)| (node.to_owned(), HostId::from(id))).into();
        let (old, new) = (
            cluster(&[(100, "web", "pve1"), (101, "db", "pve1")]),
            cluster(&[(100, "web", "pve2"), (101, "db", "pve1")]),
        );
        let told: Vec<_> = of_nodes_guests(&hosts, &old, &new)
            .into_iter()
            .map(|change| (change.entity, change.field, change.old_value, change.new_value))
            .collect();
        let web = Some("web".to_owned());
        assert_eq!(
            told,
            [
                ("host:h1".to_owned(), "guest 100".to_owned(), web.clone(), None),
                ("host:h2".to_owned(), "guest 100".to_owned(), None, web),
            ]
        );
    }
}
