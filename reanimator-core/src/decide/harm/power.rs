//! What is lost with a host's power: the votes of its cluster, and the guests on it.

use std::collections::BTreeSet;

use super::{case::Case, own::is_unit};
use crate::model::{
    Action, HostId, Objection, Rule, UnitVerb,
    scene::{SceneCluster, SceneHost},
};

/// Units without which a node does not vote.
pub(super) const VOTING_UNITS: [&str; 2] = ["corosync", "pve-cluster"];

/// Names that a sentence has room for.
const NAMED: usize = 5;

/// Without its quorum a cluster starts, moves and changes nothing, and high availability resets its nodes. A node that
/// starts anew is away long enough for that.
pub(super) fn quorum(case: &Case<'_>) -> Vec<Objection> {
    let lost = without_vote(case);
    let clusters = case.scene.clusters.iter().filter(|(_, cluster)| cluster.expected_votes > 0);
    let judged = clusters.filter_map(|(id, cluster)| {
        let online = || case.scene.nodes_of(id).filter(|(_, host)| host.online);
        let loses = online().any(|(host, node)| lost.contains(host) && votes(node) > 0);
        let left: u32 = online().filter(|(host, _)| !lost.contains(*host)).map(|(_, node)| votes(node)).sum();
        loses.then(|| verdict(cluster, left.saturating_add(cluster.device_votes))).flatten()
    });
    judged.collect()
}

fn votes(host: &SceneHost) -> u32 {
    host.node.as_ref().map_or(0, |node| node.votes)
}

fn verdict(cluster: &SceneCluster, left: u32) -> Option<Objection> {
    let needed = cluster.expected_votes / 2 + 1;
    (left < needed).then(|| {
        let SceneCluster { name, expected_votes: all, .. } = cluster;
        Objection::new(
            Rule::Quorum,
            format!("cluster {name} would have {left} of {all} votes left, and needs {needed}"),
        )
    })
}

/// The hosts that vote no more: without power, or without what votes.
fn without_vote(case: &Case<'_>) -> BTreeSet<HostId> {
    let mut lost = case.away.hosts.clone();
    if let Action::Unit { host, unit, verb: UnitVerb::Stop | UnitVerb::Restart } = case.action
        && is_unit(unit, &VOTING_UNITS)
    {
        lost.insert(host.clone());
    }
    lost
}

/// Guests are moved or shut down first, and not left to what their node makes of them. Those that high availability
/// looks after too: whether it moves them then depends on how it is set up. One that is on its way is at both ends.
pub(super) fn running_guests(case: &Case<'_>) -> Vec<Objection> {
    let full = case.away.hosts.iter().filter_map(|host| {
        let names: Vec<&str> = case
            .scene
            .guests_at(host)
            .filter(|(_, guest)| guest.may_run() || guest.coming_to.is_some())
            .map(|(_, guest)| guest.name.as_str())
            .collect();
        (!names.is_empty()).then(|| {
            let host = case.scene.host_name(host);
            Objection::new(Rule::RunningGuests, format!("guests run on {host}: {}", list(&names)))
        })
    });
    full.chain(ended_by_unit(case)).collect()
}

/// Guests that a unit takes down with it.
fn ended_by_unit(case: &Case<'_>) -> Option<Objection> {
    let Action::Unit { host, unit, .. } = case.action else { return None };
    let at = case.scene.guests_at(host).filter(|(id, _)| case.away.guests.contains(*id));
    let names: Vec<&str> = at.map(|(_, guest)| guest.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        let why = format!("guests of {} end with {unit}: {}", case.scene.host_name(host), list(&names));
        Objection::new(Rule::RunningGuests, why)
    })
}

