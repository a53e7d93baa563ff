//! Reanimator for Python: converts, calls the core, converts back.
//!
//! Python sees `reanimator._reanimator`, which the package `reanimator` (in `python/`) gives its types, its stubs and
//! its errors. [`fleet`] waits, [`fleet_async`] gives awaitables; both make the same [`calls`].

mod answer;
mod arguments;
mod calls;
mod columns;
mod errors;
mod fleet;
mod fleet_async;
mod terminal;
mod waiting;

use pyo3::pymodule;

/// The native half of the package.
#[pymodule]
mod _reanimator {
    use pyo3::{prelude::*, types::PyCFunction};

    #[pymodule_export]
    use crate::answer::Answer;
    #[pymodule_export]
    use crate::fleet::Fleet;
    #[pymodule_export]
    use crate::fleet_async::AsyncFleet;
    #[pymodule_export]
    use crate::terminal::{AsyncTerminal, Terminal};

    /// Has all terminals closed before Python ends.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        let py = module.py();
        let closing = PyCFunction::new_closure(py, Some(c"close_terminals"), None, |arguments, _| {
            crate::terminal::close_all(arguments.py());
        })?;
        py.import("atexit")?.call_method1("register", (closing,))?;
        Ok(())
    }

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "Python calls it so")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
