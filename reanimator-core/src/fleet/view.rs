//! What is shown of a host, made from what is known of it: pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    collect::linux::{file_systems::local_space, watch::is_real_interface},
    host::Observation,
    model::{
        GuestCounts, GuestOf, Host, HostKind, HostState, HostView, Link, NodeSnapshot, Problem, Space, Storage,
        Telemetry, Throughput, Unseen,
    },
};

/// Figures older than this are not shown as the state of now: the host's state is then unknown.
pub const STALE_AFTER: Duration = Duration::from_secs(60);

/// What was last heard over one way to a host.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// When it last answered.
    pub answered_at: Option<Timestamp>,
    /// Times in a row that it did not.
    pub misses: u32,
    /// Why it did not, the last time.
    pub problem: Option<Problem>,
}

/// What is known of a host by its own shell.
#[derive(Clone, Debug, Default)]
pub struct ByShell {
    /// Whether it answers.
    pub heard: Heard,
    /// What it last said.
    pub observation: Option<Observation>,
}

/// What is known of a host by its cluster.
#[derive(Clone, Debug)]
pub struct ByCluster<'a> {
    /// Whether the cluster answers.
    pub heard: &'a Heard,
    /// The cluster's name; a node that stands alone has none.
    pub cluster: Option<&'a str>,
    /// What the cluster says of the node.
    pub node: Option<&'a NodeSnapshot>,
    /// The cluster's storages.
    pub storages: &'a [Storage],
}

/// Makes the view. `misses` is how many in a row make a host offline.
pub fn view(
    host: &Host,
    shell: Option<&ByShell>,
    cluster: Option<&ByCluster<'_>>,
    address: Option<String>,
    guest_of: Option<GuestOf>,
    misses: u32,
    now: Timestamp,
) -> HostView {
    let node = cluster.and_then(|cluster| cluster.node);
    let observation = shell.and_then(|shell| shell.observation.as_ref());
    let empty = Telemetry::default();
    let by_shell = observation.map_or(&empty, |observation| &observation.telemetry);
    let by_node = node.map_or(&empty, |node| &node.telemetry);
    // What the machine says of itself is fresher than what its cluster says of it.
    let fresh = |heard: &Heard| heard.misses < misses && heard.answered_at.is_some();
    let (first, second) = match shell {
        Some(shell) if fresh(&shell.heard) || node.is_none_or(|node| !node.online) => (by_shell, by_node),
        _ => (by_node, by_shell),
    };
    let observed_at = [shell.and_then(|shell| shell.heard.answered_at), by_node.at].into_iter().flatten().max();
    let state = state(host, shell, cluster, misses);
    let identity = observation.map(|observation| &observation.identity);
    let node_identity = node.map(|node| &node.identity);
    let either = |pick: fn(&crate::model::Identity) -> Option<String>| {
        identity.and_then(pick).or_else(|| node_identity.and_then(pick))
    };
    HostView {
        id: host.id.clone(),
        name: host.name.clone(),
        kind: kind(host, either(|identity| identity.proxmox_version.clone()).is_some()),
        state,
        address,
        groups: host.groups.clone(),
        tags: host.tags.clone(),
        cluster: cluster.and_then(|cluster| cluster.cluster).map(str::to_owned),
        cpu_percent: first.cpu_percent.or(second.cpu_percent),
        cpus: first.cpus.or(second.cpus),
        load: first.load.or(second.load),
        memory: first.memory.clone().or_else(|| second.memory.clone()),
        swap: first.swap.or(second.swap),
        disk: disk(by_shell, by_node, node, cluster.map_or(&[], |cluster| cluster.storages)),
        network: throughput(first).or_else(|| throughput(second)),
        uptime_seconds: first.uptime_seconds.or(second.uptime_seconds),
        os: either(|identity| identity.os.clone()),
        kernel: either(|identity| identity.kernel.clone()),
        proxmox_version: either(|identity| identity.proxmox_version.clone()),
        guests: node.map(|node| known_to_run(node.guests, state)),
        guest_of,
        observed_at,
        age_seconds: age(observed_at, now),
        via: via(host, shell.is_some()),
        clock_skew_seconds: observation.and_then(|observation| observation.clock_skew_seconds),
        problem: problem(shell, cluster),
        unseen: unseen(observation, node),
    }
}

