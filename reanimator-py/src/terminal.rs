//! `Terminal` and `AsyncTerminal`: a terminal of a host or a guest, for programs.
//!
//! Both share an open one, which is counted, noted in the audit trail and recorded as every other terminal of the core. What
//! is shown is taken in two steps: first it is waited for, with the GIL free, and then taken at once in the thread that
//! asked. So a wait that is broken off (Ctrl-C, a cancelled task, a time limit) loses nothing, and who reads slowly holds up
//! the far side and nobody else.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use pyo3::{
    exceptions::PyStopIteration,
    prelude::*,
    types::{PyBytes, PyString},
};
use pyo3_async_runtimes::tokio::get_runtime;
use reanimator_core::{
    Error, ErrorKind, Result,
    fleet::By,
    model::{NewTerminal, Terminal as Facts, TerminalId, TerminalSize},
    workflows::shell::{Hands, Seen, Terminals, Viewer},
};

use crate::{
    answer::Plain,
    errors,
    waiting::{later, wait},
};

/// Those that are open: closed before Python ends.
static OPEN: Mutex<Vec<Weak<Open>>> = Mutex::new(Vec::new());

/// An open terminal, looked at by one program.
pub(crate) struct Open {
    terminals: Terminals,
    id: TerminalId,
    hands: Hands,
    viewer: tokio::sync::Mutex<Viewer>,
    /// What was seen and nobody has taken yet: at most one piece.
    next: Mutex<Option<Next>>,
}

/// What is taken next.
enum Next {
    /// What was shown, and the number of the byte behind it.
    Bytes { bytes: Vec<u8>, at: u64 },
    /// Nothing follows.
    End,
}

impl Open {
    /// Opens one, and looks at it.
    pub(crate) async fn begin(terminals: Terminals, new: NewTerminal) -> Result<Arc<Self>> {
        let by = By::local();
        terminals.tidy().await?;
        let id = terminals.open(new, &by).await?.id;
        let viewer = match terminals.attach(&id, None, true, &by).await {
            Ok(viewer) => viewer,
            Err(error) => {
                terminals.close(&id, &by).await?;
                return Err(error);
            }
        };
        let (hands, viewer) = (viewer.hands(), tokio::sync::Mutex::new(viewer));
        let open = Arc::new(Self { terminals, id, hands, viewer, next: Mutex::default() });
        let mut all = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|open| open.strong_count() > 0);
        all.push(Arc::downgrade(&open));
        drop(all);
        Ok(open)
    }

    fn next(&self) -> MutexGuard<'_, Option<Next>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something can be taken.
    async fn ready(self: Arc<Self>, limit: Option<Duration>) -> Result<()> {
        let coming = async {
            let mut viewer = self.viewer.lock().await;
            while self.next().is_none() {
                // Dropped while it waits, it has seen nothing; what it has seen is kept at once.
                let next = match viewer.next().await {
                    Some(Seen::Bytes { bytes, at }) => Next::Bytes { bytes: bytes.to_vec(), at },
                    Some(Seen::Lost { bytes }) => return Err(self.lost(bytes)),
                    Some(Seen::Size(_)) => continue,
                    Some(Seen::Ended(_)) | None => Next::End,
                };
                *self.next() = Some(next);
            }
            Ok(())
        };
        match limit {
            None => coming.await,
            Some(limit) => {
                tokio::time::timeout(limit, coming).await.unwrap_or_else(|_| Err(self.nothing_within(limit)))
            }
        }
    }

    /// Takes what was waited for: nothing where another thread has taken it, no bytes at all at the end.
    fn take(&self) -> Result<Option<Vec<u8>>> {
        let mut next = self.next();
        match next.take() {
            None => Ok(None),
            Some(Next::Bytes { bytes, at }) => {
                self.hands.seen(at);
                Ok(Some(bytes))
            }
            Some(Next::End) => {
                *next = Some(Next::End);
                let facts = self.hands.terminal();
                match facts.ended.as_ref().and_then(|end| end.error(&facts.name)) {
                    Some(error) => Err(error),
                    None => Ok(Some(Vec::new())),
                }
            }
        }
    }

    async fn type_in(self: Arc<Self>, bytes: Vec<u8>) -> Result<()> {
        self.hands.type_in(bytes).await
    }

    async fn resize(self: Arc<Self>, size: TerminalSize) -> Result<()> {
        self.hands.resize(size).await
    }

    /// Ends it; one that has ended is left as it is.
    async fn close(self: Arc<Self>) -> Result<()> {
        close(&self.terminals, &self.id).await
    }

    fn facts(&self) -> Facts {
        self.hands.terminal()
    }

    fn plain(&self, py: Python<'_>) -> PyResult<Plain> {
        Plain::of(&self.facts()).map_err(|error| errors::exception(py, &error))
    }

    fn shown(&self, class: &str) -> String {
        let Facts { name, ended, .. } = self.facts();
        let state = if ended.is_some() { "ended" } else { "open" };
        format!("{class}(id={:?}, name={name:?}, {state})", self.id.as_str())
    }

    fn lost(&self, bytes: u64) -> Error {
        Error::new(ErrorKind::Conflict, "receive what the terminal shows")
            .on(self.facts().name)
            .because(format!("{bytes} bytes are gone that were shown and not received"))
            .next("receive again: it goes on behind them")
    }

    fn nothing_within(&self, limit: Duration) -> Error {
        Error::new(ErrorKind::Timeout, "receive what the terminal shows")
            .on(self.facts().name)
            .because(format!("nothing was shown for {} s", limit.as_secs_f64()))
            .next("receive again: nothing is lost")
    }
}

