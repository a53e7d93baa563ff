//! Arguments that both fleets take, as the core wants them.

use std::time::Duration;

use pyo3::{
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDateTime, PyTzInfo},
};
use reanimator_core::{
    Error, ErrorKind, Fleet, Result,
    fleet::{
        AuditWords, ExecRequest, HostEdit, ImportFormat, LabelChange, NewHost, NewProxmox, ProxmoxSecret, RecentWords,
        Selector, SudoChoice, parse_jump,
    },
    model::{NewCommand, NewOperation, NewStep},
};
use secrecy::SecretString;

/// Private key files, as `key_file` says them: one, or several in the order in which they are tried.
#[derive(FromPyObject)]
pub(crate) enum KeyFiles {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

/// A host to add, as the keyword arguments of `add_host` say it.
pub(crate) struct HostArguments {
    pub(crate) address: String,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) jump: Vec<String>,
    pub(crate) agent: bool,
    pub(crate) key_file: Option<KeyFiles>,
    pub(crate) key: Option<String>,
    pub(crate) passphrase: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) sudo: String,
    pub(crate) sudo_password: Option<String>,
    pub(crate) accept_host_key: Option<String>,
    pub(crate) unchecked: bool,
}

impl HostArguments {
    /// As the core wants it.
    pub(crate) fn into_new_host(self, fleet: &Fleet) -> Result<NewHost> {
        let mut new = fleet.host_from_ssh_config(&self.address)?;
        new.port = self.port.unwrap_or(new.port);
        new.user = self.user.unwrap_or(new.user);
        new.name = self.name.or(new.name);
        new.groups.extend(self.groups);
        new.tags.extend(self.tags);
        for jump in &self.jump {
            new.jumps.push(parse_jump(jump)?);
        }
        new.auth.agent &= self.agent;
        match self.key_file {
            None => {}
            Some(KeyFiles::One(file)) => new.auth.key_files = vec![file],
            Some(KeyFiles::Many(files)) => new.auth.key_files = files,
        }
        new.auth.key = self.key.map(SecretString::from);
        new.auth.passphrase = self.passphrase.map(SecretString::from);
        new.auth.password = self.password.map(SecretString::from);
        new.sudo = sudo(&self.sudo, self.sudo_password)?;
        new.accept_host_key = self.accept_host_key;
        new.unchecked = self.unchecked;
        Ok(new)
    }
}

/// What a text of hosts is written in.
pub(crate) fn format(name: &str) -> Result<ImportFormat> {
    match name {
        "ssh-config" => Ok(ImportFormat::SshConfig),
        "ansible-ini" => Ok(ImportFormat::AnsibleIni),
        "ansible-yaml" => Ok(ImportFormat::AnsibleYaml),
        _ => Err(Error::new(ErrorKind::Invalid, format!("read hosts as {name:?}"))
            .because("there is no such format")
            .next("give ssh-config, ansible-ini or ansible-yaml")),
    }
}

/// What to give to hosts and to take from them.
pub(crate) fn labels(
    hosts: Vec<String>,
    add_groups: Vec<String>,
    remove_groups: Vec<String>,
    add_tags: Vec<String>,
    remove_tags: Vec<String>,
) -> LabelChange {
    let set = |names: Vec<String>| names.into_iter().collect();
    LabelChange {
        hosts,
        add_groups: set(add_groups),
        remove_groups: set(remove_groups),
        add_tags: set(add_tags),
        remove_tags: set(remove_tags),
    }
}

/// What to change of a host; what is `None` stays.
pub(crate) fn change(
    name: Option<String>,
    groups: Option<Vec<String>>,
    tags: Option<Vec<String>>,
    maintenance: Option<bool>,
) -> HostEdit {
    let set = |names: Vec<String>| names.into_iter().collect();
    HostEdit { name, groups: groups.map(set), tags: tags.map(set), maintenance }
}

fn sudo(how: &str, password: Option<String>) -> Result<SudoChoice> {
    match (how, password) {
        (_, Some(password)) => Ok(SudoChoice::Password(SecretString::from(password))),
        ("none", None) => Ok(SudoChoice::None),
        ("nopasswd", None) => Ok(SudoChoice::NoPassword),
        _ => Err(Error::new(ErrorKind::Invalid, format!("become root by {how:?}"))
            .because("there is no such way")
            .next("use sudo=\"none\" or sudo=\"nopasswd\", or give sudo_password")),
    }
}

