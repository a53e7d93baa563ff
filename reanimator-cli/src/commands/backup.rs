//! `backup`: copies of Reanimator's own data, encrypted with a passphrase.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reanimator_core::{
    Fleet,
    fleet::Afterwards,
    store::{BackupPassphrase, BackupReport},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{
    ask,
    context::Context,
    failure::{Done, Failure, usage},
    screen::words,
};

/// What can be done with backups.
#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Copy hosts, connections, secrets, people, settings and history into one file, also while a server runs
    #[command(long_about = CREATE_HELP)]
    Create(CreateArgs),
    /// Show what is in a backup, after reading it to its end
    Show(FileArgs),
    /// Put a backup in place of all that is stored
    #[command(long_about = RESTORE_HELP)]
    Restore(RestoreArgs),
}

const CREATE_HELP: &str = "Copy hosts, connections, secrets, people, settings and history into one file, also while a \
    server runs.\n\nThe file is encrypted with a passphrase in the age format; `age -d FILE | tar xz` opens it too. \
    Without the passphrase nobody can.";

const RESTORE_HELP: &str = "Put a backup in place of all that is stored.\n\nEverything is checked first; then it \
    happens at one instant, and a failure before it changes nothing. The data directory may be empty. No server may run \
    on it: where one does, restore the backup on its page.";

/// Which file, and how to open it.
#[derive(Debug, Args)]
pub(crate) struct FileArgs {
    /// The backup
    file: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// What `backup create` takes.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Where to put it; there must be no such file yet
    file: PathBuf,
    /// Leave the history of figures out: the file is small then
    #[arg(long)]
    no_history: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// What `backup restore` takes.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup
    file: PathBuf,
    /// Do not ask before what is stored now is replaced
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// Where the passphrase is.
#[derive(Debug, Args)]
pub(crate) struct PassphraseArgs {
    /// Where the passphrase is: ask, stdin, env:NAME or file:PATH [default: ask]
    #[arg(long, value_name = "SOURCE", num_args = 0..=1, require_equals = true, default_missing_value = "ask",
          conflicts_with = "passphrase_file")]
    passphrase: Option<String>,
    /// Read the passphrase from the first line of this file
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    fn read(&self, prompt: &str) -> Result<SecretString, Failure> {
        ask::secret("--passphrase", &self.source(), prompt)
    }

    /// A new one, which is asked for twice: a mistyped one would make the backup worthless.
    fn read_new(&self) -> Result<BackupPassphrase, Failure> {
        let passphrase = self.read("Passphrase of the backup: ")?;
        let checked = BackupPassphrase::checked(passphrase.clone())?;
        if self.source() == "ask" && self.read("The same again: ")?.expose_secret() != passphrase.expose_secret() {
            return Err(usage("take the passphrase", "the two are not the same", "try again"));
        }
        Ok(checked)
    }

    fn source(&self) -> String {
        match (&self.passphrase_file, &self.passphrase) {
            (Some(file), _) => format!("file:{}", file.display()),
            (None, Some(source)) => source.clone(),
            (None, None) => "ask".to_owned(),
        }
    }
}

/// Carries out the command.
pub(crate) async fn run(command: BackupCommand, context: &Context) -> Result<Done, Failure> {
    match command {
        BackupCommand::Create(args) => create(&args, context).await,
        BackupCommand::Show(args) => show(&args, context).await,
        BackupCommand::Restore(args) => restore(&args, context).await,
    }
}

async fn create(args: &CreateArgs, context: &Context) -> Result<Done, Failure> {
    let passphrase = args.passphrase.read_new()?;
    let fleet = context.fleet().await?;
    let file = args.file.display().to_string();
    let create = async {
        let backup = fleet.create_backup(passphrase, !args.no_history).await?;
        backup.save_as(&args.file)?;
        Ok(backup)
    };
    let backup = context.audited(&fleet, "backup create", &file, create).await?;
    if context.screen.is_json() {
        context.screen.document(&json!({ "file": file, "bytes": backup.bytes(), "backup": backup.report() }))?;
        return Ok(Done::Whole);
    }
    let size = words::figure("memory_used", backup.bytes() as f64);
    context.screen.line(&format!("{} holds {} ({size}).", context.screen.text(&file), holds(backup.report())))?;
    context.screen.line("Keep the passphrase elsewhere: without it nobody can open the file.")?;
    Ok(Done::Whole)
}

async fn show(args: &FileArgs, context: &Context) -> Result<Done, Failure> {
    let passphrase = args.passphrase.read("Passphrase of the backup: ")?;
    let report = Fleet::inspect_backup(&args.file, passphrase).await?;
    shown(&report, "holds", context)
}

async fn restore(args: &RestoreArgs, context: &Context) -> Result<Done, Failure> {
    let data_dir = context.data_dir()?;
    let passphrase = args.passphrase.read("Passphrase of the backup: ")?;
    // Before anything is made here: is it a backup, and is this its passphrase?
    let report = Fleet::inspect_backup(&args.file, passphrase.clone()).await?;
    if data_dir.join("reanimator.db").exists() && !args.yes {
        let what = format!(
            "All that is stored in {} is replaced by {}, as it was at {}.",
            data_dir.display(),
            holds(&report),
            words::moment(report.made_at)
        );
        if !ask::somebody_is_there() {
            return Err(usage("restore the backup", what, "add --yes if that is meant"));
        }
        if !ask::confirm(&what)? {
            return Err(usage("restore the backup", "it was not confirmed", "nothing was changed; type yes in full"));
        }
    }
    let fleet = context.fleet_to_fill().await?;
    let restore = fleet.restore_backup(&args.file, passphrase, Afterwards::AtTheMachine);
    let report = context.audited(&fleet, "backup restore", &args.file.display().to_string(), restore).await?;
    shown(&report, "restored:", context)
}

fn shown(report: &BackupReport, what: &str, context: &Context) -> Result<Done, Failure> {
    if context.screen.is_json() {
        context.screen.document(report)?;
    } else {
        let (at, version) = (words::moment(report.made_at), context.screen.text(&report.version));
        context.screen.line(&format!("The backup of {at} by Reanimator {version} {what} {}.", holds(report)))?;
    }
    Ok(Done::Whole)
}

/// `3 hosts, 2 connections, 1 user, with history`
fn holds(report: &BackupReport) -> String {
    let count = |number: u64, noun| words::count(usize::try_from(number).unwrap_or(usize::MAX), noun);
    let history = if report.history { "with history" } else { "without history" };
    let (hosts, connections) = (count(report.hosts, "host"), count(report.connections, "connection"));
    format!("{hosts}, {connections}, {}, {history}", count(report.users, "user"))
}