/// Dropped while it is open, it is closed: nobody can look at it any more.
impl Drop for Open {
    fn drop(&mut self) {
        let (terminals, id) = (self.terminals.clone(), self.id.clone());
        if self.hands.terminal().ended.is_none() {
            get_runtime().spawn(async move {
                if let Err(error) = close(&terminals, &id).await {
                    // Nobody waits for this one: it is said where Python says what it cannot raise.
                    Python::try_attach(|py| errors::exception(py, &error).write_unraisable(py, None));
                }
            });
        }
    }
}

async fn close(terminals: &Terminals, id: &TerminalId) -> Result<()> {
    match terminals.close(id, &By::local()).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// Closes what is open, so that its end is in the audit trail before Python has ended.
pub(crate) fn close_all(py: Python<'_>) {
    let open: Vec<Arc<Open>> = {
        let mut all = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        all.drain(..).filter_map(|open| open.upgrade()).collect()
    };
    py.detach(|| get_runtime().block_on(futures::future::join_all(open.iter().map(|open| open.terminals.stop()))));
}

/// What `send` takes.
#[derive(FromPyObject)]
pub(crate) enum Keys<'py> {
    /// Text, sent as UTF-8.
    Text(Bound<'py, PyString>),
    /// Bytes as they are.
    Bytes(Bound<'py, PyBytes>),
}

impl Keys<'_> {
    fn bytes(&self) -> PyResult<Vec<u8>> {
        Ok(match self {
            Self::Text(text) => text.to_str()?.as_bytes().to_vec(),
            Self::Bytes(bytes) => bytes.as_bytes().to_vec(),
        })
    }
}

/// A time limit in seconds.
fn limit(py: Python<'_>, seconds: Option<f64>) -> PyResult<Option<Duration>> {
    seconds.map(Duration::try_from_secs_f64).transpose().map_err(|_| {
        let error = Error::new(ErrorKind::Invalid, format!("wait for {} s", seconds.unwrap_or_default()))
            .because("it is not a length of time")
            .next("give a number of seconds, or none to wait for ever");
        errors::exception(py, &error)
    })
}

/// A terminal of a host or a guest. Every method waits; other Python threads run on meanwhile.
#[pyclass(frozen, module = "reanimator")]
pub(crate) struct Terminal(pub(crate) Arc<Open>);

#[pymethods]
impl Terminal {
    /// Its id, as in the audit trail and in the list of recordings.
    #[getter]
    fn id(&self) -> &str {
        self.0.id.as_str()
    }

    /// Of which machine it is, its size, how much was typed and shown, and how it ended.
    #[getter]
    fn about(&self, py: Python<'_>) -> PyResult<Plain> {
        self.0.plain(py)
    }

    /// Types text (as UTF-8) or bytes. Waits while the far side does not take them.
    fn send(&self, py: Python<'_>, data: Keys<'_>) -> PyResult<()> {
        let bytes = data.bytes()?;
        wait(py, self.0.clone().type_in(bytes))
    }

    /// What is shown next, as soon as there is any; no bytes once it has ended and all was received.
    ///
    /// Raises `Timeout` where nothing is shown for `timeout` seconds, and `Unreachable` where it broke off. A letter may be
    /// cut between two pieces: decode with `codecs.getincrementaldecoder("utf-8")`.
    #[pyo3(signature = (timeout=None))]
    fn receive<'py>(&self, py: Python<'py>, timeout: Option<f64>) -> PyResult<Bound<'py, PyBytes>> {
        let limit = limit(py, timeout)?;
        loop {
            wait(py, self.0.clone().ready(limit))?;
            if let Some(bytes) = self.0.take().map_err(|error| errors::exception(py, &error))? {
                return Ok(PyBytes::new(py, &bytes));
            }
        }
    }

    /// Gives it another size, in characters.
    fn resize(&self, py: Python<'_>, columns: u16, rows: u16) -> PyResult<()> {
        wait(py, self.0.clone().resize(TerminalSize { cols: columns, rows }))
    }

    /// Closes it: what runs in it is hung up. What was shown until then can still be received.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        wait(py, self.0.clone().close())
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    fn __repr__(&self) -> String {
        self.0.shown("Terminal")
    }
}

