//! Which guests: by name, number, id, glob, tag, cluster, node or kind; read as [`Selector`](super::Selector) is.
//!
//! ```
//! use reanimator_core::fleet::GuestSelector;
//! let selector: GuestSelector = "tag:prod&kind:lxc, 101, db*, !db-old".parse()?;
//! assert_eq!(selector.to_string(), "tag:prod&kind:lxc,101,db*,!db-old");
//! # Ok::<(), reanimator_core::Error>(())
//! ```

use std::{fmt, str::FromStr};

use globset::GlobMatcher;

use super::terms::{self, Terms};
use crate::{
    Error, ErrorKind, Result,
    model::{Guest, GuestKind},
};

/// Which guests. Terms joined by commas or blanks each add guests; `a&b` takes those that are both; `!x` takes away.
#[derive(Clone, Debug)]
pub struct GuestSelector {
    terms: Terms<Condition>,
}

#[derive(Clone, Debug)]
enum Condition {
    All,
    /// A name, a number, or an id.
    Called(String),
    Glob(GlobMatcher),
    Tag(String),
    Cluster(String),
    Node(String),
    Kind(GuestKind),
}

impl GuestSelector {
    /// Whether a guest is meant. A name that no guest has means none.
    pub fn covers(&self, guest: &Guest) -> bool {
        self.terms.mean(|condition| condition.holds(guest))
    }
}

impl Condition {
    fn holds(&self, guest: &Guest) -> bool {
        let name = guest.name.as_deref();
        match self {
            Self::All => true,
            Self::Called(text) => name == Some(text) || guest.vmid == *text || guest.id.0 == *text,
            Self::Glob(glob) => name.is_some_and(|name| glob.is_match(name)),
            Self::Tag(tag) => guest.tags.contains(tag),
            Self::Cluster(cluster) => guest.cluster.as_ref() == Some(cluster),
            Self::Node(node) => guest.node == *node,
            Self::Kind(kind) => guest.kind == *kind,
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let keyed = text.split_once(':').and_then(|(key, value)| {
            let value = value.to_owned();
            Some(match key {
                "name" => Ok(Self::Called(value)),
                "tag" => Ok(Self::Tag(value)),
                "cluster" => Ok(Self::Cluster(value)),
                "node" => Ok(Self::Node(value)),
                "kind" => match value.as_str() {
                    "qemu" => Ok(Self::Kind(GuestKind::Qemu)),
                    "lxc" => Ok(Self::Kind(GuestKind::Lxc)),
                    _ => Err(invalid(text, "kinds are qemu and lxc")),
                },
                // A colon also stands in an id.
                _ => return None,
            })
        });
        if text.is_empty() || text.ends_with(':') {
            return Err(invalid(text, "something is missing"));
        }
        match keyed {
            Some(condition) => condition,
            None if text == "all" || text == "*" => Ok(Self::All),
            None if text.contains(['*', '?', '[']) => terms::glob(text, invalid).map(Self::Glob),
            None => Ok(Self::Called(text.to_owned())),
        }
    }
}

fn invalid(text: &str, cause: &str) -> Error {
    let shown: String = text.chars().take(80).collect();
    Error::new(ErrorKind::Invalid, format!("read the guests \"{shown}\""))
        .because(cause)
        .next("write names, numbers or patterns, `all`, `tag:prod`, `cluster:lab`, `node:pve1`, `kind:lxc`, joined by commas; `a&b` for both, `!x` to take away")
}

impl FromStr for GuestSelector {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(Self { terms: Terms::parse(text, invalid, Condition::parse)? })
    }
}

impl fmt::Display for GuestSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.terms.fmt(f)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Called(text) if text.contains(':') => write!(f, "name:{text}"),
            Self::Called(text) => f.write_str(text),
            Self::Glob(glob) => write!(f, "{}", glob.glob()),
            Self::Tag(tag) => write!(f, "tag:{tag}"),
            Self::Cluster(cluster) => write!(f, "cluster:{cluster}"),
            Self::Node(node) => write!(f, "node:{node}"),
            Self::Kind(kind) => write!(f, "kind:{}", kind.as_str()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
pub(super) mod tests {
    use super::*;
    use crate::model::{ConnectionId, GuestId, GuestStatus};

    /// A guest that bears this name and number.
    pub(in crate::fleet) fn guest(name: &str, vmid: u32) -> Guest {
        let connection = ConnectionId::from("c1");
        Guest {
            id: GuestId::new(&connection, vmid),
            connection,
            vmid: vmid.to_string(),
            name: Some(name.to_owned()),
            kind: GuestKind::Qemu,
            node: "pve1".to_owned(),
            host_id: None,
            cluster: Some("lab".to_owned()),
            status: GuestStatus::Running,
            cpu_percent: None,
            cpus: None,
            memory: None,
            disk: None,
            counters: None,
            rates: None,
            uptime_seconds: None,
            tags: Vec::new(),
            template: false,
            linked_host: None,
            observed_at: None,
        }
    }

    #[test]
    fn guests_are_meant_by_what_they_are() {
        let mut guests = [guest("mail", 101), guest("db1", 102), guest("db2", 103)];
        guests[0].tags.push("prod".into());
        guests[1].kind = GuestKind::Lxc;
        guests[2].node = "pve2".into();
        for (text, names) in [
            ("all", "mail db1 db2"),
            ("101, db2", "mail db2"),
            ("c1:102", "db1"),
            ("name:c1:102", "db1"),
            ("db*,!103", "db1"),
            ("tag:prod", "mail"),
            ("cluster:lab&kind:lxc", "db1"),
            ("node:pve2", "db2"),
            ("!mail", "db1 db2"),
            ("nobody", ""),
        ] {
            let selector: GuestSelector = text.parse().unwrap();
            let meant = guests.iter().filter(|guest| selector.covers(guest)).filter_map(|guest| guest.name.as_deref());
            assert_eq!(meant.collect::<Vec<_>>().join(" "), names, "{text}");
            let again: GuestSelector = selector.to_string().parse().unwrap();
            assert_eq!(again.to_string(), selector.to_string());
        }
        for text in ["", " , ", "kind:windows", "tag:", "a&", "[a"] {
            assert!(text.parse::<GuestSelector>().unwrap_err().next_step().is_some(), "{text}");
        }
    }
}