/// Seconds since `at`; never negative, also when the clock was set back.
pub fn age(at: Option<Timestamp>, now: Timestamp) -> Option<f64> {
    at.map(|at| (now.duration_since(at).as_secs_f64()).max(0.0))
}

/// A stored view as it is to be shown now: with its age, and unknown when it has grown stale.
pub fn aged(mut view: HostView, host: &Host, now: Timestamp) -> HostView {
    (view.name, view.groups, view.tags) = (host.name.clone(), host.groups.clone(), host.tags.clone());
    view.age_seconds = age(view.observed_at, now);
    let stale = view.age_seconds.is_none_or(|age| age > STALE_AFTER.as_secs_f64());
    view.state = match view.state {
        _ if host.maintenance => HostState::Maintenance,
        HostState::Online | HostState::Maintenance if stale => HostState::Unknown,
        HostState::Maintenance => HostState::Online,
        state => state,
    };
    view.guests = view.guests.map(|guests| known_to_run(guests, view.state));
    view
}

/// Whether what is said of a host holds now.
pub(super) fn answers(state: HostState) -> bool {
    matches!(state, HostState::Online | HostState::Maintenance)
}

/// The guests of a host in this state: of one that does not answer nobody knows that they run.
pub(super) fn known_to_run(guests: GuestCounts, state: HostState) -> GuestCounts {
    GuestCounts { running: if answers(state) { guests.running } else { 0 }, ..guests }
}

fn kind(host: &Host, is_proxmox: bool) -> HostKind {
    let shell = host.links.iter().any(|link| matches!(link, Link::Local { .. } | Link::Ssh { .. }));
    let node = host.links.iter().any(|link| matches!(link, Link::ProxmoxNode { .. }));
    match (shell, node || is_proxmox) {
        (true, true) => HostKind::Both,
        (false, true) => HostKind::Proxmox,
        _ => HostKind::Linux,
    }
}

fn state(host: &Host, shell: Option<&ByShell>, cluster: Option<&ByCluster<'_>>, misses: u32) -> HostState {
    if host.maintenance {
        return HostState::Maintenance;
    }
    let of = |heard: &Heard| match heard {
        heard if heard.misses >= misses => HostState::Offline,
        Heard { answered_at: Some(_), .. } => HostState::Online,
        _ => HostState::Unknown,
    };
    let by_shell = shell.map(|shell| of(&shell.heard));
    // `pvesh` over the host's own shell is no second voice.
    let own = |link: &Link| {
        let same = |other: &Link| !matches!(other, Link::ProxmoxNode { .. }) && other.connection() == link.connection();
        matches!(link, Link::ProxmoxNode { .. }) && host.links.iter().any(same)
    };
    let same_voice = shell.is_some() && host.links.iter().any(own);
    let by_cluster = cluster.filter(|_| !same_voice).map(|cluster| match (of(cluster.heard), cluster.node) {
        (HostState::Online, Some(node)) if node.online => HostState::Online,
        (HostState::Online, _) => HostState::Offline,
        (state, _) => state,
    });
    match (by_shell, by_cluster) {
        (Some(HostState::Online), _) | (_, Some(HostState::Online)) => HostState::Online,
        (Some(HostState::Offline), _) | (_, Some(HostState::Offline)) => HostState::Offline,
        _ => HostState::Unknown,
    }
}

/// Local room. On a Proxmox node the root file system and its own block storages; `df` does not see those.
fn disk(by_shell: &Telemetry, by_node: &Telemetry, node: Option<&NodeSnapshot>, storages: &[Storage]) -> Option<Space> {
    let root = local_space(&by_shell.file_systems).or_else(|| local_space(&by_node.file_systems));
    let Some(node) = node else { return root };
    // A directory storage lies on a file system that is counted already, and so does ZFS where a shell sees it.
    let seen_by_df = |storage: &Storage| {
        storage.storage_type == "dir" || (storage.storage_type == "zfspool" && !by_shell.file_systems.is_empty())
    };
    let own = storages
        .iter()
        .filter(|storage| !storage.shared && storage.nodes.contains(&node.name) && !seen_by_df(storage))
        .filter_map(|storage| storage.space);
    root.into_iter()
        .chain(own)
        .reduce(|a, b| Space { total_bytes: a.total_bytes + b.total_bytes, used_bytes: a.used_bytes + b.used_bytes })
}

