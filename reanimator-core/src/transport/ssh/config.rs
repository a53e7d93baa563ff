//! `~/.ssh/config`, as far as it says where a host is and how to log in there.
//!
//! Understood: `Host` with patterns and `!`, `Match all`, `Match host`, `Match originalhost`, `Include`, and of the options
//! `HostName`, `User`, `Port`, `IdentityFile`, `IdentitiesOnly` and `ProxyJump`, with the tokens `%h %n %p %r %u %d %%`.
//! As with OpenSSH the first value found counts. A `Match` with another condition never applies; other options are left
//! alone.
//!
//! ```
//! use reanimator_core::transport::ssh::SshConfig;
//! let config = SshConfig::parse("Host web*\n  User ann\n  HostName %h.example.net\n", |_| Vec::new());
//! let web1 = config.resolve("web1");
//! assert_eq!((web1.address.as_str(), web1.user.as_deref(), web1.port), ("web1.example.net", Some("ann"), 22));
//! ```

use std::path::{Path, PathBuf};

use super::auth::at_home;
use super::pattern;
use crate::model::connection::{Jump, SshReach, Sudo};
use crate::{Error, ErrorKind, Result};

/// Files that include each other, and jump hosts behind jump hosts, are followed this deep.
const DEPTH: usize = 16;

/// What stands in an SSH client's configuration.
#[derive(Clone, Debug, Default)]
pub struct SshConfig {
    blocks: Vec<Block>,
}

/// Where a host is and how to log in there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostOptions {
    /// What was asked for.
    pub alias: String,
    /// `HostName`; the alias itself where there is none.
    pub address: String,
    /// Defaults to 22.
    pub port: u16,
    /// The account, where one is named.
    pub user: Option<String>,
    /// Private key files, `~` resolved.
    pub identity_files: Vec<PathBuf>,
    /// Whether only those files may be used, and not the agent's other keys.
    pub identities_only: bool,
    /// The hosts to go through, first one first; each resolved by the same configuration.
    pub jumps: Vec<HostOptions>,
}

#[derive(Clone, Debug)]
struct Block {
    condition: Condition,
    option: Option<(String, Vec<String>)>,
}

#[derive(Clone, Debug)]
enum Condition {
    Always,
    Never,
    /// Patterns for the alias as it was asked for.
    Alias(Vec<String>),
    /// Patterns for the address found so far.
    Address(Vec<String>),
    /// All of them.
    All(Vec<Condition>),
}

impl SshConfig {
    /// Reads a configuration. `include` gives the texts of the files that an `Include` pattern means, in order.
    pub fn parse(text: &str, mut include: impl FnMut(&str) -> Vec<String>) -> Self {
        let mut config = Self::default();
        config.add(text, &Condition::Always, &mut include, DEPTH);
        config
    }

