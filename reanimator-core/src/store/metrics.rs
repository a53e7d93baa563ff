//! The figures that the history keeps, in their fixed order.
//!
//! A sample is stored as one row of 32-bit floats in the order of [`METRICS`]: 4 bytes a figure where a row per
//! figure costs 24. A row names the version of the order it was written in, so the list may grow at its end by a
//! new version; a figure never changes its place within one.

use crate::model::{HostView, Telemetry};

/// The order of figures that this program writes.
pub const METRICS_VERSION: u32 = 1;

/// Names of the figures, in order. Bytes, bytes per second, percent, or plain load.
pub const METRICS: [&str; 22] = [
    "cpu_percent",
    "load1",
    "load5",
    "load15",
    "memory_used",
    "memory_total",
    "swap_used",
    "swap_total",
    "disk_used",
    "disk_total",
    "network_received",
    "network_sent",
    "disk_read",
    "disk_written",
    "pressure_cpu",
    "pressure_memory",
    "pressure_io",
    "cpu_iowait",
    "cpu_steal",
    "disk_busy",
    "network_errors",
    "uptime_seconds",
];

/// How many figures a row has.
pub const METRIC_COUNT: usize = METRICS.len();

/// The place of a figure in the row, if there is one of that name.
pub fn metric_index(name: &str) -> Option<usize> {
    METRICS.iter().position(|metric| *metric == name)
}

/// One row of figures. What was not seen is absent, not zero.
///
/// ```
/// use reanimator_core::store::MetricRow;
/// let row = MetricRow::default().with("cpu_percent", 12.5);
/// assert_eq!(row.get("cpu_percent"), Some(12.5));
/// assert_eq!(row.get("load1"), None);
/// ```
#[derive(Clone, Debug)]
pub struct MetricRow([f32; METRIC_COUNT]);

impl Default for MetricRow {
    fn default() -> Self {
        Self([f32::NAN; METRIC_COUNT])
    }
}

/// Two rows are equal when the same figures are there and equal.
impl PartialEq for MetricRow {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
    }
}

impl MetricRow {
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

    /// The row with one more figure. A name that is not in [`METRICS`] changes nothing.
    #[must_use]
    pub fn with(mut self, name: &str, value: f64) -> Self {
        self.put(name, Some(value));
        self
    }

    /// A figure, if it was seen.
    pub fn get(&self, name: &str) -> Option<f64> {
        metric_index(name).and_then(|index| self.at(index))
    }

    pub(crate) fn at(&self, index: usize) -> Option<f64> {
        self.0.get(index).copied().filter(|value| value.is_finite()).map(f64::from)
    }

    fn put(&mut self, name: &str, value: Option<f64>) {
        if let (Some(index), Some(value)) = (metric_index(name), value) {
            self.0[index] = value as f32;
        }
    }

    /// The row as it is stored: little-endian floats.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        floats_to_bytes(&self.0)
    }

    /// The row from what is stored; figures that an older version lacks are absent.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let mut row = Self::default();
        for (place, value) in row.0.iter_mut().zip(floats(bytes)) {
            *place = value;
        }
        row
    }
}

/// Minimum, sum and maximum of each figure over a span of time.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    rows: u32,
    counts: [u32; METRIC_COUNT],
    sums: [f64; METRIC_COUNT],
    least: [f32; METRIC_COUNT],
    most: [f32; METRIC_COUNT],
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            rows: 0,
            counts: [0; METRIC_COUNT],
            sums: [0.0; METRIC_COUNT],
            least: [f32::NAN; METRIC_COUNT],
            most: [f32::NAN; METRIC_COUNT],
        }
    }
}

impl Summary {
    /// Takes one more row in.
    pub(crate) fn add(&mut self, row: &MetricRow) {
        self.rows += 1;
        for (index, value) in row.0.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            self.counts[index] += 1;
            self.sums[index] += f64::from(*value);
            self.least[index] = self.least[index].min(*value);
            self.most[index] = self.most[index].max(*value);
        }
    }

    /// How many rows went in.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// As it is stored: all averages, then all minima, then all maxima.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let averages = std::array::from_fn::<f32, METRIC_COUNT, _>(|index| match self.counts[index] {
            0 => f32::NAN,
            count => (self.sums[index] / f64::from(count)) as f32,
        });
        [averages, self.least, self.most].iter().flat_map(|part| floats_to_bytes(part)).collect()
    }
}

fn floats_to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> {
    bytes.chunks_exact(4).map(|chunk| f32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_as_it_was_stored() {
        let row = MetricRow::default().with("cpu_percent", 12.5).with("network_errors", 3.0);
        assert_eq!(MetricRow::from_bytes(&row.to_bytes()), row);
        assert_eq!(row.get("load1"), None);
        assert_ne!(row, MetricRow::default());
    }

    #[test]
    fn a_row_of_an_older_and_shorter_order_is_read() {
        let row = MetricRow::from_bytes(&7.5f32.to_le_bytes());
        assert_eq!(row.get("cpu_percent"), Some(7.5));
        assert_eq!(row.get("load1"), None);
    }

    #[test]
    fn a_summary_leaves_out_what_was_not_seen() {
        let mut summary = Summary::default();
        summary.add(&MetricRow::default().with("cpu_percent", 10.0));
        summary.add(&MetricRow::default().with("cpu_percent", 30.0).with("load1", 2.0));
        summary.add(&MetricRow::default());
        assert_eq!(summary.rows(), 3);
        let stored = summary.to_bytes();
        let averages = MetricRow::from_bytes(&stored[..stored.len() / 3]);
        assert_eq!(averages.get("cpu_percent"), Some(20.0));
        assert_eq!(averages.get("load1"), Some(2.0));
        assert_eq!(averages.get("load5"), None);
    }
}
