//! Hosts taken in: one by one over SSH, or many at once out of what people have already.

use std::collections::{BTreeSet, HashSet};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::{
    Fleet, ImportFormat,
    import::{self, NamedHost},
    machines::{become_root, named},
    names,
    observe::free_name,
};
use crate::{
    Error, ErrorKind, Result,
    host::{Host as _, linux::LinuxMachine},
    model::{Connection, ConnectionId, Host, HostId, HostView, Jump, Link, Reach, SshReach, Sudo},
    transport::ssh::{SshConfig, SshCredentials},
};

/// A host to be added, reached over SSH.
#[derive(Clone, Debug)]
pub struct NewHost {
    /// Name or address.
    pub address: String,
    /// Defaults to 22.
    pub port: u16,
    /// Defaults to root.
    pub user: String,
    /// What to call it. Defaults to the address.
    pub name: Option<String>,
    /// Groups to put it in.
    pub groups: BTreeSet<String>,
    /// Tags to give it.
    pub tags: BTreeSet<String>,
    /// Hosts to go through.
    pub jumps: Vec<Jump>,
    /// How to log in.
    pub auth: SshAuth,
    /// How to become root there.
    pub sudo: SudoChoice,
    /// The fingerprint (`SHA256:...`) of an unknown host key that is to be accepted; several, for hosts on the way,
    /// joined by commas.
    pub accept_host_key: Option<String>,
    /// Store it without connecting first.
    pub unchecked: bool,
}

/// How to log in over SSH. What is given is tried; nothing given means the agent.
#[derive(Clone, Debug, Default)]
pub struct SshAuth {
    /// Ask the running SSH agent.
    pub agent: bool,
    /// A private key, as text.
    pub key: Option<SecretString>,
    /// The passphrase of the key or key file.
    pub passphrase: Option<SecretString>,
    /// A password.
    pub password: Option<SecretString>,
    /// Private key files, read at each log-in and tried in this order.
    pub key_files: Vec<String>,
}

/// How to become root.
#[derive(Clone, Debug, Default)]
pub enum SudoChoice {
    /// Not at all.
    #[default]
    None,
    /// `sudo -n`.
    NoPassword,
    /// With this password, over stdin.
    Password(SecretString),
}

/// What an import found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportReport {
    /// Every host that the text names.
    pub found: Vec<ImportedHost>,
    /// How many were added.
    pub added: usize,
}

/// One host that a text names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedHost {
    /// What the text calls it.
    pub name: String,
    /// Where it is.
    pub address: String,
    /// SSH port.
    pub port: u16,
    /// Account.
    pub user: String,
    /// Its groups.
    pub groups: BTreeSet<String>,
    /// Whether it can be added.
    pub state: ImportedState,
    /// Why not.
    pub why: Option<String>,
}

/// Whether an imported host can be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ImportedState {
    /// It is added (or would be).
    New,
    /// It is in the fleet already.
    Known,
    /// It cannot be used.
    Invalid,
}

impl NewHost {
    /// A host at an address, with everything else by default: root, port 22, the SSH agent.
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            port: 22,
            user: "root".to_owned(),
            name: None,
            groups: BTreeSet::new(),
            tags: BTreeSet::new(),
            jumps: Vec::new(),
            auth: SshAuth { agent: true, ..SshAuth::default() },
            sudo: SudoChoice::None,
            accept_host_key: None,
            unchecked: false,
        }
    }

    /// `user@host:port`, `[v6-address]:port`; user and port may be left out.
    ///
    /// # Errors
    /// `Invalid` when it is no such thing.
    pub fn parse(text: &str) -> Result<Self> {
        let jump = parse_jump(text)?;
        Ok(Self { port: jump.port, user: jump.user, ..Self::new(jump.address) })
    }
}

