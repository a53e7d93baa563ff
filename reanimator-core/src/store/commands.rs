//! What a store keeps of commands: runs with what every host answered, and commands that are kept to be run again.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::{
    Result,
    model::{CommandAnswer, CommandId, CommandRun, HostId, SavedCommand},
};

/// A run that is not over, and who carries it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenCommand {
    /// The run.
    pub run: CommandRun,
    /// Which process.
    pub owner: String,
    /// Until when that is believed unless it says so again.
    pub owned_until: Timestamp,
}

/// How many runs are kept: what exceeds any of these goes, the oldest first. Those that are not over stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptCommands {
    /// Those that were asked for before this go.
    pub since: Timestamp,
    /// So many of the newest.
    pub runs: u32,
    /// So many bytes of packed output in all.
    pub bytes: u64,
}

/// Runs of commands, and saved commands.
///
/// # Errors
/// All may fail with `Storage`.
#[async_trait]
pub trait CommandStore: Send + Sync {
    /// Stores a new run with its hosts, carried out by `owner`.
    async fn add_command(&self, open: &OpenCommand, answers: &[CommandAnswer]) -> Result<()>;

    /// Writes down how far it got, with the answers that are others than before. Whether it is still its owner's, and was
    /// not over: else nothing is written. Many answers go in portions, and how far it got with the last one.
    async fn write_command(&self, run: &CommandRun, owner: &str, answers: &[CommandAnswer]) -> Result<bool>;

    /// Stays its owner until then. Whether somebody wishes it to be stopped.
    async fn keep_command(&self, id: &CommandId, owner: &str, until: Timestamp) -> Result<bool>;

    /// Notes that it is to be stopped. Whether there is one that is not over.
    async fn wish_command_stopped(&self, id: &CommandId) -> Result<bool>;

    /// One run.
    async fn command(&self, id: &CommandId) -> Result<Option<CommandRun>>;

    /// The newest runs before one, the newest first; at most 1,000.
    async fn commands(&self, before: Option<&CommandId>, limit: u32) -> Result<Vec<CommandRun>>;

    /// Those that are not over, the oldest first.
    async fn open_commands(&self) -> Result<Vec<OpenCommand>>;

    /// What all hosts of a run have answered so far.
    async fn command_answers(&self, id: &CommandId) -> Result<Vec<CommandAnswer>>;

    /// What one host has answered so far.
    async fn command_answer(&self, id: &CommandId, host: &HostId) -> Result<Option<CommandAnswer>>;

    /// Deletes the runs that are not kept; says how many.
    async fn prune_commands(&self, kept: &KeptCommands) -> Result<u64>;

    /// All saved commands, by name.
    async fn saved_commands(&self) -> Result<Vec<SavedCommand>>;

    /// Stores a new one. Whether there was none of its name; else nothing is done.
    async fn add_saved_command(&self, command: &SavedCommand) -> Result<bool>;

    /// Puts one in the place of the one of its name. Whether there was one; else nothing is done.
    async fn replace_saved_command(&self, command: &SavedCommand) -> Result<bool>;

    /// Deletes one. Whether there was one.
    async fn delete_saved_command(&self, name: &str) -> Result<bool>;
}
