//! Whom notices go to: by which way, which ones, and at what times.
//!
//! A target holds no secret. Passwords, tokens, keys for signing, headers and whole addresses that are secrets themselves
//! are handed in beside it as [`NotifySecrets`] and lie sealed in the store; only their names come back.

mod change;
mod check;
mod delivery;

use std::{collections::BTreeSet, fmt};

use jiff::{Timestamp, civil::Time};
use serde::{Deserialize, Serialize};

use super::{
    notice::{NoticeKind, NoticeLevel},
    window::{Day, Window, days, opening},
};
use crate::Result;

pub use change::{NotifySecrets, NotifyTargetChange, SECRET_NAMES};
pub use delivery::{Delivery, DeliveryFilter, DeliveryState};

/// For how long notices are gathered into one message, unless said otherwise, in seconds.
const GATHERED_SECONDS: u32 = 30;

/// Where notices go.
///
/// ```
/// use reanimator_core::model::NotifyTarget;
/// let target: NotifyTarget = serde_json::from_str(
///     r#"{"name":"phone","way":{"kind":"ntfy","topic":"fleet"},
///         "quiet":{"from":"22:00","to":"07:00","zone":"Europe/Berlin"}}"#,
/// )?;
/// target.check()?;
/// assert_eq!(target.to_string(), "ntfy https://ntfy.sh/fleet");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NotifyTarget {
    /// Its name, unique.
    pub name: String,
    /// How it is reached.
    pub way: NotifyWay,
    /// Which notices it gets. Defaults to all that tell of trouble, and of its end.
    #[serde(default)]
    pub which: NotifyWhich,
    /// When it is not to be disturbed. Defaults to never.
    #[serde(default)]
    pub quiet: Option<QuietHours>,
    /// For how many seconds notices are gathered before they go out as one message, 0 to 3600; with 0 each goes by itself
    /// and at once. Defaults to 30.
    #[serde(default = "gathered")]
    pub group_seconds: u32,
    /// Whether it may lie on this very machine, or in a network that no router passes on. Defaults to not.
    #[serde(default)]
    pub allow_inside: bool,
    /// Whether anything is sent. Defaults to so.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// How a target is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NotifyWay {
    /// A mail through a server that takes it. The secret `password` goes with `user`.
    Email {
        /// The mail server's name.
        server: String,
        /// Its port. Defaults to 587 with `starttls`, 465 with `tls`, 25 with `none`.
        #[serde(default)]
        port: Option<u16>,
        /// How the way there is protected. Defaults to `starttls`.
        #[serde(default)]
        tls: MailTls,
        /// Whom to log in as. Defaults to no log-in.
        #[serde(default)]
        user: Option<String>,
        /// The sender's address.
        from: String,
        /// Who gets it, up to 50 addresses.
        to: Vec<String>,
    },
    /// A JSON document posted to a web address. The secret `headers` holds more headers, one a line, as `Name: value`; with
    /// the secret `signing_key` each document is signed.
    Webhook {
        /// The address. It may be a secret itself: it is sealed, and only its beginning is shown.
        url: String,
    },
    /// The service ntfy. The secret `token`, or `password` with `user`, logs in.
    Ntfy {
        /// Its address. Defaults to `https://ntfy.sh`.
        #[serde(default = "ntfy_server")]
        server: String,
        /// The topic.
        topic: String,
        /// Whom to log in as. Defaults to no log-in, or to the secret `token`.
        #[serde(default)]
        user: Option<String>,
    },
    /// A Gotify server. The secret `token` is its application's.
    Gotify {
        /// Its address.
        server: String,
    },
    /// Whatever the program `apprise` reaches, where that is installed. The secret `urls` says where: one of its addresses
    /// a line.
    Apprise {},
}

/// How the way to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MailTls {
    /// It begins in the clear and is protected before anything is said; a server that cannot is refused.
    #[default]
    Starttls,
    /// It is protected from the first byte.
    Tls,
    /// Not at all.
    None,
}