    /// Reads the user's own `~/.ssh/config`, with what it includes. No file is an empty configuration.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn of_user() -> Result<Self> {
        Self::load(&at_home(Path::new("~/.ssh/config")))
    }

    /// Reads a configuration file, with what it includes. No file is an empty configuration.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn load(path: &Path) -> Result<Self> {
        match std::fs::read(path) {
            Ok(bytes) => Ok(Self::parse(&String::from_utf8_lossy(&bytes), included)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::new(ErrorKind::Invalid, format!("read {}", path.display()))
                .because(error.to_string())
                .next("make the file readable")
                .from_source(error)),
        }
    }

    fn add(&mut self, text: &str, outer: &Condition, include: &mut dyn FnMut(&str) -> Vec<String>, depth: usize) {
        let mut condition = outer.clone();
        for line in text.lines() {
            let mut words = words(line).into_iter();
            let Some(keyword) = words.next().map(|keyword| keyword.to_ascii_lowercase()) else { continue };
            let words: Vec<String> = words.collect();
            match keyword.as_str() {
                // A block without options still names its hosts.
                "host" => {
                    condition = both(outer, Condition::Alias(words));
                    self.blocks.push(Block { condition: condition.clone(), option: None });
                }
                "match" => condition = both(outer, criteria(&words)),
                "include" if depth > 0 => {
                    let texts: Vec<String> = words.iter().flat_map(|pattern| include(pattern)).collect();
                    for text in texts {
                        self.add(&text, &condition, include, depth - 1);
                    }
                }
                _ => self.blocks.push(Block { condition: condition.clone(), option: Some((keyword, words)) }),
            }
        }
    }

    /// The names that stand for one host each: no patterns, no exceptions.
    pub fn aliases(&self) -> Vec<String> {
        let mut aliases: Vec<String> = Vec::new();
        for block in &self.blocks {
            let Some(patterns) = aliases_in(&block.condition) else { continue };
            for pattern in patterns.into_iter().filter(|pattern| !pattern.contains(['*', '?', '!'])) {
                if !aliases.contains(&pattern) {
                    aliases.push(pattern);
                }
            }
        }
        aliases
    }

    /// What is said of a host.
    pub fn resolve(&self, alias: &str) -> HostOptions {
        self.resolve_within(alias, DEPTH)
    }

    fn resolve_within(&self, alias: &str, depth: usize) -> HostOptions {
        let mut found = Found::default();
        for block in &self.blocks {
            if let Some((keyword, values)) = &block.option
                && block.condition.holds(alias, found.host_name.as_deref().unwrap_or(alias))
            {
                found.take(keyword, values);
            }
        }
        let host_name = found.host_name.as_deref().unwrap_or("%h");
        let mut options = HostOptions {
            alias: alias.to_owned(),
            address: expand(host_name, &[('h', alias), ('n', alias)]),
            port: found.port.unwrap_or(22),
            user: found.user,
            identities_only: found.identities_only.unwrap_or(false),
            ..HostOptions::default()
        };
        let me = std::env::var("USER").unwrap_or_default();
        let home = std::env::home_dir().unwrap_or_default().display().to_string();
        let port = options.port.to_string();
        let address = options.address.clone();
        let user = options.user.clone().unwrap_or_else(|| me.clone());
        let tokens =
            [('h', address.as_str()), ('n', alias), ('p', &port), ('r', user.as_str()), ('u', &me), ('d', &home)];
        options.identity_files =
            found.identity_files.iter().map(|file| at_home(Path::new(&expand(file, &tokens)))).collect();
        let jumps = found.proxy_jump.map(|jumps| expand(&jumps, &tokens)).filter(|jumps| jumps != "none");
        for (nth, jump) in jumps.iter().flat_map(|jumps| jumps.split(',')).enumerate() {
            let mut jump = self.jump(jump.trim(), depth);
            let before = std::mem::take(&mut jump.jumps);
            if nth == 0 {
                options.jumps.extend(before);
            }
            options.jumps.push(jump);
        }
        options
    }

    /// `[user@]host[:port]` or `ssh://[user@]host[:port]`.
    fn jump(&self, text: &str, depth: usize) -> HostOptions {
        let text = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
        let (user, place) = text.rsplit_once('@').map_or((None, text), |(user, place)| (Some(user), place));
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None if place.matches(':').count() == 1 => {
                place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port)))
            }
            None => (place, None),
        };
        let mut options = match depth {
            0 => HostOptions { alias: host.to_owned(), address: host.to_owned(), port: 22, ..HostOptions::default() },
            _ => self.resolve_within(host, depth - 1),
        };
        options.user = user.map(str::to_owned).or(options.user);
        options.port = port.and_then(|port| port.parse().ok()).unwrap_or(options.port);
        options
    }
}

impl HostOptions {
    /// The same as a connection to store. `user` is for hosts that name no account.
    pub fn reach(&self, user: &str) -> SshReach {
        let account = |options: &Self| options.user.clone().unwrap_or_else(|| user.to_owned());
        let jump =
            |hop: &Self| Jump { address: hop.address.clone(), port: hop.port, user: account(hop), host_key: None };
        SshReach {
            address: self.address.clone(),
            port: self.port,
            user: account(self),
            jumps: self.jumps.iter().map(jump).collect(),
            use_agent: !self.identities_only,
            key_files: self.identity_files.iter().map(|file| file.display().to_string()).collect(),
            sudo: Sudo::None,
            host_key: None,
        }
    }
}

