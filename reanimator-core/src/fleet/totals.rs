//! The fleet as one computer: sums in which nothing is counted twice. Pure.

use std::collections::HashSet;

use super::view::answers;
use crate::{
    model::{
        Bytes, EntityKind, Guest, GuestStatus, HostId, HostState, HostView, Space, Storage, Swap, Throughput, Totals,
    },
    store::MetricRow,
};

/// Sums over hosts that answer. A host that is a guest of a cluster in the fleet is in its node's figures already; a
/// shared storage counts once.
pub fn totals(hosts: &[HostView], guests: &[Guest], storages: &[Storage]) -> Totals {
    let mut totals = Totals::default();
    totals.hosts.total = count(hosts.len());
    for host in hosts {
        match host.state {
            HostState::Online => totals.hosts.online += 1,
            HostState::Offline => totals.hosts.offline += 1,
            HostState::Unknown => totals.hosts.unknown += 1,
            HostState::Maintenance => totals.hosts.maintenance += 1,
        }
    }
    totals.guests.total = count(guests.iter().filter(|guest| !guest.template).count());
    let answering = |host: &&HostView| answers(host.state);
    totals.guests.running = count(running(guests, hosts).count());
    let mut busy = Vec::new();
    for host in hosts.iter().filter(answering).filter(|host| host.guest_of.is_none()) {
        add(&mut totals, host);
        busy.extend(host.cpu_percent.zip(host.cpus));
    }
    let weight: f64 = busy.iter().map(|(_, cpus)| f64::from(*cpus)).sum();
    totals.cpu_percent =
        (weight > 0.0).then(|| busy.iter().map(|(percent, cpus)| percent * f64::from(*cpus)).sum::<f64>() / weight);
    let mut counted = HashSet::new();
    // Two nodes of a cluster that come in by their shells each tell of the same storage.
    let key = |storage: &Storage| {
        let owner = storage.cluster.clone().unwrap_or_else(|| storage.connection.to_string());
        (owner, storage.name.clone())
    };
    for storage in storages.iter().filter(|storage| storage.shared && counted.insert(key(storage))) {
        totals.disk = plus(totals.disk, storage.space);
    }
    totals
}

/// Guests that run, as far as anybody knows: those of a host that does not answer are not among them. This one rule
/// holds wherever guests are counted.
pub(super) fn running<'a>(guests: &'a [Guest], hosts: &[HostView]) -> impl Iterator<Item = &'a Guest> {
    let silent: HashSet<HostId> =
        hosts.iter().filter(|host| !answers(host.state)).map(|host| host.id.clone()).collect();
    let is_known = move |guest: &&Guest| !guest.host_id.as_ref().is_some_and(|host| silent.contains(host));
    guests.iter().filter(|guest| guest.status == GuestStatus::Running && !guest.template).filter(is_known)
}

/// The sums as the history keeps them. A sum to which no host gave anything is absent, not zero; so are guests while a
/// cluster has never been seen.
pub(super) fn row(totals: &Totals, hosts: &[HostView], clusters_seen: bool) -> MetricRow {
    let mut row = MetricRow::new(EntityKind::Fleet);
    let answering = |host: &&HostView| answers(host.state);
    let own = || hosts.iter().filter(answering).filter(|host| host.guest_of.is_none());
    let mut space = |used: &str, total: &str, space: Space| {
        let known = (space.total_bytes.0 > 0).then_some(space);
        row.put(used, known.map(|space| space.used_bytes.0 as f64));
        row.put(total, known.map(|space| space.total_bytes.0 as f64));
    };
    space("memory_used", "memory_total", totals.memory);
    space("disk_used", "disk_total", totals.disk);
    row.put("cpu_percent", totals.cpu_percent);
    let network = own().any(|host| host.network.is_some()).then_some(totals.network);
    row.put("network_received", network.map(|network| network.received_bytes_per_second));
    row.put("network_sent", network.map(|network| network.sent_bytes_per_second));
    let looked_at = totals.hosts.total == 0 || totals.hosts.unknown < totals.hosts.total;
    row.put("hosts_online", looked_at.then_some(f64::from(totals.hosts.online)));
    row.put("hosts_total", Some(f64::from(totals.hosts.total)));
    row.put("guests_running", clusters_seen.then_some(f64::from(totals.guests.running)));
    row.put("guests_total", clusters_seen.then_some(f64::from(totals.guests.total)));
    row
}

fn add(totals: &mut Totals, host: &HostView) {
    totals.cpus = totals.cpus.saturating_add(host.cpus.unwrap_or(0));
    totals.memory = plus(
        totals.memory,
        host.memory.as_ref().map(|memory| Space { total_bytes: memory.total_bytes, used_bytes: memory.used_bytes }),
    );
    let Swap { total_bytes, used_bytes } = host.swap.unwrap_or_default();
    totals.swap =
        Swap { total_bytes: totals.swap.total_bytes + total_bytes, used_bytes: totals.swap.used_bytes + used_bytes };
    totals.disk = plus(totals.disk, host.disk);
    let Throughput { received_bytes_per_second, sent_bytes_per_second } = host.network.unwrap_or_default();
    totals.network.received_bytes_per_second += received_bytes_per_second;
    totals.network.sent_bytes_per_second += sent_bytes_per_second;
    totals.observed_at = match (totals.observed_at, host.observed_at) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
}