/// A command for many hosts.
///
/// # Errors
/// `Invalid` for a selector or time limit that makes no sense.
pub(crate) fn command(command: String, select: &str, time_limit: f64, sudo: bool) -> Result<ExecRequest> {
    let mut request = ExecRequest::new(command, select.parse()?);
    request.time_limit =
        Duration::try_from_secs_f64(time_limit).ok().filter(|limit| !limit.is_zero()).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, format!("limit the time to {time_limit} s"))
                .because("it is not a length of time")
                .next("give a number of seconds above zero")
        })?;
    request.sudo = sudo;
    Ok(request)
}

/// A command that is run as a job.
pub(crate) fn new_command(command: String, select: &str, time_limit: u64, sudo: bool) -> NewCommand {
    NewCommand { command, on: select.to_owned(), sudo, time_limit_seconds: Some(time_limit), ..NewCommand::default() }
}

/// The hosts that a selector means; all without one.
pub(crate) fn selector(select: Option<&str>) -> Result<Selector> {
    select.map_or_else(|| Ok(Selector::all()), str::parse)
}

/// A cluster to connect, as the keyword arguments of `connect_proxmox` say it.
pub(crate) struct ProxmoxArguments {
    pub(crate) url: String,
    pub(crate) token: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) accept_certificate: Option<String>,
    pub(crate) dry_run: bool,
}

impl ProxmoxArguments {
    /// As the core wants it.
    ///
    /// # Errors
    /// `Invalid` without a token and without user and password.
    pub(crate) fn into_new_proxmox(self) -> Result<NewProxmox> {
        let auth = proxmox_secret(&self.url, self.token, self.user, self.password)?;
        Ok(NewProxmox {
            url: self.url,
            name: self.name,
            auth,
            accept_certificate: self.accept_certificate,
            dry_run: self.dry_run,
        })
    }
}

/// What to log in to Proxmox with.
///
/// # Errors
/// `Invalid` without a token and without user and password.
pub(crate) fn proxmox_secret(
    on: &str,
    token: Option<String>,
    user: Option<String>,
    password: Option<String>,
) -> Result<ProxmoxSecret> {
    match (token, user, password) {
        (Some(token), None, None) => Ok(ProxmoxSecret::Token(SecretString::from(token))),
        (None, Some(user), Some(password)) => {
            Ok(ProxmoxSecret::Password { user, password: SecretString::from(password) })
        }
        _ => Err(Error::new(ErrorKind::Invalid, format!("log in to {on}"))
            .because("there must be either a token, or a user and a password")
            .next("give token=\"USER@REALM!NAME=SECRET\", or user= and password=")),
    }
}

/// Part of a history, as the arguments of `telemetry` say it.
pub(crate) struct History {
    pub(crate) entity: String,
    /// None stands for all.
    pub(crate) metrics: Vec<String>,
    pub(crate) start: String,
    pub(crate) end: String,
    pub(crate) step: Option<String>,
}

/// Part of a history, by the arguments of `telemetry`.
pub(crate) fn history(entity: String, metrics: Option<Names>, start: When, end: When, step: Option<Span>) -> History {
    let metrics = metrics.map(Names::into_list).unwrap_or_default();
    History { entity, metrics, start: start.0, end: end.0, step: step.map(Span::into_words) }
}

/// Short lines, by the arguments of `recent`.
pub(crate) fn recent(entities: Names, metric: String, start: When, end: When, points: usize) -> RecentWords {
    RecentWords { entities: entities.into_list(), metric, from: Some(start.0), to: Some(end.0), points: Some(points) }
}

/// Data as dictionaries and lists, as JSON.
pub(crate) struct Json(pub(crate) String);

impl FromPyObject<'_, '_> for Json {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        given.py().import("json")?.call_method1("dumps", (given,))?.extract().map(Self)
    }
}