/// A terminal of a host or a guest, for asyncio: every method gives an awaitable.
#[pyclass(frozen, module = "reanimator")]
pub(crate) struct AsyncTerminal(pub(crate) Arc<Open>);

#[pymethods]
impl AsyncTerminal {
    /// Its id, as in the audit trail and in the list of recordings.
    #[getter]
    fn id(&self) -> &str {
        self.0.id.as_str()
    }

    /// Of which machine it is, its size, how much was typed and shown, and how it ended.
    #[getter]
    fn about(&self, py: Python<'_>) -> PyResult<Plain> {
        self.0.plain(py)
    }

    /// Types text (as UTF-8) or bytes. Waits while the far side does not take them.
    fn send<'py>(&self, py: Python<'py>, data: Keys<'py>) -> PyResult<Bound<'py, PyAny>> {
        let bytes = data.bytes()?;
        later(py, self.0.clone().type_in(bytes))
    }

    /// What is shown next, as soon as there is any; no bytes once it has ended and all was received.
    ///
    /// Raises `Timeout` where nothing is shown for `timeout` seconds, and `Unreachable` where it broke off. A letter may be
    /// cut between two pieces: decode with `codecs.getincrementaldecoder("utf-8")`.
    #[pyo3(signature = (timeout=None))]
    fn receive(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Receiving> {
        Ok(Receiving { open: self.0.clone(), limit: limit(py, timeout)?, waited_for: Mutex::default() })
    }

    /// Gives it another size, in characters.
    fn resize<'py>(&self, py: Python<'py>, columns: u16, rows: u16) -> PyResult<Bound<'py, PyAny>> {
        later(py, self.0.clone().resize(TerminalSize { cols: columns, rows }))
    }

    /// Closes it: what runs in it is hung up. What was shown until then can still be received.
    fn close<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, self.0.clone().close())
    }

    fn __aenter__<'py>(slf: Py<Self>, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        later(py, async move { Ok(slf) })
    }

    #[pyo3(signature = (*_exception))]
    fn __aexit__<'py>(
        &self,
        py: Python<'py>,
        _exception: Bound<'py, pyo3::types::PyTuple>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.close(py)
    }

    fn __repr__(&self) -> String {
        self.0.shown("AsyncTerminal")
    }
}

/// What `AsyncTerminal.receive` gives: awaited, it takes what is shown in the step of the task that goes on with it, so that
/// a task which is cancelled just then has taken nothing.
#[pyclass(frozen)]
pub(crate) struct Receiving {
    open: Arc<Open>,
    limit: Option<Duration>,
    /// The iterator of the future that is waited for.
    waited_for: Mutex<Option<Py<PyAny>>>,
}

#[pymethods]
impl Receiving {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Hands on what the event loop waits for, and ends with what was shown.
    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        loop {
            let waited_for = self.waited_for.lock().unwrap_or_else(PoisonError::into_inner).take();
            let steps = match waited_for {
                Some(steps) => steps.into_bound(py),
                None => later(py, self.open.clone().ready(self.limit))?.call_method0("__await__")?,
            };
            match steps.call_method0("__next__") {
                Ok(step) => {
                    *self.waited_for.lock().unwrap_or_else(PoisonError::into_inner) = Some(steps.unbind());
                    return Ok(step);
                }
                Err(over) if over.is_instance_of::<PyStopIteration>(py) => {}
                Err(error) => return Err(error),
            }
            if let Some(bytes) = self.open.take().map_err(|error| errors::exception(py, &error))? {
                return Err(PyStopIteration::new_err((PyBytes::new(py, &bytes).unbind(),)));
            }
        }
    }
}
