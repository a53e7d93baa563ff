//! Waiting for the core, with the GIL free meanwhile: here and now, or as an awaitable of asyncio.

use std::{future::Future, time::Duration};

use pyo3::{exceptions::PyRuntimeError, prelude::*};
use pyo3_async_runtimes::tokio::{future_into_py, get_runtime};
use reanimator_core::Result;

use crate::errors;

/// How long a waiting call may leave Ctrl-C unheard.
const SIGNALS_HEARD_EVERY: Duration = Duration::from_millis(100);

/// Waits for a call. Ctrl-C cancels it and raises `KeyboardInterrupt`.
pub(crate) fn wait<T, F>(py: Python<'_>, call: F) -> PyResult<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let mut task = get_runtime().spawn(call);
    loop {
        let turn =
            py.detach(|| get_runtime().block_on(async { tokio::time::timeout(SIGNALS_HEARD_EVERY, &mut task).await }));
        match turn {
            Ok(Ok(outcome)) => return outcome.map_err(|error| errors::exception(py, &error)),
            Ok(Err(fault)) => return Err(PyRuntimeError::new_err(fault.to_string())),
            Err(_not_yet) => {
                if let Err(interrupt) = py.check_signals() {
                    task.abort();
                    return Err(interrupt);
                }
            }
        }
    }
}

/// Hands out an awaitable for a call; cancelling it cancels the call.
pub(crate) fn later<T, F>(py: Python<'_>, call: F) -> PyResult<Bound<'_, PyAny>>
where
    T: for<'py> IntoPyObject<'py> + Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    future_into_py(py, async move { call.await.map_err(|error| Python::attach(|py| errors::exception(py, &error))) })
}
