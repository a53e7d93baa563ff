//! Figures that move with time: load, memory in use, counters.
//!
//! Each is a function of the seed and the time, so two questions at one moment
//! agree on every node, counters never run backwards, and a test can repeat a
//! run. Load follows two waves (minutes and hours) and a little noise that
//! changes every ten seconds, as the real figures do.

use std::f64::consts::TAU;

use crate::state::{Cluster, Guest, Kind};

/// A guest's figures at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GuestFigures {
    /// Share of its own CPUs, 0 to 1.
    pub(crate) cpu: f64,
    pub(crate) memory: u64,
    pub(crate) network_in: u64,
    pub(crate) network_out: u64,
    pub(crate) disk_read: u64,
    pub(crate) disk_write: u64,
    pub(crate) uptime: u64,
    /// Share of time that something waited: CPU, I/O, memory, in percent.
    pub(crate) pressure: [f64; 3],
}

/// A node's figures at one time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NodeFigures {
    pub(crate) cpu: f64,
    pub(crate) wait: f64,
    pub(crate) memory_used: u64,
    pub(crate) swap_used: u64,
    pub(crate) disk_used: u64,
    pub(crate) load: [f64; 3],
    pub(crate) network_in: u64,
    pub(crate) network_out: u64,
    pub(crate) uptime: u64,
    pub(crate) pressure: [f64; 3],
}

/// The time of the last ten-second round, when nodes told each other.
pub(crate) fn round(now: f64) -> f64 {
    (now / 10.0).floor() * 10.0
}