impl Condition {
    fn holds(&self, alias: &str, address: &str) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Alias(patterns) => any(patterns, alias),
            Self::Address(patterns) => any(patterns, address),
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(alias, address)),
        }
    }
}

/// One pattern has to match, and none that stands behind a `!`.
fn any(patterns: &[String], name: &str) -> bool {
    let excluded = |text: &String| text.strip_prefix('!').is_some_and(|text| pattern::matches(text, name));
    !patterns.iter().any(excluded) && patterns.iter().any(|text| !text.starts_with('!') && pattern::matches(text, name))
}

fn both(outer: &Condition, inner: Condition) -> Condition {
    match outer {
        Condition::Always => inner,
        outer => Condition::All(vec![outer.clone(), inner]),
    }
}

fn aliases_in(condition: &Condition) -> Option<Vec<String>> {
    match condition {
        Condition::Alias(patterns) => Some(patterns.clone()),
        Condition::All(conditions) => conditions.iter().rev().find_map(aliases_in),
        Condition::Always | Condition::Never | Condition::Address(_) => None,
    }
}

fn criteria(words: &[String]) -> Condition {
    let mut conditions = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let list = |words: &mut std::slice::Iter<'_, String>| {
            words.next().map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default()
        };
        conditions.push(match word.to_ascii_lowercase().as_str() {
            "all" => Condition::Always,
            "host" => Condition::Address(list(&mut words)),
            "originalhost" => Condition::Alias(list(&mut words)),
            _ => return Condition::Never,
        });
    }
    Condition::All(conditions)
}

/// The values found so far; the first one counts.
#[derive(Default)]
struct Found {
    host_name: Option<String>,
    user: Option<String>,
    port: Option<u16>,
    identity_files: Vec<String>,
    identities_only: Option<bool>,
    proxy_jump: Option<String>,
}

impl Found {
    fn take(&mut self, keyword: &str, values: &[String]) {
        let Some(value) = values.first() else { return };
        match keyword {
            "hostname" => keep(&mut self.host_name, value.clone()),
            "user" => keep(&mut self.user, value.clone()),
            "port" => {
                if let Ok(port) = value.parse() {
                    keep(&mut self.port, port);
                }
            }
            "identityfile" if value != "none" => self.identity_files.push(value.clone()),
            "identitiesonly" => keep(&mut self.identities_only, value == "yes"),
            "proxyjump" => keep(&mut self.proxy_jump, value.clone()),
            _ => {}
        }
    }
}

fn keep<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

/// A line's words: separated by blanks or one `=` behind the keyword, quoted where they hold blanks, up to a `#`.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, tail) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => {
                let stop = |c: char| c.is_whitespace() || (words.is_empty() && c == '=');
                rest.split_at(rest.find(stop).unwrap_or(rest.len()))
            }
        };
        words.push(word.to_owned());
        rest = tail.trim_start();
        if words.len() == 1 {
            rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
        }
    }
    words
}

fn expand(text: &str, tokens: &[(char, &str)]) -> String {
    let mut expanded = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            expanded.push(c);
            continue;
        }
        match chars.next() {
            Some('%') | None => expanded.push('%'),
            Some(token) => match tokens.iter().find(|(name, _)| *name == token) {
                Some((_, value)) => expanded.push_str(value),
                None => expanded.extend(['%', token]),
            },
        }
    }
    expanded
}

