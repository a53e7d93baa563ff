//! Packages of a cluster's guests: containers through their node, VMs through their guest agent, with the real apt inside.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::time::Duration;

use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    Fleet, FleetOptions,
    access::Principal,
    action::packages,
    fleet::NewHost,
    model::{
        Action, GuestId, HostId, Machine, NewOperation, NewStep, Operation, OperationState, PackageReport,
        PackagesChange, SnapshotVerb, StepState, facts::updates::PackageManager,
    },
    operation::Operations,
    transport::{Command, ssh::fingerprint_of},
};
use reanimator_tests::cluster;

/// A cluster of two nodes with shells, and a fleet that knows both; 100 is a VM and 101 a container that run.
struct Ward {
    sim: Sim,
    fleet: Fleet,
    operations: Operations,
    _directory: tempfile::TempDir,
}

impl Ward {
    async fn open() -> Self {
        let task_time = Duration::from_millis(50);
        let options = Options { nodes: 2, guests: 12, ssh: true, task_time, ..Options::default() };
        let sim = Sim::start(options).await.unwrap_or_else(|error| panic!("{error}"));
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        fleet.connect_proxmox(cluster::connection(&sim, 0)).await.unwrap();
        let operations = Operations::new(fleet.clone());
        Self { sim, fleet, operations, _directory: directory }
    }

    /// With the shells of all nodes.
    async fn with_shells() -> Self {
        let ward = Self::open().await;
        for node in &ward.sim.info().nodes {
            let ssh = node.ssh.clone().unwrap();
            let mut new = NewHost::new(ssh.address);
            (new.port, new.user) = (ssh.port, ssh.user);
            new.auth.agent = false;
            new.auth.key = Some(ssh.key.into());
            new.accept_host_key = fingerprint_of(&ssh.host_key);
            ward.fleet.add_host(new).await.unwrap();
        }
        ward
    }

    async fn guest(&self, vmid: u32) -> GuestId {
        self.fleet.guest(None, &vmid.to_string()).await.unwrap().id
    }

    async fn machine(&self, vmid: u32) -> Machine {
        Machine::Guest(self.guest(vmid).await)
    }

    async fn node(&self, name: &str) -> HostId {
        self.fleet.host(name).await.unwrap().host.id
    }

    async fn take(&self, action: Action) -> Operation {
        let new = NewOperation { steps: vec![NewStep::from(action)], ..NewOperation::default() };
        let asked = self.operations.ask(new, &Principal::local(), "local").await.unwrap();
        self.operations.carry_out(&asked.id).await.unwrap()
    }

    async fn done(&self, action: Action) -> Operation {
        let operation = self.take(action).await;
        assert_eq!(operation.state, OperationState::Done, "{operation:#?}");
        operation
    }

    async fn snapshot(&self, vmid: u32, verb: SnapshotVerb) {
        let (guest, name) = (self.guest(vmid).await, "before".to_owned());
        self.done(Action::Snapshot { guest, name, verb, memory: false, description: String::new() }).await;
    }

    async fn inside(&self, machine: &Machine, line: &str) -> String {
        let output = packages::inside(&self.fleet, machine, Command::shell(line)).await.unwrap();
        output.stdout.text().trim().to_owned()
    }

    async fn versions(&self, machine: &Machine) -> String {
        self.inside(machine, "dpkg-query -W -f '${Version} '").await
    }
}

fn upgrade(machine: &Machine, security_only: bool, exclude: &[&str]) -> Action {
    let exclude = exclude.iter().map(|&pattern| pattern.to_owned()).collect();
    Action::Packages { machine: machine.clone(), change: PackagesChange::Upgrade { security_only, exclude } }
}

fn report(operation: &Operation) -> PackageReport {
    serde_json::from_value(operation.steps[0].result.clone().unwrap()).unwrap()
}

