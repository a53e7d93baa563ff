//! What is sent of alerts.

use std::collections::BTreeMap;

use crate::{
    alert::{Transition, said_of},
    model::{
        AlertState, ConnectionId, HostId, Notice, NoticeKind, NoticeLevel, Resolution, Storage,
        attention::AttentionLevel,
    },
};

/// As many hosts as a notice names besides what it is about.
const MOST_HOSTS: usize = 100;

/// The hosts whose matter a thing is, as notices name them: of a file system its host, of a storage or a cluster its nodes.
/// Where a storage is gone, they are those of its cluster.
pub(super) fn hosts_of(
    entity: &str,
    storages: &[Storage],
    places: &BTreeMap<HostId, (ConnectionId, String)>,
) -> Vec<String> {
    let nodes = |cluster: &str, among: Option<&[String]>| {
        let is_one = |(connection, node): &(ConnectionId, String)| {
            connection.as_str() == cluster && among.is_none_or(|among| among.contains(node))
        };
        let hosts = places.iter().filter(|(_, place)| is_one(place)).map(|(id, _)| format!("host:{id}"));
        hosts.take(MOST_HOSTS).collect::<Vec<_>>()
    };
    match entity.split_once(':') {
        Some(("cluster", id)) => nodes(id, None),
        Some(("storage", id)) => {
            let owner = id.split_once(':').map_or(id, |(owner, _)| owner);
            match storages.iter().find(|storage| storage.id == id) {
                Some(storage) => nodes(owner, Some(&storage.nodes)),
                None if places.values().any(|(connection, _)| connection.as_str() == owner) => nodes(owner, None),
                None => vec![format!("host:{owner}")],
            }
        }
        _ => Vec::new(),
    }
}

/// What is to be sent of it, with how bad it is or was, and the hosts whose matter it is. Who knows of an alert need not be
/// told that it is back.
pub(super) fn notice(transition: &Transition, hosts_of: impl Fn(&str) -> Vec<String>) -> Option<Notice> {
    let alert = transition.alert();
    let bad = match alert.level {
        AttentionLevel::Critical => NoticeLevel::Critical,
        AttentionLevel::Warning => NoticeLevel::Warning,
        AttentionLevel::Notice => NoticeLevel::Notice,
    };
    let (kind, level, title, text) = match transition {
        Transition::Renewed(_) => return None,
        Transition::Returned(alert) if alert.state == AlertState::Acknowledged => return None,
        Transition::Raised(_) | Transition::Returned(_) => {
            let again =
                if alert.times > 1 { format!("\nIt came back: {} times so far.", alert.times) } else { String::new() };
            let text = format!("Since {:.0}, by the rule {}.{again}", alert.since, alert.rule);
            (NoticeKind::AlertRaised, bad, said_of(alert), text)
        }
        Transition::Resolved(_) => {
            let words = alert.resolution.map_or("is well again", Resolution::words);
            let text = format!("It was: {}\nFrom {:.0} on, by the rule {}.", alert.text, alert.since, alert.rule);
            (NoticeKind::AlertResolved, NoticeLevel::Ok, format!("{} {words}", alert.name), text)
        }
    };
    let notice = Notice::new(kind, level, title, alert.at)
        .saying(text)
        .about(alert.entity.as_str())
        .keyed(alert.key())
        .with("alert", &alert.id)
        .with("rule", &alert.rule)
        .with("name", &alert.name);
    let notice = alert.values.iter().fold(notice, |notice, (name, value)| notice.with(name, value));
    // Behind the bounds: the routing needs them whole, and they are bounded themselves.
    let notice = notice.bounded().with("level", bad.as_str());
    let hosts = hosts_of(&alert.entity);
    Some(if hosts.is_empty() { notice } else { notice.with("things", hosts.join(",")) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::model::Alert;

    fn alert(entity: &str, level: &str) -> Alert {
        let at = "2026-11-26T12:00:00Z";
        serde_json::from_value(serde_json::json!({
            "id": "a1", "rule": "disk", "revision": 1, "kind": "threshold", "level": level, "entity": entity,
            "name": "/var on web1", "item": "", "text": "it is full", "values": { "level": "none" }, "state": "active",
            "since": at, "raised_at": at, "at": at, "value": 95.0, "times": 1, "acknowledged_by": null,
            "acknowledged_at": null, "comment": "", "resolved_at": null, "resolution": null,
        }))
        .unwrap()
    }

    #[test]
    fn notices_say_how_bad_it_was_and_whose_matter_it_is() {
        let places = [("h1", "c1", "pve1"), ("h2", "c1", "pve2"), ("h3", "c2", "pve1")];
        let places =
            places.map(|(id, cluster, node)| (HostId::from(id), (ConnectionId::from(cluster), node.to_owned())));
        let storage = serde_json::json!({
            "id": "c1:pve2:local", "connection": "c1", "name": "local", "cluster": null, "nodes": ["pve2"],
            "type": "dir", "content": [], "shared": false, "active": true, "space": null, "observed_at": null,
        });
        let (storages, places) = ([serde_json::from_value::<Storage>(storage).unwrap()], BTreeMap::from(places));
        for (entity, things) in [
            ("host:h1", None),
            ("guest:c1:101", None),
            ("storage:h9:/var", Some("host:h9")),
            ("storage:c1:pve2:local", Some("host:h2")),
            ("storage:c1:gone", Some("host:h1,host:h2")),
            ("cluster:c1", Some("host:h1,host:h2")),
        ] {
            for transition in [Transition::Raised, Transition::Resolved] {
                let told = notice(&transition(alert(entity, "warning")), |entity| hosts_of(entity, &storages, &places));
                let told = told.unwrap();
                assert_eq!(told.fields.get("things").map(String::as_str), things, "{entity}");
                assert_eq!(told.fields["level"], "warning", "{entity}");
            }
        }
        let resolved = notice(&Transition::Resolved(alert("host:h1", "critical")), |_| Vec::new()).unwrap();
        assert_eq!((resolved.level, &*resolved.fields["level"]), (NoticeLevel::Ok, "critical"));
    }
}
