//! `serve`: the live loop, the HTTP interface and the page, until somebody ends it.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};
use reanimator_core::{
    Error, ErrorKind,
    fleet::{CapChange, RetentionChange, SettingsChange, TerminalChange, UploadChange},
};
use reanimator_server::{Ready, ServerOptions, Tls};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::Screen,
};

/// What `serve` takes.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8420")]
    listen: SocketAddr,
    /// Serve over TLS with a certificate of our own making
    #[arg(long, value_name = "HOW", num_args = 0..=1, default_missing_value = "self-made",
          conflicts_with_all = ["tls_cert", "tls_key"])]
    tls: Option<TlsArg>,
    /// Serve over TLS with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Answer to this host name too (may be repeated)
    #[arg(long = "allowed-host", value_name = "NAME")]
    allowed_hosts: Vec<String>,
    /// Serve without TLS on an address that others can reach
    #[arg(long)]
    allow_plain: bool,
    #[command(flatten)]
    keep: KeepArgs,
}

/// How long things are kept and how much is done at once, from now on: each is stored, and holds until it is given anew or
/// changed on the page.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is kept and done (stored; see `reanimator status --settings`)")]
pub(crate) struct KeepArgs {
    /// Keep every sample for so many hours (24h) [at first: 24h]
    #[arg(long, value_name = "HOURS", value_parser = hours)]
    keep_samples: Option<u32>,
    /// Keep averages over a minute for so many days (7d) [at first: 7d]
    #[arg(long, value_name = "DAYS", value_parser = days)]
    keep_minutes: Option<u32>,
    /// Keep averages over a quarter of an hour for so many days [at first: 90d]
    #[arg(long, value_name = "DAYS", value_parser = days)]
    keep_quarters: Option<u32>,
    /// Keep averages over six hours for so many days [at first: 730d]
    #[arg(long, value_name = "DAYS", value_parser = days)]
    keep_six_hours: Option<u32>,
    /// Keep events for so many days [at first: 90d]
    #[arg(long, value_name = "DAYS", value_parser = days)]
    keep_events: Option<u32>,
    /// Keep what changed on hosts for so many days [at first: 730d]
    #[arg(long, value_name = "DAYS", value_parser = days)]
    keep_changes: Option<u32>,
    /// Let so many operations act on one host at once [at first: 2]
    #[arg(long, value_name = "NUMBER")]
    at_once_per_host: Option<u32>,
    /// Let so many operations act on one cluster at once [at first: 4]
    #[arg(long, value_name = "NUMBER")]
    at_once_per_cluster: Option<u32>,
    /// Let files that are handed over take so much room [at first: 50]
    #[arg(long, value_name = "GIB")]
    upload_quota: Option<u32>,
    /// Keep files that are handed over and not used for so many days [at first: 3d]
    #[arg(long, value_name = "DAYS", value_parser = days)]
    keep_uploads: Option<u32>,
    /// Record what terminals show where nobody says otherwise: true or false [at first: false]
    #[arg(long, value_name = "WHETHER")]
    record_terminals: Option<bool>,
    /// Keep a terminal open for so many minutes while nobody looks at it [at first: 10]
    #[arg(long, value_name = "MINUTES")]
    keep_terminals: Option<u32>,
    /// Close a terminal in which nobody has typed for so many hours [at first: 8]
    #[arg(long, value_name = "HOURS")]
    close_idle_terminals: Option<u32>,
}

impl KeepArgs {
    fn change(&self) -> SettingsChange {
        SettingsChange {
            retention: RetentionChange {
                samples_hours: self.keep_samples,
                minutes_days: self.keep_minutes,
                quarters_days: self.keep_quarters,
                six_hours_days: self.keep_six_hours,
                events_days: self.keep_events,
                changes_days: self.keep_changes,
            },
            caps: CapChange { per_host: self.at_once_per_host, per_cluster: self.at_once_per_cluster },
            uploads: UploadChange { quota_gib: self.upload_quota, keep_days: self.keep_uploads },
            terminals: TerminalChange {
                record: self.record_terminals,
                unseen_minutes: self.keep_terminals,
                idle_hours: self.close_idle_terminals,
            },
        }
    }
}