fn plus(sum: Space, more: Option<Space>) -> Space {
    let Space { total_bytes, used_bytes } = more.unwrap_or_default();
    Space { total_bytes: sum.total_bytes + total_bytes, used_bytes: sum.used_bytes + used_bytes }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A share in percent, where there is a whole.
pub fn percent(used: Bytes, total: Bytes) -> Option<f64> {
    (total.0 > 0).then(|| used.0 as f64 / total.0 as f64 * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fleet::view::tests::host,
        model::{ConnectionId, GuestOf, Memory},
    };

    fn machine(name: &str, cpus: u32, cpu_percent: f64, memory: u64) -> HostView {
        let total_bytes = Bytes(memory);
        let memory = Some(Memory { total_bytes, used_bytes: Bytes(memory / 2), ..Memory::default() });
        HostView { cpus: Some(cpus), cpu_percent: Some(cpu_percent), memory, state: HostState::Online, ..host(name) }
    }

    fn shared(id: &str, total: u64) -> Storage {
        Storage {
            id: id.into(),
            connection: ConnectionId::from("c"),
            name: id.into(),
            cluster: None,
            nodes: vec!["a".into(), "b".into()],
            storage_type: "nfs".into(),
            content: vec![],
            shared: true,
            active: true,
            space: Some(Space { total_bytes: Bytes(total), used_bytes: Bytes(1) }),
            observed_at: None,
        }
    }

    #[test]
    fn cpu_is_weighed_and_offline_hosts_do_not_count() {
        let offline = HostView { state: HostState::Offline, ..machine("c", 64, 100.0, 1 << 40) };
        let totals = totals(&[machine("a", 2, 100.0, 10), machine("b", 6, 20.0, 30), offline], &[], &[]);
        assert_eq!((totals.cpus, totals.cpu_percent), (8, Some(40.0)));
        assert_eq!(totals.memory, Space { total_bytes: Bytes(40), used_bytes: Bytes(20) });
        assert_eq!((totals.hosts.online, totals.hosts.offline, totals.hosts.total), (2, 1, 3));
    }

    #[test]
    fn a_host_that_is_a_guest_counts_once_as_its_node() {
        let guest_of = Some(GuestOf { connection: ConnectionId::from("c"), vmid: "100".into(), name: None });
        let totals =
            totals(&[machine("node", 8, 50.0, 100), HostView { guest_of, ..machine("vm", 4, 90.0, 40) }], &[], &[]);
        assert_eq!((totals.cpus, totals.memory.total_bytes, totals.hosts.online), (8, Bytes(100), 2));
    }

    #[test]
    fn guests_of_a_host_that_does_not_answer_are_not_known_to_run() {
        use crate::{
            fleet::view::known_to_run,
            model::{GuestCounts, GuestId, GuestKind},
        };
        let guest = |vmid: u32, host: &str, template| Guest {
            id: GuestId::new(&ConnectionId::from("c"), vmid),
            connection: ConnectionId::from("c"),
            vmid: vmid.to_string(),
            name: None,
            kind: GuestKind::Qemu,
            node: host.into(),
            host_id: Some(HostId::from(host)),
            cluster: None,
            status: GuestStatus::Running,
            cpu_percent: None,
            cpus: None,
            memory: None,
            disk: None,
            counters: None,
            rates: None,
            uptime_seconds: None,
            tags: vec![],
            template,
            linked_host: None,
            observed_at: None,
        };
        let guests = [guest(1, "a", false), guest(2, "a", true), guest(3, "b", false), guest(4, "c", false)];
        let states = [("a", HostState::Online), ("b", HostState::Offline), ("c", HostState::Maintenance)];
        let hosts: Vec<HostView> = states.map(|(name, state)| HostView { state, ..host(name) }).into();
        let totals = totals(&hosts, &guests, &[]);
        assert_eq!((totals.guests.running, totals.guests.total), (2, 3));
        let by_host = states.map(|(_, state)| known_to_run(GuestCounts { running: 1, total: 1 }, state).running);
        assert_eq!(by_host.iter().sum::<u32>(), totals.guests.running, "rows add up to the sum");
    }

    #[test]
    fn a_shared_storage_counts_once() {
        let totals = totals(&[], &[], &[shared("c/nas", 500), shared("c/nas", 500), shared("d/nas", 7)]);
        assert_eq!(totals.disk.total_bytes, Bytes(507));
    }

    #[test]
    fn nothing_known_is_not_zero_percent() {
        assert_eq!(totals(&[host("a")], &[], &[]).cpu_percent, None);
    }

    #[test]
    fn the_history_has_what_is_known_and_nothing_for_the_rest() {
        let seen = HostView {
            network: Some(Throughput { received_bytes_per_second: 5.0, sent_bytes_per_second: 0.0 }),
            ..machine("a", 2, 50.0, 100)
        };
        let offline = HostView { state: HostState::Offline, ..machine("b", 2, 50.0, 100) };
        let hosts = [seen, offline, host("c")];
        let totals_of = |hosts: &[HostView]| totals(hosts, &[], &[]);
        let row_of = |hosts: &[HostView], clusters| row(&totals_of(hosts), hosts, clusters);
        let known = row_of(&hosts, true);
        let expected = MetricRow::new(EntityKind::Fleet)
            .with("cpu_percent", 50.0)
            .with("memory_used", 50.0)
            .with("memory_total", 100.0)
            .with("network_received", 5.0)
            .with("network_sent", 0.0)
            .with("hosts_online", 1.0)
            .with("hosts_total", 3.0)
            .with("guests_running", 0.0)
            .with("guests_total", 0.0);
        assert_eq!(known, expected);
        let nothing = row_of(&hosts[2..], false);
        assert_eq!(nothing, MetricRow::new(EntityKind::Fleet).with("hosts_total", 1.0));
    }
}
