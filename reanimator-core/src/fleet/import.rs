//! Hosts out of what people have already: an Ansible inventory, INI or YAML. Pure: files are
//! read by whoever has them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind, Result,
    transport::ssh::{HostOptions, SshConfig},
};

/// The longest text that is read.
const TEXT_LIMIT: usize = 4 * 1024 * 1024;

/// The most hosts that one inventory may hold.
const HOSTS_LIMIT: usize = 10_000;

/// How deep groups may stand in groups.
const DEPTH_LIMIT: usize = 16;

/// What a text is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImportFormat {
    /// OpenSSH's client configuration.
    SshConfig,
    /// Ansible inventory, INI.
    AnsibleIni,
    /// Ansible inventory, YAML.
    AnsibleYaml,
}

/// A host as a text names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedHost {
    /// What the text calls it.
    pub name: String,
    /// Where it is; the name, unless said otherwise.
    pub address: String,
    /// SSH port, where it is said.
    pub port: Option<u16>,
    /// Account, where it is said.
    pub user: Option<String>,
    /// Private key files, in the order in which they are tried.
    pub key_files: Vec<String>,
    /// Hosts to go through, as `user@host:port`.
    pub jumps: Vec<String>,
    /// The groups it stands in, `all` and `ungrouped` left out.
    pub groups: BTreeSet<String>,
    /// Why it cannot be used, where it cannot.
    pub problem: Option<String>,
}

/// Reads the hosts that a text names. An `Include` in an SSH configuration is passed over: a text brings no files.
///
/// # Errors
/// `Invalid`, with the place, when the text cannot be read.
pub fn parse(format: ImportFormat, text: &str) -> Result<Vec<NamedHost>> {
    if text.len() > TEXT_LIMIT {
        return Err(invalid(format!("it is longer than {TEXT_LIMIT} bytes")));
    }
    match format {
        ImportFormat::SshConfig => Ok(of_ssh_config(&SshConfig::parse(text, |_| Vec::new()))),
        ImportFormat::AnsibleIni => ini(text).and_then(Inventory::checked),
        ImportFormat::AnsibleYaml => yaml(text).and_then(Inventory::checked),
    }
}

/// The hosts that an SSH configuration names; patterns name none.
pub fn of_ssh_config(config: &SshConfig) -> Vec<NamedHost> {
    let named = |alias: String| {
        let options = config.resolve(&alias);
        let jump = |hop: &HostOptions| {
            let user = hop.user.as_deref().unwrap_or("root");
            format!("{user}@[{}]:{}", hop.address, hop.port)
        };
        NamedHost {
            name: alias,
            port: Some(options.port),
            key_files: options.identity_files.iter().map(|file| file.display().to_string()).collect(),
            jumps: options.jumps.iter().map(jump).collect(),
            address: options.address,
            user: options.user,
            ..NamedHost::default()
        }
    };
    config.aliases().into_iter().map(named).collect()
}

type Variables = BTreeMap<String, String>;

/// Groups, their hosts, children and variables, as both forms of inventory give them.
#[derive(Debug, Default)]
struct Inventory {
    hosts: BTreeMap<String, Variables>,
    groups: BTreeMap<String, Group>,
}

#[derive(Debug, Default)]
struct Group {
    hosts: BTreeSet<String>,
    children: BTreeSet<String>,
    variables: Variables,
}

fn invalid(cause: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, "read the inventory").because(cause).next("check it with `ansible-inventory --list`")
}

impl Inventory {
    fn checked(self) -> Result<Vec<NamedHost>> {
        match self.hosts.len() > HOSTS_LIMIT {
            true => Err(invalid(format!("it names more than {HOSTS_LIMIT} hosts"))),
            false => Ok(self.named()),
        }
    }

    fn named(self) -> Vec<NamedHost> {
        let named = |(name, own): (&String, &Variables)| {
            let groups = self.groups_of(name);
            // The nearer group wins, and the host's own word wins over all groups.
            let mut variables = Variables::new();
            for group in groups.iter().rev() {
                variables.extend(self.groups.get(group).map(|group| group.variables.clone()).unwrap_or_default());
            }
            variables.extend(own.clone());
            host(name, &variables, groups.into_iter().filter(|group| group != "all" && group != "ungrouped").collect())
        };
        self.hosts.iter().map(named).collect()
    }

