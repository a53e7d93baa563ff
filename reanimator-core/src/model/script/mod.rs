//! Prepared scripts: what an admin lets others run on hosts, with which values, where, and within which limits.

mod check;
mod values;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{action::Risk, role::Role};

/// Before the name of a parameter in the environment, where it has no variable of its own.
pub const PARAMETER_PREFIX: &str = "REANIMATOR_PARAM_";

/// A prepared script, as an admin defines it.
///
/// ```
/// use reanimator_core::model::Script;
/// let script: Script = serde_json::from_str(r#"{
///     "name": "greet", "body": "echo \"hello $REANIMATOR_PARAM_WHOM\"",
///     "parameters": [{"name": "whom", "type": "text", "required": true}]
/// }"#)?;
/// assert!(script.check().is_ok());
/// let given = [("whom".to_owned(), "$(reboot)".to_owned())].into();
/// assert_eq!(script.environment(&given)?["REANIMATOR_PARAM_WHOM"], "$(reboot)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What it is called: a letter, then letters, digits, `-` and `_`, up to 60.
    pub name: String,
    /// What it does, for people. Defaults to nothing.
    #[serde(default)]
    pub description: String,
    /// Its text, up to 64 KiB; it must be given. Absent in answers to those who may not run it and are no admins.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// The program that runs it, with its arguments. Defaults to `/bin/sh`.
    #[serde(default = "shell")]
    pub interpreter: Vec<String>,
    /// What it may be given. Defaults to nothing.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// On which hosts it may run: a selector. Defaults to `all`.
    #[serde(default = "all")]
    pub hosts: String,
    /// The least role that may run it. Defaults to operator.
    #[serde(default = "operator")]
    pub role: Role,
    /// Who may run it, in place of everybody of that role: names of users, `token:NAME` for tokens. Admins always may.
    #[serde(default)]
    pub users: Vec<String>,
    /// What it may cost those who use the host. Defaults to disruptive.
    #[serde(default = "disruptive")]
    pub risk: Risk,
    /// After how many seconds it is ended. Defaults to 600.
    #[serde(default = "limit_seconds")]
    pub limit_seconds: u32,
    /// How many bytes of what it writes are kept. Defaults to 256 KiB; one that writes without end is ended.
    #[serde(default = "output_bytes")]
    pub output_bytes: u32,
    /// How much memory it may take, in MiB. Defaults to no limit; takes systemd and root there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u32>,
    /// How many processes and threads it may have. Defaults to no limit; takes systemd and root there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<u32>,
    /// As which user it runs. Defaults to root, or whom we log in as where we may not become root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether `/usr`, `/boot` and `/etc` are read-only to it. Defaults to not; takes systemd and root there.
    #[serde(default)]
    pub protect_system: bool,
}

/// What a script may be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Parameter {
    /// What it is called: a letter, then letters, digits, `-` and `_`, up to 40.
    pub name: String,
    /// What it means, for people. Defaults to nothing.
    #[serde(default)]
    pub description: String,
    /// What it may be.
    #[serde(flatten)]
    pub kind: ParameterKind,
    /// Whether what it is given is a secret: then `***` is shown in its place, everywhere. It can have no default. Defaults to
    /// not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    /// Whether it must be given. Defaults to not; what is not given and has no default is empty.
    #[serde(default)]
    pub required: bool,
    /// What it is where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Its variable in the environment. Defaults to `REANIMATOR_PARAM_` and its name in capitals, `_` for `-`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variable: Option<String>,
}

/// What a parameter may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ParameterKind {
    /// Any text without a NUL.
    Text {
        /// How many characters it may have. Defaults to 1000.
        #[serde(default = "longest")]
        max_length: u32,
        /// A regular expression that the whole of it must match. Defaults to none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern: Option<String>,
    },
    /// A whole number.
    Integer {
        /// The least that it may be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        /// The most that it may be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    /// One of some values.
    Choice {
        /// Which ones.
        values: Vec<String>,
    },
    /// `true` or `false`.
    Boolean,
}

/// A prepared script as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoredScript {
    /// What it is.
    #[serde(flatten)]
    pub script: Script,
    /// Which version of it: another one once anything of it was changed. An operation runs the one that was asked for.
    pub version: String,
    /// When it was defined or changed last.
    pub changed_at: Timestamp,
    /// By whom.
    pub changed_by: String,
}

impl StoredScript {
    /// A script as it is now.
    pub fn new(script: Script, changed_by: impl Into<String>, changed_at: Timestamp) -> Self {
        Self { version: version(&script), script, changed_at, changed_by: changed_by.into() }
    }

    /// As somebody sees it, who has a role and is called so in the audit trail: its text only where they may run it.
    #[must_use]
    pub fn seen_by(mut self, who: &str, role: Role) -> Self {
        if !self.script.may_run(who, role) {
            self.script.body.clear();
        }
        self
    }
}

impl Parameter {
    /// Its variable in the environment.
    pub fn variable(&self) -> String {
        let own = || format!("{PARAMETER_PREFIX}{}", self.name.to_ascii_uppercase().replace('-', "_"));
        self.variable.clone().unwrap_or_else(own)
    }
}

impl Script {
    /// Whether somebody may run it, who has a role and is called so in the audit trail.
    pub fn may_run(&self, who: &str, role: Role) -> bool {
        let named = self.users.iter().any(|user| user == who);
        let least = if self.users.is_empty() { self.role.max(self.risk.needs()) } else { Role::Admin };
        role.allows(least) || (named && role.allows(Role::Operator))
    }
}

/// The first digits of a hash over everything in it.
fn version(script: &Script) -> String {
    // What is plain data is always written.
    let text = serde_json::to_vec(script).unwrap_or_default();
    Sha256::digest(&text).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn shell() -> Vec<String> {
    vec!["/bin/sh".to_owned()]
}

fn all() -> String {
    "all".to_owned()
}

const fn operator() -> Role {
    Role::Operator
}

const fn disruptive() -> Risk {
    Risk::Disruptive
}

const fn limit_seconds() -> u32 {
    600
}

const fn output_bytes() -> u32 {
    256 * 1024
}

const fn longest() -> u32 {
    1000
}
