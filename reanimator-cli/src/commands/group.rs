//! `group`: the groups that hosts name: counted, set on many hosts at once, renamed, removed.

use std::collections::BTreeMap;

use clap::{ArgGroup, Args, Subcommand};
use reanimator_core::{
    fleet::LabelChange,
    model::{HostState, HostView},
};
use serde::Serialize;
use serde_json::json;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Column, Table, words},
};

/// What can be done with groups.
#[derive(Debug, Subcommand)]
pub(crate) enum GroupCommand {
    /// List the groups and their hosts
    List,
    /// Put many hosts into groups and out of them, and give and take tags, all at once
    Set(SetArgs),
    /// Rename a group on all its hosts
    Rename(RenameArgs),
    /// Take a group off all its hosts; the hosts stay
    Remove(NameArgs),
}

/// What `group set` takes.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("change").required(true).multiple(true))]
pub(crate) struct SetArgs {
    /// Which hosts: names, globs, group:G, tag:T, kind:K, state:S, cluster:C; a&b for both, !x to take away
    #[arg(value_name = "SELECTOR")]
    on: String,
    /// Put them into a group (may be repeated)
    #[arg(long, group = "change", value_name = "GROUP")]
    add_group: Vec<String>,
    /// Take them out of a group (may be repeated)
    #[arg(long, group = "change", value_name = "GROUP")]
    remove_group: Vec<String>,
    /// Give them a tag (may be repeated)
    #[arg(long, group = "change", value_name = "TAG")]
    add_tag: Vec<String>,
    /// Take a tag away (may be repeated)
    #[arg(long, group = "change", value_name = "TAG")]
    remove_tag: Vec<String>,
}

/// What `group rename` takes.
#[derive(Debug, Args)]
pub(crate) struct RenameArgs {
    /// The group's name
    name: String,
    /// What to call it
    new_name: String,
}

/// Which group.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// The group's name
    name: String,
}

/// A group as it is shown.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Group {
    name: String,
    hosts: Vec<String>,
    online: usize,
}

/// Carries out the command.
pub(crate) async fn run(command: GroupCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        GroupCommand::List => list(context).await,
        GroupCommand::Set(args) => set(args, context).await,
        GroupCommand::Rename(args) => rename(&args, context).await,
        GroupCommand::Remove(args) => remove(&args.name, context).await,
    }
}

async fn set(args: SetArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let hosts = fleet.select(&args.on.parse()?).await?;
    let change = LabelChange {
        hosts: hosts.iter().map(|host| host.id.to_string()).collect(),
        add_groups: args.add_group.into_iter().collect(),
        remove_groups: args.remove_group.into_iter().collect(),
        add_tags: args.add_tag.into_iter().collect(),
        remove_tags: args.remove_tag.into_iter().collect(),
    };
    let on = change.to_string();
    let changed = context.audited(&fleet, "host label", &on, fleet.change_labels(change)).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "changed": changed }))?;
    } else {
        context.screen.line(&format!("Changed {}.", words::count(changed.len(), "host")))?;
    }
    Ok(Done::Whole)
}

async fn rename(args: &RenameArgs, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let on = format!("{} to {}", args.name, args.new_name);
    let rename = fleet.rename_group(&args.name, &args.new_name);
    let group = context.audited(&fleet, "group rename", &on, rename).await?;
    if context.screen.is_json() {
        context.screen.document(&group)?;
    } else {
        let (name, hosts) = (context.screen.text(&group.name), words::count(group.hosts, "host"));
        context.screen.line(&format!("The group is called {name} now and has {hosts}."))?;
    }
    Ok(Done::Whole)
}

async fn remove(name: &str, context: &Context) -> Result<Done, Failure> {
    let fleet = context.fleet().await?;
    let hosts = context.audited(&fleet, "group remove", name, fleet.remove_group(name)).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "removed": name, "hosts": hosts }))?;
    } else {
        let (name, hosts) = (context.screen.text(name), words::count(hosts, "host"));
        context.screen.line(&format!("Took {name} off {hosts}."))?;
    }
    Ok(Done::Whole)
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let groups = grouped(&context.fleet().await?.status().await?.hosts);
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": groups }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([Column::words("GROUP"), Column::number("ONLINE"), Column::words("HOSTS")]);
    for group in &groups {
        let online = format!("{} of {}", group.online, group.hosts.len());
        table.row([group.name.as_str().into(), online.into(), words::list(&group.hosts).into()]);
    }
    context.screen.table(&table, "No host names a group. Next: reanimator host set NAME --add-group GROUP")?;
    Ok(Done::Whole)
}

fn grouped(hosts: &[HostView]) -> Vec<Group> {
    let mut groups = BTreeMap::<&str, Group>::new();
    for host in hosts {
        for name in &host.groups {
            let group = groups.entry(name).or_insert_with(|| Group { name: name.clone(), ..Group::default() });
            group.hosts.push(host.name.clone());
            group.online += usize::from(host.state == HostState::Online);
        }
    }
    groups.into_values().collect()
}
