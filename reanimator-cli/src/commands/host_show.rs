//! One host in full.

use std::io;

use jiff::Timestamp;
use reanimator_core::{fleet::HostDetail, model::details::HostDetails};
use serde::Serialize;
use serde_json::Value;

use crate::screen::{Cell, Column, Screen, Table, outline::outline, words};

/// Both halves as one document: the record with its figures, and everything else under `details`.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    pub(super) detail: &'a HostDetail,
    pub(super) details: &'a HostDetails,
}

/// Sections of the details in the order in which people look for them.
const SECTIONS: [&str; 8] =
    ["hardware", "sensors", "disks", "network_facts", "system", "updates", "containers", "proxmox"];

/// Prints all that is known: the record, the figures, the file systems, the slower facts, and what could not be seen.
pub(super) fn show(detail: &HostDetail, details: &HostDetails, now: Timestamp, screen: &Screen) -> io::Result<()> {
    let mut facts = Table::new([Column::words("WHAT"), Column::words("HOW IT IS")]);
    for (what, how) in record(detail).into_iter().chain(figures(detail)) {
        if let Some(how) = how {
            facts.row([what.into(), how.into()]);
        }
    }
    screen.table(&facts, "")?;
    file_systems(detail, screen)?;
    sections(details, now, screen)?;
    listeners(details, screen)?;
    for problem in &details.problems {
        screen.line(&format!("{} {}", screen.paint.bad("problem:"), screen.text(problem)))?;
    }
    for unseen in &details.unseen {
        screen.line(&format!("Not seen: {}: {}", screen.text(&unseen.what), screen.text(&unseen.why)))?;
    }
    if let Some(problem) = &detail.host.problem {
        screen.line(&format!("{} {}", screen.paint.bad("problem:"), screen.text(&problem.message)))?;
        if let Some(next) = &problem.next {
            screen.line(&format!("{} {}", screen.paint.strong("next:"), screen.text(next)))?;
        }
    }
    Ok(())
}

fn sections(details: &HostDetails, now: Timestamp, screen: &Screen) -> io::Result<()> {
    let all = serde_json::to_value(details).map_err(io::Error::other)?;
    for name in SECTIONS {
        let Some(Value::Object(mut facts)) = all.get(name).cloned() else { continue };
        let seen = facts.remove("at").and_then(|at| at.as_str()?.parse::<Timestamp>().ok());
        let age = seen.map(|at| words::span(now.duration_since(at).as_secs_f64())).unwrap_or_default();
        facts.remove("unseen");
        let text = outline(&Value::Object(facts));
        let text = if text.is_empty() { "nothing was seen" } else { text.trim_end() };
        let title = name.trim_end_matches("_facts").replace('_', " ");
        screen.line(&format!("\n{} (seen {age} ago)", screen.paint.strong(&title)))?;
        for line in text.lines() {
            screen.line(&screen.text(line))?;
        }
    }
    Ok(())
}

/// Who waits at which port for others; what only the host itself reaches is in the JSON.
fn listeners(details: &HostDetails, screen: &Screen) -> io::Result<()> {
    let sockets = details.listeners.iter().flat_map(|seen| &seen.facts.sockets).filter(|socket| !socket.loopback);
    let mut table = Table::new([
        Column::words("PORT"),
        Column::words("ADDRESS"),
        Column::words("PROGRAM"),
        Column::words("UNIT").keep(1),
        Column::words("CONTAINER").keep(1),
    ]);
    for socket in sockets {
        let interface = socket.interface.as_ref().map(|name| format!("%{name}")).unwrap_or_default();
        table.row([
            format!("{}/{}", socket.port, socket.protocol.as_str()).into(),
            format!("{}{interface}", socket.address).into(),
            Cell::known(socket.process.clone()),
            Cell::known(socket.unit.clone()),
            Cell::known(socket.container.clone().or_else(|| socket.container_id.clone())),
        ]);
    }
    if table.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    screen.table(&table, "")
}

type Fact = (&'static str, Option<String>);

fn record(detail: &HostDetail) -> Vec<Fact> {
    let host = &detail.host;
    let identity = detail.identity.as_ref();
    let some = |text: String| (!text.is_empty()).then_some(text);
    let links: Vec<String> = detail.links.iter().map(|link| link.text.clone()).collect();
    vec![
        ("name", Some(host.name.clone())),
        ("id", Some(host.id.to_string())),
        ("kind", Some(host.kind.as_str().to_owned())),
        ("state", Some(host.state.as_str().to_owned())),
        ("address", host.address.clone()),
        ("reached by", some(words::list(&links))),
        ("groups", some(words::list(&host.groups))),
        ("tags", some(words::list(&host.tags))),
        ("cluster", host.cluster.clone()),
        ("guest of", host.guest_of.as_ref().map(|guest| guest.name.clone().unwrap_or_else(|| guest.vmid.clone()))),
        ("system", host.os.clone()),
        ("kernel", host.kernel.clone()),
        ("architecture", identity.and_then(|identity| identity.architecture.clone())),
        ("virtualised by", identity.and_then(|identity| identity.virtualization.clone())),
        ("processor", identity.and_then(|identity| identity.cpu_model.clone())),
        ("Proxmox VE", host.proxmox_version.clone()),
        ("machine id", identity.and_then(|identity| identity.machine_id.clone())),
    ]
}

fn figures(detail: &HostDetail) -> Vec<Fact> {
    let host = &detail.host;
    let rate = |value: f64| format!("{}/s", reanimator_core::model::Bytes(value.max(0.0) as u64));
    vec![
        ("seen", host.age_seconds.map(|seconds| format!("{} ago", words::span(seconds)))),
        ("up", host.uptime_seconds.map(|seconds| words::span(seconds as f64))),
        ("CPU", cpu(detail)),
        ("load", host.load.map(|[one, five, fifteen]| format!("{one:.2} {five:.2} {fifteen:.2}"))),
        (
            "memory",
            host.memory.as_ref().and_then(|memory| {
                let share = words::share(memory.used_bytes, memory.total_bytes)?;
                Some(format!("{share} (by {})", memory.source))
            }),
        ),
        ("swap", host.swap.and_then(|swap| words::share(swap.used_bytes, swap.total_bytes))),
        ("disk", host.disk.and_then(|disk| words::share(disk.used_bytes, disk.total_bytes))),
        (
            "network",
            host.network.map(|network| {
                format!("in {}, out {}", rate(network.received_bytes_per_second), rate(network.sent_bytes_per_second))
            }),
        ),
        ("guests", host.guests.map(|guests| format!("{} of {} running", guests.running, guests.total))),
        ("clock", host.clock_skew_seconds.map(|seconds| format!("{seconds:+} s from ours"))),
    ]
}

fn cpu(detail: &HostDetail) -> Option<String> {
    let percent = words::percent(detail.host.cpu_percent?);
    Some(match detail.host.cpus {
        Some(cpus) => format!("{percent} of {}", words::count(cpus as usize, "CPU")),
        None => percent,
    })
}

fn file_systems(detail: &HostDetail, screen: &Screen) -> io::Result<()> {
    let Some(telemetry) = detail.telemetry.as_ref().filter(|telemetry| !telemetry.file_systems.is_empty()) else {
        return Ok(());
    };
    let mut table = Table::new([Column::words("FILE SYSTEM"), Column::words("TYPE").keep(1), Column::number("USED")]);
    for system in &telemetry.file_systems {
        let used = words::share(system.used_bytes, system.total_bytes);
        table.row([system.mount_point.as_str().into(), system.fs_type.as_str().into(), Cell::known(used)]);
    }
    screen.line("")?;
    screen.table(&table, "")
}
