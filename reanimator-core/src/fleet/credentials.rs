//! Credentials, write-only: replaced and removed, and listed by their names alone.
//!
//! What is stored is never given out again. A connection's record notes when its credentials changed, so that every
//! process that looks after the fleet builds its way to the host anew and logs in with the new ones, without a restart.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Fleet, ProxmoxSecret, clusters::login, machines::secret};
use crate::{
    Error, ErrorKind, Result,
    model::{Connection, Link, ProxmoxAuth, Reach, SshReach, Sudo},
    store::NamedSecret,
};

/// Secrets longer than this are refused; a private key has some 3 KiB.
const LONGEST_SECRET: usize = 64 * 1024;

/// What of the credentials of one host or cluster is known to everybody: that they are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialsView {
    /// Whose they are.
    pub subject: CredentialSubject,
    /// Which ones are stored: `password`, `key`, `passphrase`, `sudo`, `token`.
    pub names: Vec<String>,
    /// As whom they log in: `root`, `root@pam`, `root@pam!name`.
    pub user: String,
    /// When they were last replaced or removed; absent where they are those of the beginning.
    pub changed_at: Option<jiff::Timestamp>,
}

/// A host that is reached over SSH, or a connected cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialSubject {
    /// Which of them.
    pub kind: CredentialKind,
    /// The id of the host or the Proxmox connection.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What has credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// A host over SSH.
    Host,
    /// A Proxmox connection.
    Proxmox,
}

/// New credentials of a host; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct NewSshCredentials {
    /// Whom to log in as.
    pub user: Option<String>,
    /// A password.
    pub password: Option<SecretString>,
    /// A private key, as text. The passphrase of the one before goes with it.
    pub key: Option<SecretString>,
    /// The passphrase of the key, or of key files.
    pub passphrase: Option<SecretString>,
    /// The password for sudo, which is used from then on.
    pub sudo_password: Option<SecretString>,
}