fn changes(operation: &Operation) -> Vec<String> {
    report(operation).changes.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_is_surveyed_snapshotted_upgraded_through_its_node_and_rolled_back() {
    let ward = Ward::with_shells().await;
    let machine = ward.machine(101).await;
    let survey = packages::survey(&ward.fleet, &machine).await.unwrap();
    assert_eq!((survey.manager, survey.is_root), (PackageManager::Apt, true));
    assert_eq!((survey.pending_count, survey.security_count), (3, Some(1)), "{survey:#?}");
    assert_eq!((survey.broken.len(), survey.busy.as_deref(), survey.reboot_wanted), (0, None, false));
    assert!(survey.too_little_room().is_none() && !survey.rooms.is_empty(), "{:?}", survey.rooms);

    ward.snapshot(101, SnapshotVerb::Create).await;
    let operation = ward.done(upgrade(&machine, false, &[])).await;
    let expected = ["greeter 1.0 -> 1.1", "libgreet 1.0 -> 1.1", "web 1.0 -> 1.1"];
    assert_eq!(changes(&operation), expected);
    let told = report(&operation);
    let secure: Vec<Option<bool>> = told.changes.iter().map(|change| change.security).collect();
    assert_eq!(secure, [Some(false), Some(true), Some(false)]);
    assert_eq!(told.kept_files, ["/etc/greeter/greeter.conf.dpkg-dist"]);
    assert_eq!((told.left.len(), told.failures.len()), (0, 0));
    assert_eq!(ward.versions(&machine).await, "1.1 1.1 1.1");
    assert!(ward.inside(&machine, "cat \"$DPKG_ROOT/etc/greeter/greeter.conf\"").await.contains("changed by hand"));
    let lines = ward.operations.lines(&operation.id, 0).await.unwrap();
    assert!(lines.iter().any(|line| line.text.contains("Unpacking libgreet (1.1) over (1.0)")), "{lines:#?}");
    let outcome = operation.steps[0].outcome.clone().unwrap();
    assert!(outcome.starts_with("3 packages changed (1 for security): greeter 1.0 -> 1.1"), "{outcome}");

    let again = ward.done(upgrade(&machine, false, &[])).await;
    assert_eq!((again.steps[0].state, again.steps[0].result.as_ref()), (StepState::Already, None));
    assert_eq!(
        ward.inside(&machine, "ls \"$DPKG_ROOT/var/lib\" | grep reanimator-packages").await,
        "",
        "its notes are gone"
    );

    ward.snapshot(101, SnapshotVerb::RollBack).await;
    let start = reanimator_core::model::GuestChange::Start;
    ward.done(Action::Guest { id: ward.guest(101).await, change: start }).await;
    assert_eq!(ward.versions(&machine).await, "1.0 1.0 1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_security_and_exclusions_hold_for_one_run_and_leave_nothing_behind() {
    let ward = Ward::with_shells().await;
    let machine = ward.machine(101).await;
    let operation = ward.done(upgrade(&machine, true, &[])).await;
    assert_eq!(changes(&operation), ["libgreet 1.0 -> 1.1"]);
    let operation = ward.done(upgrade(&machine, false, &["gree*"])).await;
    assert_eq!(changes(&operation), ["web 1.0 -> 1.1"]);
    assert_eq!(packages::survey(&ward.fleet, &machine).await.unwrap().held, Vec::<String>::new());
    assert_eq!(ward.inside(&machine, "find \"$DPKG_ROOT/etc/apt\" -name 'preferences*' -type f").await, "");
    assert_eq!(changes(&ward.done(upgrade(&machine, false, &[])).await), ["greeter 1.0 -> 1.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vm_is_upgraded_through_its_guest_agent() {
    let ward = Ward::open().await;
    let machine = ward.machine(100).await;
    let survey = packages::survey(&ward.fleet, &machine).await.unwrap();
    assert_eq!((survey.pending_count, survey.security_count), (3, Some(1)));
    let refresh = Action::Packages { machine: machine.clone(), change: PackagesChange::Refresh };
    let outcome = ward.done(refresh).await.steps[0].outcome.clone().unwrap();
    assert_eq!(outcome, "the lists are fetched: 3 packages pending, 1 for security");
    let operation = ward.done(upgrade(&machine, false, &[])).await;
    assert_eq!(report(&operation).changed_count, 3);
    assert_eq!(ward.versions(&machine).await, "1.1 1.1 1.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spoiled_upgrade_is_seen_inside() {
    let ward = Ward::with_shells().await;
    let machine = ward.machine(101).await;
    let mut order = Order::new("spoil");
    order.vmid = Some(101);
    ward.sim.control().apply(order).await.unwrap();
    assert_eq!(ward.inside(&machine, "systemctl is-system-running").await, "running");
    ward.done(upgrade(&machine, false, &[])).await;
    assert_eq!(ward.inside(&machine, "systemctl is-system-running").await, "degraded");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_packages_are_refused_with_the_next_step_and_a_lost_file_fails_with_the_last_words() {
    let ward = Ward::with_shells().await;
    let machine = ward.machine(101).await;
    let spoil = "cd \"$DPKG_ADMINDIR\" && cp status status.well && \
                 sed '/^Package: web$/,/^$/s/^Status: .*/Status: install ok half-configured/' status.well >status";
    ward.inside(&machine, spoil).await;
    let survey = packages::survey(&ward.fleet, &machine).await.unwrap();
    assert_eq!(
        (survey.broken, survey.mend.as_deref()),
        (vec!["web is half set up".to_owned()], Some("dpkg --configure -a"))
    );
    let operation = ward.take(upgrade(&machine, false, &[])).await;
    assert_eq!(operation.state, OperationState::Failed);
    let outcome = operation.steps[0].outcome.clone().unwrap();
    assert!(outcome.contains("web is half set up: run `dpkg --configure -a` there first"), "{outcome}");
    ward.inside(&machine, "cd \"$DPKG_ADMINDIR\" && mv status.well status").await;

    // One of three packages cannot be had any more: nothing is said to be well, and what changed is told all the same.
    ward.inside(&machine, "sed -i 's|/repositories/security|/repositories/gone|' \"$DPKG_ROOT/etc/apt/sources.list\"")
        .await;
    let refresh = Action::Packages { machine: machine.clone(), change: PackagesChange::Refresh };
    let operation = ward.take(refresh).await;
    assert_eq!(operation.state, OperationState::Failed);
    let outcome = operation.steps[0].outcome.clone().unwrap();
    assert!(outcome.contains("its last words: ") && outcome.contains("repositories/gone"), "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_says_why() {
    let ward = Ward::open().await;
    let container = ward.machine(101).await;
    let error = packages::survey(&ward.fleet, &container).await.unwrap_err();
    let told = reanimator_core::report(&error);
    assert!(told.contains("a container is reached through the shell of its node"), "{told}");
    let node = Machine::Host(ward.node("pve1").await);
    let told = ward.take(upgrade(&node, false, &[])).await.steps[0].outcome.clone().unwrap();
    assert!(told.contains("reached by its cluster's API only"), "{told}");
    let refresh = Action::Packages { machine: node, change: PackagesChange::Refresh };
    let outcome = ward.done(refresh).await.steps[0].outcome.clone().unwrap();
    assert!(outcome.starts_with("the lists are fetched: "), "{outcome}");
    let stopped = packages::survey(&ward.fleet, &ward.machine(103).await).await.unwrap_err();
    assert!(reanimator_core::report(&stopped).contains("it does not run"));
}