/// The first few names, and how many more there are.
pub(super) fn list(names: &[&str]) -> String {
    let first = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first}, and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{host, lab, node, shutdown, unit, words};
    use crate::model::{GuestStatus, Rule, UnitVerb};

    #[test]
    fn one_of_three_may_go_and_the_second_may_not() {
        let mut scene = lab();
        assert_eq!(words(&scene, &shutdown("pve3"), Rule::Quorum), [""; 0]);
        host(&mut scene, "pve2").online = false;
        let why = "cluster lab would have 1 of 3 votes left, and needs 2";
        assert_eq!(words(&scene, &shutdown("pve3"), Rule::Quorum), [why]);
        assert_eq!(words(&scene, &unit("pve3", "corosync.service", UnitVerb::Restart), Rule::Quorum), [why]);
        assert_eq!(words(&scene, &unit("pve3", "nginx", UnitVerb::Stop), Rule::Quorum), [""; 0]);
    }

    #[test]
    fn a_quorum_device_votes_too_and_a_node_with_no_vote_may_go() {
        let mut scene = lab();
        host(&mut scene, "pve2").online = false;
        let cluster = scene.clusters.values_mut().next().expect("there is one");
        cluster.device_votes = 1;
        assert_eq!(words(&scene, &shutdown("pve3"), Rule::Quorum), [""; 0]);
        node(&mut scene, "pve1").votes = 0;
        assert_eq!(words(&scene, &shutdown("pve3"), Rule::Quorum).len(), 1);
        assert_eq!(words(&scene, &shutdown("pve1"), Rule::Quorum), [""; 0]);
    }

    #[test]
    fn the_unit_that_all_guests_stop_with_is_as_much_as_all_of_them() {
        let mut scene = lab();
        for name in ["pve-guests", "pve-guests.service", "pve-manager"] {
            for verb in [UnitVerb::Stop, UnitVerb::Restart] {
                let why = format!("guests of pve1 end with {name}: mail, dns");
                assert_eq!(words(&scene, &unit("pve1", name, verb), Rule::RunningGuests), [why]);
            }
            assert_eq!(words(&scene, &unit("pve3", name, UnitVerb::Stop), Rule::RunningGuests), [""; 0]);
        }
        let one = unit("pve1", "pve-container@102", UnitVerb::Stop);
        let why = "guests of pve1 end with pve-container@102: dns";
        assert_eq!(words(&scene, &one, Rule::RunningGuests), [why]);
        assert_eq!(words(&scene, &one, Rule::LastDns).len(), 1);
        assert_eq!(words(&scene, &unit("pve1", "pve-guests", UnitVerb::Stop), Rule::LastDns).len(), 1);
        let mail = scene.guests.values_mut().next().expect("there is one");
        (mail.protected, mail.own) = (Some("is protected by ada".into()), true);
        for rule in [Rule::Protected, Rule::OwnMachine] {
            assert_eq!(words(&scene, &unit("pve1", "pve-guests", UnitVerb::Stop), rule).len(), 1, "{rule}");
        }
        let after = scene.after(&unit("pve1", "pve-guests", UnitVerb::Stop));
        assert_eq!(words(&after, &shutdown("pve1"), Rule::RunningGuests), [""; 0]);
    }

    #[test]
    fn a_host_is_switched_off_when_nothing_runs_on_it() {
        let mut scene = lab();
        assert_eq!(words(&scene, &shutdown("pve1"), Rule::RunningGuests), ["guests run on pve1: mail, dns"]);
        assert_eq!(words(&scene, &shutdown("pve3"), Rule::RunningGuests), [""; 0]);
        for guest in scene.guests.values_mut() {
            guest.status = GuestStatus::Stopped;
        }
        assert_eq!(words(&scene, &shutdown("pve1"), Rule::RunningGuests), [""; 0]);
        // On its way there.
        let mail = scene.guests.values_mut().next().expect("there is one");
        mail.coming_to = Some("pve3".into());
        assert_eq!(words(&scene, &shutdown("pve3"), Rule::RunningGuests), ["guests run on pve3: mail"]);
    }
}
