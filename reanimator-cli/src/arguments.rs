//! The command line as a whole: the nouns and what holds for all of them.

use std::{ffi::OsString, io::Write, path::PathBuf, process::ExitCode};

use clap::{Args, ColorChoice, CommandFactory, Parser, Subcommand};
use serde_json::json;

use crate::commands;

/// A command centre for your machines: sees them, and acts on them, without an agent on any.
#[derive(Debug, Parser)]
#[command(name = "reanimator", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,

    #[command(subcommand)]
    pub(crate) noun: Noun,
}

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Globals {
    /// Print one JSON document instead of tables and lines
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Where the fleet is kept [default: the user's data directory]
    #[arg(long, global = true, value_name = "DIR", env = "REANIMATOR_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,

    /// Say more of what is being done, on stderr; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What the command is about.
#[derive(Debug, Subcommand)]
pub(crate) enum Noun {
    /// Machines of the fleet
    #[command(subcommand)]
    Host(commands::host::HostCommand),
    /// Proxmox VE clusters of the fleet
    #[command(subcommand)]
    Proxmox(commands::proxmox::ProxmoxCommand),
    /// Groups of hosts
    #[command(subcommand)]
    Group(commands::group::GroupCommand),
    /// VMs and containers on the Proxmox hosts
    #[command(subcommand)]
    Guest(commands::guest::GuestCommand),
    /// Storages of the Proxmox clusters
    #[command(subcommand)]
    Storage(commands::storage::StorageCommand),
    /// The whole fleet on one screen
    Status(commands::status::StatusArgs),
    /// Run a command on many hosts
    Exec(commands::exec::ExecArgs),
    /// What is being done and what was done: follow it, stop it, take it back
    #[command(subcommand)]
    Op(commands::op::OpCommand),
    /// Prepared scripts: defined once, run on hosts with values and limits
    #[command(subcommand)]
    Script(commands::script::ScriptCommand),
    /// Copies of Reanimator's own data
    #[command(subcommand)]
    Backup(commands::backup::BackupCommand),
    /// Watch the fleet and serve the web page and the HTTP interface
    Serve(commands::serve::ServeArgs),
    /// People who may log in to the page
    #[command(subcommand)]
    User(commands::user::UserCommand),
    /// Keys for programs that use the HTTP interface
    #[command(subcommand)]
    Token(commands::token::TokenCommand),
    /// Update the packages of many machines in one safe run: wave by wave, with a way back
    #[command(subcommand)]
    Update(commands::update::UpdateCommand),
    /// When hosts and guests may be disturbed
    #[command(subcommand)]
    Window(commands::window::WindowCommand),
    /// What was done, by whom
    #[command(subcommand)]
    Audit(commands::audit::AuditCommand),
    /// Records that may be one and the same machine
    #[command(subcommand)]
    Match(commands::matches::MatchCommand),
    /// Print the description of the HTTP interface (OpenAPI, JSON)
    Openapi,
    /// Print the completions for a shell
    Completions(commands::completions::CompletionsArgs),
    /// Write the manual pages into a directory
    #[command(hide = true)]
    Man(commands::man::ManArgs),
}

/// Reads the command line. Where there is nothing left to do (help, version, wrong usage), says so and gives the exit
/// code.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    let words: Vec<OsString> = std::env::args_os().collect();
    let cli = Cli::try_parse_from(&words).map_err(|error| refuse(&error, &words))?;
    match cli.globals.color {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    Ok(cli)
}

fn refuse(error: &clap::Error, words: &[OsString]) -> ExitCode {
    if !error.use_stderr() || !words.iter().any(|word| word == "--json") {
        // Nobody to tell where the streams are closed; the code still says it.
        let _ = error.print();
        return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
    }
    let text = error.render().to_string();
    let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let document = json!({ "error": {
        "kind": "invalid", "message": message, "next": "see reanimator --help", "host": null,
        "fingerprint": null, "key_type": null,
    }});
    let _ = writeln!(std::io::stderr(), "{document}");
    ExitCode::from(2)
}

/// The command line as clap sees it, for completions and manual pages.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