/// Which notices a target gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct NotifyWhich {
    /// Of what level: `critical`, `warning`, `notice`. Defaults to all. What is `ok` follows `resolved` and `done`.
    pub levels: BTreeSet<NoticeLevel>,
    /// Of what kind. Defaults to all.
    pub kinds: BTreeSet<NoticeKind>,
    /// About which hosts, as in selectors: `group:web,!db1`. Defaults to all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<String>,
    /// About which guests, as in windows: `tag:prod`. Defaults to all. With `hosts` or `guests`, what is about nothing in
    /// particular is not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guests: Option<String>,
    /// Whether it is told when an alert is over. Defaults to so.
    pub resolved: bool,
    /// Whether it is told of operations and updates that went well. Defaults to not.
    pub done: bool,
}

/// When a target is not to be disturbed. What waits goes out as one message when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// From when, by the clock of its zone: `22:00`.
    #[serde(with = "opening::time")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "22:00"))]
    pub from: Time,
    /// Until when: on the next day where that is not later than `from`.
    #[serde(with = "opening::time")]
    #[cfg_attr(feature = "openapi", schema(value_type = String, example = "07:00"))]
    pub to: Time,
    /// The time zone of its clock, as the IANA calls it. Defaults to `UTC`.
    #[serde(default = "utc")]
    pub zone: String,
    /// On which days it begins. Defaults to all.
    #[serde(default = "days::all")]
    pub days: BTreeSet<Day>,
    /// Whether what is critical waits, too. Defaults to not: it goes through.
    #[serde(default)]
    pub critical_waits: bool,
}

const fn yes() -> bool {
    true
}

const fn gathered() -> u32 {
    GATHERED_SECONDS
}

fn utc() -> String {
    "UTC".to_owned()
}

fn ntfy_server() -> String {
    "https://ntfy.sh".to_owned()
}

impl Default for NotifyWhich {
    fn default() -> Self {
        Self {
            levels: NoticeLevel::ALL.into(),
            kinds: NoticeKind::ALL.into(),
            hosts: None,
            guests: None,
            resolved: true,
            done: false,
        }
    }
}

impl NotifyTarget {
    /// Whose its secrets are in the store.
    pub fn owner(&self) -> String {
        owner(&self.name)
    }

    /// Whether it is not to be disturbed at that time, and until when.
    ///
    /// # Errors
    /// `Invalid` where the time zone is not known.
    pub fn quiet_until(&self, at: Timestamp) -> Result<Option<Timestamp>> {
        let Some(quiet) = &self.quiet else { return Ok(None) };
        Ok(quiet.window().opening_at(at)?.map(|opening| opening.closes_at))
    }
}

/// Whose the secrets of a target are in the store.
pub(crate) fn owner(name: &str) -> String {
    format!("notify:{name}")
}

impl NotifyWay {
    /// Its kind, as in JSON.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Email { .. } => "email",
            Self::Webhook { .. } => "webhook",
            Self::Ntfy { .. } => "ntfy",
            Self::Gotify { .. } => "gotify",
            Self::Apprise {} => "apprise",
        }
    }

    /// The port of a mail server where none is named.
    pub const fn usual_port(tls: MailTls) -> u16 {
        match tls {
            MailTls::Starttls => 587,
            MailTls::Tls => 465,
            MailTls::None => 25,
        }
    }
}

impl QuietHours {
    /// The same as a window, which knows about midnight and clocks that are changed.
    pub(super) fn window(&self) -> Window {
        Window {
            name: "quiet-hours".to_owned(),
            hosts: Some("all".to_owned()),
            guests: None,
            days: self.days.clone(),
            from: self.from,
            to: self.to,
            zone: self.zone.clone(),
            first_day: None,
            last_day: None,
            enabled: true,
            comment: String::new(),
        }
    }
}

/// How it is reached, for people: `email ops@example.org`.
impl fmt::Display for NotifyTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.way {
            NotifyWay::Email { to, .. } => write!(f, "email {}", to.join(", ")),
            NotifyWay::Webhook { url } => write!(f, "webhook {url}"),
            NotifyWay::Ntfy { server, topic, .. } => write!(f, "ntfy {}/{topic}", server.trim_end_matches('/')),
            NotifyWay::Gotify { server } => write!(f, "gotify {server}"),
            NotifyWay::Apprise {} => f.write_str("apprise"),
        }
    }
}

/// When, for people: `daily 22:00-07:00 Europe/Berlin`.
impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.window().fmt(f)
    }
}
