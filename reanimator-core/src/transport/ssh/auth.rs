//! Logging in: keys, key files, the agent, the password, in this order, as far as the server offers them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};
use russh::{MethodKind, MethodSet};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::dial::Client;
use super::target::{SshCredentials, SshTarget};
use crate::{Error, ErrorKind, Result};

/// A server cuts a log-in off after six attempts, as a rule; an agent full of keys must leave some for the rest.
const AGENT_KEYS: usize = 4;

/// How often a server may come back with one more keyboard-interactive question.
const QUESTIONS: usize = 4;

/// SHA-256 of a key's text: tells whether a file still holds the key that was opened, without keeping it.
type TextHash = [u8; 32];

/// What can be tried, with every key read and opened already.
pub(super) struct Ways {
    keys: Vec<(String, Arc<PrivateKey>)>,
    /// The same keys by the text they were opened from.
    opened: Vec<(TextHash, Arc<PrivateKey>)>,
    agent: Option<PathBuf>,
    password: Option<SecretString>,
    /// What could not be used, and why: said when nothing else worked either.
    notes: Vec<String>,
}

impl Ways {
    /// Reads and opens the keys. A passphrase costs its tenth of a second here, but not again for a key that was opened
    /// `before`.
    ///
    /// # Errors
    /// When the given key cannot be used, or there is nothing at all to log in with.
    pub(super) async fn gather(
        target: &SshTarget,
        credentials: &SshCredentials,
        before: Option<&Self>,
    ) -> Result<Self> {
        let mut ways = Self {
            keys: Vec::new(),
            opened: Vec::new(),
            agent: None,
            password: credentials.password.clone(),
            notes: Vec::new(),
        };
        if let Some(pem) = &credentials.key_pem {
            ways.open("the private key", "key".to_owned(), pem.clone(), credentials, before).await?;
        }
        let mut unusable = None;
        for file in &target.key_files {
            let (name, path) = (file.display().to_string(), at_home(file));
            let opened = match tokio::fs::read_to_string(&path).await {
                Ok(pem) => ways.open(&name, format!("key file {name}"), pem.into(), credentials, before).await,
                Err(error) => Err(Error::new(ErrorKind::AuthFailed, format!("read the key file {name}"))
                    .because(error.to_string())
                    .next("give a key file that this program may read")
                    .from_source(error)),
            };
            if let Err(error) = opened {
                ways.notes.push(crate::message(&error));
                unusable.get_or_insert(error);
            }
        }
        if target.use_agent {
            ways.agent = target.agent_socket.clone().or_else(|| std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from));
            if ways.agent.is_none() {
                ways.notes.push("no agent runs here (SSH_AUTH_SOCK is not set)".to_owned());
            }
        }
        if ways.keys.is_empty() && ways.agent.is_none() && ways.password.is_none() {
            return Err(unusable.unwrap_or_else(|| {
                Error::new(ErrorKind::AuthFailed, "log in")
                    .because(match ways.notes.as_slice() {
                        [] => "there is neither a key nor an agent nor a password to log in with".to_owned(),
                        notes => notes.join("; "),
                    })
                    .next("give a private key, a key file, a password, or allow the SSH agent")
            }));
        }
        Ok(ways)
    }

    /// Adds a key, `shown` as this when it is tried; opened anew only where its text is another than before.
    async fn open(
        &mut self,
        name: &str,
        shown: String,
        pem: SecretString,
        credentials: &SshCredentials,
        before: Option<&Self>,
    ) -> Result<()> {
        let hash: TextHash = Sha256::digest(pem.expose_secret()).into();
        let known = before.into_iter().flat_map(|before| &before.opened).find(|(text, _)| *text == hash);
        let key = match known {
            Some((_, key)) => key.clone(),
            None => open(name, pem, credentials.passphrase.clone()).await?,
        };
        self.opened.push((hash, key.clone()));
        self.keys.push((shown, key));
        Ok(())
    }

    /// Logs in.
    ///
    /// # Errors
    /// [`ErrorKind::AuthFailed`], saying what was tried and what the server offers.
    pub(super) async fn log_in(&self, handle: &mut Handle<Client>, user: &str) -> Result<()> {
        let mut log_in = LogIn { handle, user, offered: None, tried: Vec::new(), notes: self.notes.clone() };
        match self.try_all(&mut log_in).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(log_in.refused(None)),
            Err(error) => Err(log_in.refused(Some(error))),
        }
    }

    async fn try_all(&self, log_in: &mut LogIn<'_>) -> Result<bool, russh::Error> {
        for (name, key) in &self.keys {
            if log_in.allows(MethodKind::PublicKey) && log_in.key(name, key).await? {
                return Ok(true);
            }
        }
        if let Some(socket) = &self.agent
            && log_in.allows(MethodKind::PublicKey)
            && log_in.agent(socket).await?
        {
            return Ok(true);
        }
        let Some(password) = &self.password else { return Ok(false) };
        if log_in.allows(MethodKind::Password) && log_in.password(password).await? {
            return Ok(true);
        }
        Ok(log_in.allows(MethodKind::KeyboardInteractive) && log_in.answer(password).await?)
    }
}

