//! What `notify add` and `notify change` take, and what comes of it.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use jiff::{civil::Time, tz::TimeZone};
use reanimator_core::model::{
    Day, MailTls, NoticeKind, NoticeLevel, NotifySecrets, NotifyTarget, NotifyTargetChange, NotifyWay, NotifyWhich,
    QuietHours,
    window::{parse_days, parse_time},
};
use secrecy::ExposeSecret;

use crate::{
    ask,
    failure::{Failure, usage},
};

/// How a target is reached: one of the ways, and what belongs to it.
#[derive(Debug, Default, Args)]
pub(crate) struct WayArgs {
    /// By mail, to this address; may be given more than once
    #[arg(long, value_name = "ADDRESS", group = "way")]
    email: Vec<String>,
    /// By a JSON document posted to a web address; where it is a secret: ask, stdin, env:NAME or file:PATH
    #[arg(long, value_name = "URL", group = "way")]
    webhook: Option<String>,
    /// By ntfy, on this topic
    #[arg(long, value_name = "TOPIC", group = "way")]
    ntfy: Option<String>,
    /// By the Gotify server at this address
    #[arg(long, value_name = "URL", group = "way")]
    gotify: Option<String>,
    /// By the program apprise; its addresses, one a line, are in: ask, stdin, env:NAME or file:PATH
    #[arg(long, value_name = "SOURCE", group = "way", num_args = 0..=1, default_missing_value = "ask", require_equals = true)]
    apprise: Option<String>,
    /// The mail server
    #[arg(long, value_name = "NAME", requires = "email")]
    mail_server: Option<String>,
    /// Its port [default: 587 with starttls, 465 with tls, 25 with none]
    #[arg(long, value_name = "PORT", requires = "email")]
    mail_port: Option<u16>,
    /// How the way to it is protected
    #[arg(long, value_name = "HOW", default_value = "starttls", requires = "email")]
    mail_tls: TlsChoice,
    /// The sender's address
    #[arg(long, value_name = "ADDRESS", requires = "email")]
    mail_from: Option<String>,
    /// The ntfy server
    #[arg(long, value_name = "URL", default_value = "https://ntfy.sh", requires = "ntfy")]
    ntfy_server: String,
    /// Whom to log in as, to a mail server or ntfy
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

/// Secrets: each option says where the secret is, not what it is.
#[derive(Debug, Default, Args)]
pub(crate) struct SecretArgs {
    /// The user's password: ask, stdin, env:NAME or file:PATH
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, default_missing_value = "ask", require_equals = true)]
    password: Option<String>,
    /// The token of ntfy or Gotify
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, default_missing_value = "ask", require_equals = true)]
    token: Option<String>,
    /// A key with which the documents of a webhook are signed
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, default_missing_value = "ask", require_equals = true)]
    signing_key: Option<String>,
    /// More headers of a webhook, one a line
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, default_missing_value = "ask", require_equals = true)]
    headers: Option<String>,
}

/// Which notices it gets, and when.
#[derive(Debug, Args)]
pub(crate) struct WhenArgs {
    /// Only of these levels: critical,warning,notice
    #[arg(long, value_name = "LEVELS", value_delimiter = ',', value_parser = level)]
    levels: Vec<NoticeLevel>,
    /// Only of these kinds: alert-raised,alert-resolved,operation-ended,update-ended
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind)]
    kinds: Vec<NoticeKind>,
    /// Only about these hosts; all with an empty text
    #[arg(long, value_name = "SELECTOR")]
    hosts: Option<String>,
    /// Only about these guests; all with an empty text
    #[arg(long, value_name = "SELECTOR")]
    guests: Option<String>,
    /// Whether it is told when an alert is over
    #[arg(long, value_name = "YES|NO", value_parser = yes)]
    resolved: Option<bool>,
    /// Whether it is told of what went well
    #[arg(long, value_name = "YES|NO", value_parser = yes)]
    done: Option<bool>,
    /// Do not disturb it then: 22:00-07:00; none with an empty text
    #[arg(long, value_name = "HH:MM-HH:MM", value_parser = span)]
    quiet: Option<Span>,
    /// On which days it begins to be quiet: mon-fri,sun
    #[arg(long, value_name = "DAYS", value_parser = parse_days, requires = "quiet")]
    quiet_days: Option<BTreeSetOfDays>,
    /// The time zone of the quiet hours [default: this machine's]
    #[arg(long, value_name = "ZONE", requires = "quiet")]
    quiet_zone: Option<String>,
    /// Let what is critical wait, too
    #[arg(long, requires = "quiet")]
    critical_waits: bool,
    /// Gather notices for so long into one message; with 0 each goes at once
    #[arg(long, value_name = "SECONDS")]
    gather: Option<u32>,
    /// Whether it may lie on this very machine or in a link-local range
    #[arg(long, value_name = "YES|NO", value_parser = yes)]
    allow_inside: Option<bool>,
    /// Whether anything is sent
    #[arg(long, value_name = "YES|NO", value_parser = yes)]
    enabled: Option<bool>,
}

