//! One machine's figures: a pure function of the seed, the host's number and the time.
//!
//! The share of busy CPU swings around a mean; counters are its integral, so that they always fit the load that was
//! shown in between, and nothing is kept but a few numbers.

use std::f64::consts::TAU;

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// A random source for one purpose of one host.
pub(crate) fn random(seed: u64, index: usize, purpose: u64) -> StdRng {
    let mut bytes = [0; 32];
    for (at, part) in [seed, index as u64, purpose].into_iter().enumerate() {
        bytes[at * 8..][..8].copy_from_slice(&part.to_le_bytes());
    }
    StdRng::from_seed(bytes)
}

/// What a host runs, and what its hardware is called.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) id: &'static str,
    pub(crate) version: &'static str,
    pub(crate) pretty: &'static str,
    pub(crate) kernel: &'static str,
    pub(crate) architecture: &'static str,
    pub(crate) virtualization: &'static str,
    pub(crate) cpu_model: &'static str,
    pub(crate) interface: &'static str,
    pub(crate) disk: &'static str,
    pub(crate) partition: &'static str,
}

static SYSTEMS: [System; 4] = [
    System {
        id: "debian",
        version: "12",
        pretty: "Debian GNU/Linux 12 (bookworm)",
        kernel: "6.1.0-31-amd64",
        architecture: "x86_64",
        virtualization: "kvm",
        cpu_model: "model name\t: QEMU Virtual CPU version 2.5+",
        interface: "ens18",
        disk: "vda",
        partition: "vda1",
    },
    System {
        id: "ubuntu",
        version: "24.04",
        pretty: "Ubuntu 24.04.2 LTS",
        kernel: "6.8.0-53-generic",
        architecture: "x86_64",
        virtualization: "none",
        cpu_model: "model name\t: Intel(R) Xeon(R) E-2288G CPU @ 3.70GHz",
        interface: "eno1",
        disk: "nvme0n1",
        partition: "nvme0n1p2",
    },
    System {
        id: "debian",
        version: "13",
        pretty: "Debian GNU/Linux 13 (trixie)",
        kernel: "6.12.9-amd64",
        architecture: "x86_64",
        virtualization: "none",
        cpu_model: "model name\t: AMD EPYC 7302P 16-Core Processor",
        interface: "enp1s0",
        disk: "sda",
        partition: "sda1",
    },
    System {
        id: "raspbian",
        version: "12",
        pretty: "Raspbian GNU/Linux 12 (bookworm)",
        kernel: "6.6.62+rpt-rpi-v8",
        architecture: "aarch64",
        virtualization: "none",
        cpu_model: "Model\t\t: Raspberry Pi 4 Model B Rev 1.4",
        interface: "eth0",
        disk: "mmcblk0",
        partition: "mmcblk0p2",
    },
];

/// One simulated machine.
#[derive(Debug)]
pub struct Machine {
    pub(crate) system: &'static System,
    name: String,
    pub(crate) machine_id: String,
    pub(crate) uuid: String,
    pub(crate) mac: String,
    pub(crate) cpus: u32,
    memory_kib: u64,
    disk_kib: u64,
    disk_share: f64,
    /// How long it was up when the simulation began, in seconds.
    up_before: f64,
    mean: f64,
    swing: f64,
    period: f64,
    phase: f64,
    /// Bytes per second in at full load; half of it goes out.
    network: f64,
    /// Bytes per second written at full load; a third of it is read.
    disk: f64,
}

/// What a machine shows at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Seconds since it started.
    pub uptime: f64,
    /// The share of its CPU time in use, 0 to 1.
    pub busy: f64,
    /// Load averages.
    pub load: [f64; 3],
    /// Logical CPUs.
    pub cpus: u32,
    /// CPU ticks since it started: user, system, idle, iowait.
    pub ticks: [u64; 4],
    /// Main memory in KiB: all of it, and what is available.
    pub memory_kib: (u64, u64),
    /// Its root file system in KiB: all of it, and what is used.
    pub disk_kib: (u64, u64),
    /// Bytes in and out since it started.
    pub network_bytes: (u64, u64),
    /// Bytes read and written since it started.
    pub disk_bytes: (u64, u64),
    /// Who it is.
    pub machine_id: String,
}