impl Fleet {
    /// Whose credentials are stored, and which, without any of them: hosts first, then clusters.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn credentials_stored(&self) -> Result<Vec<CredentialsView>> {
        let connections = self.store().connections().await?;
        let mut views = Vec::new();
        for host in self.store().hosts().await? {
            let way = ssh_link(&host.links).and_then(|link| connections.iter().find(|each| each.id == *link));
            if let Some(connection) = way {
                let (kind, id, name) = (CredentialKind::Host, host.id.0.clone(), host.name.clone());
                views.push(self.credentials_view(CredentialSubject { kind, id, name }, connection).await?);
            }
        }
        for connection in connections.iter().filter(|each| matches!(each.reach, Reach::Proxmox(_))) {
            views.push(self.credentials_view(of_cluster(connection), connection).await?);
        }
        Ok(views)
    }

    /// Replaces some of a host's credentials. It logs in with them the next time, which is at once.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for a host that is not reached over SSH, for an empty or too long secret, or when nothing is
    /// given.
    pub async fn set_host_credentials(&self, host: &str, new: NewSshCredentials) -> Result<CredentialsView> {
        let (subject, mut connection, mut reach) = self.ssh_way(host, "replace its credentials").await?;
        let NewSshCredentials { user, password, key, passphrase, sudo_password } = new;
        if user.is_none() && [&password, &key, &passphrase, &sudo_password].iter().all(|each| each.is_none()) {
            return Err(nothing_given(&subject.name, "a user, a password, a key, a passphrase or a sudo password"));
        }
        let deleted: &[&str] = if key.is_some() && passphrase.is_none() { &[secret::PASSPHRASE] } else { &[] };
        let stored = named([
            (secret::PASSWORD, password),
            (secret::KEY, key),
            (secret::PASSPHRASE, passphrase),
            (secret::SUDO, sudo_password),
        ])?;
        if stored.iter().any(|(name, _)| name == secret::SUDO) {
            reach.sudo = Sudo::Password;
        }
        if let Some(user) = user {
            // The same rule as for an address that is typed.
            super::parse_jump(&format!("{user}@host"))?;
            reach.user = user;
        }
        connection.reach = Reach::Ssh(reach);
        self.change_credentials(subject, connection, &stored, deleted).await
    }

    /// Replaces what a Proxmox connection logs in with. What it logged in with before is deleted.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` for what is no token, or a user without a realm.
    pub async fn set_proxmox_credentials(&self, id_or_name: &str, new: &ProxmoxSecret) -> Result<CredentialsView> {
        let mut connection = self.find_proxmox(id_or_name).await?;
        let (auth, name, value) = login(new)?;
        let other = if name == secret::TOKEN { secret::PASSWORD } else { secret::TOKEN };
        if let Reach::Proxmox(reach) = &mut connection.reach {
            reach.auth = auth;
        }
        let stored = named([(name, Some(value))])?;
        self.change_credentials(of_cluster(&connection), connection, &stored, &[other]).await
    }

    /// Removes some of a host's credentials by their names. Without any it is reached by the SSH agent or key files, if
    /// it was added so.
    ///
    /// # Errors
    /// `NotFound` for the host, or a credential that is not stored; `Invalid` for a host that is not reached over SSH.
    pub async fn remove_host_credentials(&self, host: &str, names: &[String]) -> Result<CredentialsView> {
        let (subject, mut connection, mut reach) = self.ssh_way(host, "remove its credentials").await?;
        let names = self.stored_of(&subject, &connection, names).await?;
        if names.contains(&secret::SUDO) && reach.sudo == Sudo::Password {
            reach.sudo = Sudo::NoPassword;
        }
        connection.reach = Reach::Ssh(reach);
        self.change_credentials(subject, connection, &[], &names).await
    }

    /// Removes a Proxmox connection's credentials, as far as it does not log in with them.
    ///
    /// # Errors
    /// `NotFound` for the connection, or a credential that is not stored; `Conflict` for the one that it logs in with.
    pub async fn remove_proxmox_credentials(&self, id_or_name: &str, names: &[String]) -> Result<CredentialsView> {
        let connection = self.find_proxmox(id_or_name).await?;
        let names = self.stored_of(&of_cluster(&connection), &connection, names).await?;
        let used = match &connection.reach {
            Reach::Proxmox(reach) if matches!(reach.auth, ProxmoxAuth::Token { .. }) => secret::TOKEN,
            _ => secret::PASSWORD,
        };
        if names.contains(&used) {
            return Err(Error::new(ErrorKind::Conflict, format!("remove its {used}"))
                .on(connection.name)
                .because("it is what the connection logs in with")
                .next("replace it with another login, or remove the connection"));
        }
        self.change_credentials(of_cluster(&connection), connection, &[], &names).await
    }

    async fn change_credentials(
        &self,
        subject: CredentialSubject,
        mut connection: Connection,
        stored: &[NamedSecret],
        deleted: &[&str],
    ) -> Result<CredentialsView> {
        connection.credentials_changed_at = Some(self.now());
        self.store().update_credentials(&connection, stored, deleted).await?;
        self.sync().await?;
        self.credentials_view(subject, &connection).await
    }

    /// The SSH connection of a host.
    async fn ssh_way(&self, host: &str, attempt: &str) -> Result<(CredentialSubject, Connection, SshReach)> {
        let view = self.find(host).await?;
        let record = self.record(&view.id).await?;
        let connection = match ssh_link(&record.links) {
            Some(link) => self.store().connection(link).await?,
            None => None,
        };
        let ssh = connection.and_then(|connection| match &connection.reach {
            Reach::Ssh(reach) => Some((reach.clone(), connection)),
            Reach::Local | Reach::Proxmox(_) => None,
        });
        let (reach, connection) = ssh.ok_or_else(|| {
            Error::new(ErrorKind::Invalid, attempt)
                .on(&*record.name)
                .because("it is not reached over SSH")
                .next("add it with `reanimator host add` first, or change the login of its Proxmox connection")
        })?;
        let subject = CredentialSubject { kind: CredentialKind::Host, id: record.id.0, name: record.name };
        Ok((subject, connection, reach))
    }

    /// The names, where all of them are stored.
    async fn stored_of<'a>(
        &self,
        subject: &CredentialSubject,
        connection: &Connection,
        names: &'a [String],
    ) -> Result<Vec<&'a str>> {
        if names.is_empty() {
            return Err(nothing_given(&subject.name, "the names of credentials"));
        }
        let stored = self.store().secret_names(connection.id.as_str()).await?;
        let there = if stored.is_empty() { "none".to_owned() } else { stored.join(", ") };
        match names.iter().find(|name| !stored.contains(name)) {
            None => Ok(names.iter().map(String::as_str).collect()),
            Some(name) => Err(Error::new(ErrorKind::NotFound, format!("remove its credential {name:?}"))
                .on(&*subject.name)
                .because(format!("stored are: {there}"))
                .next("name one of those")),
        }
    }

    async fn credentials_view(&self, subject: CredentialSubject, connection: &Connection) -> Result<CredentialsView> {
        let names = self.store().secret_names(connection.id.as_str()).await?;
        let user = match &connection.reach {
            Reach::Ssh(reach) => reach.user.clone(),
            Reach::Proxmox(reach) => match &reach.auth {
                ProxmoxAuth::Token { id } => id.clone(),
                ProxmoxAuth::Ticket { user } => user.clone(),
            },
            Reach::Local => String::new(),
        };
        Ok(CredentialsView { subject, names, user, changed_at: connection.credentials_changed_at })
    }
}

fn ssh_link(links: &[Link]) -> Option<&crate::model::ConnectionId> {
    links.iter().find(|link| matches!(link, Link::Ssh { .. })).map(Link::connection)
}

fn of_cluster(connection: &Connection) -> CredentialSubject {
    CredentialSubject { kind: CredentialKind::Proxmox, id: connection.id.0.clone(), name: connection.name.clone() }
}

/// Those that are given, each no longer than a secret may be.
fn named<const N: usize>(given: [(&str, Option<SecretString>); N]) -> Result<Vec<NamedSecret>> {
    let checked = |(name, value): (&str, Option<SecretString>)| {
        value.map(|value| match value.expose_secret().len() {
            1..=LONGEST_SECRET => Ok((name.to_owned(), value)),
            length => Err(Error::new(ErrorKind::Invalid, format!("take the new {name}"))
                .because(if length == 0 { "it is empty" } else { "it is longer than 64 KiB" })
                .next("give it anew, or remove the one that is stored")),
        })
    };
    given.into_iter().filter_map(checked).collect()
}

