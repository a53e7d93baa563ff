//! Guests of a look-alike cluster moved to other nodes, over the real HTTPS transport: each in its way, once, and told where
//! they are afterwards.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    Fleet, FleetOptions,
    access::Principal,
    fleet::{NewProxmox, ProxmoxSecret},
    host::pve::{Credentials, PveApi as _, PveHttps},
    model::{
        Action, Endpoint, Guest, GuestChange, HostId, MigrationMode, NewOperation, NewStep, Operation, OperationState,
        Step, StepState,
    },
    operation::{DryStep, Operations},
    transport::http::{Method, Request},
};
use serde_json::Value;

/// A cluster of three nodes, and a fleet that knows it.
struct Ward {
    sim: Sim,
    api: PveHttps,
    fleet: Fleet,
    operations: Operations,
    directory: tempfile::TempDir,
}

impl Ward {
    async fn open() -> Self {
        let task_time = Duration::from_millis(50);
        let sim = Sim::start(Options { nodes: 3, guests: 12, task_time, ..Options::default() }).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        let info = sim.info();
        fleet
            .connect_proxmox(NewProxmox {
                url: info.url.clone(),
                name: None,
                auth: ProxmoxSecret::Token(info.token.clone().into()),
                accept_certificate: Some(info.fingerprint.clone()),
                dry_run: false,
            })
            .await
            .unwrap();
        let (id, secret) = info.token.split_once('=').unwrap();
        let endpoint = Endpoint { url: info.url.clone(), fingerprint: Some(info.fingerprint.clone()), node: None };
        let api = PveHttps::new(&[endpoint], Credentials::token(id, secret.to_owned().into())).unwrap();
        Self { operations: Operations::new(fleet.clone()), sim, api, fleet, directory }
    }

    /// Another process on the same data directory.
    async fn another(&self) -> Operations {
        Operations::new(Fleet::open(FleetOptions::new(self.directory.path())).await.unwrap())
    }

    async fn guest(&self, vmid: &str) -> Guest {
        self.fleet.guests().await.unwrap().into_iter().find(|guest| guest.vmid == vmid).unwrap()
    }

    async fn host(&self, node: &str) -> HostId {
        self.fleet.host(node).await.unwrap().host.id
    }

    async fn order(&self, order: Order) {
        self.sim.control().apply(order).await.unwrap();
    }

    /// Asks the cluster itself.
    async fn call(&self, method: Method, path: &str, params: &[(&str, &str)]) -> Value {
        let path = path.split('/').filter(|part| !part.is_empty());
        let request = Request::new(method, path);
        self.api.call(params.iter().fold(request, |request, (name, value)| request.param(*name, *value))).await.unwrap()
    }

    /// The node that a guest is on, as its cluster says.
    async fn node_of(&self, vmid: &str) -> String {
        let rows = self.call(Method::Get, "cluster/resources", &[("type", "vm")]).await;
        let row = rows.as_array().unwrap().iter().find(|row| row["vmid"].to_string() == vmid).unwrap();
        row["node"].as_str().unwrap().to_owned()
    }

    /// The kinds of the tasks about a guest on any node, the oldest first.
    async fn tasks(&self, vmid: &str) -> Vec<String> {
        let mut tasks = Vec::new();
        for node in ["pve1", "pve2", "pve3"] {
            let asked = [("vmid", vmid), ("source", "all"), ("limit", "500")];
            let rows = self.call(Method::Get, &format!("nodes/{node}/tasks"), &asked).await;
            for row in rows.as_array().unwrap().iter().rev() {
                tasks.push((row["starttime"].as_i64().unwrap(), row["type"].as_str().unwrap().to_owned()));
            }
        }
        tasks.sort_by_key(|(start, _)| *start);
        tasks.into_iter().map(|(_, kind)| kind).collect()
    }

    async fn step(
        &self,
        vmid: &str,
        to: &str,
        mode: MigrationMode,
        local_disks: bool,
        storage: Option<&str>,
    ) -> NewStep {
        let (to, storage) = (self.host(to).await, storage.map(str::to_owned));
        let change = GuestChange::Migrate { to, mode, local_disks, storage };
        Action::Guest { id: self.guest(vmid).await.id, change }.into()
    }

    async fn to(&self, vmid: &str, to: &str) -> NewStep {
        self.step(vmid, to, MigrationMode::Auto, false, None).await
    }

    async fn carry_out(&self, step: NewStep) -> Operation {
        let asked = self.operations.ask(plan(step), &Principal::local(), "local").await.unwrap();
        self.operations.carry_out(&asked.id).await.unwrap()
    }

    async fn undo(&self, operation: &Operation) -> Operation {
        self.operations.undo(&operation.id, &Principal::local(), "local").await.unwrap();
        self.operations.carry_out(&operation.id).await.unwrap()
    }

    async fn dry_run(&self, step: NewStep) -> DryStep {
        self.operations.dry_run(&plan(step)).await.unwrap().steps.swap_remove(0)
    }
}

fn plan(step: NewStep) -> NewOperation {
    NewOperation { title: "a test".into(), steps: vec![step], ..NewOperation::default() }
}

fn outcome(step: &Step) -> &str {
    step.outcome.as_deref().unwrap()
}

#[tokio::test]
async fn a_vm_moves_while_it_runs_and_back_again() {
    let ward = Ward::open().await;
    let dry = ward.dry_run(ward.to("100", "pve2").await).await;
    assert_eq!(dry.calls, ["POST /nodes/pve1/qemu/100/migrate target=pve2&online=1"], "{dry:?}");
    assert_eq!(ward.tasks("100").await, Vec::<String>::new());

    let done = ward.carry_out(ward.to("100", "pve2").await).await;
    assert_eq!((done.state, outcome(&done.steps[0])), (OperationState::Done, "it is on pve2, and running"), "{done:?}");
    assert_eq!((ward.node_of("100").await.as_str(), ward.tasks("100").await), ("pve2", vec!["qmigrate".to_owned()]));
    let lines = ward.operations.lines(&done.id, 0).await.unwrap();
    assert!(lines.iter().any(|line| line.text.starts_with("migration finished successfully")), "{lines:?}");
    let again = ward.carry_out(ward.to("100", "pve2").await).await;
    assert_eq!((again.steps[0].state, outcome(&again.steps[0])), (StepState::Already, "it is on pve2 already"));

    let undone = ward.undo(&done).await;
    assert_eq!(undone.state, OperationState::Undone, "{undone:?}");
    assert_eq!((ward.node_of("100").await.as_str(), ward.tasks("100").await.len()), ("pve1", 2));
}
