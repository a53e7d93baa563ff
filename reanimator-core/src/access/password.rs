//! Passwords: what one must be, and hashing it without stopping anything else.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{Error as HashError, PasswordHasher, PasswordVerifier},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::{Error, ErrorKind, Result};

use super::HASHING_TIMEOUT;

/// What OWASP's password storage cheat sheet asks of argon2id at the least: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes made at once: each takes a core and 19 MiB, and the fleet needs the other core.
const AT_ONCE: usize = 1;

const SHORTEST: usize = 10;
const LONGEST_BYTES: usize = 1024;

/// Made with the parameters above, of no password: checked where there is no user, so that it takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cmVhbmltYXRvci1ub2JvZHk$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password that may be set.
#[derive(Debug)]
pub struct NewPassword(SecretString);

impl NewPassword {
    /// By the rule for people: 10 characters or more.
    ///
    /// # Errors
    /// `Invalid` where it is shorter, or longer than 1,024 bytes.
    pub fn checked(password: SecretString) -> Result<Self> {
        if password.expose_secret().chars().count() < SHORTEST {
            return Err(Error::new(ErrorKind::Invalid, "set the password")
                .because("it is too short")
                .next(format!("use {SHORTEST} characters or more")));
        }
        Self::as_given(password)
    }

    /// As an admin gives it at the command line, where who can read the data directory may do anything anyhow.
    ///
    /// # Errors
    /// `Invalid` where it is empty or longer than 1,024 bytes.
    pub fn as_given(password: SecretString) -> Result<Self> {
        match password.expose_secret().len() {
            0 => Err(Error::new(ErrorKind::Invalid, "set the password").because("it is empty")),
            1..=LONGEST_BYTES => Ok(Self(password)),
            _ => Err(Error::new(ErrorKind::Invalid, "set the password")
                .because(format!("it is longer than {LONGEST_BYTES} bytes"))),
        }
    }
}

/// Hashes on threads of its own, few at a time.
#[derive(Debug)]
pub(super) struct Hasher {
    turns: Arc<Semaphore>,
}

impl Hasher {
    pub(super) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// The hash to store.
    pub(super) async fn hash(&self, password: NewPassword) -> Result<String> {
        self.run(move || {
            let hash = argon2()?.hash_password(password.0.expose_secret().as_bytes()).map_err(broken)?;
            Ok(hash.to_string())
        })
        .await
    }

    /// Whether it is the password behind the hash. Without a hash it is not, and that takes as long.
    pub(super) async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool> {
        self.run(move || {
            let password = password.expose_secret().as_bytes();
            let verified = argon2()?
                .verify_password(&password[..password.len().min(LONGEST_BYTES + 1)], hash.as_deref().unwrap_or(NOBODY));
            match verified {
                Ok(()) => Ok(hash.is_some()),
                Err(HashError::PasswordInvalid) => Ok(false),
                Err(error) => Err(broken(error)),
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let turn = tokio::time::timeout(HASHING_TIMEOUT, self.turns.clone().acquire_owned());
        let turn = turn.await.map_err(|_| {
            Error::new(ErrorKind::RateLimited, "check a password")
                .because("too many are being checked")
                .next("try again in a while")
        })?;
        let turn = turn.map_err(|error| Error::new(ErrorKind::Internal, "check a password").from_source(error))?;
        let working = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        working.await.map_err(|error| Error::new(ErrorKind::Internal, "check a password").from_source(error))?
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| Error::new(ErrorKind::Internal, "check a password").because(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn broken(error: HashError) -> Error {
    Error::new(ErrorKind::Internal, "check a password").because(error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_ten_characters_and_an_end() {
        assert!(NewPassword::checked("123456789".into()).is_err());
        assert!(NewPassword::checked("äöüäöüäöüä".into()).is_ok());
        assert!(NewPassword::checked("x".repeat(1025).into()).is_err());
        assert!(NewPassword::as_given("short".into()).is_ok());
        assert!(NewPassword::as_given("".into()).is_err());
        assert!(!format!("{:?}", NewPassword::as_given("short".into())).contains("short"));
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_no_other() {
        let hasher = Hasher::new();
        let hash = hasher.hash(NewPassword::checked("correct horse".into()).unwrap()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("correct horsf".into(), Some(hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_has_no_password_but_the_same_work() {
        let hasher = Hasher::new();
        assert!(!hasher.verify("".into(), None).await.unwrap());
        assert!(hasher.verify("correct horse".into(), Some("no hash".into())).await.is_err());
    }
}
