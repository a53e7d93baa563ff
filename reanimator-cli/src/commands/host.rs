//! `host`: the machines of the fleet, one by one.

use std::{collections::BTreeSet, io::Read, path::PathBuf};

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use reanimator_core::{
    Error, ErrorKind, Fleet,
    fleet::{
        HostEdit, ImportFormat, ImportReport, ImportedState,
        import::{of_ssh_config, parse},
    },
    model::{HostChange, HostView, details::Include},
    transport::ssh::SshConfig,
};
use serde_json::json;

use super::{
    credentials::{self, HostCredentialsArgs},
    history::{self, HistoryArgs, TimelineArgs},
    host_add,
    host_container::{self, ComposeCommand, ContainerCommand},
    host_maintenance::{self, MaintenanceCommand},
    host_power::{self, PowerArgs, WakeArgs},
    host_show, host_topology,
    host_unit::{self, UnitCommand},
    show_test,
    status::host_table,
    window::{self, ProtectArgs, UnprotectArgs},
};
use crate::{
    ask,
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, words},
};

/// What can be done with hosts.
#[derive(Debug, Subcommand)]
pub(crate) enum HostCommand {
    /// Add a host that is reached over SSH
    Add(Box<host_add::AddArgs>),
    /// List the hosts
    List(ListArgs),
    /// Show everything that is known of a host
    Show(ShowArgs),
    /// Show a host's figures over time
    History(HistoryArgs),
    /// Show what changed of a host: versions, disks, addresses, units
    Timeline(TimelineArgs),
    /// List the network interfaces of all hosts
    Interfaces,
    /// Show what hangs on what: hosts, their bridges, and the guests plugged into those
    Topology,
    /// Change a host's name, groups, tags or maintenance
    Set(SetArgs),
    /// Replace or remove what a host is logged in to with; without a name, list what is stored
    Credentials(Box<HostCredentialsArgs>),
    /// Try whether a host can be reached, step by step
    Test(NameArgs),
    /// Pin the key that a host shows now, in place of the one it had
    Trust(TrustArgs),
    /// Take over hosts from an SSH configuration or an Ansible inventory
    Import(ImportArgs),
    /// Start and stop systemd units, on one host or many
    #[command(subcommand)]
    Unit(UnitCommand),
    /// Empty a host and take it out of use, and back
    #[command(subcommand)]
    Maintenance(MaintenanceCommand),
    /// Shut hosts down and switch them off
    Shutdown(PowerArgs),
    /// Start hosts anew, and wait until they answer
    Reboot(PowerArgs),
    /// Let hosts sleep
    Suspend(PowerArgs),
    /// Wake hosts by a magic packet, and wait until they answer
    Wake(WakeArgs),
    /// Protect a host: it is neither disrupted nor destroyed
    Protect(ProtectArgs),
    /// Protect a host no more
    Unprotect(UnprotectArgs),
    /// Start, stop and update a container, on one host or many
    #[command(subcommand)]
    Container(ContainerCommand),
    /// Start, stop and update a project of Compose, on one host or many
    #[command(subcommand)]
    Compose(ComposeCommand),
    /// Take a host out of the fleet
    Remove(NameArgs),
}

/// Which host.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The host's name or id
    name: String,
}

/// What `host list` takes.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only these: names, globs, group:G, tag:T, kind:K, state:S, cluster:C; a&b for both, !x to take away
    #[arg(long, value_name = "SELECTOR", default_value = "all")]
    on: String,
}

/// What `host show` takes.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The host's name or id
    name: String,
    /// Look at the host now, rather than show what was last seen: its figures, and all its slower facts
    #[arg(long)]
    observe: bool,
    /// Leave out processors, memory modules, firmware and buses
    #[arg(long)]
    no_hardware: bool,
    /// Leave out storages, file systems and disks
    #[arg(long)]
    no_storage: bool,
    /// Leave out interfaces, routes and name servers
    #[arg(long)]
    no_network: bool,
}