    /// The groups of a host, nearest first, and `all` last.
    fn groups_of(&self, host: &str) -> Vec<String> {
        let mut found: Vec<String> =
            self.groups.iter().filter(|(_, group)| group.hosts.contains(host)).map(|(name, _)| name.clone()).collect();
        let mut from = 0;
        for _ in 0..DEPTH_LIMIT {
            let children = found[from..].to_vec();
            from = found.len();
            for (name, group) in &self.groups {
                if !found.contains(name) && children.iter().any(|child| group.children.contains(child)) {
                    found.push(name.clone());
                }
            }
        }
        found.retain(|name| name != "all");
        found.push("all".to_owned());
        found
    }
}

fn host(name: &str, variables: &Variables, groups: BTreeSet<String>) -> NamedHost {
    let get = |keys: [&str; 2]| keys.into_iter().find_map(|key| variables.get(key)).cloned();
    let port = get(["ansible_port", "ansible_ssh_port"]);
    let connection = variables.get("ansible_connection").map(String::as_str).unwrap_or("ssh");
    let mut problem = None;
    if !matches!(connection, "ssh" | "smart" | "paramiko" | "paramiko_ssh") {
        problem = Some(format!("it is reached by ansible_connection={connection}, not by SSH"));
    }
    let port_number = port.as_ref().and_then(|port| port.parse().ok());
    if let (Some(port), None) = (&port, port_number) {
        problem = Some(format!("its port \"{port}\" is no number from 1 to 65535"));
    }
    let address = get(["ansible_host", "ansible_ssh_host"]).unwrap_or_else(|| name.to_owned());
    if address.contains("{{") {
        problem = Some("its address is a template, which only Ansible can fill in".to_owned());
    }
    NamedHost {
        name: name.to_owned(),
        address,
        port: port_number,
        user: get(["ansible_user", "ansible_ssh_user"]),
        key_files: get(["ansible_ssh_private_key_file", "ansible_private_key_file"]).into_iter().collect(),
        jumps: Vec::new(),
        groups,
        problem,
    }
}

fn ini(text: &str) -> Result<Inventory> {
    let mut inventory = Inventory::default();
    let (mut group, mut part) = ("ungrouped".to_owned(), "hosts".to_owned());
    for (number, line) in text.lines().enumerate() {
        let bad = |why: &str| invalid(format!("line {}: {why}", number + 1));
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(head) = line.strip_prefix('[') {
            let head = head.split(']').next().filter(|head| line.contains(']') && !head.is_empty());
            let head = head.ok_or_else(|| bad("a group's name stands in [brackets]"))?;
            (group, part) = match head.split_once(':') {
                Some((group, part @ ("vars" | "children"))) => (group.to_owned(), part.to_owned()),
                Some((_, part)) => return Err(bad(&format!("\":{part}\" is neither :vars nor :children"))),
                None => (head.to_owned(), "hosts".to_owned()),
            };
            inventory.groups.entry(group.clone()).or_default();
            continue;
        }
        let entry = inventory.groups.entry(group.clone()).or_default();
        match part.as_str() {
            "vars" => {
                let (key, value) = line.split_once('=').ok_or_else(|| bad("a variable is written key=value"))?;
                entry.variables.insert(key.trim().to_owned(), unquote(value.trim()));
            }
            "children" => {
                entry.children.insert(line.to_owned());
                inventory.groups.entry(line.to_owned()).or_default();
            }
            _ => {
                let words = words(line).ok_or_else(|| bad("a quotation mark is not closed"))?;
                let Some((pattern, variables)) = words.split_first() else { continue };
                let variables: Variables = variables
                    .iter()
                    .map(|word| word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned())))
                    .collect::<Option<_>>()
                    .ok_or_else(|| bad("after the name stand variables as key=value"))?;
                for name in expand(pattern).ok_or_else(|| bad("its range is not like [1:9] or [a:f]"))? {
                    entry.hosts.insert(name.clone());
                    inventory.hosts.entry(name).or_default().extend(variables.clone());
                }
            }
        }
    }
    Ok(inventory)
}

