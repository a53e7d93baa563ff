//! One error at the crate's door: what was attempted, on what, why it failed, and what to do next.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of failure it is: what a caller matches on, and what frontends map once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The name or address cannot be reached: no such name, connection refused, no route, cut off.
    Unreachable,
    /// The far side did not answer in time.
    Timeout,
    /// The far side refused our login.
    AuthFailed,
    /// The host's SSH key is not known yet. The error carries its fingerprint.
    HostKeyUnknown,
    /// The host's SSH key is not the one that was pinned. Refused, always.
    HostKeyChanged,
    /// The certificate is not known yet. The error carries its fingerprint.
    CertificateUnknown,
    /// The certificate is not the one that was pinned. Refused, always.
    CertificateChanged,
    /// The far side said that we may not do this.
    Denied,
    /// The far side answered something that makes no sense.
    Protocol,
    /// What was asked for does not exist.
    NotFound,
    /// What was given is not valid.
    Invalid,
    /// It contradicts what is there.
    Conflict,
    /// Something else holds it right now.
    Busy,
    /// The store failed.
    Storage,
    /// The person or program is not logged in.
    Unauthenticated,
    /// Too many attempts.
    RateLimited,
    /// It was cancelled.
    Cancelled,
    /// A fault of our own.
    Internal,
}

impl ErrorKind {
    /// Whether trying the same again later may help.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout | Self::Busy | Self::RateLimited)
    }

    /// The kind's name as it stands in JSON: `host-key-unknown`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::AuthFailed => "auth-failed",
            Self::HostKeyUnknown => "host-key-unknown",
            Self::HostKeyChanged => "host-key-changed",
            Self::CertificateUnknown => "certificate-unknown",
            Self::CertificateChanged => "certificate-changed",
            Self::Denied => "denied",
            Self::Protocol => "protocol",
            Self::NotFound => "not-found",
            Self::Invalid => "invalid",
            Self::Conflict => "conflict",
            Self::Busy => "busy",
            Self::Storage => "storage",
            Self::Unauthenticated => "unauthenticated",
            Self::RateLimited => "rate-limited",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong, whole: kind, subject, attempt, cause, next step.
///
/// `Display` is one sentence without the source; [`report`] prints the whole chain once.
///
/// ```
/// use reanimator_core::{Error, ErrorKind};
/// let error = Error::new(ErrorKind::Unreachable, "connect to 192.0.2.1:22")
///     .on("web1")
///     .because("connection refused")
///     .next("check that sshd runs there and that the port is right");
/// assert_eq!(
///     reanimator_core::report(&error),
///     "web1: could not connect to 192.0.2.1:22: connection refused. \
///      Next: check that sshd runs there and that the port is right."
/// );
/// ```
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    /// Boxed, so that a `Result` with this error stays small.
    attempt: Box<str>,
    subject: Option<String>,
    cause: Option<String>,
    next: Option<String>,
    fingerprint: Option<Box<Fingerprint>>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The identity that a host showed: an SSH host key or a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fingerprint {
    /// `SHA256:...` for SSH keys as OpenSSH prints it, `AA:BB:...` (SHA-256) for certificates as Proxmox prints it.
    pub sha256: String,
    /// `ssh-ed25519`, `x509`, ...
    pub key_type: String,
    /// The public key line (SSH), to be stored when it is accepted.
    pub public_key: Option<String>,
}

impl Error {
    /// A failure of `attempt`, said as an infinitive: "connect to 192.0.2.1:22".
    pub fn new(kind: ErrorKind, attempt: impl Into<String>) -> Self {
        Self {
            kind,
            attempt: attempt.into().into_boxed_str(),
            subject: None,
            cause: None,
            next: None,
            fingerprint: None,
            source: None,
        }
    }

    /// Names the thing it happened to. The first name given stays: the one nearest to the cause.
    #[must_use]
    pub fn on(mut self, subject: impl Into<String>) -> Self {
        self.subject.get_or_insert_with(|| subject.into());
        self
    }

    /// Names the thing it happened to, in place of what was named before (an address becomes a host's name).
    #[must_use]
    pub fn renamed(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Says why.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Carries the identity that was shown.
    #[must_use]
    pub fn showing(mut self, fingerprint: Fingerprint) -> Self {
        self.fingerprint = Some(Box::new(fingerprint));
        self
    }

    /// Keeps the error underneath.
    #[must_use]
    pub fn from_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds to the cause.
    #[must_use]
    pub fn noting(mut self, note: impl fmt::Display) -> Self {
        self.cause = Some(match self.cause {
            Some(cause) => format!("{cause}; {note}"),
            None => note.to_string(),
        });
        self
    }

    /// The same failure said again, to somebody else: the error underneath becomes words.
    #[must_use]
    pub fn copied(&self) -> Self {
        let mut copy = Self::new(self.kind, &*self.attempt);
        copy.subject.clone_from(&self.subject);
        copy.cause.clone_from(&self.cause);
        copy.next.clone_from(&self.next);
        copy.fingerprint.clone_from(&self.fingerprint);
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let said = cause.to_string();
            if !copy.cause.as_deref().unwrap_or_default().contains(&said) {
                copy = copy.noting(said);
            }
            source = cause.source();
        }
        copy
    }

    /// The kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The thing it happened to, where one is named.
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// What to do next, where that is known.
    pub fn next_step(&self) -> Option<&str> {
        self.next.as_deref()
    }

    /// The identity that was shown, for unknown and changed host keys and certificates.
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        self.fingerprint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(subject) = &self.subject {
            write!(f, "{subject}: ")?;
        }
        write!(f, "could not {}", self.attempt)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The error, its causes and the next step, each once, as one line for people.
pub fn report(error: &Error) -> String {
    let mut text = message(error);
    if let Some(next) = &error.next {
        text.push_str(". Next: ");
        text.push_str(next);
        text.push('.');
    }
    text
}

/// The error and its causes without the next step.
pub fn message(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_printed_once() {
        let inner = std::io::Error::other("no route to host");
        let error =
            Error::new(ErrorKind::Unreachable, "connect").on("pi").because("no route to host").from_source(inner);
        assert_eq!(report(&error), "pi: could not connect: no route to host");
    }

    #[test]
    fn the_name_nearest_to_the_cause_stays() {
        let error = Error::new(ErrorKind::Timeout, "read").on("inner").on("outer");
        assert_eq!(error.subject(), Some("inner"));
        assert_eq!(error.renamed("outer").subject(), Some("outer"));
    }
}
