//! How a command ends: exit codes, and errors as people and programs read them.
//!
//! 0 done, 1 failed, 2 wrong usage, 3 some hosts failed. [`code_of`] is the one place where a kind of error becomes a
//! code.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use reanimator_core::{Error, ErrorKind, message};
use serde_json::{Value, json};

use crate::screen::{Paint, harmless};

/// How far a command came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// Everything was done.
    Whole,
    /// It was done on some hosts and failed on others.
    Partly,
    /// It failed on every host.
    Nowhere,
    /// What a shell over there ended with.
    Far(u8),
}

impl Done {
    /// What it comes to when `ok` hosts did it and `failed` did not.
    pub(crate) fn of(ok: usize, failed: usize) -> Self {
        match (ok, failed) {
            (_, 0) => Self::Whole,
            (0, _) => Self::Nowhere,
            _ => Self::Partly,
        }
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core refused or failed.
    Core(Error),
    /// What we print on was closed or failed.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// A wrong use that the argument parser cannot see.
pub(crate) fn usage(attempt: &str, cause: impl Into<String>, next: impl Into<String>) -> Failure {
    Failure::Core(Error::new(ErrorKind::Invalid, attempt).because(cause).next(next))
}

/// The exit code of a command that ran to its end.
pub(crate) fn exit_code(done: Done) -> ExitCode {
    ExitCode::from(match done {
        Done::Whole => 0,
        Done::Nowhere => 1,
        Done::Partly => 3,
        Done::Far(code) => code,
    })
}

/// The exit code of each kind of error.
fn code_of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Invalid => 2,
        _ => 1,
    }
}

/// Prints a failure on stderr and gives the exit code that goes with it.
pub(crate) fn show(failure: &Failure, as_json: bool) -> ExitCode {
    match failure {
        // Whoever read our output has read enough: `reanimator status | head -1`.
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Failure::Output(error) => {
            let error = Error::new(ErrorKind::Internal, "write the answer").because(error.to_string());
            show(&Failure::Core(error), as_json)
        }
        Failure::Core(error) => {
            print_error(error, as_json);
            ExitCode::from(code_of(error.kind()))
        }
    }
}

fn print_error(error: &Error, as_json: bool) {
    let text = if as_json {
        format!("{}\n", json!({ "error": error_document(error) }))
    } else {
        error_lines(error, Paint::for_stderr())
    };
    // If stderr itself is closed there is nobody left to tell; the exit code still says it.
    let _ = io::stderr().write_all(text.as_bytes());
}

/// `error: ...` and, where known, `next: ...`.
pub(crate) fn error_lines(error: &Error, paint: Paint) -> String {
    let mut text = format!("{} {}\n", paint.bad("error:"), harmless(&message(error)));
    if let Some(next) = error.next_step() {
        text.push_str(&format!("{} {}\n", paint.strong("next:"), harmless(next)));
    }
    text
}

/// An error as programs read it.
pub(crate) fn error_document(error: &Error) -> Value {
    json!({
        "kind": error.kind().as_str(),
        "message": message(error),
        "next": error.next_step(),
        "host": error.subject(),
        "fingerprint": error.fingerprint().map(|shown| &shown.sha256),
        "key_type": error.fingerprint().map(|shown| &shown.key_type),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_is_not_all_and_not_none() {
        assert_eq!(Done::of(2, 0), Done::Whole);
        assert_eq!(Done::of(1, 1), Done::Partly);
        assert_eq!(Done::of(0, 2), Done::Nowhere);
        assert_eq!(Done::of(0, 0), Done::Whole);
    }

    #[test]
    fn an_error_names_cause_and_next_step_without_driving_the_terminal() {
        let error = Error::new(ErrorKind::Unreachable, "connect").on("we\x1b[31mb").because("refused").next("look");
        assert_eq!(
            error_lines(&error, Paint::never()),
            "error: we\\x1b[31mb: could not connect: refused\nnext: look\n"
        );
        assert_eq!(error_document(&error)["kind"], "unreachable");
    }
}
