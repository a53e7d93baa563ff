//! One file for each noun, all of one shape: what the noun takes, `run`, and how the answers are shown.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod completions;
mod credentials;
pub(crate) mod exec;
pub(crate) mod group;
pub(crate) mod guest;
mod guest_change;
mod guest_migrate;
mod guest_power;
mod guest_snapshot;
mod guest_targets;
mod history;
pub(crate) mod host;
mod host_add;
mod host_container;
mod host_maintenance;
mod host_power;
mod host_show;
mod host_topology;
mod host_unit;
pub(crate) mod man;
pub(crate) mod matches;
pub(crate) mod op;
mod openapi;
mod operate;
pub(crate) mod proxmox;
pub(crate) mod script;
mod script_definition;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod storage;
mod storage_files;
pub(crate) mod token;
pub(crate) mod update;
mod update_schedule;
mod update_show;
mod update_wish;
pub(crate) mod user;
pub(crate) mod window;

use reanimator_core::fleet::TestReport;

use crate::{
    arguments::Noun,
    context::Context,
    failure::{Done, Failure},
    screen::{Cell, Column, Table},
};

/// Carries out the command.
pub(crate) async fn run(noun: Noun, context: &Context) -> Result<Done, Failure> {
    context.log(if matches!(noun, Noun::Serve(_)) { "info" } else { "warn" });
    match noun {
        Noun::Host(command) => host::run(command, context).await,
        Noun::Proxmox(command) => proxmox::run(command, context).await,
        Noun::Group(command) => group::run(command, context).await,
        Noun::Guest(command) => guest::run(command, context).await,
        Noun::Storage(command) => storage::run(command, context).await,
        Noun::Status(args) => status::run(args, context).await,
        Noun::Exec(args) => exec::run(args, context).await,
        Noun::Op(command) => op::run(command, context).await,
        Noun::Script(command) => script::run(command, context).await,
        Noun::Backup(command) => backup::run(command, context).await,
        Noun::Serve(args) => serve::run(args, context).await,
        Noun::User(command) => user::run(command, context).await,
        Noun::Token(command) => token::run(command, context).await,
        Noun::Update(command) => update::run(command, context).await,
        Noun::Window(command) => window::run(command, context).await,
        Noun::Audit(command) => audit::run(command, context).await,
        Noun::Match(command) => matches::run(command, context).await,
        Noun::Openapi => openapi::run(context),
        Noun::Completions(args) => completions::run(args, context),
        Noun::Man(args) => man::run(&args),
    }
}

/// Shows what a test of a host or a connection found, step by step.
fn show_test(report: &TestReport, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(report)?;
    } else {
        let mut table = Table::new([Column::words("STEP"), Column::words("RESULT"), Column::words("DETAIL")]);
        for step in &report.steps {
            let result = if step.ok { Cell::from("ok").good() } else { Cell::from("failed").bad() };
            table.row([step.what.as_str().into(), result, step.detail.as_str().into()]);
        }
        context.screen.table(&table, "Nothing was tested.")?;
    }
    Ok(if report.ok { Done::Whole } else { Done::Nowhere })
}
