//! `proxmox`: whole clusters, each behind one connection.

use clap::{Args, Subcommand};
use reanimator_core::{
    Error, ErrorKind,
    fleet::{ConnectReport, NewProxmox, ProxmoxSecret},
};
use serde_json::json;

use super::{
    credentials::{self, ProxmoxCredentialsArgs},
    show_test,
};
use crate::{
    ask,
    context::Context,
    failure::{Done, Failure, usage},
    screen::{Cell, Column, Table, outline::outline, words},
};

/// What can be done with clusters.
#[derive(Debug, Subcommand)]
pub(crate) enum ProxmoxCommand {
    /// Bring a cluster, or a node that stands alone, into the fleet
    Connect(ConnectArgs),
    /// List the clusters
    List,
    /// Show everything that is known of a cluster: votes, high availability, Ceph, replication, backups
    Show(ShowArgs),
    /// Replace or remove what a cluster is logged in to with; without a name, list what is stored
    Credentials(ProxmoxCredentialsArgs),
    /// Try whether a cluster answers, step by step
    Test(NameArgs),
    /// Take a cluster out of the fleet
    Remove(NameArgs),
}

/// What `proxmox show` takes.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The connection's name or id
    name: String,
    /// Ask the cluster now, rather than show what was last seen
    #[arg(long)]
    observe: bool,
}

/// What `proxmox connect` takes.
#[derive(Debug, Args)]
pub(crate) struct ConnectArgs {
    /// Address of any node: https://HOST:8006
    url: String,
    /// What to call the connection [default: the cluster's name]
    #[arg(long)]
    name: Option<String>,
    /// Log in with an API token, USER@REALM!NAME=SECRET; SOURCE says where it is
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask",
          conflicts_with_all = ["user", "password", "password_stdin"], long_help = TOKEN_HELP)]
    token: Option<String>,
    /// Log in as this user, with a password
    #[arg(long, value_name = "USER@REALM")]
    user: Option<String>,
    /// Where the user's password is: ask, stdin, env:NAME or file:PATH [default: ask]
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask",
          requires = "user")]
    password: Option<String>,
    /// Read the password from stdin
    #[arg(long, requires = "user", conflicts_with = "password")]
    password_stdin: bool,
    /// Trust the certificate with this SHA-256 fingerprint
    #[arg(long, value_name = "AA:BB:...")]
    accept_certificate: Option<String>,
    /// Look at the cluster and store nothing
    #[arg(long)]
    dry_run: bool,
}

const TOKEN_HELP: &str = "Log in with an API token, USER@REALM!NAME=SECRET. The option says where it is: \
    --token asks for it, --token=stdin, --token=env:NAME, --token=file:PATH";

/// Which cluster.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The connection's name or id
    name: String,
}

/// Carries out the command.
pub(crate) async fn run(command: ProxmoxCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        ProxmoxCommand::Connect(args) => connect(args, context).await,
        ProxmoxCommand::List => list(context).await,
        ProxmoxCommand::Show(args) => show(&args, context).await,
        ProxmoxCommand::Credentials(args) => credentials::of_clusters(args, context).await,
        ProxmoxCommand::Test(args) => show_test(&context.fleet().await?.test_proxmox(&args.name).await?, context),
        ProxmoxCommand::Remove(args) => remove(&args.name, context).await,
    }
}

async fn connect(args: ConnectArgs, context: &Context) -> Result<Done, Failure> {
    let mut new = NewProxmox {
        url: args.url.clone(),
        name: args.name.clone(),
        auth: secret(&args)?,
        accept_certificate: args.accept_certificate.clone(),
        dry_run: args.dry_run,
    };
    let fleet = context.fleet().await?;
    let report = loop {
        match context.audited(&fleet, "proxmox connect", &args.url, fleet.connect_proxmox(new.clone())).await {
            Err(Failure::Core(error)) => new.accept_certificate = Some(accepted(error, &args.url)?),
            outcome => break outcome?,
        }
    };
    show_report(&report, args.dry_run, context)?;
    Ok(Done::Whole)
}

