//! Who somebody turned out to be.

use std::{fmt, os::unix::fs::MetadataExt};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

use super::{Role, secret};

/// What somebody shows to be let in.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    /// The secret in a session cookie.
    Cookie(&'a SecretString),
    /// A bearer token.
    Bearer(&'a SecretString),
}

/// What kind of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// A person with a session.
    User,
    /// A program with a token.
    Token,
    /// Whoever can read the data directory, at the command line.
    Local,
}

/// Somebody who was let in.
#[derive(Clone)]
pub struct Principal {
    /// The user's or the token's name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What they are.
    pub kind: PrincipalKind,
    csrf: Option<String>,
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl Principal {
    pub(super) fn user(name: String, role: Role, csrf: String) -> Self {
        Self { name, role, kind: PrincipalKind::User, csrf: Some(csrf) }
    }

    pub(super) fn token(name: &str, role: Role) -> Self {
        Self { name: name.to_owned(), role, kind: PrincipalKind::Token, csrf: None }
    }

    /// Whoever runs this program, as an admin: who can read the data directory can read the master key.
    pub fn local() -> Self {
        Self { name: account(), role: Role::Admin, kind: PrincipalKind::Local, csrf: None }
    }

    /// Who goes on with what `who` was allowed to begin, by the name that stands in the audit trail: a workflow that takes
    /// back what it made itself. Never made of what somebody shows.
    pub(crate) fn in_the_name_of(who: &str) -> Self {
        Self { name: who.to_owned(), role: Role::Admin, kind: PrincipalKind::User, csrf: None }
    }

    /// As it stands in the audit trail: `ada`, `token:ci`, `local:root`.
    pub fn who(&self) -> String {
        match self.kind {
            PrincipalKind::User => self.name.clone(),
            PrincipalKind::Token => format!("token:{}", self.name),
            PrincipalKind::Local => format!("local:{}", self.name),
        }
    }

    /// What a page must send with each change; only sessions have it.
    pub fn csrf(&self) -> Option<&str> {
        self.csrf.as_deref()
    }

    /// Whether a changing request that carries `shown` is meant by its sender. Only cookies are sent by browsers
    /// unasked, so only sessions need it.
    pub fn means_it(&self, shown: Option<&str>) -> bool {
        match &self.csrf {
            None => true,
            Some(csrf) => shown.is_some_and(|shown| secret::equal(csrf, shown)),
        }
    }

    /// Passes who may do what asks for `needed`.
    ///
    /// # Errors
    /// `Denied`, saying which role it takes.
    pub fn require(&self, needed: Role, attempt: &str) -> Result<()> {
        if self.role.allows(needed) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Denied, attempt)
            .because(format!("it takes the role {needed}, and {} has {}", self.who(), self.role))
            .next("ask an admin to do it or to give you the role"))
    }
}

/// The name of the account that this process runs as, from the system and not from the environment, which anybody may
/// set to anything.
fn account() -> String {
    let Ok(process) = std::fs::metadata("/proc/self") else {
        return std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned());
    };
    let uid = process.uid().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    name.unwrap_or(uid)
}
