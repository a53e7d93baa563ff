//! What is asked beside the figures, against the look-alike, which refuses whatever the real API would refuse.

use reanimator_core::{
    host::pve::{ClusterQuestions, GuestQuestions},
    model::{Guest, GuestKind, GuestStatus},
};

use super::*;

async fn lab() -> (Sim, ProxmoxCluster, Vec<Guest>) {
    let options = Options { nodes: 3, guests: 24, login_delay: Duration::from_millis(50), ..Options::default() };
    let sim = Sim::start(options).await.unwrap();
    let cluster = ProxmoxCluster::new(ConnectionId::from("home"), api(&sim, &[0]) as _);
    let guests = cluster.observe(Timestamp::now()).await.unwrap().guests;
    (sim, cluster, guests)
}

#[tokio::test]
async fn every_guest_is_read_whole() {
    let (_sim, cluster, guests) = lab().await;
    let now = Timestamp::now();
    let (mut silent, mut pending, mut datasets) = (0, 0, Vec::new());
    for guest in &guests {
        let read = cluster.guest_facts(guest, GuestQuestions::full(), now).await.unwrap();
        let facts = &read.facts.facts;
        assert!(read.requests <= 17, "{}", read.requests);
        assert_eq!(read.facts.unseen.len(), usize::from(read.agent_silent), "{}: {:?}", guest.vmid, read.facts.unseen);
        assert!(facts.runtime.is_some() && facts.snapshots.is_some() && facts.backups.is_some(), "{}", guest.vmid);
        assert!(facts.disks.iter().any(|disk| disk.size_gb.is_some()), "{}", guest.vmid);
        let seen_within = guest.status == GuestStatus::Running && !read.agent_silent;
        let enabled = facts.agent.as_ref().is_none_or(|agent| agent.enabled);
        assert_eq!(facts.networks[0].ipv4.is_empty(), !(seen_within && enabled), "{}", guest.vmid);
        silent += usize::from(read.agent_silent);
        pending += facts.pending.len();
        datasets.extend(facts.disks.iter().filter_map(|disk| disk.dataset.clone()));
        if guest.vmid == "100" {
            assert_eq!(facts.backups.as_ref().unwrap().count, 2);
            let version = facts.agent.as_ref().unwrap().version.as_deref();
            assert_eq!((version, read.identity.macs.len()), (Some("7.2.0"), 1));
        }
    }
    assert!(silent > 0);
    assert_eq!(pending, 2);
    assert!(matches!(datasets.as_slice(), [one] if one.starts_with("tank/guests/vm-")), "{datasets:?}");
    let background = cluster.guests_in_background(&guests, now).await;
    assert_eq!(background.len(), guests.len());
    assert!(background.iter().all(|(_, read)| read.requests <= 2));
}

#[tokio::test]
async fn an_agent_that_hangs_costs_three_seconds() {
    let (sim, cluster, guests) = lab().await;
    let vm = guests.iter().find(|guest| guest.vmid == "100" && guest.kind == GuestKind::Qemu).unwrap();
    let hang = pve_sim::Order::new("slow").path("/nodes/pve1/qemu/100/agent").milliseconds(30_000);
    sim.control().apply(hang).await.unwrap();
    let before = std::time::Instant::now();
    let read = cluster.guest_facts(vm, GuestQuestions::full(), Timestamp::now()).await.unwrap();
    assert!(read.agent_silent && before.elapsed() < Duration::from_secs(6), "{:?}", before.elapsed());
    assert_eq!(read.facts.unseen.len(), 1, "{:?}", read.facts.unseen);
    assert!(read.facts.facts.snapshots.is_some() && read.facts.facts.backups.is_some());
}

#[tokio::test]
async fn nodes_and_the_cluster_are_read_whole() {
    let (_sim, cluster, _) = lab().await;
    let now = Timestamp::now();
    for (node, unwell) in [("pve1", false), ("pve2", true)] {
        let read = cluster.node_facts(node, now).await;
        let facts = read.facts.facts;
        let unseen: Vec<_> = read.facts.unseen.iter().map(|each| each.what.as_str()).collect();
        assert_eq!((read.requests, unseen), (15 + u32::from(unwell), vec!["which updates are for security"]));
        let cpu = facts.cpu.unwrap();
        assert!(cpu.sockets.unwrap() * cpu.cores.unwrap() <= cpu.threads.unwrap());
        let pools = facts.zfs.unwrap();
        assert_eq!(
            (pools[0].health.as_deref() == Some("DEGRADED"), pools[0].troubled.len()),
            (unwell, usize::from(unwell))
        );
        let disks = facts.disks.unwrap();
        assert_eq!(disks.iter().any(reanimator_core::model::facts::pve_node::NodeDisk::is_failing), unwell);
        assert_eq!(facts.usb.unwrap().len(), 1, "a hub is none");
        let level = facts.license.unwrap().level;
        assert_eq!(level.as_deref(), unwell.then_some("community"));
    }
    let read = cluster.cluster_facts(ClusterQuestions::All, now).await;
    assert_eq!(read.facts.unseen, []);
    let facts = read.facts.facts;
    assert_eq!((facts.nodes.len(), facts.expected_votes, facts.ceph), (3, Some(3), None));
    let ha = facts.ha.unwrap();
    assert_eq!((ha.resources.len(), ha.rules.unwrap().len(), ha.resources[0].max_restart), (1, 1, Some(2)));
    assert_eq!(facts.replication.unwrap()[0].fail_count, Some(2));
    let zones: Vec<_> = facts.zones.unwrap().into_iter().map(|zone| zone.name).collect();
    assert_eq!(zones, ["lab", "localnetwork"]);
    let state = cluster.cluster_facts(ClusterQuestions::State, now).await;
    assert_eq!(state.requests, 2, "it has said that it has no Ceph");
}
