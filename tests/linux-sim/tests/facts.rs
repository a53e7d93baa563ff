//! The slow facts of simulated hosts, asked and read by the core.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use linux_sim::{Fault, Options, Sim};
use reanimator_core::{
    host::linux::LinuxMachine,
    model::facts::{HostFacts, Section, containers::EngineKind},
    transport::{
        Become,
        ssh::{Hop, HostKeyPolicy, Ssh, SshCredentials, SshTarget},
    },
};

/// So many that every trait occurs.
const HOSTS: usize = 160;

/// As many are asked at once: each log-in takes the processor for a while, and has a time limit.
const AT_ONCE: usize = 16;

/// What a host may well not tell: a virtual machine has no sensor.
const EXPECTED: [&str; 1] = ["temperatures: the kernel shows no sensor"];

fn machine(sim: &Sim, index: usize) -> LinuxMachine {
    let host = &sim.hosts()[index];
    let mut hop = Hop::new(&host.address, host.port, &host.user);
    hop.host_keys = HostKeyPolicy::pinned(&host.host_key);
    let credentials = SshCredentials::key(std::fs::read_to_string(&host.key).unwrap());
    LinuxMachine::new(Arc::new(Ssh::new(SshTarget::new(hop), credentials)), Become::No)
}

async fn ask(machine: &LinuxMachine, last: &HostFacts, now: Timestamp) -> HostFacts {
    machine.facts(&Section::BY_SHELL, last, now).await.unwrap()
}

fn notes(facts: &HostFacts) -> Vec<String> {
    let all = [
        facts.hardware.as_ref().map(|dated| &dated.unseen),
        facts.sensors.as_ref().map(|dated| &dated.unseen),
        facts.disks.as_ref().map(|dated| &dated.unseen),
        facts.network.as_ref().map(|dated| &dated.unseen),
        facts.system.as_ref().map(|dated| &dated.unseen),
        facts.updates.as_ref().map(|dated| &dated.unseen),
        facts.containers.as_ref().map(|dated| &dated.unseen),
        facts.listeners.as_ref().map(|dated| &dated.unseen),
    ];
    let mut notes = Vec::new();
    for section in all {
        notes.extend(section.unwrap().iter().map(|note| format!("{}: {}", note.what, note.why)));
    }
    notes
}

#[tokio::test(flavor = "multi_thread")]
async fn every_collector_reads_its_answers_without_surprise() {
    let sim = Sim::start(Options { hosts: HOSTS, seed: 5, ..Options::default() }).await.unwrap();
    let now = Timestamp::now();
    let machines: Vec<LinuxMachine> = (0..HOSTS).map(|index| machine(&sim, index)).collect();
    let nothing = HostFacts::default();
    let asked = machines.iter().map(|machine| ask(machine, &nothing, now));
    let first: Vec<HostFacts> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    let mut surprises: BTreeMap<String, usize> = BTreeMap::new();
    for note in first.iter().flat_map(notes).filter(|note| !EXPECTED.contains(&note.as_str())) {
        *surprises.entry(note).or_default() += 1;
    }
    assert_eq!(surprises, BTreeMap::new());
    assert_eq!(sim.unknown_questions(), Vec::<String>::new(), "teach `src/facts` what a host answers");
    for (index, facts) in first.iter().enumerate() {
        let figures = sim.figures(index);
        let hardware = &facts.hardware.as_ref().unwrap().facts;
        assert_eq!(hardware.cpu.threads, Some(figures.cpus), "{hardware:?}");
        let disks = &facts.disks.as_ref().unwrap().facts;
        assert_eq!(facts.listeners.as_ref().unwrap().facts.sockets.len(), 3);
        assert!(!disks.devices.is_empty() && !facts.network.as_ref().unwrap().facts.interfaces.is_empty());
        assert!(
            facts.system.as_ref().unwrap().facts.time.is_some()
                && facts.updates.as_ref().unwrap().facts.pending.is_some()
        );
    }
    let count = |holds: fn(&HostFacts) -> bool| first.iter().filter(|facts| holds(facts)).count();
    let docker =
        count(|facts| facts.containers.as_ref().unwrap().facts.engines.iter().any(|e| e.kind == EngineKind::Docker));
    assert!((HOSTS / 6..HOSTS / 2).contains(&docker), "{docker}");
    let failed =
        count(|facts| facts.system.as_ref().unwrap().facts.failed.as_ref().is_some_and(|failed| !failed.is_empty()));
    assert!((1..HOSTS / 8).contains(&failed), "{failed}");
    let failing =
        count(|facts| facts.disks.as_ref().unwrap().facts.smart.iter().any(|smart| smart.passed == Some(false)));
    assert!((1..HOSTS / 8).contains(&failing), "{failing}");
    let warm = count(|facts| !facts.sensors.as_ref().unwrap().facts.temperatures.is_empty());
    assert!(warm > HOSTS / 2, "{warm}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_change_is_not_told_again() {
    let sim = Sim::start(Options { hosts: 1, seed: 5, ..Options::default() }).await.unwrap();
    let machine = machine(&sim, 0);
    let now = Timestamp::now();
    let first = ask(&machine, &HostFacts::default(), now).await;
    let later = ask(&machine, &first, now + Duration::from_secs(20 * 60)).await;
    let (before, after) = (&first.updates.as_ref().unwrap().facts, &later.updates.as_ref().unwrap().facts);
    assert_eq!((before.counted_at, before.pending, &before.stamp), (after.counted_at, after.pending, &after.stamp));
    let id = |facts: &HostFacts| facts.system.as_ref().unwrap().facts.boot.as_ref().unwrap().id.clone();
    assert_eq!(id(&first), id(&later));
    sim.fault(0, Fault::Reboot);
    let anew = ask(&machine, &later, now + Duration::from_secs(40 * 60)).await;
    assert_ne!(id(&later), id(&anew));
}