impl Machine {
    /// Host number `index` of a seed.
    pub fn generate(seed: u64, index: usize) -> Self {
        let mut random = random(seed, index, 0);
        let system = &SYSTEMS[random.random_range(0..SYSTEMS.len())];
        let cpus = if system.id == "raspbian" { 4 } else { 1 << random.random_range(1..6) };
        let memory_kib = u64::from(cpus) * (1 << random.random_range(20..22)) - random.random_range(20_000..90_000);
        let mean = random.random_range(0.05..0.6);
        let id: u128 = random.random();
        let number = u32::try_from(index).unwrap_or(u32::MAX).to_be_bytes();
        Self {
            system,
            name: format!("sim{:04}", index + 1),
            machine_id: format!("{id:032x}"),
            uuid: uuid(random.random()),
            mac: format!("02:5d:{:02x}:{:02x}:{:02x}:{:02x}", number[0], number[1], number[2], number[3]),
            cpus,
            memory_kib,
            disk_kib: random.random_range(16..2000) * 1024 * 1024,
            disk_share: random.random_range(0.1..0.9),
            up_before: random.random_range(3600.0..200.0 * 86_400.0),
            mean,
            swing: mean * random.random_range(0.2..0.6),
            period: random.random_range(120.0..3600.0),
            phase: random.random_range(0.0..TAU),
            network: random.random_range(1e6..100e6),
            disk: random.random_range(1e6..50e6),
        }
    }

    /// Its host name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it shows `now` seconds after the simulation began, having rebooted at `rebooted` if it did.
    pub fn figures(&self, now: f64, rebooted: Option<f64>) -> Figures {
        let from = rebooted.unwrap_or(-self.up_before);
        let uptime = (now - from).max(0.0);
        let worked = (self.work(now) - self.work(from)).max(0.0);
        let busy = self.busy(now);
        let cpu_seconds = uptime * f64::from(self.cpus);
        let busy_seconds = worked * f64::from(self.cpus);
        let waited = (cpu_seconds - busy_seconds) * 0.01;
        let ticks = |seconds: f64| (seconds * 100.0) as u64;
        let bytes = |per_second: f64| (worked * per_second) as u64;
        let load = |ago: f64| (self.busy(now - ago) * f64::from(self.cpus) * 1.1 * 100.0).round() / 100.0;
        Figures {
            uptime,
            busy,
            load: [load(30.0), load(150.0), load(450.0)],
            cpus: self.cpus,
            ticks: [
                ticks(busy_seconds * 0.7),
                ticks(busy_seconds * 0.3),
                ticks(cpu_seconds - busy_seconds - waited),
                ticks(waited),
            ],
            memory_kib: (self.memory_kib, (self.memory_kib as f64 * (0.85 - 0.5 * busy)) as u64),
            disk_kib: (self.disk_kib, (self.disk_kib as f64 * self.disk_share) as u64),
            network_bytes: (bytes(self.network), bytes(self.network / 2.0)),
            disk_bytes: (bytes(self.disk / 3.0), bytes(self.disk)),
            machine_id: self.machine_id.clone(),
        }
    }

    /// The share of CPU in use at a time.
    fn busy(&self, at: f64) -> f64 {
        self.mean + self.swing * (TAU * at / self.period + self.phase).sin()
    }

    /// The integral of [`Self::busy`].
    fn work(&self, at: f64) -> f64 {
        self.mean * at - self.swing * self.period / TAU * (TAU * at / self.period + self.phase).cos()
    }
}

fn uuid(number: u128) -> String {
    let digits = format!("{number:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_fit_the_load_between_two_looks_and_never_fall() {
        let machine = Machine::generate(7, 3);
        let (before, after) = (machine.figures(100.0, None), machine.figures(110.0, None));
        let grown = |at: usize| (after.ticks[at] - before.ticks[at]) as f64;
        let share = (grown(0) + grown(1)) / (0..4).map(grown).sum::<f64>();
        assert!((share - machine.busy(105.0)).abs() < 0.01, "{share} {machine:?}");
        assert!(after.network_bytes.0 > before.network_bytes.0 && after.disk_bytes.1 > before.disk_bytes.1);
    }

    #[test]
    fn a_reboot_starts_at_nothing() {
        let machine = Machine::generate(7, 3);
        let fresh = machine.figures(100.0, Some(100.0));
        assert_eq!((fresh.uptime, fresh.ticks, fresh.network_bytes), (0.0, [0; 4], (0, 0)));
        assert_eq!(machine.figures(103.5, Some(100.0)).uptime, 3.5);
    }

    #[test]
    fn the_same_seed_gives_the_same_hosts_and_no_two_are_alike() {
        let ids = |seed| (0..300).map(|index| Machine::generate(seed, index).machine_id).collect::<Vec<_>>();
        let (first, mut sorted) = (ids(1), ids(1));
        sorted.sort();
        sorted.dedup();
        assert_eq!((first.len(), sorted.len()), (300, 300));
        assert_eq!(first, ids(1));
        assert_ne!(first, ids(2));
        let macs: std::collections::BTreeSet<String> = (0..300).map(|index| Machine::generate(1, index).mac).collect();
        assert_eq!(macs.len(), 300);
    }
}