/// One log-in under way.
struct LogIn<'a> {
    handle: &'a mut Handle<Client>,
    user: &'a str,
    /// What the server said it would take; nothing is known before the first refusal.
    offered: Option<MethodSet>,
    tried: Vec<String>,
    notes: Vec<String>,
}

impl LogIn<'_> {
    fn allows(&self, method: MethodKind) -> bool {
        self.offered.as_ref().is_none_or(|offered| offered.contains(&method))
    }

    fn outcome(&mut self, tried: String, result: AuthResult) -> Result<bool, russh::Error> {
        match result {
            AuthResult::Success => Ok(true),
            AuthResult::Failure { remaining_methods, partial_success } => {
                // Nothing offered at all is how a connection that went away looks here.
                if remaining_methods.is_empty() && self.handle.is_closed() {
                    self.tried.push(tried);
                    return Err(russh::Error::Disconnect);
                }
                self.offered = Some(remaining_methods);
                self.tried.push(if partial_success { format!("{tried} (taken, but not enough)") } else { tried });
                Ok(false)
            }
        }
    }

    async fn key(&mut self, name: &str, key: &Arc<PrivateKey>) -> Result<bool, russh::Error> {
        let hash = match self.hash_for(key.algorithm()).await? {
            Ok(hash) => hash,
            Err(why) => {
                self.notes.push(why);
                return Ok(false);
            }
        };
        let tried = format!("{name} ({})", key.algorithm());
        let key = PrivateKeyWithHashAlg::new(key.clone(), hash);
        let result = self.handle.authenticate_publickey(self.user, key).await?;
        self.outcome(tried, result)
    }

    async fn agent(&mut self, socket: &Path) -> Result<bool, russh::Error> {
        let (mut agent, identities) = match keys_of(socket).await {
            Ok(found) => found,
            Err(error) => {
                self.notes.push(format!("the agent at {} does not help: {error}", socket.display()));
                return Ok(false);
            }
        };
        if identities.is_empty() {
            self.notes.push("the agent holds no keys".to_owned());
        }
        for key in identities.into_iter().take(AGENT_KEYS) {
            if !self.allows(MethodKind::PublicKey) {
                break;
            }
            let Ok(hash) = self.hash_for(key.algorithm()).await? else { continue };
            let tried = format!("agent key ({})", key.algorithm());
            match self.handle.authenticate_publickey_with(self.user, key, hash, &mut agent).await {
                Ok(result) => {
                    if self.outcome(tried, result)? {
                        return Ok(true);
                    }
                }
                Err(error) => self.notes.push(format!("the agent would not sign: {error}")),
            }
        }
        Ok(false)
    }

    async fn password(&mut self, password: &SecretString) -> Result<bool, russh::Error> {
        let result = self.handle.authenticate_password(self.user, password.expose_secret()).await?;
        self.outcome("password".to_owned(), result)
    }

    /// Keyboard-interactive: the password answers a single question that is not to be echoed, and nothing else.
    async fn answer(&mut self, password: &SecretString) -> Result<bool, russh::Error> {
        let tried = "keyboard-interactive".to_owned();
        let mut reply = self.handle.authenticate_keyboard_interactive_start(self.user, None::<String>).await?;
        for _ in 0..QUESTIONS {
            match reply {
                KeyboardInteractiveAuthResponse::Success => return Ok(true),
                KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                    let result = AuthResult::Failure { remaining_methods, partial_success };
                    return self.outcome(tried, result);
                }
                KeyboardInteractiveAuthResponse::InfoRequest { ref prompts, .. } => {
                    let answers = match prompts.as_slice() {
                        [] => Vec::new(),
                        [one] if !one.echo => vec![password.expose_secret().to_owned()],
                        many => {
                            let asked = many.iter().map(|one| one.prompt.trim()).collect::<Vec<_>>().join(" / ");
                            self.notes.push(format!("the server asks something else than a password: {asked}"));
                            break;
                        }
                    };
                    reply = self.handle.authenticate_keyboard_interactive_respond(answers).await?;
                }
            }
        }
        self.tried.push(tried);
        Ok(false)
    }

    /// RSA keys sign with SHA-2; which one, the server says.
    async fn hash_for(&self, algorithm: Algorithm) -> Result<Result<Option<HashAlg>, String>, russh::Error> {
        if !matches!(algorithm, Algorithm::Rsa { .. }) {
            return Ok(Ok(None));
        }
        Ok(match self.handle.best_supported_rsa_hash().await? {
            Some(Some(hash)) => Ok(Some(hash)),
            Some(None) => Err("the server takes RSA keys only with SHA-1, which is not safe".to_owned()),
            None => Ok(Some(HashAlg::Sha256)),
        })
    }

    fn refused(self, error: Option<russh::Error>) -> Error {
        let mut cause = match self.tried.as_slice() {
            [] => "nothing that there is to log in with is taken by the server".to_owned(),
            tried => format!("the server refused {}", tried.join(", ")),
        };
        if let Some(offered) = &self.offered {
            let offered: Vec<&str> = offered.iter().map(Into::into).collect();
            let offered = if offered.is_empty() { "nothing more".to_owned() } else { offered.join(", ") };
            cause.push_str(&format!("; it offers {offered}"));
        }
        for note in &self.notes {
            cause.push_str("; ");
            cause.push_str(note);
        }
        let kind = match &error {
            Some(_) if self.tried.is_empty() => ErrorKind::Unreachable,
            _ => ErrorKind::AuthFailed,
        };
        if let Some(error) = &error {
            cause = format!("the server closed the connection during the log-in ({error}); {cause}");
        }
        Error::new(kind, format!("log in as {}", self.user))
            .because(cause)
            .next(format!("check that the account {} exists there and takes this key or password", self.user))
    }
}