/// Words apart, with quotes taken off, up to a comment.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote, mut open) = (Vec::new(), String::new(), None, false);
    for c in line.chars() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), c) => word.push(c),
            (None, '"' | '\'') => (quote, open) = (Some(c), true),
            (None, '#') if !open && word.is_empty() => break,
            (None, c) if c.is_whitespace() => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            (None, c) => {
                word.push(c);
                open = true;
            }
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    quote.is_none().then_some(words)
}

fn unquote(value: &str) -> String {
    let inner = |mark| value.strip_prefix(mark).and_then(|rest: &str| rest.strip_suffix(mark));
    inner('"').or_else(|| inner('\'')).unwrap_or(value).to_owned()
}

/// `web[01:03].example.org` is three hosts; `db[a:c]` too. An address in brackets or a port stays as it is.
fn expand(pattern: &str) -> Option<Vec<String>> {
    let Some((before, range, after)) = pattern.split_once('[').and_then(|(before, rest)| {
        let (range, after) = rest.split_once(']')?;
        Some((before, range, after))
    }) else {
        return Some(vec![pattern.to_owned()]);
    };
    let mut ends = range.split(':');
    let (from, to, step) = (ends.next()?, ends.next()?, ends.next().unwrap_or("1").parse::<usize>().ok()?);
    let single = |text: &str| text.chars().next().filter(|c| c.is_ascii_alphabetic() && text.len() == 1);
    let middles: Vec<String> = match (from.parse::<u32>(), to.parse::<u32>(), single(from), single(to)) {
        (Ok(a), Ok(b), ..) if a <= b && ((b - a) as usize) < HOSTS_LIMIT => {
            let width = if from.starts_with('0') { from.len() } else { 0 };
            (a..=b).step_by(step.max(1)).map(|number| format!("{number:0width$}")).collect()
        }
        (.., Some(a), Some(b)) if a <= b => (a..=b).step_by(step.max(1)).map(String::from).collect(),
        _ => return None,
    };
    let rests = expand(after)?;
    let names = middles.iter().flat_map(|middle| rests.iter().map(move |rest| format!("{before}{middle}{rest}")));
    Some(names.take(HOSTS_LIMIT + 1).collect())
}

fn yaml(text: &str) -> Result<Inventory> {
    let root: serde_json::Value = serde_saphyr::from_str(text).map_err(|error| invalid(error.to_string()))?;
    let groups = root.as_object().ok_or_else(|| invalid("at its top stands no group"))?;
    let mut inventory = Inventory::default();
    for (name, group) in groups {
        yaml_group(&mut inventory, name, group, 0)?;
    }
    Ok(inventory)
}

fn yaml_group(inventory: &mut Inventory, name: &str, group: &serde_json::Value, depth: usize) -> Result<()> {
    if depth > DEPTH_LIMIT {
        return Err(invalid(format!("group {name} stands more than {DEPTH_LIMIT} groups deep")));
    }
    inventory.groups.entry(name.to_owned()).or_default();
    let part = |key: &str| match group.get(key) {
        None | Some(serde_json::Value::Null) => Ok(serde_json::Map::new()),
        Some(serde_json::Value::Object(map)) => Ok(map.clone()),
        Some(_) => Err(invalid(format!("{key} of group {name} is no mapping"))),
    };
    for (pattern, variables) in part("hosts")? {
        for host in expand(&pattern).ok_or_else(|| invalid(format!("the range in {pattern} is not like [1:9]")))? {
            inventory.hosts.entry(host.clone()).or_default().extend(yaml_variables(&variables));
            inventory.groups.entry(name.to_owned()).or_default().hosts.insert(host);
        }
    }
    let variables = serde_json::Value::Object(part("vars")?);
    inventory.groups.entry(name.to_owned()).or_default().variables.extend(yaml_variables(&variables));
    for (child, group) in part("children")? {
        inventory.groups.entry(name.to_owned()).or_default().children.insert(child.clone());
        yaml_group(inventory, &child, &group, depth + 1)?;
    }
    Ok(())
}