fn throughput(telemetry: &Telemetry) -> Option<Throughput> {
    let real: Vec<_> = telemetry.networks.iter().filter(|net| is_real_interface(&net.name)).collect();
    (!real.is_empty()).then(|| Throughput {
        received_bytes_per_second: real.iter().map(|net| net.received_bytes_per_second).sum(),
        sent_bytes_per_second: real.iter().map(|net| net.sent_bytes_per_second).sum(),
    })
}

fn via(host: &Host, has_shell: bool) -> Vec<String> {
    let word = |link: &Link| match link {
        Link::Local { .. } => Some("local"),
        Link::Ssh { .. } => has_shell.then_some("ssh"),
        Link::ProxmoxNode { .. } => Some("proxmox"),
        Link::Guest { .. } => None,
    };
    let mut via: Vec<String> = host.links.iter().filter_map(word).map(str::to_owned).collect();
    via.dedup();
    via
}

fn problem(shell: Option<&ByShell>, cluster: Option<&ByCluster<'_>>) -> Option<Problem> {
    let by_cluster = || {
        let cluster = cluster?;
        cluster.heard.problem.clone().or_else(|| cluster.node?.problem.clone())
    };
    shell.and_then(|shell| shell.heard.problem.clone()).or_else(by_cluster)
}

