//! What it costs to look at the alert rules of a large fleet, and how soon somebody is told.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use reanimator_core::{
    Fleet, FleetOptions,
    alert::{Forecast, Outlook, Past, forecast},
    model::{
        AlertRule, Bytes, Connection, ConnectionId, FileSystem, Host, HostId, HostKind, HostState, HostView, Link,
        Memory, Reach, Space, SshReach, Sudo, Telemetry,
    },
    workflows::{
        alerts::AlertsLoop,
        live::{LiveLoop, LiveOptions},
    },
};
use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    report::{Report, milliseconds},
};

/// As many hosts as a large fleet has.
const HOSTS: usize = 2048;
const LOOKS: usize = 9;
/// How often the time to an alert is taken.
const RINGS: usize = 7;
/// A year is soon enough for a test that waits no longer.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Looks at the rules that a new fleet begins with, over 2,048 hosts of three file systems each; and takes the time from a
/// figure of a host to the alert.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let directory = tempfile::Builder::new().prefix("bench-").tempdir()?;
    let looks = runtime.block_on(looks(directory.path()))?;
    report.add("alert_step_2048_ms", "ms", &looks, None)?;
    report.aim("alert_step_2048_ms", 250.0);
    report.add("alert_trend_us", "us", &trends(), None)?;
    let rings = runtime.block_on(rings())?;
    report.add("metric_to_alert_ms", "ms", &rings, None)?;
    report.aim("metric_to_alert_ms", 2_000.0);
    report.note("metric_to_alert_ms: from the time at which a figure was observed to the alert in the store");
    Ok(())
}

/// How long each look takes, in milliseconds. The first one, which reads the history, is not among them.
async fn looks(directory: &Path) -> Result<Vec<f64>> {
    let fleet = Fleet::open(FleetOptions { with_this_machine: false, ..FleetOptions::new(directory) }).await?;
    record(&fleet).await?;
    let stop = CancellationToken::new();
    // It keeps the world in memory, and asks nobody while this is measured.
    let options = LiveOptions { interval: NEVER, facts: NEVER, ..LiveOptions::default() };
    let live = tokio::spawn(LiveLoop::new(fleet.clone(), options).run(stop.clone()));
    while fleet.store().server(fleet.now()).await?.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut alerts = AlertsLoop::new(fleet.clone());
    alerts.look().await?;
    let mut taken = Vec::new();
    for _ in 0..LOOKS {
        let began = Instant::now();
        alerts.look().await?;
        taken.push(milliseconds(began.elapsed()));
    }
    stop.cancel();
    live.await??;
    fleet.close().await;
    Ok(taken)
}

async fn record(fleet: &Fleet) -> Result<()> {
    let now = Timestamp::now();
    let hosts: Vec<(Host, Connection)> = (0..HOSTS).map(host).collect();
    fleet.store().insert_hosts_with_connections(&hosts).await?;
    let views: Vec<HostView> = hosts.iter().map(|(host, _)| view(host, now)).collect();
    fleet.store().put_views(&views).await?;
    let telemetry: Vec<(HostId, Telemetry)> = hosts.iter().map(|(host, _)| (host.id.clone(), telemetry(now))).collect();
    fleet.store().put_telemetry(&telemetry).await?;
    fleet.status().await?;
    Ok(())
}

fn host(number: usize) -> (Host, Connection) {
    let reach = Reach::Ssh(SshReach {
        address: "127.0.0.1".into(),
        port: 1,
        user: "root".into(),
        jumps: Vec::new(),
        use_agent: false,
        key_files: Vec::new(),
        sudo: Sudo::None,
        host_key: None,
    });
    let name = format!("host{number:04}");
    let connection =
        Connection { id: ConnectionId::generate(), name: name.clone(), reach, credentials_changed_at: None };
    let links = vec![Link::Ssh { connection: connection.id.clone() }];
    let host = Host {
        id: HostId::generate(),
        name,
        groups: Default::default(),
        tags: Default::default(),
        maintenance: false,
        links,
    };
    (host, connection)
}

