//! The figures that the history keeps: for each kind of thing a fixed list, with unit and meaning.
//!
//! A sample is stored as one row of 32-bit floats in the order of its kind's list ([`metrics_of`]): 4 bytes a figure
//! where a row per figure costs 24. A list may grow at its end; a figure never changes its place in it, so that an
//! older, shorter row is the beginning of a newer one. The names are those that queries, `/metrics` and documents use.

use crate::model::{EntityKind, Guest, GuestKind, HostView, Storage, Telemetry};

/// The order of figures that this program writes: 2 since hosts got temperature and disk operations, and guests and
/// storages a history; 3 since the fleet as a whole has one.
pub const METRICS_VERSION: u32 = 3;

/// The longest of the lists.
const MOST: usize = 25;

/// A figure that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// `percent`, `bytes`, `bytes_per_second`, `per_second`, `seconds`, `celsius`, or empty for plain load and counts.
    pub unit: &'static str,
    /// What it says, in one line.
    pub meaning: &'static str,
}

const fn metric(name: &'static str, unit: &'static str, meaning: &'static str) -> Metric {
    Metric { name, unit, meaning }
}

const HOST: [Metric; 25] = [
    metric("cpu_percent", "percent", "CPU in use, of all CPUs together"),
    metric("load1", "", "load average over 1 minute"),
    metric("load5", "", "load average over 5 minutes"),
    metric("load15", "", "load average over 15 minutes"),
    metric("memory_used", "bytes", "main memory in use: all less available"),
    metric("memory_total", "bytes", "main memory"),
    metric("swap_used", "bytes", "swap in use"),
    metric("swap_total", "bytes", "swap"),
    metric("disk_used", "bytes", "room used on the root file system"),
    metric("disk_total", "bytes", "size of the root file system"),
    metric("network_received", "bytes_per_second", "received by all interfaces together"),
    metric("network_sent", "bytes_per_second", "sent by all interfaces together"),
    metric("disk_read", "bytes_per_second", "read from all disks together"),
    metric("disk_written", "bytes_per_second", "written to all disks together"),
    metric("pressure_cpu", "percent", "share of the last 10 s in which something waited for a CPU"),
    metric("pressure_memory", "percent", "share of the last 10 s in which something waited for memory"),
    metric("pressure_io", "percent", "share of the last 10 s in which something waited for a disk"),
    metric("cpu_iowait", "percent", "CPU idle, waiting for disks"),
    metric("cpu_steal", "percent", "CPU taken by the hypervisor"),
    metric("disk_busy", "percent", "share of time with work under way, of the busiest disk"),
    metric("network_errors", "per_second", "errors of all interfaces together"),
    metric("uptime_seconds", "seconds", "time since the machine started"),
    metric("temperature_highest", "celsius", "the highest of all temperatures"),
    metric("disk_read_ops", "per_second", "reads finished by all disks together"),
    metric("disk_write_ops", "per_second", "writes finished by all disks together"),
];

const GUEST: [Metric; 10] = [
    metric("cpu_percent", "percent", "CPU in use, of what the guest was given"),
    metric("memory_used", "bytes", "memory in use"),
    metric("memory_total", "bytes", "memory that the guest was given"),
    metric("disk_used", "bytes", "room used on the root disk"),
    metric("disk_total", "bytes", "size of the root disk"),
    metric("disk_read", "bytes_per_second", "read from all disks together"),
    metric("disk_written", "bytes_per_second", "written to all disks together"),
    metric("network_received", "bytes_per_second", "received by all interfaces together"),
    metric("network_sent", "bytes_per_second", "sent by all interfaces together"),
    metric("uptime_seconds", "seconds", "time since the guest started"),
];

const STORAGE: [Metric; 2] =
    [metric("used", "bytes", "room used on the storage"), metric("total", "bytes", "size of the storage")];

/// Sums over hosts that answer, in which nothing is counted twice; see [`Totals`](crate::model::Totals).
const FLEET: [Metric; 11] = [
    metric("cpu_percent", "percent", "CPU in use of all hosts, weighed by CPUs"),
    metric("memory_used", "bytes", "main memory in use on all hosts"),
    metric("memory_total", "bytes", "main memory of all hosts"),
    metric("disk_used", "bytes", "room used on local file systems, and on shared storages once"),
    metric("disk_total", "bytes", "size of local file systems, and of shared storages once"),
    metric("network_received", "bytes_per_second", "received by all hosts"),
    metric("network_sent", "bytes_per_second", "sent by all hosts"),
    metric("hosts_online", "", "hosts that answer"),
    metric("hosts_total", "", "hosts"),
    metric("guests_running", "", "guests that run"),
    metric("guests_total", "", "guests; templates are none"),
];