type Agent = AgentClient<tokio::net::UnixStream>;

async fn keys_of(socket: &Path) -> Result<(Agent, Vec<PublicKey>), russh::keys::Error> {
    let mut agent = AgentClient::connect_uds(socket).await?;
    let identities = agent.request_identities().await?;
    let keys = identities.into_iter().filter_map(|identity| match identity {
        AgentIdentity::PublicKey { key, .. } => Some(key),
        AgentIdentity::Certificate { .. } => None,
    });
    let keys = keys.collect();
    Ok((agent, keys))
}

/// Opens a private key away from the threads that serve connections: a passphrase is slow on purpose.
async fn open(name: &str, pem: SecretString, passphrase: Option<SecretString>) -> Result<Arc<PrivateKey>> {
    let attempt = format!("open {name}");
    let given = passphrase.is_some();
    let encrypted = is_encrypted(pem.expose_secret());
    if encrypted && !given {
        return Err(Error::new(ErrorKind::AuthFailed, attempt)
            .because("it is encrypted, and no passphrase was given")
            .next("give the key's passphrase"));
    }
    let opened = tokio::task::spawn_blocking(move || {
        let passphrase = passphrase.as_ref().filter(|_| encrypted).map(ExposeSecret::expose_secret);
        russh::keys::decode_secret_key(pem.expose_secret(), passphrase)
    });
    match opened.await {
        Ok(Ok(key)) => Ok(Arc::new(key)),
        Ok(Err(_)) if encrypted => Err(Error::new(ErrorKind::AuthFailed, attempt)
            .because("the passphrase is wrong, or the key is damaged")
            .next("give the key's passphrase")),
        Ok(Err(error)) => Err(Error::new(ErrorKind::Invalid, attempt)
            .because(format!("it is not a private key that is understood ({error})"))
            .next("give an ed25519, ECDSA or RSA key as OpenSSH writes it")),
        Err(error) => Err(Error::new(ErrorKind::Internal, attempt).because(error.to_string())),
    }
}

fn is_encrypted(pem: &str) -> bool {
    if pem.contains("BEGIN OPENSSH PRIVATE KEY") {
        return PrivateKey::from_openssh(pem.trim()).is_ok_and(|key| key.is_encrypted());
    }
    pem.contains("BEGIN ENCRYPTED PRIVATE KEY") || pem.contains("Proc-Type: 4,ENCRYPTED")
}

/// The key files that OpenSSH tries when none is named, as far as they exist here.
pub fn default_key_files() -> Vec<PathBuf> {
    let names = ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"];
    names.iter().map(|name| at_home(Path::new(name))).filter(|path| path.is_file()).collect()
}

/// A path with `~` for the home directory.
pub(super) fn at_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}
