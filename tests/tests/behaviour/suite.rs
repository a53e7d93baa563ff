//! What every host does, what every host with a shell does, and what every Proxmox host does.

use std::time::Duration;

use jiff::Timestamp;
use reanimator_core::{
    ErrorKind,
    host::{Capabilities, Host, LinuxHost, Observation, pve::ProxmoxHost},
    report,
    transport::{Command, http::Request},
};

/// A host with everything that it can do.
pub(super) struct Subject<'a> {
    pub(super) host: &'a dyn Host,
    pub(super) linux: Option<&'a dyn LinuxHost>,
    pub(super) proxmox: Option<&'a dyn ProxmoxHost>,
}

/// Runs all that the host says it is capable of.
pub(super) async fn run(subject: Subject<'_>) {
    let Capabilities { shell, proxmox } = subject.host.capabilities();
    assert_eq!((shell, proxmox), (subject.linux.is_some(), subject.proxmox.is_some()), "it says what it can do");
    every_host(subject.host).await;
    if let Some(host) = subject.linux {
        linux_host(host).await;
    }
    if let Some(host) = subject.proxmox {
        proxmox_host(host).await;
    }
}

async fn every_host(host: &dyn Host) {
    let now = Timestamp::now();
    let first = host.observe(now).await.expect("it is observed");
    assert_eq!(first.telemetry.at, Some(now), "by our clock");
    is_sensible(&first);
    is_whole(&first);

    let later = now + Duration::from_secs(1);
    let second = host.observe(later).await.expect("it is observed again");
    is_sensible(&second);
    assert_eq!((second.telemetry.at, &second.identity), (Some(later), &first.identity), "it is still who it was");
    assert!(second.telemetry.uptime_seconds >= first.telemetry.uptime_seconds);

    // Whoever asks at once is answered at once, and after a goodbye it can be asked again.
    let many = futures::future::join_all((0..5).map(|_| host.observe(later))).await;
    many.into_iter().for_each(|seen| is_sensible(&seen.expect("one of five at once")));
    host.close().await;
    is_sensible(&host.observe(later).await.expect("it is observed after it was closed"));
}

/// No figure is out of its bounds, and whatever is missing has a name and a reason.
fn is_sensible(seen: &Observation) {
    let telemetry = &seen.telemetry;
    let share = |percent: f64| (0.0..=100.0).contains(&percent);
    assert!(telemetry.cpu_percent.is_none_or(share), "{:?}", telemetry.cpu_percent);
    assert!(telemetry.load.is_none_or(|load| load.iter().all(|average| *average >= 0.0)));
    if let Some(memory) = &telemetry.memory {
        assert!(memory.used_bytes <= memory.total_bytes && !memory.source.is_empty(), "{memory:?}");
    }
    for file_system in &telemetry.file_systems {
        assert!(file_system.used_bytes <= file_system.total_bytes, "{file_system:?}");
    }
    let rates = telemetry.networks.iter().map(|net| net.received_bytes_per_second + net.sent_bytes_per_second);
    assert!(rates.chain(telemetry.disks.iter().map(|disk| disk.read_bytes_per_second)).all(|rate| rate >= 0.0));
    let said = |words: &str| seen.unseen.iter().any(|unseen| unseen.what.to_lowercase().contains(words));
    for (what, is_seen) in [
        ("cpu", telemetry.cpu_percent.is_some()),
        ("load", telemetry.load.is_some()),
        ("memory", telemetry.memory.is_some()),
        ("uptime", telemetry.uptime_seconds.is_some()),
        ("file systems", !telemetry.file_systems.is_empty()),
    ] {
        assert!(is_seen || said(what), "{what} is missing and nothing is said of it: {:?}", seen.unseen);
    }
    assert!(seen.unseen.iter().all(|unseen| !unseen.what.is_empty() && !unseen.why.is_empty()), "{:?}", seen.unseen);
}

/// The hosts of these tests hide nothing that a page shows first.
fn is_whole(seen: &Observation) {
    let (telemetry, identity) = (&seen.telemetry, &seen.identity);
    assert!(telemetry.cpu_percent.is_some() && telemetry.load.is_some(), "{telemetry:?}");
    assert!(telemetry.memory.as_ref().is_some_and(|memory| memory.total_bytes.0 > 1 << 20), "{telemetry:?}");
    assert!(telemetry.cpus.is_some_and(|cpus| cpus > 0), "{telemetry:?}");
    assert!(!telemetry.file_systems.is_empty() && telemetry.uptime_seconds.is_some(), "{telemetry:?}");
    assert!(identity.hostname.is_some() && identity.os.is_some() && identity.kernel.is_some(), "{identity:?}");
    assert_eq!(seen.clock_skew_seconds, None, "its clock is right");
}

async fn linux_host(host: &dyn LinuxHost) {
    let said = host.run(Command::shell("cat; echo oops >&2; exit 3").stdin("in\n")).await.unwrap();
    assert_eq!((said.stdout.text().as_str(), said.stderr.text().as_str(), said.status), ("in\n", "oops\n", Some(3)));

    let words = ["printf", "%s|", "it's", "\"$(id)\"", "a  b", "", "größe", "new\nline", "back\\slash"];
    let said = host.run(Command::argv(words)).await.unwrap();
    assert_eq!(said.stdout.text(), format!("{}|", words[2..].join("|")));

    let said = host.run(Command::shell("yes").output_limit(1000)).await.unwrap();
    assert_eq!((said.stdout.bytes.len(), said.stdout.cut_at, said.success()), (1000, Some(1000), false));

    let error = host.run(Command::shell("sleep 60").time_limit(Duration::from_millis(300))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{}", report(&error));

    let many = (0..12).map(|number| host.run(Command::shell(format!("sleep 0.1; echo {number}"))));
    for (number, said) in futures::future::join_all(many).await.into_iter().enumerate() {
        assert_eq!(said.unwrap().stdout.text(), format!("{number}\n"));
    }
    // None of that disturbed the watching shell.
    is_sensible(&host.observe(Timestamp::now()).await.unwrap());
}

async fn proxmox_host(host: &dyn ProxmoxHost) {
    let node = host.node().to_owned();
    let seen = host.observe(Timestamp::now()).await.unwrap();
    assert_eq!(seen.identity.proxmox_node.as_deref(), Some(node.as_str()));
    let version = seen.identity.proxmox_version.clone().expect("its version is known");

    let nodes = host.call(Request::get(["nodes"])).await.unwrap();
    let named = nodes.as_array().unwrap().iter().filter(|each| each["node"] == node.as_str());
    assert_eq!(named.count(), 1, "{nodes}");
    let told = host.call(Request::get(["version"])).await.unwrap();
    assert_eq!(told["version"].as_str(), Some(version.as_str()));
    let status = host.call(Request::get(["nodes", &node, "status"])).await.unwrap();
    let total = seen.telemetry.memory.unwrap().total_bytes.0;
    assert_eq!(status["memory"]["total"].as_u64(), Some(total));

    let error = host.call(Request::get(["nodes", &node, "qemu", "55555", "config"])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{}", report(&error));
}
