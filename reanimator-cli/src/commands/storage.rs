//! `storage`: storages of the clusters as they were last seen; a shared one is one, however many nodes see it.

use clap::Subcommand;
use reanimator_core::model::Storage;
use serde_json::json;

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, words},
};

/// What can be done with storages.
#[derive(Debug, Subcommand)]
pub(crate) enum StorageCommand {
    /// List the storages
    List,
}

/// Carries out the command.
pub(crate) async fn run(command: StorageCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        StorageCommand::List => list(context).await,
    }
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let storages = context.fleet().await?.storages().await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": storages }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("CLUSTER").keep(4),
        Column::words("NAME"),
        Column::words("TYPE").keep(5),
        Column::words("STATE"),
        Column::number("USED"),
        Column::words("NODES").keep(3),
        Column::words("CONTENT").keep(1),
    ]);
    for storage in &storages {
        table.row(row(storage));
    }
    context.screen.table(&table, "No storages. Next: reanimator proxmox connect https://HOST:8006")?;
    Ok(Done::Whole)
}

fn row(storage: &Storage) -> [Cell; 7] {
    let nodes = words::list(&storage.nodes);
    [
        Cell::known(storage.cluster.as_deref()),
        storage.name.as_str().into(),
        storage.storage_type.as_str().into(),
        if storage.active { Cell::from("active").good() } else { Cell::from("not active").warn() },
        Cell::known(storage.space.and_then(|space| words::share(space.used_bytes, space.total_bytes))),
        if storage.shared { format!("shared: {nodes}") } else { nodes }.into(),
        words::list(&storage.content).into(),
    ]
}