impl NewHost {
    /// Fills in what an SSH configuration says of an alias. A user or port that is given with it (`user@alias:port`)
    /// stays.
    ///
    /// # Errors
    /// `Invalid` when the alias is none.
    pub fn from_ssh_config(alias: &str, config: &SshConfig) -> Result<Self> {
        let given = parse_jump(alias)?;
        let options = config.resolve(&given.address);
        let reach = options.reach("root");
        let mut new = Self::new(reach.address);
        new.user = if alias.contains('@') { given.user } else { reach.user };
        new.port = if given.port == 22 { reach.port } else { given.port };
        new.jumps = reach.jumps;
        new.auth.agent = reach.use_agent;
        new.auth.key_files = reach.key_files;
        new.name = (new.address != given.address).then_some(given.address);
        Ok(new)
    }
}

/// Reads `user@host:port`; the user defaults to root and the port to 22.
///
/// # Errors
/// `Invalid` when it is no such thing.
pub fn parse_jump(text: &str) -> Result<Jump> {
    let invalid = |cause: &str| {
        Error::new(ErrorKind::Invalid, format!("read the address {text:?}"))
            .because(cause)
            .next("write it as user@host:port, or user@[v6-address]:port")
    };
    let text = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
    let (user, place) = text.rsplit_once('@').unwrap_or(("root", text));
    let (address, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (address, None),
        Some((address, rest)) => {
            (address, Some(rest.strip_prefix(':').ok_or_else(|| invalid("after ] stands :port"))?))
        }
        // More than one colon without brackets: an IPv6 address alone.
        None => match place.split_once(':') {
            Some((address, port)) if !port.contains(':') => (address, Some(port)),
            _ => (place, None),
        },
    };
    let port = match port {
        None => 22,
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| invalid("its port is no number from 1 to 65535"))?,
    };
    if address.is_empty() || user.is_empty() {
        return Err(invalid("it names no host or no user"));
    }
    if [address, user]
        .iter()
        .any(|part| part.chars().any(|c| c.is_control() || c.is_whitespace()) || part.starts_with('-'))
    {
        return Err(invalid("blanks and control characters may not be in it, nor may a part begin with -"));
    }
    Ok(Jump { address: address.to_owned(), port, user: user.to_owned(), host_key: None })
}

impl Fleet {
    /// Adds a host. It is connected to first; nothing is stored before that worked, unless it is added unchecked. A
    /// machine that is in the fleet already by another way gets this way added and stays one record.
    ///
    /// # Errors
    /// `HostKeyUnknown` with the fingerprint, to be shown and accepted; `Conflict` when the name is taken; whatever
    /// keeps the host from being reached.
    pub async fn add_host(&self, new: NewHost) -> Result<HostView> {
        let mut reach = reach(&new)?;
        let credentials = credentials(&new);
        let name = self.name_for(&new).await?;
        let mut identity = None;
        if !new.unchecked {
            let ssh = std::sync::Arc::new(self.ssh(&reach, credentials.clone(), new.accept_host_key.clone()));
            let machine = LinuxMachine::new(ssh.clone(), become_root(reach.sudo, credentials.sudo_password.clone()));
            let looked = machine.observe(self.now()).await;
            // Jump hosts first, the host itself last.
            let mut keys = ssh.host_keys().into_iter().map(|key| key.public_key);
            reach.jumps.iter_mut().zip(&mut keys).for_each(|(jump, key)| jump.host_key = key);
            reach.host_key = keys.next().flatten();
            machine.close().await;
            identity = Some(looked.map_err(|error| error.renamed(name.clone()))?.identity);
        }
        let connection = Connection {
            id: ConnectionId::generate(),
            name: name.clone(),
            reach: Reach::Ssh(reach),
            credentials_changed_at: None,
        };
        let link = Link::Ssh { connection: connection.id.clone() };
        let id = match identity.as_ref() {
            Some(identity) => self.same_machine(identity, &new.address).await?,
            None => None,
        };
        let secrets = named(&credentials);
        let host = match id {
            Some(host) => {
                let edit = |host: &mut Host| {
                    host.links.push(link);
                    host.groups.extend(new.groups);
                    host.tags.extend(new.tags);
                };
                self.store().edit_host_with_connection(&host.id, &connection, &secrets, Box::new(edit)).await?
            }
            None => {
                let host = Host {
                    id: HostId::generate(),
                    name,
                    groups: new.groups,
                    tags: new.tags,
                    maintenance: false,
                    links: vec![link],
                };
                self.store().save_host_with_connection(&host, &connection, &secrets).await?;
                host
            }
        };
        if let Some(identity) = &identity {
            self.store().put_identity(&host.id, identity).await?;
        }
        self.sync().await?;
        if identity.is_some()
            && let Some((seen, _)) = self.look_at_host(&host.id).await
        {
            self.write_down(&[seen]).await?;
        }
        self.find(host.id.as_str()).await
    }