fn yaml_variables(value: &serde_json::Value) -> Variables {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    value.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INI: &str = "mail.example.org\n\n[web]\nweb[01:02].example.org ansible_user=deploy # two\n\
        odd ansible_host=192.0.2.9 ansible_port=2222 ansible_ssh_private_key_file=\"~/my keys/id\"\n\
        [db]\ndb-[a:b]\n[prod:children]\nweb\ndb\n[prod:vars]\nansible_user=root\n[all:vars]\nansible_port=22\n\
        win ansible_connection=winrm\n";

    const YAML: &str = "all:\n  vars:\n    ansible_port: 22\n  hosts:\n    mail.example.org:\n  children:\n    web:\n      hosts:\n\
        \x20       web1: {ansible_host: 192.0.2.1, ansible_port: 2222}\n      vars: {ansible_user: deploy}\n";

    fn summary(hosts: &[NamedHost]) -> Vec<String> {
        let groups = |host: &NamedHost| host.groups.iter().cloned().collect::<Vec<_>>().join("+");
        let each = |host: &NamedHost| {
            let user = host.user.clone().unwrap_or_default();
            format!("{} {}@{}:{} [{}]", host.name, user, host.address, host.port.unwrap_or(0), groups(host))
        };
        hosts.iter().map(each).collect()
    }

    #[test]
    fn an_ini_inventory_is_read_with_ranges_groups_and_variables() -> Result<()> {
        let text = INI.replace("win ansible", "ansible");
        assert_eq!(
            summary(&parse(ImportFormat::AnsibleIni, &text)?),
            [
                "db-a root@db-a:22 [db+prod]",
                "db-b root@db-b:22 [db+prod]",
                "mail.example.org @mail.example.org:22 []",
                "odd root@192.0.2.9:2222 [prod+web]",
                "web01.example.org deploy@web01.example.org:22 [prod+web]",
                "web02.example.org deploy@web02.example.org:22 [prod+web]",
            ]
        );
        Ok(())
    }

    #[test]
    fn a_yaml_inventory_is_read() -> Result<()> {
        assert_eq!(
            summary(&parse(ImportFormat::AnsibleYaml, YAML)?),
            ["mail.example.org @mail.example.org:22 []", "web1 deploy@192.0.2.1:2222 [web]"]
        );
        Ok(())
    }

    #[test]
    fn an_ssh_configuration_is_read() -> Result<()> {
        let text = "Host pi\n HostName 192.0.2.3\n User me\nHost inner\n ProxyJump me@pi:2222\nHost *\n Port 2200\n";
        let hosts = parse(ImportFormat::SshConfig, text)?;
        assert_eq!(summary(&hosts), ["pi me@192.0.2.3:2200 []", "inner @inner:2200 []"]);
        assert_eq!(hosts[1].jumps, ["me@[192.0.2.3]:2222"]);
        Ok(())
    }

    #[test]
    fn what_cannot_be_reached_by_ssh_says_why() -> Result<()> {
        let hosts = parse(ImportFormat::AnsibleIni, "win ansible_connection=winrm\nbad ansible_port=http\n")?;
        let problems: Vec<_> = hosts.iter().map(|host| host.problem.clone().unwrap_or_default()).collect();
        assert_eq!(problems[0], "its port \"http\" is no number from 1 to 65535");
        assert_eq!(problems[1], "it is reached by ansible_connection=winrm, not by SSH");
        Ok(())
    }

    #[test]
    fn what_is_no_inventory_names_the_line() {
        for (format, text, said) in [
            (ImportFormat::AnsibleIni, "[web\nx", "line 1"),
            (ImportFormat::AnsibleIni, "a b", "line 1"),
            (ImportFormat::AnsibleIni, "[a]\nw[9:1]", "line 2"),
            (ImportFormat::AnsibleYaml, "- a\n- b", "no group"),
            (ImportFormat::AnsibleYaml, "all: {hosts: [a]}", "hosts of group all"),
            (ImportFormat::AnsibleYaml, "all: {", ""),
        ] {
            let error = parse(format, text).expect_err(text);
            assert!(crate::report(&error).contains(said), "{}", crate::report(&error));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-z\\[\\]:=0-9 #\"'\n]{0,120}") {
            drop(parse(ImportFormat::AnsibleIni, &text));
            drop(parse(ImportFormat::AnsibleYaml, &text));
        }
    }
}
