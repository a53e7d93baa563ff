//! A fleet in which a node goes away and comes back: what is told of it is as old as it is, and told once.

use std::time::Duration;

use jiff::Timestamp;
use pve_sim::Sim;
use reanimator_core::{
    Fleet, FleetOptions,
    fleet::{NewProxmox, ProxmoxSecret, Tables},
    model::{ChangeFilter, HostState, HostView, attention::AttentionKind},
};

use super::start;

/// Enough for two looks to be apart.
const A_WHILE: Duration = Duration::from_millis(20);

async fn fleet_of(sim: &Sim, directory: &std::path::Path) -> Fleet {
    let fleet = Fleet::open(FleetOptions::new(directory)).await.unwrap();
    let new = NewProxmox {
        url: sim.info().url.clone(),
        name: Some("home".into()),
        auth: ProxmoxSecret::Token(sim.info().token.clone().into()),
        accept_certificate: Some(sim.info().fingerprint.clone()),
        dry_run: false,
    };
    fleet.connect_proxmox(new).await.unwrap();
    fleet
}

async fn look(fleet: &Fleet, node: &str) -> (HostView, Tables) {
    tokio::time::sleep(A_WHILE).await;
    let view = fleet.observe(node).await.unwrap().host;
    (view, fleet.tables().await.unwrap())
}

async fn turns(fleet: &Fleet, host: &HostView) -> Vec<(String, String)> {
    let entity = Some(format!("host:{}", host.id));
    let filter = ChangeFilter { entity, field: Some("state".into()), limit: 10, ..ChangeFilter::default() };
    let changes = fleet.changes(&filter).await.unwrap();
    changes.into_iter().map(|change| (change.old_value.unwrap(), change.new_value.unwrap())).collect()
}

/// When the guests and the own storages of a node were seen.
fn seen(tables: &Tables, node: &str) -> Vec<Option<Timestamp>> {
    let guests = tables.vms.iter().filter(|guest| guest.node == node).map(|guest| guest.observed_at);
    guests.chain(tables.storages.iter().filter(|each| each.node == node).map(|each| each.observed_at)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_goes_away_grows_old_with_all_that_is_on_it_and_is_told_of_once() {
    let sim = start(3).await;
    let directory = tempfile::tempdir().unwrap();
    let fleet = fleet_of(&sim, directory.path()).await;
    let [other, node] = [0, 1].map(|place| sim.info().nodes[place].name.clone());
    let (before, tables) = look(&fleet, &node).await;
    assert_eq!(before.state, HostState::Online);
    let last_seen = seen(&tables, &node);
    assert!(last_seen.len() > 2 && last_seen.iter().all(|at| *at == before.observed_at), "{last_seen:?}");

    sim.control().node_down(&node).await.unwrap();
    for _ in 0..2 {
        let (away, tables) = look(&fleet, &node).await;
        assert_eq!((away.state, away.observed_at), (HostState::Offline, before.observed_at));
        assert_eq!((away.memory.clone(), away.disk), (before.memory.clone(), before.disk), "as last known");
        assert_eq!(seen(&tables, &node), last_seen);
        assert!(seen(&tables, &other).iter().all(|at| *at > before.observed_at), "the others are fresh");

        let rows = tables.nodes.iter().filter_map(|row| row.guests_running).sum::<u32>();
        let clusters = tables.clusters.iter().map(|row| row.guests_running).sum::<u32>();
        assert_eq!((rows, clusters), (tables.overview.guests.running, tables.overview.guests.running));
        assert_eq!(away.guests.map(|guests| (guests.running, guests.total > 0)), Some((0, true)));

        let critical = |kind| tables.overview.attention.iter().filter(|each| each.kind == kind).collect::<Vec<_>>();
        let [line] = critical(AttentionKind::Offline)[..] else { panic!("{:?}", tables.overview.attention) };
        assert_eq!((&line.name, line.since), (&node, before.observed_at));
        assert_eq!(critical(AttentionKind::StorageUnusable), Vec::<&_>::new());
        let turn = ("online".to_owned(), "offline".to_owned());
        assert_eq!(turns(&fleet, &away).await, [turn]);
    }

    // Another process knows it as well, and does not tell it anew.
    let again = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
    let (away, tables) = look(&again, &node).await;
    assert_eq!((away.observed_at, seen(&tables, &node)), (before.observed_at, last_seen));
    assert_eq!(turns(&again, &away).await.len(), 1);

    sim.control().node_up(&node).await.unwrap();
    let (back, tables) = look(&fleet, &node).await;
    assert!(back.state == HostState::Online && back.observed_at > before.observed_at, "{back:?}");
    assert!(seen(&tables, &node).iter().all(|at| *at == back.observed_at));
    let turn = |old: &str, new: &str| (old.to_owned(), new.to_owned());
    assert_eq!(turns(&fleet, &back).await, [turn("offline", "online"), turn("online", "offline")]);
    fleet.close().await;
    again.close().await;
}