    /// A host as `~/.ssh/config` knows it, or as it is written: `user@host:port`.
    ///
    /// # Errors
    /// `Invalid` when it is no address, or the file cannot be read.
    pub fn host_from_ssh_config(&self, text: &str) -> Result<NewHost> {
        let file = self.inner.options.home.as_ref().map(|home| home.join(".ssh/config"));
        match file.filter(|file| file.exists()) {
            Some(file) => NewHost::from_ssh_config(text, &SshConfig::load(&file)?),
            None => NewHost::parse(text),
        }
    }

    /// The name for a new host: as given, and then it must be free; or the address, made free.
    async fn name_for(&self, new: &NewHost) -> Result<String> {
        let status = self.status().await?;
        let taken = |name: &str| status.hosts.iter().any(|host| host.name == name);
        let Some(name) = &new.name else {
            let name = free_name(&new.address, taken);
            return names::check("name", &name).map(|()| name);
        };
        names::check("name", name)?;
        match taken(name) {
            false => Ok(name.clone()),
            true => Err(Error::new(ErrorKind::Conflict, format!("add host {name}"))
                .because("a host of that name is in the fleet")
                .next("give it another one with --name, or remove the other host first")),
        }
    }

    /// Adds the hosts that a text names, unchecked: each is connected to by the first observation. A dry run only says
    /// what would be added.
    ///
    /// # Errors
    /// `Invalid`, with the place, when the text cannot be read.
    pub async fn import(&self, format: ImportFormat, text: &str, dry_run: bool) -> Result<ImportReport> {
        self.import_hosts(import::parse(format, text)?, dry_run).await
    }

    /// Adds hosts that some text named; see [`Fleet::import`].
    ///
    /// # Errors
    /// `Storage` when they cannot be stored. A host that cannot be used says so in the report.
    pub async fn import_hosts(&self, named: Vec<NamedHost>, dry_run: bool) -> Result<ImportReport> {
        let mut taken: HashSet<String> = self.status().await?.hosts.into_iter().map(|host| host.name).collect();
        let (mut found, mut new) = (Vec::new(), Vec::new());
        for named in named {
            let (state, why) = match (taken.contains(&named.name), &named.problem) {
                (true, _) => (ImportedState::Known, None),
                (false, Some(why)) => (ImportedState::Invalid, Some(why.clone())),
                (false, None) => match record(&named) {
                    Err(error) => (ImportedState::Invalid, Some(crate::message(&error))),
                    Ok(record) => {
                        taken.insert(named.name.clone());
                        new.push(record);
                        (ImportedState::New, None)
                    }
                },
            };
            found.push(imported(named, state, why));
        }
        let added = if dry_run { 0 } else { new.len() };
        if added > 0 {
            self.store().insert_hosts_with_connections(&new).await?;
            self.sync().await?;
        }
        Ok(ImportReport { found, added })
    }
}

