//! Commands on many hosts as jobs of this process, and commands that are kept under a name.

use reanimator_core::{
    Fleet, Result,
    access::Principal,
    fleet::By,
    model::{CommandId, NewCommand, SavedCommand},
    workflows::commands::Commands,
};

use super::audited;
use crate::{answer::Plain, arguments::Json};

/// Starts one.
pub(crate) async fn start_command(commands: Commands, new: NewCommand) -> Result<Plain> {
    Plain::of(&commands.start(new, &By::local()).await?)
}

/// The newest runs before one.
pub(crate) async fn commands(commands: Commands, before: Option<String>, limit: u32) -> Result<Plain> {
    commands.tidy().await?;
    Plain::of(&commands.list(before.map(CommandId::from).as_ref(), limit).await?)
}

/// A run with its answers, now or when it is over.
pub(crate) async fn command(commands: Commands, id: String, wait: bool) -> Result<Plain> {
    let id = CommandId::from(id);
    if wait {
        commands.wait(&id).await?;
    }
    Plain::of(commands.view(&id).await?.as_ref())
}

/// What one host has answered, whole.
pub(crate) async fn command_answer(commands: Commands, id: String, host: String) -> Result<Plain> {
    Plain::of(&commands.answer(&id.into(), &host.into()).await?)
}

/// Stops a run.
pub(crate) async fn stop_command(commands: Commands, id: String) -> Result<Plain> {
    Plain::of(&commands.stop(&id.into(), &By::local()).await?)
}

/// All saved commands.
pub(crate) async fn saved_commands(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.saved_commands().await?)
}

/// Saves a command, in place of the one of its name.
pub(crate) async fn save_command(fleet: Fleet, command: Json) -> Result<Plain> {
    let command: SavedCommand = command.read("the command that is to be saved")?;
    let (on, who) = (format!("{}: {}", command.name, command.command), Principal::local().who());
    Plain::of(&audited(&fleet, "exec save", &on, fleet.save_command(command, &who)).await?)
}

/// Removes a saved command.
pub(crate) async fn remove_saved_command(fleet: Fleet, name: String) -> Result<()> {
    audited(&fleet, "exec unsave", &name, fleet.remove_saved_command(&name)).await
}
