//! `group`: the groups that hosts name, counted.

use std::collections::BTreeMap;

use clap::Subcommand;
use reanimator_core::model::{HostState, HostView};
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
    }
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
