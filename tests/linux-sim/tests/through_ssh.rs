//! The simulated hosts as the core sees them, over its real SSH transport.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::Timestamp;
use linux_sim::{Fault, Options, Sim};
use reanimator_core::{
    Error, ErrorKind,
    host::{Host, linux::LinuxMachine},
    model::units::Bytes,
    report,
    transport::{
        Become, Command, Transport,
        ssh::{Hop, HostKeyPolicy, Ssh, SshCredentials, SshTarget},
    },
};
use std::sync::Arc;

async fn started(hosts: usize) -> Sim {
    Sim::start(Options { hosts, seed: 11, ..Options::default() }).await.unwrap()
}

fn client(sim: &Sim, index: usize) -> Ssh {
    let host = &sim.hosts()[index];
    let mut hop = Hop::new(&host.address, host.port, &host.user);
    hop.host_keys = HostKeyPolicy::pinned(&host.host_key);
    let mut target = SshTarget::new(hop);
    target.connect_limit = Duration::from_secs(2);
    Ssh::new(target, SshCredentials::key(std::fs::read_to_string(&host.key).unwrap()))
}

fn machine(sim: &Sim, index: usize) -> LinuxMachine {
    LinuxMachine::new(Arc::new(client(sim, index)), Become::No)
}

async fn say(ssh: &Ssh, text: &str) -> (String, String, Option<u32>) {
    let output = ssh.run(Command::shell(text)).await.unwrap();
    (output.stdout.text(), output.stderr.text(), output.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_generated_is_what_is_seen() {
    let sim = started(3).await;
    for index in 0..3 {
        let seen = machine(&sim, index).observe(Timestamp::now()).await.unwrap();
        let figures = sim.figures(index);
        let (telemetry, identity) = (&seen.telemetry, &seen.identity);
        assert_eq!(identity.hostname.as_deref(), Some(sim.hosts()[index].name.as_str()));
        assert_eq!(identity.machine_id.as_deref(), Some(figures.machine_id.as_str()));
        assert_eq!((identity.cpus, identity.macs.len()), (Some(figures.cpus), 1));
        assert_eq!(telemetry.memory.as_ref().unwrap().total_bytes, Bytes::from_kib(figures.memory_kib.0));
        assert_eq!(telemetry.file_systems[0].total_bytes, Bytes::from_kib(figures.disk_kib.0));
        assert_eq!(telemetry.file_systems[0].used_bytes, Bytes::from_kib(figures.disk_kib.1));
        assert!(telemetry.file_systems[0].inodes_total.is_some());
        // Half a second of a slow CPU is about a hundred ticks.
        let cpu = telemetry.cpu_percent.unwrap();
        assert!((cpu - figures.busy * 100.0).abs() < 6.0, "{cpu} {figures:?}");
        assert!(
            telemetry.networks[0].received_bytes_per_second > 0.0 && telemetry.disks[0].written_bytes_per_second > 0.0
        );
        assert!(telemetry.uptime_seconds.unwrap().abs_diff(figures.uptime as u64) <= 5);
        assert_eq!((seen.unseen.as_slice(), seen.clock_skew_seconds), (&[][..], None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_commands_are_answered_and_unknown_ones_are_not_found() {
    let sim = started(1).await;
    let (ssh, name) = (client(&sim, 0), sim.hosts()[0].name.clone());
    assert_eq!(say(&ssh, "hostname").await, (format!("{name}\n"), String::new(), Some(0)));
    assert_eq!(say(&ssh, "echo 'a  b';\nexit 3").await, ("a  b\n".to_owned(), String::new(), Some(3)));
    assert_eq!(say(&ssh, "frob").await, (String::new(), "sh: 1: frob: not found\n".to_owned(), Some(127)));
    assert!(say(&ssh, "uptime").await.0.contains("load average"));
    // Ended by us, and its session is free again.
    let begun = Instant::now();
    let error = ssh.run(Command::shell("sleep 60").time_limit(Duration::from_millis(300))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", report(&error));
    assert!(report(&error).contains("it was ended"), "{}", report(&error));
    assert!(begun.elapsed() < Duration::from_secs(10));
    let all = join_all((0..16).map(|_| say(&ssh, "echo x"))).await;
    assert!(all.iter().all(|(text, ..)| text == "x\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_key_comes_in() {
    let sim = started(1).await;
    let host = &sim.hosts()[0];
    let mut hop = Hop::new(&host.address, host.port, &host.user);
    hop.host_keys = HostKeyPolicy::pinned(&host.host_key);
    let stranger = Ssh::new(SshTarget::new(hop), SshCredentials::password("guess".to_owned()));
    assert_eq!(stranger.connect().await.unwrap_err().kind(), ErrorKind::AuthFailed);
}

/// Each fault on a host that is watched already, all at once, beside two whole ones.
#[tokio::test(flavor = "multi_thread")]
async fn each_fault_is_told_apart_and_harms_no_other() {
    let faults = [
        (Fault::Clear, None),
        (Fault::Silent, Some(ErrorKind::Timeout)),
        (Fault::Refuse, Some(ErrorKind::Unreachable)),
        (Fault::Garbage, Some(ErrorKind::Protocol)),
        (Fault::HalfFrame, Some(ErrorKind::Protocol)),
        (Fault::Endless, Some(ErrorKind::Protocol)),
        (Fault::ClockOff, None),
        (Fault::Clear, None),
    ];
    let sim = started(faults.len()).await;
    let machines: Vec<LinuxMachine> = (0..faults.len()).map(|index| machine(&sim, index)).collect();
    for seen in join_all(machines.iter().map(|machine| machine.observe(Timestamp::now()))).await {
        seen.unwrap();
    }
    for (index, (fault, _)) in faults.iter().enumerate() {
        sim.fault(index, *fault);
    }
    let later = || Timestamp::now() + Duration::from_secs(3600);
    let looks = join_all(machines.iter().map(|machine| async {
        let begun = Instant::now();
        (machine.observe(later()).await, begun.elapsed())
    }));
    for ((seen, took), (fault, wanted)) in looks.await.into_iter().zip(faults) {
        let kind = seen.as_ref().err().map(Error::kind);
        assert_eq!(kind, wanted, "{fault:?}: {:?}", seen.as_ref().err().map(report));
        if wanted.is_none() {
            assert!(took < Duration::from_secs(5), "{fault:?} was held up for {took:?}");
        }
        if fault == Fault::ClockOff {
            // Our own look was an hour later, so the clock an hour ahead is right and the others are late.
            assert_eq!(seen.unwrap().clock_skew_seconds, None);
        } else if let Ok(seen) = seen {
            assert!(seen.clock_skew_seconds.unwrap().abs_diff(-3600) < 60);
        }
    }
    // What is mended is seen again, at the latest when the connection's back-off is over.
    for index in 0..faults.len() {
        sim.fault(index, Fault::Clear);
    }
    join_all(machines.iter().map(async |machine| {
        let until = Instant::now() + Duration::from_secs(20);
        while let Err(error) = machine.observe(Timestamp::now()).await {
            assert!(error.kind().is_retryable() || error.kind() == ErrorKind::Protocol, "{}", report(&error));
            assert!(Instant::now() < until, "{}", report(&error));
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_cannot_be_reached_says_how() {
    let sim = started(2).await;
    sim.fault(0, Fault::Refuse);
    sim.fault(1, Fault::Silent);
    let until = Instant::now() + Duration::from_secs(10);
    // The listener goes a moment after the word.
    let refused = loop {
        match client(&sim, 0).connect().await {
            Err(error) if report(&error).contains("refused") => break error,
            other => assert!(Instant::now() < until, "{other:?}"),
        }
    };
    assert_eq!(refused.kind(), ErrorKind::Unreachable);
    let silent = client(&sim, 1).connect().await.unwrap_err();
    assert_eq!(silent.kind(), ErrorKind::Timeout, "{}", report(&silent));
    assert!(report(&silent).contains("never spoke SSH"), "{}", report(&silent));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reboot_is_noticed_and_gives_no_wild_rates() {
    let sim = started(1).await;
    let machine = machine(&sim, 0);
    let before = machine.observe(Timestamp::now()).await.unwrap().telemetry;
    sim.fault(0, Fault::Reboot);
    let until = Instant::now() + Duration::from_secs(20);
    let after = loop {
        match machine.observe(Timestamp::now()).await {
            Ok(seen) => break seen.telemetry,
            Err(error) => assert!(Instant::now() < until, "{}", report(&error)),
        }
    };
    assert!(before.uptime_seconds.unwrap() >= 3600 && after.uptime_seconds.unwrap() < 60, "{after:?}");
    // So soon after the start there may be no rate yet; a wild one there may never be.
    assert!(after.cpu_percent.is_none_or(|percent| percent <= 100.0), "{after:?}");
    assert!(after.networks.iter().all(|network| network.received_bytes_per_second < 1e9), "{after:?}");
}
