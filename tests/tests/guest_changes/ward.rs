//! A look-alike cluster, and a fleet that knows it.

use std::time::Duration;

use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    Fleet, FleetOptions,
    access::Principal,
    fleet::{CapChange, SettingsChange},
    host::pve::{PveApi as _, PveHttps},
    model::{Action, Guest, GuestChange, NewOperation, NewStep, Operation, Step},
    operation::{DryStep, Operations},
    transport::http::Request,
};
use reanimator_tests::cluster;
use serde_json::Value;

/// 100 is a VM and 101 a container that run, 102 a container and 103 a VM that do not, 104 a template; both nodes are in use.
pub(crate) struct Ward {
    pub(crate) sim: Sim,
    pub(crate) fleet: Fleet,
    pub(crate) operations: Operations,
    pub(crate) api: PveHttps,
    directory: tempfile::TempDir,
}

impl Ward {
    pub(crate) async fn open() -> Self {
        let task_time = Duration::from_millis(100);
        let sim = Sim::start(Options { nodes: 2, guests: 12, task_time, ..Options::default() }).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        fleet.connect_proxmox(cluster::connection(&sim, 0)).await.unwrap();
        // Changes that nobody sees to their end go on beside each other here; they would wait for one another.
        let caps = CapChange { per_host: Some(16), per_cluster: Some(32) };
        fleet.change_settings(SettingsChange { caps, ..SettingsChange::default() }).await.unwrap();
        let operations = Operations::new(fleet.clone());
        let api = cluster::api(&sim, 0);
        Self { sim, fleet, operations, api, directory }
    }

    /// Another process on the same data directory.
    pub(crate) async fn another(&self) -> Operations {
        Operations::new(Fleet::open(FleetOptions::new(self.directory.path())).await.unwrap())
    }

    pub(crate) async fn guest(&self, vmid: u32) -> Guest {
        self.fleet.guest(None, &vmid.to_string()).await.unwrap()
    }

    /// A running VM with some cores, beside the one that is always there.
    pub(crate) async fn vm_with_cores(&self) -> Guest {
        for guest in self.fleet.guests().await.unwrap() {
            if guest.kind.as_str() == "qemu"
                && guest.cpus.is_some_and(|cpus| cpus >= 2.0)
                && guest.uptime_seconds > Some(0)
            {
                return guest;
            }
        }
        panic!("no VM has two cores");
    }

    pub(crate) fn path<'a>(guest: &'a Guest, rest: &[&'a str]) -> Vec<&'a str> {
        [&["nodes", &*guest.node, guest.kind.as_str(), &*guest.vmid], rest].concat()
    }

    /// Its configuration as the cluster has it.
    pub(crate) async fn config(&self, guest: &Guest) -> Value {
        self.api.call(Request::get(Self::path(guest, &["config"]))).await.unwrap()
    }

    /// Writes a setting past the fleet.
    pub(crate) async fn set(&self, guest: &Guest, name: &str, value: &str) {
        self.api.call(Request::put(Self::path(guest, &["config"])).param(name, value)).await.unwrap();
    }

    /// How often the cluster began a kind of task about a guest.
    pub(crate) async fn begun(&self, guest: &Guest, kind: &str) -> usize {
        let asked = Request::get(["nodes", &guest.node, "tasks"])
            .param("vmid", guest.vmid.as_str())
            .param("source", "all")
            .param("limit", "500");
        let tasks = self.api.call(asked).await.unwrap();
        tasks.as_array().unwrap().iter().filter(|task| task["type"] == kind).count()
    }

    /// Its tags as the cluster lists them.
    pub(crate) async fn tags(&self, guest: &Guest) -> String {
        let rows = self.api.call(Request::get(["cluster", "resources"]).param("type", "vm")).await.unwrap();
        let row = rows.as_array().unwrap().iter().find(|row| row["vmid"].as_u64() == guest.vmid.parse().ok()).cloned();
        row.and_then(|row| row["tags"].as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The numbers of the guests that are called so.
    pub(crate) async fn called(&self, name: &str) -> Vec<u64> {
        let rows = self.api.call(Request::get(["cluster", "resources"]).param("type", "vm")).await.unwrap();
        let rows = rows.as_array().unwrap().iter().filter(|row| row["name"] == name);
        rows.map(|row| row["vmid"].as_u64().unwrap()).collect()
    }

    pub(crate) async fn fault(&self, order: Order) {
        self.sim.control().apply(order).await.unwrap();
    }

    pub(crate) async fn ask(&self, guest: &Guest, change: GuestChange) -> Operation {
        self.operations.ask(plan(guest, change), &Principal::local(), "local").await.unwrap()
    }

    pub(crate) async fn carry_out(&self, guest: &Guest, change: GuestChange) -> Operation {
        let asked = self.ask(guest, change).await;
        self.operations.carry_out(&asked.id).await.unwrap()
    }

    /// What would be done, where that is one call, else why nothing would.
    pub(crate) async fn dry_run(&self, guest: &Guest, change: GuestChange) -> DryStep {
        self.operations.dry_run(&plan(guest, change), &Principal::local()).await.unwrap().steps.swap_remove(0)
    }

    pub(crate) async fn refused(&self, guest: &Guest, change: GuestChange, why: &str) {
        let dry = self.dry_run(guest, change.clone()).await;
        assert!(dry.refused.join("; ").contains(why), "{why}: {dry:?}");
        let done = self.carry_out(guest, change).await;
        assert!(outcome(&done).contains(why), "{why}: {done:?}");
        assert_eq!((done.state.as_str(), done.steps[0].handle.as_ref()), ("failed", None), "{done:?}");
    }

    pub(crate) async fn undo(&self, done: &Operation) -> Operation {
        self.operations.undo(&done.id, &Principal::local(), "local").await.unwrap();
        self.operations.carry_out(&done.id).await.unwrap()
    }
}

pub(crate) fn plan(guest: &Guest, change: GuestChange) -> NewOperation {
    let step = NewStep::from(Action::Guest { id: guest.id.clone(), change });
    NewOperation { title: "a test".into(), steps: vec![step], ..NewOperation::default() }
}

/// What came of the last step.
pub(crate) fn outcome(operation: &Operation) -> &str {
    operation.steps.last().and_then(|step: &Step| step.outcome.as_deref()).unwrap()
}

/// State of the operation and of its first step.
pub(crate) fn states(operation: &Operation) -> (String, String) {
    let step = serde_json::to_value(operation.steps[0].state).unwrap();
    (operation.state.as_str().to_owned(), step.as_str().unwrap().to_owned())
}

pub(crate) fn are(operation: &Operation, state: &str, step: &str) {
    assert_eq!(states(operation), (state.to_owned(), step.to_owned()), "{operation:?}");
}
