//! Secrets that we hand out: random, and kept only as their hash.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result, store::SecretHash};

/// 256 random bits in letters that fit into URLs and headers.
pub(super) fn generate(prefix: &str) -> Result<SecretString> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut())
        .map_err(|error| Error::new(ErrorKind::Internal, "make a random secret").because(error.to_string()))?;
    Ok(SecretString::from(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes.as_ref()))))
}

/// What is kept of a secret.
pub(super) fn hash(secret: &str) -> SecretHash {
    SecretHash(Sha256::digest(secret.as_bytes()).into())
}

/// What belongs to a cookie and does not give it away. A page of another site cannot read either.
pub(super) fn csrf(cookie: &str) -> String {
    let digest = Sha256::new().chain_update("reanimator csrf\0").chain_update(cookie).finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

/// Compares without telling by its time how much of it was right.
pub(super) fn equal(a: &str, b: &str) -> bool {
    Sha256::digest(a.as_bytes()) == Sha256::digest(b.as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn secrets_are_long_fit_into_urls_and_never_come_twice() {
        let one = generate("rnm_").unwrap();
        assert_eq!(one.expose_secret().len(), 4 + 43);
        assert!(one.expose_secret().chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter)));
        assert_ne!(one.expose_secret(), generate("rnm_").unwrap().expose_secret());
    }

    #[test]
    fn the_csrf_word_belongs_to_its_cookie() {
        assert_eq!(csrf("a"), csrf("a"));
        assert_ne!(csrf("a"), csrf("b"));
        assert!(equal("abc", "abc"));
        assert!(!equal("abc", "abd"));
    }
}
