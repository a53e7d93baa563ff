//! How a host, or a whole Proxmox cluster, is reached. Holds no secret: those are in the store, encrypted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::ConnectionId;

/// A way to reach something: where, as whom, and the identity that was pinned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// What people call it.
    pub name: String,
    /// Where and how.
    pub reach: Reach,
    /// When its credentials were last replaced or removed; `None` where they are those of the beginning. Whoever has
    /// built something from this record sees by it that the secrets are others now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_changed_at: Option<Timestamp>,
}

/// The ways there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reach {
    /// This very machine, without a network.
    Local,
    /// One host over SSH.
    Ssh(SshReach),
    /// A Proxmox cluster, or a node that stands alone, over its API.
    Proxmox(ProxmoxReach),
}

/// Where an SSH server is and as whom to log in there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshReach {
    /// Name or address.
    pub address: String,
    /// Defaults to 22.
    pub port: u16,
    /// The account.
    pub user: String,
    /// Hosts to go through, first one first.
    pub jumps: Vec<Jump>,
    /// Whether the running SSH agent is asked.
    pub use_agent: bool,
    /// Private key files to read at each log-in, on the machine that Reanimator runs on, in the order in which they are
    /// tried. One alone may stand as `key_file`, as it was written once.
    #[serde(default, alias = "key_file", deserialize_with = "one_or_many")]
    pub key_files: Vec<String>,
    /// How to become root there.
    pub sudo: Sudo,
    /// The pinned host key, as a public key line (`ssh-ed25519 AAAA...`).
    pub host_key: Option<String>,
}

/// None, one, or a list of them.
fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Files {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::<Files>::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Files::One(file)) => vec![file],
        Some(Files::Many(files)) => files,
    })
}

/// A host on the way to another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jump {
    /// Name or address.
    pub address: String,
    /// Defaults to 22.
    pub port: u16,
    /// The account.
    pub user: String,
    /// The pinned host key of the jump host.
    pub host_key: Option<String>,
}

/// How to become root.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sudo {
    /// Not at all.
    #[default]
    None,
    /// `sudo -n`.
    NoPassword,
    /// With the stored sudo password, over stdin.
    Password,
}

/// Where a Proxmox cluster's API is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxmoxReach {
    /// The nodes' API addresses; the first that works is asked, the others stand by.
    pub endpoints: Vec<Endpoint>,
    /// How to log in.
    pub auth: ProxmoxAuth,
}

/// One node's API address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Endpoint {
    /// `https://192.0.2.7:8006`
    pub url: String,
    /// SHA-256 of the certificate as `AA:BB:...`; `None` trusts what the system trusts.
    pub fingerprint: Option<String>,
    /// The node that answers there, where it is known: what is asked about it is asked there.
    #[serde(default)]
    pub node: Option<String>,
}

/// How to log in to a Proxmox API; the secret is in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ProxmoxAuth {
    /// An API token: `user@realm!name`.
    Token {
        /// `user@realm!name`
        id: String,
    },
    /// A ticket for a user with a password.
    Ticket {
        /// `root@pam`
        user: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_name_one_key_file_are_still_read() -> Result<(), serde_json::Error> {
        let read = |files: &str| {
            let text = format!(
                r#"{{"address":"pi","port":22,"user":"me","jumps":[],"use_agent":false,{files}"sudo":"none","host_key":null}}"#
            );
            serde_json::from_str::<SshReach>(&text).map(|reach| reach.key_files)
        };
        assert_eq!(read(r#""key_file":"/k","#)?, ["/k"]);
        assert_eq!(read(r#""key_file":null,"#)?, [""; 0]);
        assert_eq!(read("")?, [""; 0]);
        assert_eq!(read(r#""key_files":["/a","/b"],"#)?, ["/a", "/b"]);
        Ok(())
    }
}
