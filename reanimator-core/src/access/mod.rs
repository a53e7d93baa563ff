//! Who may come in and do what: people, programs, their sessions and tokens, and the trail of what they did.
//!
//! Frontends ask [`Access`] who somebody is ([`Access::authenticate`]), whether that is enough
//! ([`Principal::require`]), and note what was done ([`Access::record`]). Everyone is nobody until shown otherwise.
//!
//! Of a cookie, token or set-up link only the SHA-256 is kept: they are 256 random bits, which nothing slower would
//! protect better. Passwords are kept as argon2id hashes. Attempts to log in are slowed per address and per account,
//! in memory: a restart forgets them. The time is handed in.
//!
//! ```
//! # #[cfg(all(feature = "sqlite", feature = "testkit"))]
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use std::sync::Arc;
//! use reanimator_core::access::{Access, Credential, NewPassword, Role};
//! use reanimator_core::store::SqliteStore;
//!
//! let access = Access::new(Arc::new(SqliteStore::temporary().await?));
//! let now = jiff::Timestamp::now();
//! access.add_user("ada", NewPassword::checked("correct horse".into())?, Role::Admin, now).await?;
//! let session = access.login("ada", "correct horse".into(), "127.0.0.1", now).await?;
//! let principal = access.authenticate(Credential::Cookie(&session.cookie), now).await?;
//! principal.require(Role::Admin, "add a host")?;
//! # Ok(())
//! # })
//! # }
//! # #[cfg(not(all(feature = "sqlite", feature = "testkit")))]
//! # fn main() {}
//! ```

mod password;
mod principal;
mod secret;
mod throttle;

#[cfg(all(test, feature = "sqlite"))]
mod tests;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Error, ErrorKind, Result,
    store::{AuditEntry, SessionRecord, Store, StoredAuditEntry, TokenRecord, UserRecord},
};

pub use crate::model::Role;
pub use password::NewPassword;
pub use principal::{Credential, Principal, PrincipalKind};
pub use throttle::retry_after;

use password::Hasher;
use throttle::Throttle;

/// How long a log-in lasts.
pub const SESSION_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How long the set-up link works.
pub const SETUP_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// A token's last use is noted to this, so that reading costs no write.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// What every token begins with, so that a leaked one is recognised.
const TOKEN_PREFIX: &str = "rnm_";
/// How long a log-in waits for its turn while others are being checked.
const HASHING_TIMEOUT: Duration = Duration::from_secs(10);

/// A log-in that worked. The cookie's secret is handed out this once.
pub struct Session {
    /// The user's name.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// What the cookie holds.
    pub cookie: SecretString,
    /// What each changing request must carry beside the cookie.
    pub csrf: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A change of a user; what is `None` stays.
#[derive(Debug, Default)]
pub struct UserChange {
    /// A new role.
    pub role: Option<Role>,
    /// A new password, which ends the user's sessions.
    pub password: Option<NewPassword>,
}

/// The door: people, programs, sessions, the audit trail.
#[derive(Debug)]
pub struct Access {
    store: Arc<dyn Store>,
    hasher: Hasher,
    throttle: Mutex<Throttle>,
}

impl Access {
    /// Over what the store keeps.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, hasher: Hasher::new(), throttle: Mutex::default() }
    }

    // -- The first user --

