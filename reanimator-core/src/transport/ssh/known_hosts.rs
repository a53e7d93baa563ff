//! Which key a host may show: a pinned one, one out of `known_hosts`, or one that somebody just accepted.
//!
//! A pinned key decides alone. Otherwise the `known_hosts` files are asked, in OpenSSH's format: plain names, `[host]:port`,
//! hashed names (`|1|`), wildcards and `!` exceptions, `@revoked`. Certificates (`@cert-authority`) are not understood;
//! such a host counts as unknown. A changed key is refused whatever else is said.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::{Algorithm, HashAlg, PublicKey};
use sha1::Sha1;

use super::pattern;
use crate::{Error, ErrorKind, Fingerprint, Result};

/// Which key a host may show.
#[derive(Clone, Debug, Default)]
pub struct HostKeyPolicy {
    /// The one key it may show, as a public key line. Decides alone.
    pub pinned: Option<String>,
    /// Files in OpenSSH's `known_hosts` format. One that does not exist holds nothing.
    pub known_hosts: Vec<PathBuf>,
    /// The fingerprint (`SHA256:...`) of an unknown key that somebody has seen and accepted; several, for hosts on the
    /// way, are joined by commas.
    pub accept: Option<String>,
}

impl HostKeyPolicy {
    /// The user's and the system's `known_hosts`.
    pub fn system() -> Self {
        let user = std::env::home_dir().map(|home| home.join(".ssh/known_hosts"));
        Self {
            known_hosts: user.into_iter().chain([PathBuf::from("/etc/ssh/ssh_known_hosts")]).collect(),
            ..Self::default()
        }
    }

    /// Exactly this key.
    pub fn pinned(public_key: impl Into<String>) -> Self {
        Self { pinned: Some(public_key.into()), ..Self::default() }
    }

    /// Only the key with this fingerprint.
    pub fn accepting(fingerprint: impl Into<String>) -> Self {
        Self { accept: Some(fingerprint.into()), ..Self::default() }
    }

    /// Reads what is known of a host, ready to judge the key that it shows.
    ///
    /// # Errors
    /// When the pinned key is no public key, or a file is there but cannot be read.
    pub(super) async fn known(&self, address: &str, port: u16) -> Result<Known> {
        if let Some(line) = &self.pinned {
            let key = PublicKey::from_openssh(line).map_err(|error| {
                Error::new(ErrorKind::Invalid, "read the pinned host key")
                    .because(error.to_string())
                    .next("pin the host key again")
            })?;
            let entry = Entry { key, revoked: false, place: "pinned for this host".to_owned() };
            return Ok(Known { entries: vec![entry], accept: None });
        }
        let mut entries = Vec::new();
        for file in &self.known_hosts {
            let text = match tokio::fs::read(file).await {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    return Err(Error::new(ErrorKind::Invalid, format!("read {}", file.display()))
                        .because(error.to_string())
                        .next("make the file readable, or pin the host key")
                        .from_source(error));
                }
            };
            entries.extend(entries_of(&text, &file.display().to_string(), address, port));
        }
        Ok(Known { entries, accept: self.accept.clone() })
    }
}

/// What is known of one host.
#[derive(Clone, Debug)]
pub(super) struct Known {
    entries: Vec<Entry>,
    accept: Option<String>,
}

#[derive(Clone, Debug)]
struct Entry {
    key: PublicKey,
    revoked: bool,
    place: String,
}

impl Known {
    /// The key types to ask for first, so that a server with several keys shows the one that is known.
    pub(super) fn key_types(&self) -> impl Iterator<Item = Algorithm> {
        self.entries.iter().filter(|entry| !entry.revoked).map(|entry| entry.key.algorithm())
    }