/// What `host set` takes.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true))]
pub(crate) struct SetArgs {
    /// The host's name or id
    host: String,
    /// Call it this
    #[arg(long, group = "change", value_name = "NAME")]
    name: Option<String>,
    /// Put it into a group (may be repeated)
    #[arg(long, group = "change", value_name = "GROUP")]
    add_group: Vec<String>,
    /// Take it out of a group (may be repeated)
    #[arg(long, group = "change", value_name = "GROUP")]
    remove_group: Vec<String>,
    /// Give it a tag (may be repeated)
    #[arg(long, group = "change", value_name = "TAG")]
    add_tag: Vec<String>,
    /// Take a tag away (may be repeated)
    #[arg(long, group = "change", value_name = "TAG")]
    remove_tag: Vec<String>,
    /// Whether it is in maintenance: seen, but no alarm and no decision
    #[arg(long, group = "change", value_name = "WHETHER")]
    maintenance: Option<Switch>,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Yes
    On,
    /// No
    Off,
}

/// What `host trust` takes.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// The host's name or id
    name: String,
    /// The fingerprint that the host's own console shows; without it you are asked
    #[arg(long, value_name = "SHA256:...")]
    accept_host_key: Option<String>,
}

/// What `host import` takes.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file, or - for stdin
    file: PathBuf,
    /// What the file is
    #[arg(long)]
    format: Format,
    /// Say what would be added and add nothing
    #[arg(long)]
    dry_run: bool,
}

/// What can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// OpenSSH's client configuration, such as ~/.ssh/config
    SshConfig,
    /// An Ansible inventory, INI
    AnsibleIni,
    /// An Ansible inventory, YAML
    AnsibleYaml,
}

impl From<Format> for ImportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::SshConfig => Self::SshConfig,
            Format::AnsibleIni => Self::AnsibleIni,
            Format::AnsibleYaml => Self::AnsibleYaml,
        }
    }
}

/// Carries out the command.
pub(crate) async fn run(command: HostCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        HostCommand::Add(args) => host_add::run(*args, context).await,
        HostCommand::List(args) => list(&args, context).await,
        HostCommand::Show(args) => show(&args, context).await,
        HostCommand::History(args) => history::history("host", args, context).await,
        HostCommand::Timeline(args) => history::timeline("host", args, context).await,
        HostCommand::Interfaces => interfaces(context).await,
        HostCommand::Topology => host_topology::run(context).await,
        HostCommand::Set(args) => set(args, context).await,
        HostCommand::Credentials(args) => credentials::of_hosts(*args, context).await,
        HostCommand::Test(args) => test(&args.name, context).await,
        HostCommand::Trust(args) => trust(&args, context).await,
        HostCommand::Import(args) => import(&args, context).await,
        HostCommand::Unit(command) => host_unit::run(command, context).await,
        HostCommand::Maintenance(command) => host_maintenance::run(command, context).await,
        HostCommand::Shutdown(args) => host_power::run(&args, &HostChange::Shutdown, context).await,
        HostCommand::Reboot(args) => host_power::run(&args, &HostChange::Reboot, context).await,
        HostCommand::Suspend(args) => host_power::run(&args, &HostChange::Suspend, context).await,
        HostCommand::Wake(args) => host_power::wake(&args, context).await,
        HostCommand::Protect(args) => window::protect_host(&args, context).await,
        HostCommand::Unprotect(args) => window::unprotect_host(&args, context).await,
        HostCommand::Container(command) => host_container::container(command, context).await,
        HostCommand::Compose(command) => host_container::compose(command, context).await,
        HostCommand::Remove(args) => remove(&args.name, context).await,
    }
}

async fn test(name: &str, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let report = context.audited(&fleet, "host test", name, fleet.test_host(name)).await?;
    show_test(&report, context)
}