/// One value, although it is a set.
type BTreeSetOfDays = BTreeSet<Day>;
/// From and to, or none.
type Span = Option<(Time, Time)>;

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum TlsChoice {
    /// Protected before anything is said
    #[default]
    Starttls,
    /// Protected from the first byte
    Tls,
    /// Not at all
    None,
}

fn level(text: &str) -> Result<NoticeLevel, String> {
    let found = NoticeLevel::ALL.into_iter().find(|level| level.as_str() == text);
    found.ok_or_else(|| "write critical, warning or notice".to_owned())
}

fn kind(text: &str) -> Result<NoticeKind, String> {
    let found = NoticeKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    let all = NoticeKind::ALL.map(NoticeKind::as_str).join(", ");
    found.ok_or_else(|| format!("write one of {all}"))
}

fn yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("write yes or no".to_owned()),
    }
}

fn span(text: &str) -> Result<Span, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let (from, to) = text.split_once('-').ok_or("write it as 22:00-07:00")?;
    let read = |text| parse_time(text).map_err(|error| reanimator_core::message(&error));
    Ok(Some((read(from)?, read(to)?)))
}

/// The way that is meant, where one is given, with what of it is a secret.
pub(crate) fn way(args: WayArgs, given: &SecretArgs) -> Result<(Option<NotifyWay>, NotifySecrets), Failure> {
    let mut secrets = NotifySecrets {
        password: ask::optional_secret("--password", given.password.as_deref(), "Password: ")?,
        token: ask::optional_secret("--token", given.token.as_deref(), "Token: ")?,
        signing_key: ask::optional_secret("--signing-key", given.signing_key.as_deref(), "Key for signing: ")?,
        headers: None,
        urls: None,
    };
    if let Some(source) = &given.headers {
        secrets.headers = Some(ask::lines("--headers", source, "Header (Name: value): ")?);
    }
    if let Some(source) = &args.apprise {
        secrets.urls = Some(ask::lines("--apprise", source, "Address of apprise: ")?);
        return Ok((Some(NotifyWay::Apprise {}), secrets));
    }
    if let Some(given) = args.webhook {
        let url = match given.starts_with("http://") || given.starts_with("https://") {
            true => given,
            false => ask::secret("--webhook", &given, "Web address: ")?.expose_secret().to_owned(),
        };
        return Ok((Some(NotifyWay::Webhook { url }), secrets));
    }
    if let Some(topic) = args.ntfy {
        return Ok((Some(NotifyWay::Ntfy { server: args.ntfy_server, topic, user: args.user }), secrets));
    }
    if let Some(server) = args.gotify {
        return Ok((Some(NotifyWay::Gotify { server }), secrets));
    }
    if args.email.is_empty() {
        return Ok((None, secrets));
    }
    let need = |what: Option<String>, option: &str| {
        what.ok_or_else(|| usage("make a target by mail", format!("{option} is missing"), format!("give {option}")))
    };
    let tls = match args.mail_tls {
        TlsChoice::Starttls => MailTls::Starttls,
        TlsChoice::Tls => MailTls::Tls,
        TlsChoice::None => MailTls::None,
    };
    let way = NotifyWay::Email {
        server: need(args.mail_server, "--mail-server")?,
        port: args.mail_port,
        tls,
        user: args.user,
        from: need(args.mail_from, "--mail-from")?,
        to: args.email,
    };
    Ok((Some(way), secrets))
}

/// What is to change, seen from how it is.
pub(crate) fn change(args: WhenArgs, way: Option<NotifyWay>, before: &NotifyWhich) -> NotifyTargetChange {
    let text = |new: Option<String>, old: &Option<String>| match new {
        Some(text) => Some(text).filter(|text| !text.trim().is_empty()),
        None => old.clone(),
    };
    let which = NotifyWhich {
        levels: if args.levels.is_empty() { before.levels.clone() } else { args.levels.into_iter().collect() },
        kinds: if args.kinds.is_empty() { before.kinds.clone() } else { args.kinds.into_iter().collect() },
        hosts: text(args.hosts, &before.hosts),
        guests: text(args.guests, &before.guests),
        resolved: args.resolved.unwrap_or(before.resolved),
        done: args.done.unwrap_or(before.done),
    };
    let own_zone = || TimeZone::system().iana_name().unwrap_or("UTC").to_owned();
    let quiet = args.quiet.map(|span| {
        span.map(|(from, to)| QuietHours {
            from,
            to,
            zone: args.quiet_zone.unwrap_or_else(own_zone),
            days: args.quiet_days.unwrap_or_else(|| Day::ALL.into()),
            critical_waits: args.critical_waits,
        })
    });
    NotifyTargetChange {
        way,
        which: (which != *before).then_some(which),
        quiet,
        group_seconds: args.gather,
        allow_inside: args.allow_inside,
        enabled: args.enabled,
    }
}

/// A new target by these settings.
pub(crate) fn target(name: String, way: NotifyWay, when: WhenArgs) -> NotifyTarget {
    let plain = NotifyTarget {
        name,
        way,
        which: NotifyWhich::default(),
        quiet: None,
        group_seconds: 30,
        allow_inside: false,
        enabled: true,
    };
    plain.with(change(when, None, &NotifyWhich::default()))
}