/// A number from 0 to 1 that only depends on what is given.
pub(crate) fn chance(seed: u64, salt: u64) -> f64 {
    let mut mixed = seed ^ salt.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// A value from 0 to 1 that wanders with time.
fn wander(seed: u64, at: f64) -> f64 {
    let minutes = 120.0 + 600.0 * chance(seed, 1);
    let hours = 7200.0 + 30000.0 * chance(seed, 2);
    let slow = (TAU * (at / hours + chance(seed, 3))).sin();
    let fast = (TAU * (at / minutes + chance(seed, 4))).sin();
    let noise = chance(seed, (at / 10.0) as u64);
    (0.5 + 0.25 * slow + 0.15 * fast + 0.2 * (noise - 0.5)).clamp(0.0, 1.0)
}

/// A counter that grows with `rate` on average and never runs backwards.
fn counter(seed: u64, rate: f64, seconds: f64) -> u64 {
    let period = 300.0 + 900.0 * chance(seed, 5);
    let phase = chance(seed, 6) * TAU;
    let angle = TAU * seconds / period + phase;
    let swing = period / TAU * (phase.cos() - angle.cos());
    (rate * (seconds + 0.8 * swing)).max(0.0) as u64
}

/// A guest's figures.
pub(crate) fn of_guest(cluster: &Cluster, guest: &Guest, now: f64) -> GuestFigures {
    let Some(running) = &guest.running else {
        return GuestFigures::default();
    };
    let at = cluster.nodes[guest.node].figures_at(now);
    let seed = cluster.seed ^ (u64::from(guest.vmid) << 20);
    let up = (at - running.since).max(0.0);
    let base = 0.02 + 0.5 * chance(seed, 10) * chance(seed, 11);
    let wave = wander(seed, at);
    let share = 0.25 + 0.5 * chance(seed, 12) + 0.1 * (wave - 0.5);
    let busy = if running.paused { 0.0 } else { 1.0 };
    let rate = |salt: u64, most: f64| most * chance(seed, salt) * chance(seed, salt + 1);
    let cpu = busy * (base * (0.3 + 1.4 * wave)).clamp(0.0, 1.0);
    GuestFigures {
        cpu,
        memory: (guest.memory() as f64 * share) as u64,
        network_in: counter(seed ^ 1, rate(20, 400_000.0), up),
        network_out: counter(seed ^ 2, rate(22, 300_000.0), up),
        disk_read: counter(seed ^ 3, rate(24, 800_000.0), up),
        disk_write: counter(seed ^ 4, rate(26, 600_000.0), up),
        uptime: up as u64,
        pressure: [tenths(cpu * 3.0), tenths(wave), 0.0],
    }
}

/// A node's figures: its guests' use and its own.
pub(crate) fn of_node(cluster: &Cluster, index: usize, now: f64) -> NodeFigures {
    let node = &cluster.nodes[index];
    let at = node.figures_at(now);
    let seed = cluster.seed ^ ((index as u64 + 1) << 50);
    let wave = wander(seed, at);
    let mut busy = 0.02 * f64::from(node.hardware.cpus) * (0.5 + wave);
    let mut memory = node.hardware.memory / 20 + (1 << 30);
    for guest in cluster.guests.values().filter(|guest| guest.node == index) {
        let figures = of_guest(cluster, guest, now);
        busy += figures.cpu * f64::from(guest.cpus());
        memory += figures.memory;
    }
    let cpu = (busy / f64::from(node.hardware.cpus)).clamp(0.0, 1.0);
    let up = (at - node.booted).max(0.0);
    let load = |minutes: f64| busy * (0.9 + 0.2 * wander(seed, at - 30.0 * minutes));
    NodeFigures {
        cpu,
        wait: 0.01 * wave,
        memory_used: memory.min(node.hardware.memory / 100 * 97),
        swap_used: node.hardware.swap / 50,
        disk_used: node.hardware.root_used + (wave * 50_000_000.0) as u64,
        load: [load(1.0), load(5.0), load(15.0)],
        network_in: counter(seed ^ 1, 900_000.0, up),
        network_out: counter(seed ^ 2, 700_000.0, up),
        uptime: up as u64,
        pressure: [tenths(cpu * 4.0), tenths(wave), 0.0],
    }
}

/// Percent with two places, as the kernel gives pressure.
fn tenths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// How much of a storage is in use, on one node.
pub(crate) fn storage_used(cluster: &Cluster, storage: usize, node: usize) -> u64 {
    let entry = &cluster.storages[storage];
    let prefix = format!("{}:", entry.name);
    let here = |guest: &&Guest| entry.shared || guest.node == node;
    let guests: u64 = cluster
        .guests
        .values()
        .filter(here)
        .flat_map(|guest| {
            let part = match guest.kind {
                Kind::Qemu => 0.4,
                Kind::Lxc => 0.25,
            };
            guest.disks().into_iter().map(move |disk| (disk.1, (disk.2 as f64 * part) as u64))
        })
        .filter(|(volume, _)| volume.starts_with(&prefix))
        .map(|(_, used)| used)
        .sum();
    let backups: u64 = cluster
        .backups
        .iter()
        .filter(|backup| backup.storage == entry.name && (entry.shared || backup.node == node))
        .map(|backup| backup.size)
        .sum();
    let files: u64 = cluster
        .files
        .iter()
        .filter(|file| file.storage == entry.name && (entry.shared || file.node == node))
        .map(|file| file.size)
        .sum();
    (entry.base_used + guests + backups + files).min(entry.total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_never_run_backwards() {
        for seed in 0..20 {
            let mut last = 0;
            for second in 0..5000 {
                let next = counter(seed, 1000.0, f64::from(second));
                assert!(next >= last, "seed {seed} at {second}: {next} < {last}");
                last = next;
            }
            assert!(last > 1_000_000, "seed {seed}: {last}");
        }
    }

    #[test]
    fn loads_wander_within_bounds() {
        let values: Vec<f64> = (0..500).map(|step| wander(7, f64::from(step) * 10.0)).collect();
        assert!(values.iter().all(|value| (0.0..=1.0).contains(value)));
        assert!(values.windows(2).any(|pair| (pair[0] - pair[1]).abs() > 0.01));
    }
}