    /// Whether nobody can log in yet.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn setup_needed(&self) -> Result<bool> {
        Ok(self.store.users().await?.is_empty())
    }

    /// A new secret for the set-up link, in place of an earlier one. It works once and for [`SETUP_LIFE`].
    ///
    /// # Errors
    /// `Conflict` once there is a user; `Storage`.
    pub async fn create_setup_token(&self, now: Timestamp) -> Result<SecretString> {
        if !self.setup_needed().await? {
            return Err(Error::new(ErrorKind::Conflict, "make a set-up link")
                .because("there are users already")
                .next("log in, or change a password with `reanimator user`"));
        }
        let token = secret::generate("")?;
        self.store.put_setup_token(&secret::hash(token.expose_secret()), later(now, SETUP_LIFE)?).await?;
        Ok(token)
    }

    /// Makes the first user, an admin, by the set-up link, and logs in.
    ///
    /// # Errors
    /// `Denied` unless the link is valid; `Invalid` for the name; `RateLimited`; `Storage`.
    pub async fn complete_setup(
        &self,
        token: &str,
        name: &str,
        password: NewPassword,
        from: &str,
        now: Timestamp,
    ) -> Result<Session> {
        self.throttle().begin(from, None, now)?;
        check_name("user", name)?;
        let password_hash = self.hasher.hash(password).await?;
        let user = UserRecord { name: name.to_owned(), password_hash, role: Role::Admin, created_at: now };
        let done = self.store.complete_setup(&secret::hash(token), &user, now).await;
        let outcome = outcome(done.as_ref().err());
        let who = if done.is_ok() { name } else { "unknown" };
        self.record(who, from, "setup", name, outcome, now).await?;
        done?;
        self.throttle().succeed(from, None);
        self.begin_session(user, now).await
    }

    // -- Sessions --

    /// Checks name and password and begins a session.
    ///
    /// # Errors
    /// `Unauthenticated` where name or password is wrong (which of them is not said, and takes the same time);
    /// `RateLimited` after too many attempts, see [`retry_after`]; `Storage`.
    pub async fn login(&self, name: &str, password: SecretString, from: &str, now: Timestamp) -> Result<Session> {
        self.throttle().begin(from, Some(name), now)?;
        let user = self.store.user(name).await?;
        let right = self.hasher.verify(password, user.as_ref().map(|user| user.password_hash.clone())).await?;
        match user {
            Some(user) if right => {
                self.throttle().succeed(from, Some(name));
                self.record(&user.name, from, "login", "", "ok", now).await?;
                self.begin_session(user, now).await
            }
            user => {
                // What was typed as a name may be a password: only a name that exists is written down.
                let who = user.as_ref().map_or("unknown", |user| user.name.as_str());
                self.record(who, from, "login", "", ErrorKind::Unauthenticated.as_str(), now).await?;
                Err(Error::new(ErrorKind::Unauthenticated, "log in").because("the name or the password is wrong"))
            }
        }
    }

    /// Ends the session behind a cookie, if there is one.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn logout(&self, cookie: &SecretString) -> Result<()> {
        self.store.delete_session(&secret::hash(cookie.expose_secret())).await.map(drop)
    }

    /// Who shows this cookie or token.
    ///
    /// # Errors
    /// `Unauthenticated` unless it is one of ours and not over; `Storage`.
    pub async fn authenticate(&self, credential: Credential<'_>, now: Timestamp) -> Result<Principal> {
        match credential {
            Credential::Cookie(cookie) => {
                let cookie = cookie.expose_secret();
                let found = self.store.session(&secret::hash(cookie), now).await?;
                let (_, user) = found.ok_or_else(|| {
                    Error::new(ErrorKind::Unauthenticated, "go on with the session")
                        .because("it is over or was never there")
                        .next("log in")
                })?;
                Ok(Principal::user(user.name, user.role, secret::csrf(cookie)))
            }
            Credential::Bearer(token) => {
                let found = self.store.token(&secret::hash(token.expose_secret())).await?;
                let token = found.ok_or_else(|| {
                    Error::new(ErrorKind::Unauthenticated, "use the token")
                        .because("there is no such token")
                        .next("make one with `reanimator token create`")
                })?;
                self.touch(&token, now).await;
                Ok(Principal::token(&token.name, token.role))
            }
        }
    }

    // -- Programs --

    /// Makes a token. It is handed out this once.
    ///
    /// # Errors
    /// `Conflict` where the name is taken; `Invalid` for the name; `Storage`.
    pub async fn create_token(&self, name: &str, role: Role, now: Timestamp) -> Result<SecretString> {
        check_name("token", name)?;
        let token = secret::generate(TOKEN_PREFIX)?;
        let hash = secret::hash(token.expose_secret());
        let record = TokenRecord { name: name.to_owned(), hash, role, created_at: now, last_used_at: None };
        self.store.insert_token(&record).await?;
        Ok(token)
    }

    /// Whoever stands so in the audit trail, with the role that they have now; none where they are gone. Whoever worked at
    /// the command line can do so still. For what is done later in somebody's name.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) async fn known_as(&self, who: &str) -> Result<Option<Principal>> {
        let role = match who.split_once(':') {
            Some(("local", _)) => Some(Role::Admin),
            Some(("token", name)) => {
                self.store.tokens().await?.into_iter().find(|token| token.name == name).map(|token| token.role)
            }
            Some(_) => None,
            None => self.store.user(who).await?.map(|user| user.role),
        };
        Ok(role.map(|role| {
            let mut known = Principal::in_the_name_of(who);
            known.role = role;
            known
        }))
    }

    /// All tokens, by name.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn tokens(&self) -> Result<Vec<TokenRecord>> {
        self.store.tokens().await
    }

    /// Makes a token worthless at once.
    ///
    /// # Errors
    /// `NotFound`; `Storage`.
    pub async fn revoke_token(&self, name: &str) -> Result<()> {
        self.store.remove_token(name).await
    }

    // -- People --

    /// All users, by name.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn users(&self) -> Result<Vec<UserRecord>> {
        self.store.users().await
    }

    /// Adds a user.
    ///
    /// # Errors
    /// `Conflict` where the name is taken; `Invalid` for the name; `Storage`.
    pub async fn add_user(&self, name: &str, password: NewPassword, role: Role, now: Timestamp) -> Result<()> {
        check_name("user", name)?;
        let password_hash = self.hasher.hash(password).await?;
        self.store.insert_user(&UserRecord { name: name.to_owned(), password_hash, role, created_at: now }).await
    }

    /// Changes a user. A new password ends the user's sessions; a new role holds at once.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where no admin would be left; `Storage`.
    pub async fn change_user(&self, name: &str, change: UserChange) -> Result<()> {
        let hash = match change.password {
            Some(password) => Some(self.hasher.hash(password).await?),
            None => None,
        };
        self.store.update_user(name, change.role, hash.as_deref()).await
    }

    /// Removes a user and ends the user's sessions.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where no admin would be left; `Storage`.
    pub async fn remove_user(&self, name: &str) -> Result<()> {
        self.store.remove_user(name).await
    }

    // -- The audit trail --

    /// Notes what somebody did or tried, for good. `outcome` is `ok` or the kind of failure; a command on many hosts is
    /// `started` first, and then noted again with what came of it.
    ///
    /// # Errors
    /// `Storage`: do not do what cannot be noted.
    pub async fn record(
        &self,
        who: &str,
        from: &str,
        what: &str,
        on: &str,
        outcome: &str,
        now: Timestamp,
    ) -> Result<()> {
        let [who, from, what, on, outcome] = [who, from, what, on, outcome].map(shortened);
        self.store.append_audit(&AuditEntry { at: now, who, from, what, on, outcome }).await
    }

    /// The newest entries before the one numbered `before`, newest first.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn audit(&self, before: Option<i64>, limit: u32) -> Result<Vec<StoredAuditEntry>> {
        self.store.audit(before, limit).await
    }

    async fn begin_session(&self, user: UserRecord, now: Timestamp) -> Result<Session> {
        let cookie = secret::generate("")?;
        let expires_at = later(now, SESSION_LIFE)?;
        let hash = secret::hash(cookie.expose_secret());
        let record = SessionRecord { hash, user: user.name.clone(), created_at: now, expires_at };
        self.store.insert_session(&record).await?;
        let csrf = secret::csrf(cookie.expose_secret());
        Ok(Session { name: user.name, role: user.role, cookie, csrf, expires_at })
    }

    /// Notes that a token was used. That it could not be noted (a full disk) keeps nobody out who only reads.
    async fn touch(&self, token: &TokenRecord, now: Timestamp) {
        if token.last_used_at.is_some_and(|last| now.duration_since(last) < TOUCH_EVERY) {
            return;
        }
        if let Err(error) = self.store.touch_token(&token.name, now).await {
            tracing::warn!(token = token.name, error = crate::message(&error), "use of a token not noted");
        }
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What stands in the audit trail for a result: `ok` or the kind of failure.
pub fn outcome(error: Option<&Error>) -> &'static str {
    error.map_or("ok", |error| error.kind().as_str())
}

/// Names stand in the audit trail and in paths: no spaces, no colons (`local:`, `token:`), no slashes.
fn check_name(what: &str, name: &str) -> Result<()> {
    const LONGEST: usize = 64;
    let fits = |letter: char| letter.is_alphanumeric() || "._-@+".contains(letter);
    if !name.is_empty() && name.chars().count() <= LONGEST && name.chars().all(fits) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Invalid, format!("name a {what}"))
        .because("the name does not fit")
        .next(format!("use 1 to {LONGEST} letters, digits and . _ - @ +")))
}

/// A text for the audit trail, bounded: a selector or command may be any length.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 1000;
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn later(now: Timestamp, life: SignedDuration) -> Result<Timestamp> {
    now.checked_add(life).map_err(|error| Error::new(ErrorKind::Internal, "reckon when it ends").from_source(error))
}
