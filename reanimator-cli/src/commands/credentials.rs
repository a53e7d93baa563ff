//! `host credentials` and `proxmox credentials`: replaced and removed, and shown by their names alone.

use clap::Args;
use reanimator_core::fleet::{CredentialKind, CredentialsView, NewSshCredentials, ProxmoxSecret};
use serde_json::json;

use super::host_add::private_key;
use crate::{
    ask,
    context::Context,
    failure::{Done, Failure, usage},
    screen::{Cell, Column, Table, words},
};

/// What `host credentials` takes.
#[derive(Debug, Args)]
pub(crate) struct HostCredentialsArgs {
    /// The host's name or id; without it, whose credentials are stored is listed
    name: Option<String>,
    /// Log in as this user
    #[arg(long, requires = "name")]
    user: Option<String>,
    /// Store another password; where it is: ask, stdin, env:NAME or file:PATH
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask",
          requires = "name")]
    password: Option<String>,
    /// Store another private key: a copy of this file
    #[arg(long, value_name = "PATH", requires = "name")]
    key: Option<String>,
    /// Where the key's passphrase is: ask, stdin, env:NAME or file:PATH
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask",
          requires = "name")]
    passphrase: Option<String>,
    /// Store another sudo password; where it is: ask, stdin, env:NAME or file:PATH
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask",
          requires = "name")]
    sudo_password: Option<String>,
    /// Remove what is stored under this name: password, key, passphrase or sudo (may be repeated)
    #[arg(long, value_name = "NAME", requires = "name",
          conflicts_with_all = ["user", "password", "key", "passphrase", "sudo_password"])]
    remove: Vec<String>,
}

/// What `proxmox credentials` takes.
#[derive(Debug, Args)]
pub(crate) struct ProxmoxCredentialsArgs {
    /// The connection's name or id; without it, whose credentials are stored is listed
    name: Option<String>,
    /// Log in with this API token from now on, USER@REALM!NAME=SECRET; SOURCE says where it is
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask",
          requires = "name", conflicts_with_all = ["user", "password"])]
    token: Option<String>,
    /// Log in as this user from now on, with a password
    #[arg(long, value_name = "USER@REALM", requires = "name")]
    user: Option<String>,
    /// Where the user's password is: ask, stdin, env:NAME or file:PATH [default: ask]
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask",
          requires = "user")]
    password: Option<String>,
    /// Remove what is stored under this name and not used to log in (may be repeated)
    #[arg(long, value_name = "NAME", requires = "name", conflicts_with_all = ["token", "user"])]
    remove: Vec<String>,
}

/// Those of hosts.
pub(super) async fn of_hosts(args: HostCredentialsArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let Some(name) = &args.name else { return list(CredentialKind::Host, context).await };
    if !args.remove.is_empty() {
        let remove = fleet.remove_host_credentials(name, &args.remove);
        return show(&context.audited(&fleet, "host credentials remove", name, remove).await?, context);
    }
    let new = NewSshCredentials {
        user: args.user,
        password: ask::optional_secret("--password", args.password.as_deref(), &format!("New password for {name}: "))?,
        key: args.key.as_deref().map(private_key).transpose()?,
        passphrase: ask::optional_secret("--passphrase", args.passphrase.as_deref(), "Passphrase of the key: ")?,
        sudo_password: ask::optional_secret("--sudo-password", args.sudo_password.as_deref(), "Password for sudo: ")?,
    };
    let set = fleet.set_host_credentials(name, new);
    show(&context.audited(&fleet, "host credentials set", name, set).await?, context)
}

/// Those of clusters.
pub(super) async fn of_clusters(args: ProxmoxCredentialsArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let Some(name) = &args.name else { return list(CredentialKind::Proxmox, context).await };
    if !args.remove.is_empty() {
        let remove = fleet.remove_proxmox_credentials(name, &args.remove);
        return show(&context.audited(&fleet, "proxmox credentials remove", name, remove).await?, context);
    }
    let new = match (&args.token, &args.user) {
        (Some(source), _) => ProxmoxSecret::Token(ask::secret("--token", source, "API token: ")?),
        (None, Some(user)) => {
            let source = args.password.as_deref().unwrap_or("ask");
            let password = ask::secret("--password", source, &format!("Password of {user}: "))?;
            ProxmoxSecret::Password { user: user.clone(), password }
        }
        (None, None) => {
            let next = "give --token=SOURCE for an API token, or --user root@pam for a password";
            return Err(usage(&format!("change the login of {name}"), "no login was named", next));
        }
    };
    let set = fleet.set_proxmox_credentials(name, &new);
    show(&context.audited(&fleet, "proxmox credentials set", name, set).await?, context)
}

async fn list(kind: CredentialKind, context: &Context) -> Result<Done, Failure> {
    let mut stored = context.fleet().await?.credentials_stored().await?;
    stored.retain(|each| each.subject.kind == kind);
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": stored }))?;
    } else {
        context.screen.table(&table(&stored), "Nothing is reached that way.")?;
    }
    Ok(Done::Whole)
}

fn show(view: &CredentialsView, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(view)?;
    } else {
        context.screen.table(&table(std::slice::from_ref(view)), "")?;
    }
    Ok(Done::Whole)
}

fn table(stored: &[CredentialsView]) -> Table {
    let mut table =
        Table::new([Column::words("NAME"), Column::words("USER"), Column::words("STORED"), Column::words("CHANGED")]);
    for each in stored {
        table.row([
            each.subject.name.as_str().into(),
            each.user.as_str().into(),
            words::list(&each.names).into(),
            Cell::known(each.changed_at.map(words::moment)),
        ]);
    }
    table
}
