//! Which hosts: by name, glob, group, tag, kind, state or cluster.
//!
//! Terms joined by commas or blanks each add hosts; `a&b` takes those that are both; `!x` takes away.
//!
//! ```
//! use reanimator_core::fleet::Selector;
//! let selector: Selector = "group:web&tag:prod, db*, !db-old".parse()?;
//! assert_eq!(selector.to_string(), "group:web&tag:prod,db*,!db-old");
//! # Ok::<(), reanimator_core::Error>(())
//! ```

use std::{fmt, str::FromStr};

use globset::GlobMatcher;

use super::terms::{self, Terms};
use crate::{
    Error, ErrorKind, Result,
    model::{HostKind, HostState, HostView},
};

/// What may stand before a colon.
const KEYS: [&str; 6] = ["name", "group", "tag", "cluster", "kind", "state"];

/// Which hosts.
#[derive(Clone, Debug)]
pub struct Selector {
    terms: Terms<Condition>,
}

#[derive(Clone, Debug)]
enum Condition {
    All,
    Name(String),
    Glob(GlobMatcher),
    Group(String),
    Tag(String),
    Cluster(String),
    Kind(HostKind),
    State(HostState),
}

impl Selector {
    /// Every host.
    pub fn all() -> Self {
        Self { terms: Terms::one(Condition::All) }
    }

    /// One host by its name or id, taken as it is, whatever characters are in it.
    pub fn name(name: impl Into<String>) -> Self {
        Self { terms: Terms::one(Condition::Name(name.into())) }
    }

    /// The hosts among `hosts` that are meant, in their order.
    ///
    /// # Errors
    /// `NotFound` when a plain name is no host; it lists names that are near.
    pub fn select<'a>(&self, hosts: &'a [HostView]) -> Result<Vec<&'a HostView>> {
        for condition in self.terms.conditions() {
            if let Condition::Name(name) = condition
                && !hosts.iter().any(|host| condition.holds(host))
            {
                return Err(unknown_host(name, hosts.iter().map(|host| host.name.as_str())));
            }
        }
        Ok(hosts.iter().filter(|host| self.covers(host)).collect())
    }

    /// Whether a host is meant. A plain name that is no host means none.
    pub(super) fn covers(&self, host: &HostView) -> bool {
        self.terms.mean(|condition| condition.holds(host))
    }

    /// Whether it depends on how hosts are doing at the moment.
    pub(super) fn asks_for_state(&self) -> bool {
        self.terms.conditions().any(|condition| matches!(condition, Condition::State(_)))
    }
}

/// The error for a name that is no host.
pub(crate) fn unknown_host<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("find host \"{name}\"")).because("there is none of that name");
    let mut near: Vec<(usize, &str)> =
        names.map(|other| (distance(name, other), other)).filter(|(far, _)| *far <= 2 + name.len() / 4).collect();
    near.sort();
    let near: Vec<&str> = near.into_iter().take(3).map(|(_, name)| name).collect();
    match near.is_empty() {
        true => error.next("see `reanimator host list` for the names there are"),
        false => error.next(format!("did you mean {}?", near.join(", "))),
    }
}

/// Levenshtein distance, over the first 64 characters.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

impl Condition {
    fn holds(&self, host: &HostView) -> bool {
        match self {
            Self::All => true,
            Self::Name(name) => host.name == *name || host.id.as_str() == name,
            Self::Glob(glob) => glob.is_match(&host.name),
            Self::Group(group) => host.groups.contains(group),
            Self::Tag(tag) => host.tags.contains(tag),
            Self::Cluster(cluster) => host.cluster.as_ref() == Some(cluster),
            Self::Kind(kind) => host.kind == *kind,
            Self::State(state) => host.state == *state,
        }
    }

    fn parse(text: &str) -> Result<Self> {
        // A colon may also stand in a name, such as an IPv6 address.
        let keyed = text.split_once(':').filter(|(key, _)| KEYS.contains(key));
        let (key, value) = keyed.unwrap_or(("", text));
        if value.is_empty() {
            return Err(invalid(text, "something is missing"));
        }
        Ok(match key {
            "" if value == "all" || value == "*" => Self::All,
            "" if value.contains(['*', '?', '[']) => Self::Glob(terms::glob(value, invalid)?),
            "" => Self::Name(value.to_owned()),
            "name" => Self::Name(value.to_owned()),
            "group" => Self::Group(value.to_owned()),
            "tag" => Self::Tag(value.to_owned()),
            "cluster" => Self::Cluster(value.to_owned()),
            "kind" => Self::Kind(word(text, value)?),
            _ => Self::State(word(text, value)?),
        })
    }
}

fn word<T: serde::de::DeserializeOwned>(text: &str, value: &str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(value.to_owned())).map_err(|_| {
        invalid(text, "kinds are linux, proxmox and both; states online, offline, unknown and maintenance")
    })
}

fn invalid(text: &str, cause: &str) -> Error {
    let shown: String = text.chars().take(80).collect();
    Error::new(ErrorKind::Invalid, format!("read the selector \"{shown}\""))
        .because(cause)
        .next("write names or patterns, `all`, `group:web`, `tag:prod`, `kind:proxmox`, joined by commas; `a&b` for both, `!x` to take away")
}

impl FromStr for Selector {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(Self { terms: Terms::parse(text, invalid, Condition::parse)? })
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.terms.fmt(f)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Name(name) if name.contains(':') => write!(f, "name:{name}"),
            Self::Name(name) => f.write_str(name),
            Self::Glob(glob) => write!(f, "{}", glob.glob()),
            Self::Group(group) => write!(f, "group:{group}"),
            Self::Tag(tag) => write!(f, "tag:{tag}"),
            Self::Cluster(cluster) => write!(f, "cluster:{cluster}"),
            Self::Kind(kind) => write!(f, "kind:{}", kind.as_str()),
            Self::State(state) => write!(f, "state:{}", state.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fleet::view::tests::host;

    fn selected(text: &str) -> Result<String> {
        let mut hosts = vec![host("web1"), host("web2"), host("db1")];
        hosts[0].groups.insert("web".into());
        hosts[1].groups.insert("web".into());
        hosts[1].tags.insert("prod".into());
        hosts[2].kind = HostKind::Both;
        let selector: Selector = text.parse()?;
        Ok(selector.select(&hosts)?.iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn terms_add_join_and_take_away() -> Result<()> {
        for (text, names) in [
            ("all", "web1 web2 db1"),
            ("web*", "web1 web2"),
            ("group:web&tag:prod", "web2"),
            ("db1, web1", "web1 db1"),
            ("all,!web?", "db1"),
            ("!kind:both", "web1 web2"),
            ("state:online", ""),
            ("group:none", ""),
        ] {
            assert_eq!(selected(text)?, names, "{text}");
        }
        Ok(())
    }

    #[test]
    fn an_unknown_name_lists_near_ones() {
        let error = selected("wbe1").expect_err("no such host");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(crate::report(&error).contains("did you mean db1, web1"), "{}", crate::report(&error));
    }

    #[test]
    fn bad_selectors_say_what_to_write() {
        for text in ["", " , ", "kind:windows", "group:", "[a", "a&"] {
            let error = text.parse::<Selector>().expect_err(text);
            assert!(error.next_step().is_some());
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_shown_and_read_again_alike(text in "[a-z*!&,: ]{0,30}") {
            if let Ok(selector) = text.parse::<Selector>() {
                let again: Selector = selector.to_string().parse().expect("shown selectors are read");
                prop_assert_eq!(again.to_string(), selector.to_string());
            }
        }
    }
}
