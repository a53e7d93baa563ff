//! Histories on their way to Python: one dictionary of equally long lists, which `pandas.DataFrame` and
//! `polars.DataFrame` take as it is.

use std::collections::BTreeSet;

use pyo3::{
    prelude::*,
    types::{PyDateTime, PyDict, PyList, PyTzInfo},
};
use reanimator_core::model::Series;

/// A history: `time` as datetimes in UTC, then for each figure its least, average and most.
///
/// A gap is `None`. A figure that was not seen in the whole span is there only if it was asked for by name, since a
/// column of nothing has no type that a data frame could give it.
#[derive(Debug)]
pub(crate) struct Columns {
    series: Series,
    named: BTreeSet<String>,
}

impl Columns {
    /// From what the core gives, and the names that were asked for.
    pub(crate) fn of(series: Series, named: BTreeSet<String>) -> Self {
        Self { series, named }
    }
}

impl<'py> IntoPyObject<'py> for Columns {
    type Target = PyDict;
    type Output = Bound<'py, PyDict>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let zone = PyTzInfo::utc(py)?.to_owned();
        let times = self.series.times.iter();
        let times = times
            .map(|time| PyDateTime::from_timestamp(py, time.as_millisecond() as f64 / 1000.0, Some(&zone)))
            .collect::<PyResult<Vec<_>>>()?;
        let columns = PyDict::new(py);
        columns.set_item("time", PyList::new(py, times)?)?;
        for (name, figure) in self.series.metrics {
            if !self.named.contains(&name) && figure.mean.iter().all(Option::is_none) {
                continue;
            }
            columns.set_item(format!("{name}_min"), figure.min)?;
            columns.set_item(format!("{name}_mean"), figure.mean)?;
            columns.set_item(format!("{name}_max"), figure.max)?;
        }
        Ok(columns)
    }
}