/// The figures that are kept of such a thing, in their fixed order.
///
/// ```
/// use reanimator_core::{model::EntityKind, store::metrics_of};
/// assert_eq!(metrics_of(EntityKind::Storage)[0].name, "used");
/// ```
pub const fn metrics_of(kind: EntityKind) -> &'static [Metric] {
    match kind {
        EntityKind::Host => &HOST,
        EntityKind::Guest => &GUEST,
        EntityKind::Storage => &STORAGE,
        EntityKind::Fleet => &FLEET,
    }
}

/// The place of a figure in a row of that kind, if there is one of that name.
pub fn metric_index(kind: EntityKind, name: &str) -> Option<usize> {
    metrics_of(kind).iter().position(|metric| metric.name == name)
}

/// One row of figures. What was not seen is absent, not zero.
///
/// ```
/// use reanimator_core::{model::EntityKind, store::MetricRow};
/// let row = MetricRow::new(EntityKind::Guest).with("cpu_percent", 12.5);
/// assert_eq!(row.get("cpu_percent"), Some(12.5));
/// assert_eq!(row.get("memory_used"), None);
/// ```
#[derive(Clone, Debug)]
pub struct MetricRow {
    kind: EntityKind,
    values: [f32; MOST],
}

/// A row of a host without any figure.
impl Default for MetricRow {
    fn default() -> Self {
        Self::new(EntityKind::Host)
    }
}

/// Two rows are equal when the same figures are there and equal.
impl PartialEq for MetricRow {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&f32, &f32)| a == b || (a.is_nan() && b.is_nan());
        self.kind == other.kind && self.values.iter().zip(&other.values).all(same)
    }
}

impl MetricRow {
    /// A row without any figure.
    pub fn new(kind: EntityKind) -> Self {
        Self { kind, values: [f32::NAN; MOST] }
    }

    /// The kind of thing it is of.
    pub fn kind(&self) -> EntityKind {
        self.kind
    }

    /// The figures of a guest that its state shows. Rates are not among them: whoever compares two looks adds those.
    pub fn of_guest(guest: &Guest) -> Self {
        let mut row = Self::new(EntityKind::Guest);
        row.put("cpu_percent", guest.cpu_percent);
        row.put("memory_used", guest.memory.as_ref().map(|memory| memory.used_bytes.0 as f64));
        row.put("memory_total", guest.memory.as_ref().map(|memory| memory.total_bytes.0 as f64));
        // Nobody looks into a VM's disks: its zero says that it is not known.
        let used = guest.disk.filter(|disk| guest.kind == GuestKind::Lxc || disk.used_bytes.0 > 0);
        row.put("disk_used", used.map(|disk| disk.used_bytes.0 as f64));
        row.put("disk_total", guest.disk.map(|disk| disk.total_bytes.0 as f64));
        row.put("uptime_seconds", guest.uptime_seconds.map(|seconds| seconds as f64));
        row
    }

    /// The figures of a storage.
    pub fn of_storage(storage: &Storage) -> Self {
        let mut row = Self::new(EntityKind::Storage);
        row.put("used", storage.space.map(|space| space.used_bytes.0 as f64));
        row.put("total", storage.space.map(|space| space.total_bytes.0 as f64));
        row
    }

    /// The figures of a host as it is shown, and those of its telemetry that the view leaves out.
    pub fn of(view: &HostView, telemetry: Option<&Telemetry>) -> Self {
        let mut row = Self::default();
        let bytes = |bytes: crate::model::Bytes| bytes.0 as f64;
        row.put("cpu_percent", view.cpu_percent);
        row.put("load1", view.load.map(|load| load[0]));
        row.put("load5", view.load.map(|load| load[1]));
        row.put("load15", view.load.map(|load| load[2]));
        row.put("memory_used", view.memory.as_ref().map(|memory| bytes(memory.used_bytes)));
        row.put("memory_total", view.memory.as_ref().map(|memory| bytes(memory.total_bytes)));
        row.put("swap_used", view.swap.map(|swap| bytes(swap.used_bytes)));
        row.put("swap_total", view.swap.map(|swap| bytes(swap.total_bytes)));
        row.put("disk_used", view.disk.map(|disk| bytes(disk.used_bytes)));
        row.put("disk_total", view.disk.map(|disk| bytes(disk.total_bytes)));
        row.put("network_received", view.network.map(|network| network.received_bytes_per_second));
        row.put("network_sent", view.network.map(|network| network.sent_bytes_per_second));
        row.put("uptime_seconds", view.uptime_seconds.map(|seconds| seconds as f64));
        if let Some(telemetry) = telemetry {
            row.add_telemetry(telemetry);
        }
        row
    }