    /// Judges the key that a host shows.
    ///
    /// # Errors
    /// [`ErrorKind::HostKeyUnknown`] or [`ErrorKind::HostKeyChanged`], with the fingerprint shown.
    pub(super) fn judge(&self, shown: &PublicKey) -> Result<()> {
        let mut known = self.entries.iter().filter(|entry| !entry.revoked).peekable();
        if let Some(revoked) = self.entries.iter().find(|entry| entry.revoked && same(&entry.key, shown)) {
            return Err(Error::new(ErrorKind::HostKeyChanged, "trust the host key")
                .because(format!("{} is marked as revoked ({})", sha256(shown), revoked.place))
                .next("do not log in there before it is clear why that key still answers")
                .showing(fingerprint(shown)));
        }
        if known.peek().is_none() {
            return self.judge_unknown(shown);
        }
        let known: Vec<&Entry> = known.collect();
        if known.iter().any(|entry| same(&entry.key, shown)) {
            return Ok(());
        }
        let before = known
            .iter()
            .map(|entry| format!("{} {} ({})", entry.key.algorithm(), sha256(&entry.key), entry.place))
            .collect::<Vec<_>>()
            .join(", ");
        Err(Error::new(ErrorKind::HostKeyChanged, "trust the host key")
            .because(format!(
                "the host key has changed: known is {before}, shown is {} {}",
                shown.algorithm(),
                sha256(shown)
            ))
            .next(
                "find out why: if the host was set up anew, remove the old key where it stands and accept the new one; \
                 if not, somebody may stand between",
            )
            .showing(fingerprint(shown)))
    }

    fn judge_unknown(&self, shown: &PublicKey) -> Result<()> {
        let fingerprint_shown = sha256(shown);
        let mut accepted = self.accept.iter().flat_map(|accepted| accepted.split(','));
        if accepted.any(|one| one.trim() == fingerprint_shown) {
            return Ok(());
        }
        let because = match &self.accept {
            Some(accepted) => format!("{} was accepted, but it shows {}", accepted, sha256(shown)),
            None => format!("its {} key {} is not known yet", shown.algorithm(), sha256(shown)),
        };
        Err(Error::new(ErrorKind::HostKeyUnknown, "trust the host key")
            .because(because)
            .next("compare the fingerprint with the host's own (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` there) and accept it")
            .showing(fingerprint(shown)))
    }
}

/// `SHA256:...`, as OpenSSH prints it.
pub(super) fn sha256(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// `SHA256:...` of a public key line, as OpenSSH prints it; `None` where it is no key.
pub fn fingerprint_of(public_key: &str) -> Option<String> {
    PublicKey::from_openssh(public_key).ok().map(|key| sha256(&key))
}

/// What is shown to people and stored when they accept it.
pub(super) fn fingerprint(key: &PublicKey) -> Fingerprint {
    Fingerprint {
        sha256: sha256(key),
        key_type: key.algorithm().to_string(),
        public_key: PublicKey::from(key.key_data().clone()).to_openssh().ok(),
    }
}

fn same(one: &PublicKey, other: &PublicKey) -> bool {
    one.key_data() == other.key_data()
}

/// The lines of a `known_hosts` file that speak of a host. A line that makes no sense is skipped, as OpenSSH does.
fn entries_of(text: &str, file: &str, address: &str, port: u16) -> Vec<Entry> {
    let name = address.to_ascii_lowercase();
    let name = if port == 22 { name } else { format!("[{name}]:{port}") };
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut words = line.split_ascii_whitespace().peekable();
        let marker = words.next_if(|word| word.starts_with('@'));
        let (Some(names), Some(key_type), Some(key)) = (words.next(), words.next(), words.next()) else { continue };
        if names.starts_with('#') || marker.is_some_and(|marker| marker != "@revoked") || !names_match(names, &name) {
            continue;
        }
        if let Ok(key) = PublicKey::from_openssh(&format!("{key_type} {key}")) {
            entries.push(Entry { key, revoked: marker.is_some(), place: format!("{file} line {}", number + 1) });
        }
    }
    entries
}

fn names_match(names: &str, name: &str) -> bool {
    let mut found = false;
    for one in names.split(',') {
        if let Some(hashed) = one.strip_prefix("|1|") {
            found |= hash_matches(hashed, name);
        } else if let Some(except) = one.strip_prefix('!') {
            if pattern::matches(&except.to_ascii_lowercase(), name) {
                return false;
            }
        } else {
            found |= pattern::matches(&one.to_ascii_lowercase(), name);
        }
    }
    found
}