fn nothing_given(on: &str, what: &str) -> Error {
    Error::new(ErrorKind::Invalid, "change its credentials")
        .on(on)
        .because("nothing was given")
        .next(format!("give {what}"))
}

#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::{FleetOptions, fleet::NewHost, model::HostId};

    /// A fleet with a host that nobody can reach, with a password.
    async fn fleet() -> (Fleet, tempfile::TempDir) {
        let directory = tempfile::tempdir().unwrap();
        let options = FleetOptions { with_this_machine: false, ..FleetOptions::new(directory.path()) };
        let fleet = Fleet::open(options).await.unwrap();
        let mut new = NewHost { name: Some("web1".into()), unchecked: true, ..NewHost::new("192.0.2.1") };
        new.auth.password = Some("first".into());
        fleet.add_host(new).await.unwrap();
        (fleet, directory)
    }

    fn machine(fleet: &Fleet, id: &HostId) -> std::sync::Arc<crate::host::linux::LinuxMachine> {
        fleet.read(|world| world.hosts[id].machine.as_ref().unwrap().1.clone())
    }

    #[tokio::test]
    async fn they_are_replaced_listed_and_removed_and_never_shown() {
        let (fleet, _directory) = fleet().await;
        let views = fleet.credentials_stored().await.unwrap();
        assert_eq!(views.len(), 1);
        assert_eq!((views[0].names.as_slice(), views[0].user.as_str()), (&["password".to_owned()][..], "root"));
        assert_eq!(views[0].changed_at, None);
        let id = HostId(views[0].subject.id.clone());
        let before = machine(&fleet, &id);
        let new = NewSshCredentials {
            user: Some("admin".into()),
            password: Some("second".into()),
            sudo_password: Some("third".into()),
            ..NewSshCredentials::default()
        };
        let view = fleet.set_host_credentials("web1", new).await.unwrap();
        assert_eq!((view.names.join(" "), view.user.as_str()), ("password sudo".to_owned(), "admin"));
        assert!(view.changed_at.is_some());
        assert!(!std::sync::Arc::ptr_eq(&before, &machine(&fleet, &id)), "it would log in with the old ones");
        let text = serde_json::to_string(&fleet.credentials_stored().await.unwrap()).unwrap();
        assert!(["first", "second", "third"].iter().all(|secret| !text.contains(secret)), "{text}");
        let view = fleet.remove_host_credentials("web1", &["sudo".into()]).await.unwrap();
        assert_eq!(view.names, ["password"]);
        let error = fleet.remove_host_credentials("web1", &["sudo".into()]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn another_process_logs_in_anew_too() {
        let (fleet, directory) = fleet().await;
        let options = FleetOptions { with_this_machine: false, ..FleetOptions::new(directory.path()) };
        let other = Fleet::open(options).await.unwrap();
        let id = fleet.status().await.unwrap().hosts[0].id.clone();
        let before = machine(&fleet, &id);
        let new = NewSshCredentials { password: Some("second".into()), ..NewSshCredentials::default() };
        other.set_host_credentials("web1", new).await.unwrap();
        fleet.sync().await.unwrap();
        assert!(!std::sync::Arc::ptr_eq(&before, &machine(&fleet, &id)));
    }

    #[tokio::test]
    async fn a_new_key_takes_the_passphrase_of_the_old_one_away() {
        let (fleet, _directory) = fleet().await;
        let key = |key: &str, passphrase: Option<&str>| NewSshCredentials {
            key: Some(key.into()),
            passphrase: passphrase.map(SecretString::from),
            ..NewSshCredentials::default()
        };
        let with = fleet.set_host_credentials("web1", key("one", Some("open"))).await.unwrap();
        assert_eq!(with.names, ["key", "passphrase", "password"]);
        assert_eq!(fleet.set_host_credentials("web1", key("two", None)).await.unwrap().names, ["key", "password"]);
    }

    #[tokio::test]
    async fn nothing_and_nonsense_are_refused() {
        let (fleet, _directory) = fleet().await;
        let refused = async |new: NewSshCredentials| fleet.set_host_credentials("web1", new).await.unwrap_err().kind();
        assert_eq!(refused(NewSshCredentials::default()).await, ErrorKind::Invalid);
        let empty = NewSshCredentials { password: Some("".into()), ..Default::default() };
        assert_eq!(refused(empty).await, ErrorKind::Invalid);
        let long = NewSshCredentials { key: Some("x".repeat(70_000).into()), ..Default::default() };
        assert_eq!(refused(long).await, ErrorKind::Invalid);
        let strange = NewSshCredentials { user: Some("-o x".into()), ..Default::default() };
        assert_eq!(refused(strange).await, ErrorKind::Invalid);
        assert_eq!(fleet.credentials_stored().await.unwrap()[0].changed_at, None);
    }
}
