//! What goes back to Python: plain data as dictionaries, answers to commands as [`Answer`].

use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict, PyList},
};
use reanimator_core::{fleet::ExecAnswer, transport::Captured};
use serde::Serialize;
use serde_json::Value;

use crate::errors;

/// Plain data on its way to Python.
#[derive(Debug)]
pub(crate) struct Plain(Value);

impl Plain {
    /// From anything the core gives.
    pub(crate) fn of(data: &impl Serialize) -> reanimator_core::Result<Self> {
        serde_json::to_value(data).map(Self).map_err(|error| {
            reanimator_core::Error::new(reanimator_core::ErrorKind::Internal, "hand data to Python")
                .because(error.to_string())
        })
    }
}

impl<'py> IntoPyObject<'py> for Plain {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        plain(py, &self.0)
    }
}

fn plain<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => whole.into_pyobject(py)?.into_any(),
            (None, Some(whole)) => whole.into_pyobject(py)?.into_any(),
            (None, None) => number.as_f64().into_pyobject(py)?,
        },
        Value::String(text) => text.into_pyobject(py)?.into_any(),
        Value::Array(items) => {
            let items = items.iter().map(|item| plain(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any()
        }
        Value::Object(fields) => {
            let dictionary = PyDict::new(py);
            for (name, field) in fields {
                dictionary.set_item(name, plain(py, field)?)?;
            }
            dictionary.into_any()
        }
    })
}

/// What one host answered to a command.
#[pyclass(frozen, module = "reanimator")]
#[derive(Debug)]
pub(crate) struct Answer(ExecAnswer);

impl From<ExecAnswer> for Answer {
    fn from(answer: ExecAnswer) -> Self {
        Self(answer)
    }
}

#[pymethods]
impl Answer {
    /// The host's name.
    #[getter]
    fn host(&self) -> &str {
        &self.0.host
    }

    /// The host's id.
    #[getter]
    fn host_id(&self) -> &str {
        self.0.host_id.as_str()
    }

    /// Whether the command ended by itself with status 0.
    #[getter]
    fn ok(&self) -> bool {
        self.0.success()
    }

    /// The exit status, where the command ended by itself.
    #[getter]
    fn status(&self) -> Option<u32> {
        self.0.outcome.as_ref().ok().and_then(|output| output.status)
    }

    /// The signal that ended the command, without `SIG`.
    #[getter]
    fn signal(&self) -> Option<&str> {
        self.0.outcome.as_ref().ok().and_then(|output| output.signal.as_deref())
    }

    /// Standard output, byte for byte.
    #[getter]
    fn stdout<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.outcome.as_ref().ok().map(|output| &output.stdout))
    }

    /// Standard error, byte for byte.
    #[getter]
    fn stderr<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        bytes(py, self.0.outcome.as_ref().ok().map(|output| &output.stderr))
    }

    /// Standard output as text; what is not UTF-8 becomes U+FFFD.
    #[getter]
    fn text(&self) -> String {
        self.0.outcome.as_ref().map(|output| output.stdout.text()).unwrap_or_default()
    }

    /// Where standard output was cut, if it was too long.
    #[getter]
    fn stdout_cut_at(&self) -> Option<usize> {
        self.0.outcome.as_ref().ok().and_then(|output| output.stdout.cut_at)
    }

    /// Where standard error was cut, if it was too long.
    #[getter]
    fn stderr_cut_at(&self) -> Option<usize> {
        self.0.outcome.as_ref().ok().and_then(|output| output.stderr.cut_at)
    }

    /// Why the host did not answer, as the exception that one host alone would have raised.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.outcome.as_ref().err().map(|error| errors::instance(py, error)).transpose()
    }

    /// How long it took, in seconds.
    #[getter]
    fn seconds(&self) -> f64 {
        self.0.took.as_secs_f64()
    }

    fn __repr__(&self) -> String {
        let how = match &self.0.outcome {
            Ok(output) => match (&output.signal, output.status) {
                (Some(signal), _) => format!("signal={signal:?}"),
                (None, Some(status)) => format!("status={status}"),
                (None, None) => "status=None".to_owned(),
            },
            Err(error) => format!("error={:?}", error.kind().as_str()),
        };
        format!("Answer(host={:?}, {how})", self.0.host)
    }
}

fn bytes<'py>(py: Python<'py>, stream: Option<&Captured>) -> Bound<'py, PyBytes> {
    PyBytes::new(py, stream.map_or(&[], |stream| stream.bytes.as_slice()))
}