impl Json {
    /// As the core wants it.
    pub(crate) fn read<T: serde::de::DeserializeOwned>(&self, what: &str) -> Result<T> {
        serde_json::from_str(&self.0).map_err(|error| {
            Error::new(ErrorKind::Invalid, format!("read {what}"))
                .because(error.to_string())
                .next("see the types in reanimator.model")
        })
    }
}

/// Which entries of the audit trail, by the arguments of `audit`.
pub(crate) fn audit(
    who: Option<String>,
    source: Option<String>,
    what: Option<String>,
    on: Option<String>,
    outcome: Option<String>,
    since: Option<When>,
    until: Option<When>,
) -> AuditWords {
    let [since, until] = [since, until].map(|when| when.map(|when| when.0));
    AuditWords { who, from: source, what, on, outcome, since, until }
}

/// Steps of an operation, as JSON: dictionaries, each an action or `{"action": ..., "after": [...]}`.
pub(crate) struct Steps(String);

impl FromPyObject<'_, '_> for Steps {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        let json = given.py().import("json")?;
        let list = given.py().import("builtins")?.call_method1("list", (given,))?;
        json.call_method1("dumps", (list,))?.extract().map(Self)
    }
}

impl Steps {
    /// With what else is said of them.
    pub(crate) fn terms(self, title: Option<String>, overrides: Vec<String>) -> Terms {
        Terms { steps: self, title, overrides }
    }
}

/// Steps, what they are called together, and the rules that are not kept.
pub(crate) struct Terms {
    steps: Steps,
    title: Option<String>,
    overrides: Vec<String>,
}

impl Terms {
    /// As the core wants them.
    pub(crate) fn into_operation(self) -> Result<NewOperation> {
        let refuse = |cause: String| {
            Error::new(ErrorKind::Invalid, "read the steps")
                .because(cause)
                .next("give actions such as {\"on\": \"guest\", \"id\": ..., \"do\": \"start\"}, see reanimator.model")
        };
        let given: Vec<serde_json::Value> =
            serde_json::from_str(&self.steps.0).map_err(|error| refuse(error.to_string()))?;
        let read = |(number, step): (usize, _)| {
            NewStep::asked(step).map_err(|error| refuse(format!("step {number} cannot be read: {error}")))
        };
        let steps = given.into_iter().enumerate().map(read).collect::<Result<_>>()?;
        let overrides = self.overrides.iter().map(|rule| rule.parse()).collect::<Result<_>>()?;
        Ok(NewOperation { title: self.title.unwrap_or_default(), steps, overrides })
    }
}

/// Names: one, or several.
#[derive(FromPyObject)]
pub(crate) enum Names {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl Names {
    /// Both as a list.
    pub(crate) fn into_list(self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name],
            Self::Many(names) => names,
        }
    }
}

/// A time, as words of the core: given as such, or as a `datetime`. One without a zone is local time, as everywhere in
/// Python.
pub(crate) struct When(pub(crate) String);

impl FromPyObject<'_, '_> for When {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(words) = given.extract::<String>() {
            return Ok(Self(words));
        }
        if !given.is_instance_of::<PyDateTime>() {
            return Err(PyTypeError::new_err(
                "a time is a datetime, or text such as \"24h\" or \"2026-01-31T12:00:00Z\"",
            ));
        }
        let utc = given.call_method1("astimezone", (PyTzInfo::utc(given.py())?,))?;
        utc.call_method0("isoformat")?.extract().map(Self)
    }
}

/// How far apart points are, as words of the core: given as such, as seconds, or as a `timedelta`.
#[derive(FromPyObject)]
pub(crate) enum Span {
    /// `5m`.
    Words(String),
    /// Seconds.
    Seconds(i64),
    /// A length of time.
    Length(Duration),
}

impl Span {
    /// As the core reads it.
    pub(crate) fn into_words(self) -> String {
        match self {
            Self::Words(words) => words,
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Length(length) => length.as_secs_f64().to_string(),
        }
    }
}

/// The id of a change: as text, as lists show it, or as a number.
#[derive(FromPyObject)]
pub(crate) enum ChangeId {
    /// As lists show it.
    Text(String),
    /// As a number.
    Number(i64),
}

impl ChangeId {
    /// As text.
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
        }
    }
}
