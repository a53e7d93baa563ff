//! Counters turned into rates, on our side.
//!
//! The time between two samples is taken from the machine's own uptime, so a wrong or jumping clock on either side does
//! not matter. An uptime that went back is a restart: there is no rate over it. A counter that went back has wrapped (if
//! it was 32 bits wide and near its end) or was reset (a module was loaded again): the one is put right, the other has
//! no rate this time.

use crate::model::{CpuStates, DiskRate, NetworkRate, Telemetry};

use super::watch::{DiskCounters, NetworkCounters, Sample};

/// Bytes in a sector as `/proc/diskstats` counts them, whatever the disk's own sectors are.
const SECTOR: f64 = 512.0;

/// Figures of `now`; rates over the time since `before`, where that is given and the machine did not restart between.
///
/// `at`, `cpus` and file systems are not in a sample: the caller adds them.
pub fn telemetry(before: Option<&Sample>, now: &Sample) -> Telemetry {
    let mut telemetry = Telemetry {
        load: now.load,
        memory: now.memory.clone(),
        swap: now.swap,
        pressure: now.pressure.clone(),
        uptime_seconds: now.uptime.map(|seconds| seconds as u64),
        ..Telemetry::default()
    };
    let Some((before, seconds)) = before.and_then(|before| Some((before, elapsed(before, now)?))) else {
        return telemetry;
    };
    telemetry.cpu_states = before.cpu.zip(now.cpu).and_then(|(a, b)| cpu(&a, &b));
    telemetry.cpu_percent = telemetry.cpu_states.map(|states| (100.0 - states.idle - states.iowait).clamp(0.0, 100.0));
    telemetry.disks =
        pairs(&before.disks, &now.disks, |disk| &disk.name).filter_map(|(a, b)| disk(a, b, seconds)).collect();
    telemetry.networks =
        pairs(&before.networks, &now.networks, |net| &net.name).filter_map(|(a, b)| network(a, b, seconds)).collect();
    telemetry
}

/// The shortest time, in seconds, over which a rate says anything: CPU time is counted in hundredths of a second.
const SHORTEST: f64 = 0.4;

/// Whether a rate from `latest` to `now` would be noise: two people looked at the machine at once. A machine that
/// restarted between has no rate, which is something else.
pub fn is_too_soon(latest: &Sample, now: &Sample) -> bool {
    latest.uptime.zip(now.uptime).is_some_and(|(latest, now)| (0.0..SHORTEST).contains(&(now - latest)))
}

/// Seconds between two samples by the machine's own clock; `None` over a restart or where they are the same instant.
fn elapsed(before: &Sample, now: &Sample) -> Option<f64> {
    let seconds = now.uptime? - before.uptime?;
    (seconds > 0.0).then_some(seconds)
}

fn pairs<'a, T>(
    before: &'a [T],
    now: &'a [T],
    name: impl Fn(&T) -> &String + Copy,
) -> impl Iterator<Item = (&'a T, &'a T)> {
    now.iter().filter_map(move |b| Some((before.iter().find(|a| name(a) == name(b))?, b)))
}

/// How far a counter went. A fall within 32 bits from near the end is a wrap; any other fall is a reset.
fn advance(before: u64, now: u64) -> Option<u64> {
    const WIDTH: u64 = 1 << 32;
    match now.checked_sub(before) {
        Some(delta) => Some(delta),
        None if (WIDTH / 2..WIDTH).contains(&before) && now < WIDTH / 2 => Some(WIDTH - before + now),
        None => None,
    }
}

fn per_second(before: u64, now: u64, seconds: f64) -> Option<f64> {
    advance(before, now).map(|delta| delta as f64 / seconds)
}

/// Shares of CPU time. Single states may run backwards a little (`iowait` is known to): that counts as nothing.
fn cpu(before: &[u64; 8], now: &[u64; 8]) -> Option<CpuStates> {
    let mut deltas = [0.0; 8];
    for (delta, (a, b)) in deltas.iter_mut().zip(before.iter().zip(now)) {
        *delta = b.saturating_sub(*a) as f64;
    }
    let total: f64 = deltas.iter().sum();
    (total > 0.0).then(|| {
        let [user, nice, system, idle, iowait, irq, softirq, steal] = deltas.map(|delta| delta / total * 100.0);
        CpuStates { user, nice, system, idle, iowait, irq, softirq, steal }
    })
}

