//! No node sees more than twenty requests a minute, whatever there is to know: counted where they arrive, over half an
//! hour of a clock that is set by hand.

use std::collections::BTreeMap;

use reanimator_core::{
    fleet::{Fleet, FleetOptions, NewProxmox, ProxmoxSecret},
    host::pve::PveApi as _,
    model::{GuestKind, GuestStatus, facts::HostFacts},
    store::{SqliteStore, Store},
    testkit::{ManualClock, ask_due_facts, one_round},
    transport::http::Request,
};

use super::*;

const MOST: u64 = 20;

/// What a start may take, with nothing known.
const START: usize = 3;

struct Watching {
    sim: Sim,
    fleet: Fleet,
    clock: Arc<ManualClock>,
}

impl Watching {
    async fn start(nodes: u32, guests: u32) -> Self {
        let options = Options { nodes, guests, login_delay: Duration::from_millis(50), ..Options::default() };
        let sim = Sim::start(options).await.unwrap();
        let clock = Arc::new(ManualClock::default());
        let store: Arc<dyn Store> = Arc::new(SqliteStore::temporary().await.unwrap());
        let options =
            FleetOptions { with_this_machine: false, clock: clock.clone(), ..FleetOptions::new(store.location()) };
        let fleet = Fleet::with_store(options, store).await.unwrap();
        let new = NewProxmox {
            url: sim.info().url.clone(),
            name: Some("home".to_owned()),
            auth: ProxmoxSecret::Token(sim.info().token.clone().into()),
            accept_certificate: Some(sim.info().fingerprint.clone()),
            dry_run: false,
        };
        fleet.connect_proxmox(new).await.unwrap();
        Self { sim, fleet, clock }
    }

    /// How many requests each node saw in each of these minutes.
    async fn minutes(&self, count: usize) -> Vec<BTreeMap<String, u64>> {
        let mut minutes = Vec::new();
        let mut before = self.sim.control().requests();
        for _ in 0..count {
            for _ in 0..6 {
                one_round(&self.fleet).await.unwrap();
                ask_due_facts(&self.fleet).await.unwrap();
                self.clock.advance(Duration::from_secs(10));
            }
            let now = self.sim.control().requests();
            minutes.push(now.iter().map(|(node, seen)| (node.clone(), seen - before[node])).collect());
            before = now;
        }
        minutes
    }

    async fn facts(&self) -> Vec<HostFacts> {
        let mut facts = Vec::new();
        for host in self.fleet.status().await.unwrap().hosts {
            facts.push(self.fleet.facts(host.id.as_str()).await.unwrap());
        }
        facts
    }

    /// How long ago each guest was read, in minutes.
    async fn guests_read(&self) -> Vec<i64> {
        let stored = self.fleet.store().facts_of_section("guest").await.unwrap();
        stored.iter().map(|guest| self.fleet.now().duration_since(guest.at).as_mins()).collect()
    }
}

fn assert_calm(minutes: &[BTreeMap<String, u64>]) {
    for (minute, seen) in minutes.iter().enumerate() {
        assert!(seen.values().all(|count| *count <= MOST), "minute {minute}: {seen:?}");
    }
}

#[tokio::test]
async fn no_node_of_three_sees_more_than_twenty_requests_a_minute() {
    let watching = Watching::start(3, 30).await;
    watching.minutes(2).await;
    let facts = watching.facts().await;
    assert_eq!(facts.len(), 3);
    assert!(facts.iter().all(|facts| facts.proxmox.is_some()), "each node is known within two minutes");
    assert!(facts.iter().all(|facts| facts.proxmox.as_ref().unwrap().facts.pressure.is_some()));
    let rest = watching.minutes(28).await;
    assert_calm(&rest[START - 2..]);
    let read = watching.guests_read().await;
    assert_eq!(read.len(), 30);
    assert!(read.iter().all(|age| *age <= 16), "{read:?}");
    for facts in watching.facts().await {
        let age = watching.fleet.now().duration_since(facts.proxmox.unwrap().at);
        assert!(age.as_mins() <= 20, "a node was read {age} ago");
    }
    let endpoints = watching.fleet.proxmoxes().await.unwrap().remove(0).endpoints;
    assert!(endpoints.iter().all(|endpoint| endpoint.node.is_some()), "{endpoints:?}");
}

#[tokio::test]
async fn a_node_that_stands_alone_sees_no_more_either() {
    let watching = Watching::start(1, 30).await;
    let minutes = watching.minutes(40).await;
    assert_calm(&minutes[START..]);
    let read = watching.guests_read().await;
    assert_eq!(read.len(), 30, "all are read in turn");
    let facts = watching.facts().await.remove(0);
    assert!(watching.fleet.now().duration_since(facts.proxmox.unwrap().at).as_mins() <= 20);
}

#[tokio::test]
async fn no_node_of_thirty_two_sees_more_than_twenty() {
    let watching = Watching::start(32, 64).await;
    assert_calm(&watching.minutes(20).await[START..]);
    assert_eq!(watching.guests_read().await.len(), 64);
}

#[tokio::test]
async fn what_is_known_is_not_asked_for_in_one_go_after_a_restart() {
    let watching = Watching::start(3, 30).await;
    watching.minutes(4).await;
    watching.clock.advance(Duration::from_secs(20 * 60));
    let minutes = watching.minutes(6).await;
    assert_calm(&minutes[1..]);
}

#[tokio::test]
async fn what_is_stored_of_a_removed_cluster_goes_with_it() {
    let watching = Watching::start(1, 4).await;
    watching.minutes(4).await;
    let stored = async |section| watching.fleet.store().facts_of_section(section).await.unwrap().len();
    assert_eq!((stored("cluster").await, stored("guest").await), (1, 4));
    watching.fleet.remove_proxmox("home").await.unwrap();
    assert_eq!((stored("cluster").await, stored("guest").await), (0, 0));
}

#[tokio::test]
async fn what_is_stored_of_a_guest_goes_with_it() {
    let watching = Watching::start(3, 12).await;
    watching.minutes(4).await;
    let all = watching.fleet.guests().await.unwrap();
    let guest =
        all.into_iter().find(|each| each.kind == GuestKind::Lxc && each.status == GuestStatus::Stopped).unwrap();
    let entity = format!("guest:{}", guest.id);
    assert_eq!(watching.fleet.store().facts(&entity).await.unwrap().len(), 1);
    let api = api(&watching.sim, &[0]);
    let remove = Request::delete(["nodes", &guest.node, "lxc", &guest.vmid]);
    api.call(remove).await.unwrap();
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        watching.minutes(1).await;
        if watching.fleet.guests().await.unwrap().iter().all(|each| each.id != guest.id) {
            break;
        }
    }
    watching.minutes(1).await;
    assert_eq!(watching.fleet.store().facts(&entity).await.unwrap().len(), 0);
}