async fn list(args: &ListArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let hosts = fleet.select(&args.on.parse()?).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": hosts, "total": hosts.len() }))?;
    } else {
        let mut table = Table::new([
            Column::words("NAME"),
            Column::words("KIND").keep(5),
            Column::words("STATE"),
            Column::words("ADDRESS").keep(6),
            Column::words("GROUPS").keep(4),
            Column::words("TAGS").keep(3),
            Column::words("CLUSTER").keep(2),
            Column::words("SYSTEM").keep(1),
        ]);
        for host in &hosts {
            table.row(list_row(host));
        }
        context.screen.table(&table, "No hosts. Next: reanimator host add USER@HOST")?;
    }
    Ok(Done::Whole)
}

fn list_row(host: &HostView) -> [Cell; 8] {
    [
        host.name.as_str().into(),
        host.kind.as_str().into(),
        words::state(host.state),
        Cell::known(host.address.as_deref()),
        words::list(&host.groups).into(),
        words::list(&host.tags).into(),
        Cell::known(host.cluster.as_deref()),
        Cell::known(host.os.as_deref()),
    ]
}

async fn show(args: &ShowArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let detail = match args.observe {
        true => context.audited(&fleet, "host observe", &args.name, fleet.observe(&args.name)).await?,
        false => fleet.host(&args.name).await?,
    };
    if args.observe {
        fleet.refresh_facts(&args.name).await?;
    }
    let include = Include { hardware: !args.no_hardware, storage: !args.no_storage, network: !args.no_network };
    let details = fleet.host_details(&args.name, include).await?;
    if context.screen.is_json() {
        context.screen.document(&host_show::Shown { detail: &detail, details: &details })?;
    } else {
        host_show::show(&detail, &details, fleet.now(), &context.screen)?;
    }
    Ok(Done::Whole)
}

async fn interfaces(context: &Context) -> Result<Done, Failure> {
    let interfaces = context.fleet().await?.tables().await?.interfaces;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": interfaces }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("HOST"),
        Column::words("INTERFACE"),
        Column::words("TYPE").keep(5),
        Column::words("STATE"),
        Column::words("ADDRESSES"),
        Column::words("PART OF").keep(3),
        Column::number("VLAN").keep(2),
        Column::number("MBIT/S").keep(4),
        Column::words("MAC").keep(1),
    ]);
    for each in &interfaces {
        table.row([
            each.node.as_str().into(),
            each.interface.as_str().into(),
            each.interface_type.as_str().into(),
            Cell::known(each.state.as_deref()),
            words::list(&each.addresses).into(),
            Cell::known(each.master.as_deref()),
            Cell::known(each.vlan.map(|vlan| vlan.to_string())),
            Cell::known(each.speed_mbps.map(|speed| speed.to_string())),
            Cell::known(each.mac.as_deref()),
        ]);
    }
    context.screen.table(&table, "No interface was seen yet. Next: reanimator serve, or host show HOST --observe")?;
    Ok(Done::Whole)
}

async fn set(args: SetArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let before = fleet.host(&args.host).await?.host;
    let change = HostEdit {
        name: args.name,
        groups: changed(&before.groups, args.add_group, &args.remove_group),
        tags: changed(&before.tags, args.add_tag, &args.remove_tag),
        maintenance: args.maintenance.map(|switch| switch == Switch::On),
    };
    let host = context.audited(&fleet, "host set", &args.host, fleet.update_host(&args.host, change)).await?;
    show_host(&host, context)
}

/// The set with some added and some taken away; `None` where nothing was asked.
fn changed(before: &BTreeSet<String>, add: Vec<String>, remove: &[String]) -> Option<BTreeSet<String>> {
    if add.is_empty() && remove.is_empty() {
        return None;
    }
    let mut after = before.clone();
    after.extend(add);
    after.retain(|word| !remove.contains(word));
    Some(after)
}

/// Shows one host after it was changed.
pub(super) fn show_host(host: &HostView, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(host)?;
    } else {
        context.screen.table(&host_table(std::slice::from_ref(host)), "")?;
    }
    Ok(Done::Whole)
}

