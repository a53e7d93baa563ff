//! The core's errors as Python's: `reanimator.errors` maps each kind to its class.

use pyo3::prelude::*;
use reanimator_core::{Error, message};

/// The exception for an error.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    match instance(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(broken) => broken,
    }
}

/// The same, not raised but handed out.
pub(crate) fn instance<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let shown = error.fingerprint();
    py.import("reanimator.errors")?.getattr("of_kind")?.call1((
        error.kind().as_str(),
        message(error),
        error.next_step(),
        error.subject(),
        shown.map(|shown| shown.sha256.as_str()),
        shown.map(|shown| shown.key_type.as_str()),
    ))
}
