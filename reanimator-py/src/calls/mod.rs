//! Every call to the core that Python can make, once for both fleets. Changes are written into the audit trail as
//! `local:USER`, since whoever can open the data directory is an admin.

mod alerts;
mod backup;
mod commands;
mod credentials;
mod facts;
mod labels;
mod notify;
mod operations;
mod people;
mod scripts;
mod settings;
mod storage_files;
mod terminals;
mod updates;
mod windows;

use std::{future::Future, path::PathBuf};

use futures::StreamExt;
use reanimator_core::{
    Fleet, FleetOptions, Result,
    access::{self, Principal},
    fleet::{By, HostEdit},
};

use crate::{
    answer::{Answer, Plain},
    arguments::{self, HostArguments, ProxmoxArguments},
};

pub(crate) use alerts::*;
pub(crate) use backup::*;
pub(crate) use commands::*;
pub(crate) use credentials::*;
pub(crate) use facts::*;
pub(crate) use labels::*;
pub(crate) use notify::*;
pub(crate) use operations::*;
pub(crate) use people::*;
pub(crate) use scripts::*;
pub(crate) use settings::*;
pub(crate) use storage_files::*;
pub(crate) use terminals::*;
pub(crate) use updates::*;
pub(crate) use windows::*;

/// Opens the fleet in that directory, or in the user's own.
pub(crate) async fn open(data_dir: Option<PathBuf>) -> Result<Fleet> {
    let data_dir = data_dir.map_or_else(FleetOptions::default_data_dir, Ok)?;
    Fleet::open(FleetOptions::new(data_dir)).await
}

/// The whole fleet.
pub(crate) async fn status(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.status().await?)
}

/// Some hosts.
pub(crate) async fn hosts(fleet: Fleet, select: Option<String>) -> Result<Plain> {
    Plain::of(&fleet.select(&arguments::selector(select.as_deref())?).await?)
}

/// One host in full.
pub(crate) async fn host(fleet: Fleet, name: String) -> Result<Plain> {
    Plain::of(&fleet.host(&name).await?)
}

/// One host, looked at now.
pub(crate) async fn observe(fleet: Fleet, name: String) -> Result<Plain> {
    Plain::of(&audited(&fleet, "host observe", &name, fleet.observe(&name)).await?)
}

/// Adds a host.
pub(crate) async fn add_host(fleet: Fleet, arguments: HostArguments) -> Result<Plain> {
    let address = arguments.address.clone();
    let new = arguments.into_new_host(&fleet)?;
    Plain::of(&audited(&fleet, "host add", &address, fleet.add_host(new)).await?)
}

/// Takes a host out.
pub(crate) async fn remove_host(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "host remove", &name, fleet.remove_host(&name)).await
}

/// Changes what people say of a host.
pub(crate) async fn update_host(fleet: Fleet, name: String, change: HostEdit) -> Result<Plain> {
    Plain::of(&audited(&fleet, "host set", &name, fleet.update_host(&name, change)).await?)
}

/// Tries a host step by step.
pub(crate) async fn test_host(fleet: Fleet, name: String) -> Result<Plain> {
    Plain::of(&audited(&fleet, "host test", &name, fleet.test_host(&name)).await?)
}

/// The key that a host shows now, or that key pinned.
pub(crate) async fn trust_host(fleet: Fleet, name: String, fingerprint: Option<String>) -> Result<Plain> {
    let pin = fleet.trust_host(&name, fingerprint.as_deref());
    Plain::of(&match fingerprint {
        // Only looking changes nothing.
        None => pin.await?,
        Some(_) => audited(&fleet, "host trust", &name, pin).await?,
    })
}

/// Adds the hosts that a text names.
pub(crate) async fn import_hosts(fleet: Fleet, text: String, format: String, dry_run: bool) -> Result<Plain> {
    let import = fleet.import(arguments::format(&format)?, &text, dry_run);
    Plain::of(&match dry_run {
        true => import.await?,
        false => audited(&fleet, "host import", &format, import).await?,
    })
}

/// The questions that wait for an answer.
pub(crate) async fn matches(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.matches().await?)
}

/// Answers one.
pub(crate) async fn decide_match(fleet: Fleet, id: String, same: bool) -> Result<()> {
    let what = if same { "match same" } else { "match different" };
    audited(&fleet, what, &id, fleet.decide_match(&id, same)).await
}

/// Runs a command on some hosts and waits for every answer.
pub(crate) async fn run(
    fleet: Fleet,
    command: String,
    select: String,
    time_limit: f64,
    sudo: bool,
) -> Result<Vec<Answer>> {
    let request = arguments::command(command, &select, time_limit, sudo)?;
    let answers = fleet.exec_audited(request, &By::local()).await?;
    Ok(answers.map(Answer::from).collect().await)
}

/// Brings a cluster in.
pub(crate) async fn connect_proxmox(fleet: Fleet, arguments: ProxmoxArguments) -> Result<Plain> {
    let url = arguments.url.clone();
    let new = arguments.into_new_proxmox()?;
    Plain::of(&audited(&fleet, "proxmox connect", &url, fleet.connect_proxmox(new)).await?)
}

/// The connected clusters.
pub(crate) async fn proxmoxes(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.proxmoxes().await?)
}

/// Tries a cluster step by step.
pub(crate) async fn test_proxmox(fleet: Fleet, name: String) -> Result<Plain> {
    Plain::of(&audited(&fleet, "proxmox test", &name, fleet.test_proxmox(&name)).await?)
}

/// Takes a cluster out.
pub(crate) async fn remove_proxmox(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "proxmox remove", &name, fleet.remove_proxmox(&name)).await
}

/// All guests.
pub(crate) async fn guests(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.guests().await?)
}

/// All storages.
pub(crate) async fn storages(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.storages().await?)
}

async fn audited<T>(fleet: &Fleet, what: &str, on: &str, change: impl Future<Output = Result<T>>) -> Result<T> {
    let outcome = change.await;
    let said = access::outcome(outcome.as_ref().err());
    fleet.access().record(&Principal::local().who(), "local", what, on, said, fleet.now()).await?;
    outcome
}
