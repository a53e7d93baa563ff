//! `host add`: what it takes, and the question about a key that is not known yet.

use clap::{Args, ValueEnum};
use reanimator_core::{
    Error, ErrorKind, Fleet,
    fleet::{NewHost, SudoChoice, parse_jump},
};
use secrecy::SecretString;

use super::host::show_host;
use crate::{
    ask,
    context::Context,
    failure::{Done, Failure, usage},
};

/// What `host add` takes.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Where it is: HOST, USER@HOST or USER@HOST:PORT, or a name from ~/.ssh/config
    target: String,
    /// What to call it [default: as it was given]
    #[arg(long)]
    name: Option<String>,
    /// Put it into a group (may be repeated)
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Give it a tag (may be repeated)
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Go through this host first: HOST, USER@HOST or USER@HOST:PORT (may be repeated, the first one first)
    #[arg(long = "jump", value_name = "JUMP")]
    jumps: Vec<String>,
    /// A private key file to log in with; it stays where it is (may be repeated, tried in this order)
    #[arg(long = "key-file", value_name = "PATH", conflicts_with = "key")]
    key_files: Vec<String>,
    /// A private key file to copy into the fleet's encrypted store
    #[arg(long, value_name = "PATH")]
    key: Option<String>,
    /// Where the key's passphrase is: ask, stdin, env:NAME or file:PATH
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask")]
    passphrase: Option<String>,
    /// Log in with a password; where it is: ask, stdin, env:NAME or file:PATH
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask")]
    password: Option<String>,
    /// Log in with a password, read from stdin
    #[arg(long, conflicts_with = "password")]
    password_stdin: bool,
    /// Do not ask the running SSH agent
    #[arg(long)]
    no_agent: bool,
    /// How to become root there
    #[arg(long, value_name = "HOW", default_value = "none")]
    sudo: SudoArg,
    /// Where the sudo password is: ask, stdin, env:NAME or file:PATH [default: ask]
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask")]
    sudo_password: Option<String>,
    /// Trust the host key with this fingerprint (may be repeated, for hosts on the way)
    #[arg(long, value_name = "SHA256:...")]
    accept_host_key: Vec<String>,
    /// Store it without connecting first
    #[arg(long)]
    unchecked: bool,
}

/// How to become root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SudoArg {
    /// Not at all
    None,
    /// sudo without a password
    Nopasswd,
    /// sudo with a password
    Password,
}

/// Adds the host; a key that is not known yet is shown and asked about, once for each host on the way.
pub(super) async fn run(args: AddArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let mut new = new_host(&args, &fleet)?;
    let host = loop {
        match context.audited(&fleet, "host add", &args.target, fleet.add_host(new.clone())).await {
            Err(Failure::Core(error)) => accept(&mut new, error, &args)?,
            outcome => break outcome?,
        }
    };
    show_host(&host, context)
}

fn new_host(args: &AddArgs, fleet: &Fleet) -> Result<NewHost, Failure> {
    let mut new = fleet.host_from_ssh_config(&args.target)?;
    new.name = args.name.clone().or(new.name);
    new.groups.extend(args.groups.iter().cloned());
    new.tags.extend(args.tags.iter().cloned());
    for jump in &args.jumps {
        new.jumps.push(parse_jump(jump)?);
    }
    new.auth.agent &= !args.no_agent;
    if !args.key_files.is_empty() {
        new.auth.key_files.clone_from(&args.key_files);
    }
    new.auth.key = args.key.as_deref().map(private_key).transpose()?;
    new.auth.passphrase = ask::optional_secret("--passphrase", args.passphrase.as_deref(), "Passphrase of the key: ")?;
    let password = if args.password_stdin { Some("stdin") } else { args.password.as_deref() };
    new.auth.password = ask::optional_secret("--password", password, &format!("Password for {}: ", args.target))?;
    new.sudo = sudo(args)?;
    new.accept_host_key = Some(args.accept_host_key.join(",")).filter(|accepted| !accepted.is_empty());
    new.unchecked = args.unchecked;
    Ok(new)
}

pub(super) fn private_key(path: &str) -> Result<SecretString, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        usage(&format!("read the private key {path}"), error.to_string(), "name a private key file that can be read")
    })?;
    Ok(SecretString::from(text))
}

fn sudo(args: &AddArgs) -> Result<SudoChoice, Failure> {
    Ok(match args.sudo {
        SudoArg::None => SudoChoice::None,
        SudoArg::Nopasswd => SudoChoice::NoPassword,
        SudoArg::Password => {
            let source = args.sudo_password.as_deref().unwrap_or("ask");
            SudoChoice::Password(ask::secret("--sudo-password", source, "Password for sudo: ")?)
        }
    })
}

/// Takes in a key that is not known yet, once the person at the terminal says that it is right.
fn accept(new: &mut NewHost, error: Error, args: &AddArgs) -> Result<(), Failure> {
    let Some(shown) = error.fingerprint().filter(|_| error.kind() == ErrorKind::HostKeyUnknown).cloned() else {
        return Err(error.into());
    };
    let before = new.accept_host_key.take().unwrap_or_default();
    let name = error.subject().unwrap_or(&args.target);
    // What was accepted already and is refused all the same would be asked for ever.
    if !before.contains(&shown.sha256) && ask::somebody_is_there() && ask::confirm_identity(name, &shown)? {
        let accepted = [before, shown.sha256].into_iter().filter(|one| !one.is_empty());
        new.accept_host_key = Some(accepted.collect::<Vec<_>>().join(","));
        return Ok(());
    }
    let next = format!(
        "compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then add --accept-host-key {}",
        shown.sha256
    );
    Err(error.next(next).into())
}
