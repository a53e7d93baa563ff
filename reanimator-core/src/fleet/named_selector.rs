//! Which storages, file systems or clusters: by name, id, pattern, node or cluster; read as [`Selector`](super::Selector) is.

use std::{fmt, str::FromStr};

use globset::GlobMatcher;

use super::terms::{self, Terms};
use crate::{Error, ErrorKind, Result};

/// Which of some things that have a name. Terms joined by commas or blanks each add; `a&b` takes both; `!x` takes away.
///
/// ```
/// use reanimator_core::fleet::NamedSelector;
/// let selector: NamedSelector = "all,!/boot*,!node:pve3".parse()?;
/// assert_eq!(selector.to_string(), "all,!/boot*,!node:pve3");
/// # Ok::<(), reanimator_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct NamedSelector {
    terms: Terms<Condition>,
}

/// What a thing is chosen by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    /// The nodes it is on, joined by commas.
    pub(super) node: &'a str,
    pub(super) cluster: Option<&'a str>,
}

#[derive(Clone, Debug)]
enum Condition {
    All,
    Called(String),
    Glob(GlobMatcher),
    Node(String),
    Cluster(String),
}

impl NamedSelector {
    /// Whether a thing is meant. A name that nothing has means none.
    pub(super) fn covers(&self, thing: Named<'_>) -> bool {
        self.terms.mean(|condition| condition.holds(thing))
    }
}

impl Condition {
    fn holds(&self, thing: Named<'_>) -> bool {
        match self {
            Self::All => true,
            Self::Called(text) => thing.name == text || thing.id == text,
            Self::Glob(glob) => glob.is_match(thing.name),
            Self::Node(node) => thing.node.split(',').any(|each| each == node),
            Self::Cluster(cluster) => thing.cluster == Some(cluster),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        if text.is_empty() || text.ends_with(':') {
            return Err(invalid(text, "something is missing"));
        }
        match text.split_once(':') {
            Some(("name", name)) => Ok(Self::Called(name.to_owned())),
            Some(("node", node)) => Ok(Self::Node(node.to_owned())),
            Some(("cluster", cluster)) => Ok(Self::Cluster(cluster.to_owned())),
            _ if text == "all" || text == "*" => Ok(Self::All),
            _ if text.contains(['*', '?', '[']) => terms::glob(text, invalid).map(Self::Glob),
            _ => Ok(Self::Called(text.to_owned())),
        }
    }
}

fn invalid(text: &str, cause: &str) -> Error {
    let shown: String = text.chars().take(80).collect();
    Error::new(ErrorKind::Invalid, format!("read the names \"{shown}\""))
        .because(cause)
        .next("write names such as `local-zfs` or `/var`, patterns, `all`, `node:pve1`, `cluster:lab`, joined by commas; `!x` to take away")
}

impl FromStr for NamedSelector {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(Self { terms: Terms::parse(text, invalid, Condition::parse)? })
    }
}

impl fmt::Display for NamedSelector {
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
            Self::Node(node) => write!(f, "node:{node}"),
            Self::Cluster(cluster) => write!(f, "cluster:{cluster}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn things_are_meant_by_what_they_are() {
        let things = [
            Named { id: "c1:pve1:local", name: "local", node: "pve1", cluster: Some("lab") },
            Named { id: "c1:nfs", name: "nfs", node: "pve1,pve2", cluster: Some("lab") },
            Named { id: "h1:/var", name: "/var", node: "web1", cluster: None },
        ];
        for (text, names) in [
            ("all", "local nfs /var"),
            ("/v*", "/var"),
            ("h1:/var, local", "local /var"),
            ("node:pve2", "nfs"),
            ("cluster:lab&!x", ""),
            ("!cluster:lab", "/var"),
            ("cluster:lab,!nfs", "local"),
            ("nothing", ""),
        ] {
            let selector: NamedSelector = text.parse().unwrap();
            let meant = things.iter().filter(|thing| selector.covers(**thing)).map(|thing| thing.name);
            assert_eq!(meant.collect::<Vec<_>>().join(" "), names, "{text}");
            let again: NamedSelector = selector.to_string().parse().unwrap();
            assert_eq!(again.to_string(), selector.to_string());
        }
        for text in ["", " ,", "node:", "[a"] {
            assert!(text.parse::<NamedSelector>().unwrap_err().next_step().is_some(), "{text}");
        }
    }
}