async fn trust(args: &TrustArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let fingerprint = match &args.accept_host_key {
        Some(fingerprint) => fingerprint.clone(),
        None => ask_for_key(&fleet, &args.name).await?,
    };
    let pin = fleet.trust_host(&args.name, Some(&fingerprint));
    let pinned = context.audited(&fleet, "host trust", &args.name, pin).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "host": args.name, "fingerprint": pinned.sha256 }))?;
    } else {
        let (name, key) = (context.screen.text(&args.name), context.screen.text(&pinned.sha256));
        context.screen.line(&format!("{name} is known by {key} from now on."))?;
    }
    Ok(Done::Whole)
}

/// Shows the key that the host shows now, and asks.
async fn ask_for_key(fleet: &Fleet, name: &str) -> Result<String, Failure> {
    let shown = fleet.trust_host(name, None).await?;
    if ask::somebody_is_there() && ask::confirm_identity(name, &shown)? {
        return Ok(shown.sha256);
    }
    Err(Error::new(ErrorKind::HostKeyUnknown, "trust the key that it shows now")
        .on(name)
        .because(format!("nobody confirmed {} {}", shown.key_type, shown.sha256))
        .next(format!(
            "compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then add --accept-host-key {}",
            shown.sha256
        ))
        .showing(shown)
        .into())
}

async fn import(args: &ImportArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let from = args.file.display().to_string();
    let named = match args.format {
        // A file may include others.
        Format::SshConfig if from != "-" => of_ssh_config(&SshConfig::load(&args.file)?),
        format => parse(format.into(), &read_text(&args.file)?)?,
    };
    let report = fleet.import_hosts(named, args.dry_run);
    let report =
        if args.dry_run { report.await? } else { context.audited(&fleet, "host import", &from, report).await? };
    show_import(&report, args.dry_run, context)?;
    Ok(Done::Whole)
}

fn read_text(file: &PathBuf) -> Result<String, Failure> {
    let mut text = String::new();
    let outcome = if file.as_os_str() == "-" {
        std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    outcome.map_err(|error| {
        Error::new(ErrorKind::NotFound, format!("read {}", file.display()))
            .because(error.to_string())
            .next("name a text file that can be read, or - for stdin")
            .into()
    })
}

fn show_import(report: &ImportReport, dry_run: bool, context: &Context) -> Result<(), Failure> {
    if context.screen.is_json() {
        context.screen.document(report)?;
        return Ok(());
    }
    let mut table = Table::new([
        Column::words("NAME"),
        Column::words("LOGIN"),
        Column::words("GROUPS").keep(2),
        Column::words("STATE"),
        Column::words("WHY").keep(1),
    ]);
    for host in &report.found {
        table.row([
            host.name.as_str().into(),
            format!("{}@{}:{}", host.user, host.address, host.port).into(),
            words::list(&host.groups).into(),
            imported(host.state),
            host.why.as_deref().unwrap_or_default().into(),
        ]);
    }
    context.screen.table(&table, "There is no host in it.")?;
    if !dry_run {
        context.screen.line(&format!("Added {}.", words::count(report.added, "host")))?;
    }
    Ok(())
}

fn imported(state: ImportedState) -> Cell {
    match state {
        ImportedState::New => Cell::from("new").good(),
        ImportedState::Known => Cell::from("known").dim(),
        ImportedState::Invalid => Cell::from("invalid").bad(),
    }
}

async fn remove(name: &str, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    context.audited(&fleet, "host remove", name, fleet.remove_host(name)).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "removed": name }))?;
    } else {
        context.screen.line(&format!("Removed {}.", context.screen.text(name)))?;
    }
    Ok(Done::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_asked_changes_nothing() {
        let before = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        assert_eq!(changed(&before, vec![], &[]), None);
        assert_eq!(changed(&before, vec!["c".into()], &["a".into()]), Some(BTreeSet::from(["b".into(), "c".into()])));
    }
}