fn disk(a: &DiskCounters, b: &DiskCounters, seconds: f64) -> Option<DiskRate> {
    let rate = |before, now| per_second(before, now, seconds);
    Some(DiskRate {
        name: b.name.clone(),
        read_bytes_per_second: rate(a.sectors_read, b.sectors_read)? * SECTOR,
        written_bytes_per_second: rate(a.sectors_written, b.sectors_written)? * SECTOR,
        reads_per_second: rate(a.reads, b.reads)?,
        writes_per_second: rate(a.writes, b.writes)?,
        busy_percent: (rate(a.busy_milliseconds, b.busy_milliseconds)? / 10.0).min(100.0),
    })
}

fn network(a: &NetworkCounters, b: &NetworkCounters, seconds: f64) -> Option<NetworkRate> {
    let rate = |before, now| per_second(before, now, seconds);
    Some(NetworkRate {
        name: b.name.clone(),
        received_bytes_per_second: rate(a.received, b.received)?,
        sent_bytes_per_second: rate(a.sent, b.sent)?,
        errors_per_second: rate(a.errors, b.errors)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_over_an_instant_are_no_rates() {
        let at = |uptime| Sample { uptime, ..Sample::default() };
        for (latest, now, too_soon) in [
            (Some(10.0), Some(10.0), true),
            (Some(10.0), Some(10.3), true),
            (Some(10.0), Some(10.5), false),
            (Some(10.0), Some(0.1), false),
            (None, Some(10.0), false),
        ] {
            assert_eq!(is_too_soon(&at(latest), &at(now)), too_soon, "{latest:?} {now:?}");
        }
    }

    fn sample(uptime: f64, received: u64) -> Sample {
        Sample {
            uptime: Some(uptime),
            cpu: Some([(uptime * 50.0) as u64, 0, 0, (uptime * 150.0) as u64, 0, 0, 0, 0]),
            networks: vec![NetworkCounters { name: "eth0".into(), received, sent: 0, errors: 0 }],
            disks: vec![DiskCounters { name: "sda".into(), sectors_read: received, ..DiskCounters::default() }],
            ..Sample::default()
        }
    }

    fn received(before: &Sample, now: &Sample) -> Option<f64> {
        telemetry(Some(before), now).networks.first().map(|net| net.received_bytes_per_second)
    }

    #[test]
    fn two_samples_make_rates() {
        let figures = telemetry(Some(&sample(100.0, 1_000)), &sample(110.0, 6_000));
        assert_eq!(figures.cpu_percent, Some(25.0));
        assert_eq!(figures.networks[0].received_bytes_per_second, 500.0);
        assert_eq!(figures.disks[0].read_bytes_per_second, 256_000.0);
    }

    #[test]
    fn the_first_sample_has_no_rates() {
        let figures = telemetry(None, &sample(100.0, 1_000));
        assert_eq!((figures.cpu_percent, figures.networks.len(), figures.uptime_seconds), (None, 0, Some(100)));
    }

    #[test]
    fn a_restart_has_no_rates_and_a_counter_that_starts_again_has_none_either() {
        assert_eq!(received(&sample(5_000.0, 1_000), &sample(30.0, 9_000)), None);
        assert_eq!(received(&sample(100.0, 9_000), &sample(110.0, 10)), None);
    }

    #[test]
    fn a_32_bit_counter_may_wrap() {
        let end = u64::from(u32::MAX);
        assert_eq!(received(&sample(100.0, end - 99), &sample(110.0, 900)), Some(100.0));
    }

    #[test]
    fn a_64_bit_counter_that_falls_is_a_reset() {
        assert_eq!(received(&sample(100.0, 1 << 40), &sample(110.0, 5)), None);
    }

    #[test]
    fn an_interface_that_came_between_has_no_rate_yet() {
        let mut before = sample(100.0, 0);
        before.networks.clear();
        assert_eq!(received(&before, &sample(110.0, 10)), None);
    }
}