fn reach(new: &NewHost) -> Result<SshReach> {
    // The same rules as for an address that is written in one piece.
    parse_jump(&format!("{}@[{}]:{}", new.user, new.address, new.port))?;
    new.groups.iter().try_for_each(|name| names::check("group", name))?;
    new.tags.iter().try_for_each(|name| names::check("tag", name))?;
    Ok(SshReach {
        address: new.address.clone(),
        port: new.port,
        user: new.user.clone(),
        jumps: new.jumps.clone(),
        use_agent: new.auth.agent,
        key_files: new.auth.key_files.clone(),
        sudo: match new.sudo {
            SudoChoice::None => Sudo::None,
            SudoChoice::NoPassword => Sudo::NoPassword,
            SudoChoice::Password(_) => Sudo::Password,
        },
        host_key: None,
    })
}

fn credentials(new: &NewHost) -> SshCredentials {
    SshCredentials {
        key_pem: new.auth.key.clone(),
        passphrase: new.auth.passphrase.clone(),
        password: new.auth.password.clone(),
        sudo_password: match &new.sudo {
            SudoChoice::Password(password) => Some(password.clone()),
            SudoChoice::None | SudoChoice::NoPassword => None,
        },
    }
}

/// The record of a host that a text names, and the connection it comes in by.
fn record(named: &NamedHost) -> Result<(Host, Connection)> {
    names::check("name", &named.name)?;
    let mut new = NewHost::new(named.address.clone());
    new.port = named.port.unwrap_or(new.port);
    new.user = named.user.clone().unwrap_or(new.user);
    new.groups = named.groups.clone();
    new.auth.key_files = named.key_files.clone();
    new.jumps = named.jumps.iter().map(|jump| parse_jump(jump)).collect::<Result<_>>()?;
    let reach = Reach::Ssh(reach(&new)?);
    let connection =
        Connection { id: ConnectionId::generate(), name: named.name.clone(), reach, credentials_changed_at: None };
    let host = Host {
        id: HostId::generate(),
        name: named.name.clone(),
        groups: new.groups,
        tags: new.tags,
        maintenance: false,
        links: vec![Link::Ssh { connection: connection.id.clone() }],
    };
    Ok((host, connection))
}

fn imported(named: NamedHost, state: ImportedState, why: Option<String>) -> ImportedHost {
    ImportedHost {
        name: named.name,
        address: named.address,
        port: named.port.unwrap_or(22),
        user: named.user.unwrap_or_else(|| "root".to_owned()),
        groups: named.groups,
        state,
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_filled_in_and_what_was_given_stays() {
        let text =
            "Host pi\n HostName 192.0.2.3\n User me\n Port 2222\n IdentityFile /keys/pi\n IdentityFile /keys/old\n";
        let config = SshConfig::parse(text, |_| Vec::new());
        let new = NewHost::from_ssh_config("pi", &config).expect("an alias");
        let found = (new.address.as_str(), new.user.as_str(), new.port, new.name.as_deref());
        assert_eq!(found, ("192.0.2.3", "me", 2222, Some("pi")));
        assert_eq!(new.auth.key_files, ["/keys/pi", "/keys/old"]);
        let new = NewHost::from_ssh_config("you@pi:22022", &config).expect("an alias");
        assert_eq!((new.user.as_str(), new.port), ("you", 22022));
        let new = NewHost::from_ssh_config("other", &config).expect("an address");
        assert_eq!((new.address.as_str(), new.user.as_str(), new.name), ("other", "root", None));
    }

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let read = |text| parse_jump(text).map(|jump| format!("{}|{}|{}", jump.user, jump.address, jump.port));
        for (text, parts) in [
            ("pi", "root|pi|22"),
            ("me@pi:2222", "me|pi|2222"),
            ("me@[fe80::1]:22", "me|fe80::1|22"),
            ("fe80::1", "root|fe80::1|22"),
            ("ssh://me@nas/", "me|nas|22"),
            ("a@b@host", "a@b|host|22"),
        ] {
            assert_eq!(read(text).expect(text), parts);
        }
        for text in ["", "me@", "@pi", "pi:0", "pi:ssh", "pi:70000", "a b", "-oProxyCommand=x", "me@[::1]x", "pi\n"] {
            assert_eq!(read(text).expect_err(text).kind(), ErrorKind::Invalid);
        }
    }
}
