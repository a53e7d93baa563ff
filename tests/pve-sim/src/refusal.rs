//! How a call is refused: the status, the reason phrase and what the body says.
//!
//! Proxmox puts the error text into the HTTP reason phrase. A refusal by a
//! handler repeats it in the body as `message`; one by the web server itself
//! (no ticket, an unreachable node) has an empty body.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Why a call got no answer.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The reason phrase: the first line of what is wrong.
    pub(crate) reason: String,
    /// The body; empty where there is none.
    pub(crate) body: Option<Value>,
    /// Whether the answer is held back, as after a failed log-in.
    pub(crate) delayed: bool,
}

impl Refusal {
    /// A handler died: status 500 and the text in reason and body.
    pub(crate) fn died(text: impl Into<String>) -> Self {
        Self::with_message(500, text)
    }

    /// A refusal whose body repeats the reason with a line end.
    pub(crate) fn with_message(status: u16, text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            status,
            body: Some(json!({"data": null, "message": format!("{text}\n")})),
            reason: first_line(&text),
            delayed: false,
        }
    }

    /// Status 403 with what was missing, such as `/vms/100, VM.Audit`.
    pub(crate) fn forbidden(missing: &str) -> Self {
        Self::with_message(403, format!("Permission check failed ({missing})"))
    }

    /// A path or a method that the API does not have.
    pub(crate) fn not_implemented(method: &str, path: &str) -> Self {
        let text = format!("Method '{method} {path}' not implemented");
        Self { body: Some(json!({"data": null, "message": text})), ..Self::with_message(501, text) }
    }

    /// Parameters that do not fit: status 400 with a text per parameter.
    pub(crate) fn parameters(errors: BTreeMap<String, String>) -> Self {
        let text = "Parameter verification failed.";
        Self {
            body: Some(json!({"data": null, "errors": errors, "message": format!("{text}\n")})),
            ..Self::with_message(400, text)
        }
    }

    /// One parameter that does not fit.
    pub(crate) fn parameter(name: &str, text: impl Into<String>) -> Self {
        Self::parameters(BTreeMap::from([(name.to_owned(), text.into())]))
    }

    /// The web server's own refusal: a reason and an empty body.
    pub(crate) fn bare(status: u16, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into(), body: None, delayed: false }
    }

    /// Status 401 from the web server, held back like every failed log-in.
    pub(crate) fn unauthorized(reason: &str) -> Self {
        Self { delayed: true, ..Self::bare(401, reason) }
    }

    /// A node that cannot be reached from the one that was asked.
    pub(crate) fn no_route() -> Self {
        Self::bare(595, "No route to host")
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// What a handler answers: the value under `data`, and the number of all
/// entries where the list was cut.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) data: Value,
    pub(crate) total: Option<usize>,
}

impl From<Value> for Reply {
    fn from(data: Value) -> Self {
        Self { data, total: None }
    }
}

/// The outcome of one call.
pub(crate) type Answer = Result<Reply, Refusal>;