/// The files that an `Include` means: relative ones stand in `~/.ssh`, the last part may hold a pattern.
fn included(wanted: &str) -> Vec<String> {
    let path = at_home(Path::new(wanted));
    let path = if path.is_absolute() { path } else { at_home(Path::new("~/.ssh")).join(path) };
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(|file| pattern::matches(name, file)))
        .map(|entry| entry.path())
        .collect();
    files.sort();
    // As with OpenSSH, an included file that cannot be read is left out.
    files.iter().filter_map(|file| std::fs::read(file).ok()).map(|text| String::from_utf8_lossy(&text).into()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"
# everything first
User = root
Host web1 web2 !web3
    HostName %h.example.net
    Port 2222
    IdentityFile "~/keys/my key"
    IdentityFile ~/.ssh/%n_%r
    ProxyJump ann@gate:2200,inner
Host web*
    Port 22
    User nobody
    IdentityFile /etc/all
Host gate
    HostName gate.example.net
    ProxyJump outer
Host inner
    User bob
    ProxyJump none
Match host *.example.net
    IdentitiesOnly yes
Match exec "true"
    Port 1
Include extra
Host "two words" 2001:db8::1
"#;

    fn config() -> SshConfig {
        SshConfig::parse(CONFIG, |pattern| {
            assert_eq!(pattern, "extra");
            vec!["Host extra\n HostName 192.0.2.9\n".to_owned()]
        })
    }

    #[test]
    fn the_first_value_counts_and_key_files_add_up() {
        let web1 = config().resolve("web1");
        let home = std::env::home_dir().unwrap_or_default();
        assert_eq!((web1.address.as_str(), web1.port, web1.user.as_deref()), ("web1.example.net", 2222, Some("root")));
        let files = [home.join("keys/my key"), home.join(".ssh/web1_root"), "/etc/all".into()];
        assert_eq!(web1.identity_files, files);
        assert!(web1.identities_only);
        assert_eq!(config().resolve("web3").port, 22);
        assert_eq!(config().resolve("elsewhere").address, "elsewhere");
    }

    #[test]
    fn jumps_are_resolved_by_the_same_configuration() {
        let jumps = config().resolve("web2").jumps;
        let ways: Vec<_> = jumps.iter().map(|hop| (hop.address.as_str(), hop.port, hop.user.as_deref())).collect();
        let expected =
            [("outer", 22, Some("root")), ("gate.example.net", 2200, Some("ann")), ("inner", 22, Some("root"))];
        assert_eq!(ways, expected);
        assert_eq!(config().resolve("inner").jumps, []);
        let reach = config().resolve("web2").reach("me");
        assert_eq!((reach.jumps.len(), reach.use_agent, reach.user.as_str()), (3, false, "root"));
    }

    #[test]
    fn a_jump_that_jumps_over_itself_ends() {
        let config = SshConfig::parse("Host a\nProxyJump b\nHost b\nProxyJump a\n", |_| Vec::new());
        assert!(config.resolve("a").jumps.len() <= DEPTH + 1);
        let jump = |text| config.jump(text, 1);
        assert_eq!((jump("ssh://x@[2001:db8::1]:5").address, jump("[2001:db8::1]:5").port), ("2001:db8::1".into(), 5));
        assert_eq!(jump("2001:db8::1").address, "2001:db8::1");
    }

    #[test]
    fn aliases_are_names_and_not_patterns() {
        assert_eq!(config().aliases(), ["web1", "web2", "gate", "inner", "extra", "two words", "2001:db8::1"]);
    }

    #[test]
    fn an_include_within_a_block_stays_within_it() {
        let config = SshConfig::parse("Host a\nInclude x\n", |_| vec!["Port 7\nHost b\nPort 8\n".to_owned()]);
        assert_eq!((config.resolve("a").port, config.resolve("b").port), (7, 22));
    }

    #[test]
    fn a_file_is_read_with_what_it_includes() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("one.conf", "Host one\nPort 1\n");
        write("two.conf", "Host two\nPort 2\n");
        write("config", &format!("Include {}/*.conf\n", folder.path().display()));
        let config = SshConfig::load(&folder.path().join("config")).expect("read");
        assert_eq!(config.aliases(), ["one", "two"]);
        assert_eq!(config.resolve("two").port, 2);
        assert_eq!(SshConfig::load(&folder.path().join("none")).expect("empty").aliases(), [""; 0]);
    }
}