fn view(host: &Host, now: Timestamp) -> HostView {
    HostView {
        id: host.id.clone(),
        name: host.name.clone(),
        kind: HostKind::Linux,
        state: HostState::Online,
        address: None,
        groups: Default::default(),
        tags: Default::default(),
        cluster: None,
        cpu_percent: Some(42.0),
        cpus: Some(8),
        load: Some([1.0, 1.0, 1.0]),
        memory: Some(Memory {
            total_bytes: Bytes(16 << 30),
            used_bytes: Bytes(9 << 30),
            available_bytes: None,
            source: "MemAvailable".into(),
            arc_bytes: None,
        }),
        swap: None,
        disk: Some(Space { total_bytes: Bytes(100 << 30), used_bytes: Bytes(60 << 30) }),
        network: None,
        uptime_seconds: Some(1_000_000),
        os: None,
        kernel: None,
        proxmox_version: None,
        guests: None,
        guest_of: None,
        observed_at: Some(now),
        age_seconds: Some(0.0),
        via: vec!["ssh".into()],
        clock_skew_seconds: None,
        problem: None,
        unseen: Vec::new(),
    }
}

fn telemetry(now: Timestamp) -> Telemetry {
    let system = |mount: &str| FileSystem {
        mount_point: mount.into(),
        fs_type: "ext4".into(),
        total_bytes: Bytes(100 << 30),
        used_bytes: Bytes(60 << 30),
        available_bytes: Bytes(40 << 30),
        ..FileSystem::default()
    };
    Telemetry { at: Some(now), file_systems: ["/", "/boot", "/var"].map(system).to_vec(), ..Telemetry::default() }
}

/// How long one disk's trend takes, in microseconds: two weeks of a log that is rotated each night.
fn trends() -> Vec<f64> {
    let mut past = Past::default();
    for minute in 0..14 * 24 * 60_i64 {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute);
        past.push(at, 60.0 + 12.0 * ((minute % 1440) as f64 / 1440.0));
    }
    let taken = |_| {
        let began = Instant::now();
        let seen: Option<Forecast> = forecast(&past);
        let taken = began.elapsed().as_secs_f64() * 1e6;
        debug_assert!(seen.is_some_and(|seen| seen.outlook == Outlook::Steady));
        taken
    };
    (0..LOOKS).map(taken).collect()
}

/// From the time at which a figure was observed to the alert in the store, in milliseconds: this very machine, watched as
/// always, and a rule that anything meets.
async fn rings() -> Result<Vec<f64>> {
    let mut taken = Vec::new();
    for number in 0..RINGS {
        let directory = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await?;
        let text = r#"{"name":"up","hosts":"all","condition":{"kind":"threshold","metric":"uptime_seconds","enter":1,"leave":0}}"#;
        let rule: AlertRule = serde_json::from_str(text)?;
        fleet.create_alert_rule(rule).await?;
        let stop = CancellationToken::new();
        let alerts = tokio::spawn(AlertsLoop::new(fleet.clone()).run(stop.clone()));
        // The figure comes at any time between two looks.
        tokio::time::sleep(Duration::from_millis(1_000 + 137 * u64::try_from(number)?)).await;
        let mut events = fleet.events();
        let live = tokio::spawn(LiveLoop::new(fleet.clone(), LiveOptions::default()).run(stop.clone()));
        let told = tokio::time::timeout(Duration::from_secs(60), async {
            loop {
                let event = events.recv().await?;
                if event.kind.as_str() == "alert:raised" && event.data["rule"] == "up" {
                    return Ok::<Timestamp, crate::Error>(Timestamp::now());
                }
            }
        });
        let told = told.await??;
        let host = fleet.status().await?.hosts.swap_remove(0);
        let observed = host.observed_at.unwrap_or(told);
        taken.push(told.duration_since(observed).as_secs_f64() * 1e3);
        stop.cancel();
        alerts.await?;
        live.await??;
        fleet.close().await;
    }
    Ok(taken)
}