    fn add_telemetry(&mut self, telemetry: &Telemetry) {
        if !telemetry.disks.is_empty() {
            let disks = &telemetry.disks;
            self.put("disk_read", Some(disks.iter().map(|disk| disk.read_bytes_per_second).sum()));
            self.put("disk_written", Some(disks.iter().map(|disk| disk.written_bytes_per_second).sum()));
            self.put("disk_read_ops", Some(disks.iter().map(|disk| disk.reads_per_second).sum()));
            self.put("disk_write_ops", Some(disks.iter().map(|disk| disk.writes_per_second).sum()));
            self.put("disk_busy", disks.iter().map(|disk| disk.busy_percent).reduce(f64::max));
        }
        if !telemetry.networks.is_empty() {
            let errors = telemetry.networks.iter().map(|network| network.errors_per_second).sum();
            self.put("network_errors", Some(errors));
        }
        for (resource, metric) in [("cpu", "pressure_cpu"), ("memory", "pressure_memory"), ("io", "pressure_io")] {
            self.put(metric, telemetry.pressure.get(resource).map(|pressure| pressure.some.avg10));
        }
        self.put("cpu_iowait", telemetry.cpu_states.map(|states| states.iowait));
        self.put("cpu_steal", telemetry.cpu_states.map(|states| states.steal));
    }

    /// The row with one more figure. A name that its kind does not have changes nothing.
    #[must_use]
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.put(name, Some(value));
        self
    }

    /// A figure, if it was seen.
    pub fn get(&self, name: &str) -> Option<f64> {
        metric_index(self.kind, name).and_then(|index| self.at(index))
    }

    pub(crate) fn at(&self, index: usize) -> Option<f64> {
        self.values.get(index).copied().filter(|value| value.is_finite()).map(f64::from)
    }

    /// Puts a figure in, if it was seen. A name that its kind does not have changes nothing.
    pub fn put(&mut self, name: &str, value: Option<f64>) {
        if let (Some(index), Some(value)) = (metric_index(self.kind, name), value) {
            self.values[index] = value as f32;
        }
    }

    /// The figures in order, as many as its kind has; what was not seen is no number.
    pub(crate) fn values(&self) -> &[f32] {
        &self.values[..metrics_of(self.kind).len()]
    }

    /// The row as it is stored: little-endian floats, up to the last one that was seen.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let seen = self.values().iter().rposition(|value| value.is_finite()).map_or(0, |last| last + 1);
        self.values[..seen].iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

/// The floats in what is stored.
pub(crate) fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.chunks_exact(4).map(|chunk| f32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_stored_up_to_the_last_figure_that_was_seen() {
        let row = MetricRow::default().with("cpu_percent", 12.5).with("load5", 3.0).with("no such figure", 1.0);
        let stored: Vec<f32> = floats(&row.to_bytes()).collect();
        assert_eq!((stored.len(), stored[0], stored[2]), (3, 12.5, 3.0));
        assert!(stored[1].is_nan() && row.get("load1").is_none());
        assert_ne!(row, MetricRow::default());
    }

    #[test]
    fn every_list_fits_a_row_and_names_each_figure_once() {
        for kind in EntityKind::ALL {
            let metrics = metrics_of(kind);
            assert!(metrics.len() <= MOST);
            let names: std::collections::BTreeSet<_> = metrics.iter().map(|metric| metric.name).collect();
            assert_eq!(names.len(), metrics.len(), "{kind}");
        }
    }

    /// Rows that the first version wrote are read by place.
    #[test]
    fn the_figures_of_the_first_version_keep_their_places() {
        let places = [("cpu_percent", 0), ("memory_used", 4), ("network_received", 10), ("uptime_seconds", 21)];
        for (name, place) in places {
            assert_eq!(metric_index(EntityKind::Host, name), Some(place));
        }
    }
}