/// Reads `24h` or `2d` as hours.
fn hours(text: &str) -> Result<u32, String> {
    let number = |digits: &str| digits.parse::<u32>().ok();
    let hours = match text.strip_suffix('d') {
        Some(days) => number(days).and_then(|days| days.checked_mul(24)),
        None => number(text.strip_suffix('h').unwrap_or(text)),
    };
    hours.ok_or_else(|| "write hours as 24h, or days as 2d".to_owned())
}

/// Reads `7d` as days.
fn days(text: &str) -> Result<u32, String> {
    text.strip_suffix('d').unwrap_or(text).parse().map_err(|_| "write days as 7d".to_owned())
}

/// Where the certificate comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsArg {
    /// Made on first use and kept in the data directory
    SelfMade,
}

/// Carries it out; SIGINT and SIGTERM end it cleanly.
pub(crate) async fn run(args: ServeArgs, context: &Context) -> Result<Done, Failure> {
    let stop = CancellationToken::new();
    stop_on_signals(stop.clone())?;
    let fleet = context.fleet().await?;
    let screen = context.screen;
    let keep = args.keep.change();
    if keep != SettingsChange::default() {
        context.audited(&fleet, "settings change", &keep.to_string(), fleet.change_settings(keep)).await?;
    }
    reanimator_server::serve(fleet, options(args), stop, move |ready| announce(&ready, &screen)).await?;
    Ok(Done::Whole)
}

/// Cancels `stop` at the first signal; the second one ends the program at once, as usual.
fn stop_on_signals(stop: CancellationToken) -> Result<(), Error> {
    let listen =
        |kind| signal(kind).map_err(|error| Error::new(ErrorKind::Internal, "wait for signals").from_source(error));
    let (mut interrupt, mut terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("ending");
        stop.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(1);
    });
    Ok(())
}

fn options(args: ServeArgs) -> ServerOptions {
    let tls = match (args.tls, args.tls_cert, args.tls_key) {
        (Some(TlsArg::SelfMade), ..) => Tls::SelfMade,
        (None, Some(certificate), Some(key)) => Tls::Files { certificate, key },
        (None, ..) => Tls::Off,
    };
    ServerOptions {
        listen: args.listen,
        tls,
        allow_plain: args.allow_plain,
        allowed_hosts: args.allowed_hosts,
        ..ServerOptions::default()
    }
}

/// Says where it is. Whoever starts the program waits for this line; should nobody read it, the service runs on.
fn announce(ready: &Ready, screen: &Screen) {
    let said = if screen.is_json() { screen.document(&document(ready)) } else { screen.bytes(text(ready).as_bytes()) };
    if let Err(error) = said {
        tracing::warn!("could not say where it listens: {error}");
    }
}

fn text(ready: &Ready) -> String {
    let mut text = format!("Reanimator is at {}/\n", ready.url);
    if let Some(fingerprint) = &ready.fingerprint {
        text.push_str(&format!("Its certificate, SHA-256: {fingerprint}\n"));
    }
    if let Some(link) = &ready.setup_link {
        text.push_str(&format!("Set up the first account: {link}\n"));
    }
    text
}

fn document(ready: &Ready) -> serde_json::Value {
    serde_json::json!({
        "url": ready.url,
        "address": ready.address,
        "setup_link": ready.setup_link,
        "fingerprint": ready.fingerprint,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        assert_eq!([hours("24h"), hours("2d"), hours("36")], [Ok(24), Ok(48), Ok(36)]);
        assert_eq!([days("7d"), days("90")], [Ok(7), Ok(90)]);
        for wrong in ["", "h", "7w", "-1", "999999999999d"] {
            assert!(hours(wrong).is_err() && days(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn it_says_where_it_is_and_how_to_begin() {
        let ready = Ready {
            address: SocketAddr::from(([127, 0, 0, 1], 8420)),
            url: "http://127.0.0.1:8420".into(),
            setup_link: Some("http://127.0.0.1:8420/setup#abc".into()),
            fingerprint: None,
        };
        assert_eq!(
            text(&ready),
            "Reanimator is at http://127.0.0.1:8420/\nSet up the first account: http://127.0.0.1:8420/setup#abc\n"
        );
    }
}