fn secret(args: &ConnectArgs) -> Result<ProxmoxSecret, Failure> {
    if let Some(source) = &args.token {
        return Ok(ProxmoxSecret::Token(ask::secret("--token", source, "API token: ")?));
    }
    let Some(user) = &args.user else {
        return Err(usage(
            &format!("log in to {}", args.url),
            "no account was named",
            "give --token=SOURCE for an API token, or --user root@pam for a password",
        ));
    };
    let source = if args.password_stdin { "stdin" } else { args.password.as_deref().unwrap_or("ask") };
    let password = ask::secret("--password", source, &format!("Password of {user}: "))?;
    Ok(ProxmoxSecret::Password { user: user.clone(), password })
}

/// The fingerprint of a certificate that is not known yet, once the person at the terminal says that it is right.
fn accepted(error: Error, url: &str) -> Result<String, Failure> {
    let Some(shown) = error.fingerprint().filter(|_| error.kind() == ErrorKind::CertificateUnknown).cloned() else {
        return Err(error.into());
    };
    if ask::somebody_is_there() && ask::confirm_identity(url, &shown)? {
        return Ok(shown.sha256);
    }
    let next = format!("compare it on the node (pvenode cert info), then add --accept-certificate {}", shown.sha256);
    Err(error.next(next).into())
}

fn show_report(report: &ConnectReport, dry_run: bool, context: &Context) -> Result<(), Failure> {
    let screen = &context.screen;
    if screen.is_json() {
        screen.document(report)?;
        return Ok(());
    }
    let mut table = Table::new([Column::words("NODE"), Column::words("STATE"), Column::words("ADDRESS")]);
    for node in &report.nodes {
        let state = if node.online { Cell::from("online").good() } else { Cell::from("offline").bad() };
        table.row([node.name.as_str().into(), state, Cell::known(node.ip.as_deref())]);
    }
    let done = if dry_run { "Would connect" } else { "Connected" };
    screen.line(&format!(
        "{done} {}: {}, {}, {}.",
        screen.text(&report.name),
        words::count(report.nodes.len(), "node"),
        words::count(report.guests, "guest"),
        words::count(report.storages, "storage"),
    ))?;
    screen.table(&table, "It has no nodes.")?;
    Ok(())
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let connections = context.fleet().await?.proxmoxes().await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": connections }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("NAME"),
        Column::words("CLUSTER").keep(3),
        Column::words("STATE"),
        Column::words("QUORUM").keep(5),
        Column::words("NODES").keep(4),
        Column::words("URL").keep(2),
        Column::words("PROBLEM"),
    ]);
    for connection in &connections {
        let urls: Vec<String> = connection.endpoints.iter().map(|endpoint| endpoint.url.clone()).collect();
        table.row([
            connection.name.as_str().into(),
            Cell::known(connection.cluster.as_deref()),
            connection.state.as_str().into(),
            quorum(connection.quorate),
            words::list(&connection.nodes).into(),
            words::list(&urls).into(),
            connection.problem.as_ref().map_or("", |problem| problem.message.as_str()).into(),
        ]);
    }
    context.screen.table(&table, "No cluster. Next: reanimator proxmox connect https://HOST:8006")?;
    Ok(Done::Whole)
}

async fn show(args: &ShowArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let facts = match args.observe {
        true => context.audited(&fleet, "proxmox refresh", &args.name, fleet.refresh_cluster(&args.name)).await?,
        false => fleet.cluster_facts(&args.name).await?,
    };
    if context.screen.is_json() {
        context.screen.document(&facts)?;
        return Ok(Done::Whole);
    }
    let value = serde_json::to_value(&facts.facts).map_err(std::io::Error::other)?;
    for line in outline(&value).lines() {
        context.screen.line(&context.screen.text(line))?;
    }
    for unseen in &facts.unseen {
        let (what, why) = (context.screen.text(&unseen.what), context.screen.text(&unseen.why));
        context.screen.line(&format!("Not seen: {what}: {why}"))?;
    }
    Ok(Done::Whole)
}

fn quorum(quorate: Option<bool>) -> Cell {
    match quorate {
        Some(true) => Cell::from("yes").good(),
        Some(false) => Cell::from("lost").bad(),
        None => Cell::known(None::<String>),
    }
}

async fn remove(name: &str, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "proxmox remove", name, fleet.remove_proxmox(name)).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "removed": name }))?;
    } else {
        context.screen.line(&format!("Removed {}.", context.screen.text(name)))?;
    }
    Ok(Done::Whole)
}