/// `salt|hash`, both base64: HMAC-SHA1 of the name under the salt.
fn hash_matches(hashed: &str, name: &str) -> bool {
    let Some((salt, hash)) = hashed.split_once('|') else { return false };
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else { return false };
    Hmac::<Sha1>::new_from_slice(&salt).is_ok_and(|mac| mac.chain_update(name).verify_slice(&hash).is_ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ONE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const TWO: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILIG2T/B0l0gaqj3puu510tu9N1OkQ4znY3LYuEm5zCF";

    fn key(line: &str) -> PublicKey {
        PublicKey::from_openssh(line).unwrap()
    }

    fn known(text: &str, address: &str, port: u16) -> Known {
        Known { entries: entries_of(text, "file", address, port), accept: None }
    }

    #[test]
    fn names_ports_wildcards_and_hashes_are_understood() {
        let hashed = "|1|O33ESRMWPVkMYIwJ1Uw+n877jTo=|nuuC5vEqXlEZ/8BXQR7m619W6Ak=";
        for (names, address, port, found) in [
            ("web1,192.0.2.1", "192.0.2.1", 22, true),
            ("web1", "WEB1", 22, true),
            ("web1", "web1", 2222, false),
            ("[web1]:2222", "web1", 2222, true),
            ("*.example.net,!bad.example.net", "good.example.net", 22, true),
            ("*.example.net,!bad.example.net", "bad.example.net", 22, false),
            ("web?", "web12", 22, false),
            (hashed, "example.com", 22, true),
            (hashed, "example.org", 22, false),
        ] {
            let entries = known(&format!("# comment\n\n{names} {ONE} someone\n"), address, port).entries;
            assert_eq!(!entries.is_empty(), found, "{names} for {address}:{port}");
        }
    }

    #[test]
    fn a_changed_key_is_refused_even_when_it_is_accepted() {
        let mut known = known(&format!("web1 {ONE}"), "web1", 22);
        known.accept = Some(sha256(&key(TWO)));
        let error = known.judge(&key(TWO)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HostKeyChanged);
        let text = crate::report(&error);
        assert!(text.contains(&sha256(&key(ONE))) && text.contains(&sha256(&key(TWO))), "{text}");
        assert!(text.contains("file line 1"), "{text}");
        known.judge(&key(ONE)).unwrap();
    }

    #[test]
    fn an_unknown_key_needs_exactly_its_own_fingerprint() {
        let mut known = known("", "web1", 22);
        let error = known.judge(&key(ONE)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::HostKeyUnknown);
        assert_eq!(error.fingerprint().unwrap().public_key.as_deref(), Some(ONE));
        known.accept = Some(sha256(&key(TWO)));
        assert_eq!(known.judge(&key(ONE)).unwrap_err().kind(), ErrorKind::HostKeyUnknown);
        known.accept = Some(sha256(&key(ONE)));
        known.judge(&key(ONE)).unwrap();
        known.accept = Some(format!("{},{}", sha256(&key(TWO)), sha256(&key(ONE))));
        known.judge(&key(ONE)).unwrap();
    }

    #[test]
    fn a_revoked_key_is_refused() {
        let known = known(&format!("@revoked * {ONE}\nweb1 {ONE}"), "web1", 22);
        assert_eq!(known.judge(&key(ONE)).unwrap_err().kind(), ErrorKind::HostKeyChanged);
    }

    #[test]
    fn a_certificate_authority_is_not_taken_for_a_host_key() {
        let known = known(&format!("@cert-authority * {ONE}"), "web1", 22);
        assert_eq!(known.judge(&key(ONE)).unwrap_err().kind(), ErrorKind::HostKeyUnknown);
    }

    #[tokio::test]
    async fn a_pinned_key_decides_alone() {
        let policy = HostKeyPolicy { accept: Some(sha256(&key(TWO))), ..HostKeyPolicy::pinned(ONE) };
        let known = policy.known("web1", 22).await.unwrap();
        known.judge(&key(ONE)).unwrap();
        assert_eq!(known.judge(&key(TWO)).unwrap_err().kind(), ErrorKind::HostKeyChanged);
    }
}
