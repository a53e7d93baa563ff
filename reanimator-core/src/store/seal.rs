//! Sealing secrets: each under a random key of its own, which is sealed under the master key.
//!
//! A sealed secret is `1 | nonce | sealed data key | nonce | sealed secret`. Both are XChaCha20-Poly1305, whose
//! 192-bit nonces may be random. What is sealed is bound to the record it belongs to, so that one record's secret
//! put into another's place does not open.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::{Zeroize, Zeroizing};

use crate::{Error, ErrorKind, Result};

use super::key::MasterKey;

const FORMAT: u8 = 1;
const NONCE: usize = 24;
const TAG: usize = 16;
const WRAPPED_KEY: usize = NONCE + 32 + TAG;

/// What is sealed to tell later whether a key is the right one.
const CHECK: &str = "reanimator master key check";

/// Seals and opens under one master key.
#[derive(Debug)]
pub(crate) struct Sealer {
    master: MasterKey,
}

impl Sealer {
    pub(crate) fn new(master: MasterKey) -> Self {
        Self { master }
    }

    /// The secret of `owner` called `name`, sealed.
    pub(crate) fn seal(&self, owner: &str, name: &str, secret: &SecretString) -> Result<Vec<u8>> {
        let data_key = MasterKey::generate()?;
        let record = record(owner, name);
        let mut sealed = vec![FORMAT];
        encrypt(&self.master, &record, data_key.bytes(), &mut sealed)?;
        encrypt(&data_key, &record, secret.expose_secret().as_bytes(), &mut sealed)?;
        Ok(sealed)
    }

    /// The secret again.
    pub(crate) fn open(&self, owner: &str, name: &str, sealed: &[u8]) -> Result<SecretString> {
        let failed = |cause: &str| {
            Error::new(ErrorKind::Storage, format!("decrypt the stored secret {name:?} of {owner}"))
                .because(cause)
                .next("store the secret again")
        };
        let Some((&FORMAT, rest)) = sealed.split_first() else {
            return Err(failed("it is in a form that this program does not know"));
        };
        let (wrapped, rest) = rest.split_at_checked(WRAPPED_KEY).ok_or_else(|| failed("it is cut off"))?;
        let damaged = || failed("it is damaged or was sealed under another key");
        let record = record(owner, name);
        let data_key = decrypt(&self.master, &record, wrapped).ok_or_else(damaged)?;
        let data_key = MasterKey::from_slice(&data_key).ok_or_else(damaged)?;
        let mut secret = decrypt(&data_key, &record, rest).ok_or_else(damaged)?;
        match String::from_utf8(std::mem::take(&mut *secret)) {
            Ok(text) => Ok(SecretString::from(text)),
            Err(error) => {
                error.into_bytes().zeroize();
                Err(damaged())
            }
        }
    }

    /// A value by which [`is_right_key`](Self::is_right_key) knows this key again.
    pub(crate) fn check_value(&self) -> Result<Vec<u8>> {
        self.seal("", "", &SecretString::from(CHECK))
    }

    /// Whether this is the key under which the check value was made.
    pub(crate) fn is_right_key(&self, check_value: &[u8]) -> bool {
        self.open("", "", check_value).is_ok_and(|text| text.expose_secret() == CHECK)
    }
}

/// What a sealed secret is bound to. The length keeps `a` + `bc` and `ab` + `c` apart.
fn record(owner: &str, name: &str) -> Vec<u8> {
    format!("reanimator secret {} {owner} {name}", owner.len()).into_bytes()
}

fn encrypt(key: &MasterKey, record: &[u8], plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let failed = |cause: String| Error::new(ErrorKind::Internal, "encrypt a secret").because(cause);
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|error| failed(error.to_string()))?;
    let sealed = XChaCha20Poly1305::new(key.bytes().into())
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: record })
        .map_err(|error| failed(error.to_string()))?;
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    Ok(())
}

fn decrypt(key: &MasterKey, record: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    XChaCha20Poly1305::new(key.bytes().into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: record })
        .ok()
        .map(Zeroizing::new)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(MasterKey::generate().unwrap())
    }

    #[test]
    fn what_was_sealed_opens_with_the_same_key_for_the_same_record() {
        let sealer = sealer();
        let sealed = sealer.seal("web1", "password", &"correct horse".into()).unwrap();
        assert_eq!(sealer.open("web1", "password", &sealed).unwrap().expose_secret(), "correct horse");
        assert!(!sealed.windows(7).any(|part| part == b"correct"));
    }

    #[test]
    fn it_opens_for_no_other_record_and_under_no_other_key() {
        let ours = sealer();
        let sealed = ours.seal("ab", "c", &"secret".into()).unwrap();
        for (owner, name) in [("a", "bc"), ("ab", "d"), ("abc", ""), ("x", "c")] {
            assert!(ours.open(owner, name, &sealed).is_err(), "opened for {owner}/{name}");
        }
        assert!(sealer().open("ab", "c", &sealed).is_err());
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let sealer = sealer();
        let one = sealer.seal("web1", "password", &"secret".into()).unwrap();
        let two = sealer.seal("web1", "password", &"secret".into()).unwrap();
        assert_ne!(one, two);
    }

    #[test]
    fn each_changed_byte_and_each_cut_is_noticed() {
        let sealer = sealer();
        let sealed = sealer.seal("web1", "password", &"secret".into()).unwrap();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(sealer.open("web1", "password", &changed).is_err(), "byte {place}");
            assert!(sealer.open("web1", "password", &sealed[..place]).is_err(), "cut at {place}");
        }
    }

    #[test]
    fn a_key_is_known_again_by_its_check_value() {
        let ours = sealer();
        let check = ours.check_value().unwrap();
        assert!(ours.is_right_key(&check));
        assert!(!sealer().is_right_key(&check));
    }
}
