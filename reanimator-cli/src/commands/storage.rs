//! `storage`: storages of the clusters, a shared one once, and file systems of hosts, as they were last seen.

use clap::Subcommand;
use reanimator_core::model::dashboard::StorageRow;
use serde_json::json;

use super::{
    history::{self, HistoryArgs},
    storage_files::{self, DownloadArgs, UploadArgs},
};
use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table, words},
};

/// What can be done with storages.
#[derive(Debug, Subcommand)]
pub(crate) enum StorageCommand {
    /// List the storages of all clusters and the file systems of all hosts
    List,
    /// Show how full a storage was over time
    History(HistoryArgs),
    /// Put a file of this machine on a storage of a node
    Upload(Box<UploadArgs>),
    /// Have a node fetch a file to a storage of it
    Download(Box<DownloadArgs>),
}

/// Carries out the command.
pub(crate) async fn run(command: StorageCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        StorageCommand::List => list(context).await,
        StorageCommand::History(args) => history::history("storage", args, context).await,
        StorageCommand::Upload(args) => storage_files::upload(*args, context).await,
        StorageCommand::Download(args) => storage_files::download(*args, context).await,
    }
}

async fn list(context: &Context) -> Result<Done, Failure> {
    let storages = context.fleet().await?.tables().await?.storages;
    if context.screen.is_json() {
        context.screen.document(&json!({ "items": storages }))?;
        return Ok(Done::Whole);
    }
    let mut table = Table::new([
        Column::words("CLUSTER").keep(3),
        Column::words("NODE"),
        Column::words("NAME"),
        Column::words("TYPE").keep(5),
        Column::words("STATE").keep(6),
        Column::number("USED"),
        Column::number("OF").keep(7),
        Column::words("CONTENT").keep(1),
    ]);
    for storage in &storages {
        table.row(row(storage));
    }
    context.screen.table(&table, "No storage was seen yet. Next: reanimator status --observe")?;
    Ok(Done::Whole)
}

fn row(storage: &StorageRow) -> [Cell; 8] {
    [
        Cell::known(storage.cluster.as_deref()),
        if storage.shared { format!("shared: {}", storage.node) } else { storage.node.clone() }.into(),
        storage.name.as_str().into(),
        storage.storage_type.as_str().into(),
        if storage.active { Cell::from("active").good() } else { Cell::from("not active").warn() },
        Cell::known(storage.used_percent.map(words::percent)),
        Cell::known(storage.total_gb.map(|total| format!("{total:.1} GiB"))),
        Cell::known(storage.content.as_deref()),
    ]
}