fn unseen(observation: Option<&Observation>, node: Option<&NodeSnapshot>) -> Vec<Unseen> {
    let by_shell = observation.into_iter().flat_map(|observation| &observation.unseen);
    let by_node = node.into_iter().flat_map(|node| &node.unseen);
    let mut unseen: Vec<Unseen> = by_shell.chain(by_node).cloned().collect();
    unseen.sort();
    unseen.dedup();
    unseen
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        ErrorKind,
        model::{ConnectionId, HostId, Identity, Memory, units::Bytes},
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a time")
    }

    fn record(links: Vec<Link>) -> Host {
        Host {
            id: HostId::from("h1"),
            name: "pve1".into(),
            groups: Default::default(),
            tags: Default::default(),
            maintenance: false,
            links,
        }
    }

    /// A host of which nothing is known but its name.
    pub(crate) fn host(name: &str) -> HostView {
        let host = Host { name: name.into(), id: HostId::from(name), ..record(vec![]) };
        view(&host, None, None, None, None, 2, at(0))
    }

    fn ssh() -> Link {
        Link::Ssh { connection: ConnectionId::from("c1") }
    }

    fn node_link() -> Link {
        Link::ProxmoxNode { connection: ConnectionId::from("c2"), node: "pve1".into() }
    }

    fn shell(cpu: f64, second: i64) -> ByShell {
        let telemetry = Telemetry { at: Some(at(second)), cpu_percent: Some(cpu), ..Telemetry::default() };
        ByShell {
            heard: Heard { answered_at: Some(at(second)), ..Heard::default() },
            observation: Some(Observation { telemetry, ..Observation::default() }),
        }
    }

    fn node(online: bool) -> NodeSnapshot {
        NodeSnapshot {
            name: "pve1".into(),
            online,
            ip: None,
            telemetry: Telemetry {
                at: Some(at(5)),
                cpu_percent: Some(77.0),
                memory: Some(Memory { total_bytes: Bytes(8), ..Memory::default() }),
                ..Telemetry::default()
            },
            identity: Identity { proxmox_version: Some("9.1.8".into()), ..Identity::default() },
            guests: GuestCounts { running: 1, total: 2 },
            problem: None,
            unseen: vec![],
        }
    }

    fn silent(misses: u32) -> Heard {
        let problem = Problem { kind: ErrorKind::Timeout, message: "silent".into(), next: None };
        Heard { answered_at: Some(at(0)), misses, problem: Some(problem) }
    }

    #[test]
    fn a_node_with_a_shell_takes_its_own_figures_first_and_the_rest_from_its_cluster() {
        let (heard, node) = (Heard { answered_at: Some(at(5)), ..Heard::default() }, node(true));
        let cluster = ByCluster { heard: &heard, cluster: Some("lab"), node: Some(&node), storages: &[] };
        let view =
            view(&record(vec![ssh(), node_link()]), Some(&shell(12.5, 8)), Some(&cluster), None, None, 2, at(10));
        assert_eq!((view.kind, view.state, view.cpu_percent), (HostKind::Both, HostState::Online, Some(12.5)));
        assert_eq!(view.memory.map(|memory| memory.total_bytes), Some(Bytes(8)));
        assert_eq!((view.observed_at, view.age_seconds), (Some(at(8)), Some(2.0)));
        assert_eq!(view.via, ["ssh", "proxmox"]);
    }

    #[test]
    fn a_node_whose_shell_is_silent_is_online_by_its_cluster_and_says_so() {
        let (heard, node) = (Heard { answered_at: Some(at(5)), ..Heard::default() }, node(true));
        let cluster = ByCluster { heard: &heard, cluster: None, node: Some(&node), storages: &[] };
        let shell = ByShell { heard: silent(3), ..shell(1.0, 0) };
        let view = view(&record(vec![ssh(), node_link()]), Some(&shell), Some(&cluster), None, None, 2, at(10));
        assert_eq!((view.state, view.cpu_percent), (HostState::Online, Some(77.0)));
        assert_eq!(view.problem.map(|problem| problem.message).as_deref(), Some("silent"));
    }

    #[test]
    fn a_node_that_is_asked_over_its_own_shell_alone_is_offline_with_it() {
        let (heard, node) = (Heard { answered_at: Some(at(5)), ..Heard::default() }, node(true));
        let cluster = ByCluster { heard: &heard, cluster: None, node: Some(&node), storages: &[] };
        let shell = ByShell { heard: silent(2), ..shell(1.0, 0) };
        let pvesh = Link::ProxmoxNode { connection: ConnectionId::from("c1"), node: "pve1".into() };
        let view = view(&record(vec![ssh(), pvesh]), Some(&shell), Some(&cluster), None, None, 2, at(10));
        assert_eq!(view.state, HostState::Offline);
    }

    #[test]
    fn a_node_that_its_cluster_calls_dead_is_offline_with_its_guests_none_of_which_is_known_to_run() {
        let (heard, node) = (Heard { answered_at: Some(at(5)), ..Heard::default() }, node(false));
        let cluster = ByCluster { heard: &heard, cluster: None, node: Some(&node), storages: &[] };
        let view = view(&record(vec![node_link()]), None, Some(&cluster), None, None, 2, at(10));
        assert_eq!((view.state, view.guests), (HostState::Offline, Some(GuestCounts { running: 0, total: 2 })));
    }

    #[test]
    fn one_miss_is_not_yet_offline() {
        let record = record(vec![ssh()]);
        let state = |misses| {
            let shell = ByShell { heard: silent(misses), ..shell(1.0, 0) };
            view(&record, Some(&shell), None, None, None, 2, at(10)).state
        };
        assert_eq!([state(1), state(2)], [HostState::Online, HostState::Offline]);
    }

    #[test]
    fn a_stored_view_that_is_old_is_not_shown_as_online() {
        let record = record(vec![ssh()]);
        let fresh = view(&record, Some(&shell(1.0, 0)), None, None, None, 2, at(0));
        assert_eq!(aged(fresh.clone(), &record, at(30)).state, HostState::Online);
        let old = aged(fresh, &record, at(3600));
        assert_eq!((old.state, old.age_seconds, old.cpu_percent), (HostState::Unknown, Some(3600.0), Some(1.0)));
    }

    #[test]
    fn maintenance_is_a_word_of_the_record() {
        let record = Host { maintenance: true, ..record(vec![ssh()]) };
        assert_eq!(view(&record, Some(&shell(1.0, 0)), None, None, None, 2, at(1)).state, HostState::Maintenance);
    }
}
