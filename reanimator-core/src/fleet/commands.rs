//! Commands that are kept under a name, to be run again.

use super::{Fleet, Selector};
use crate::{Error, ErrorKind, Result, model::SavedCommand};

/// As many saved commands as a fleet may have.
const MOST: usize = 1_000;

impl Fleet {
    /// All saved commands, by name.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn saved_commands(&self) -> Result<Vec<SavedCommand>> {
        self.store().saved_commands().await
    }

    /// One of them.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn saved_command(&self, name: &str) -> Result<SavedCommand> {
        let saved = self.saved_commands().await?;
        saved.into_iter().find(|saved| saved.name == name).ok_or_else(|| missing(name))
    }

    /// Saves a command, in place of the one of its name where there is one.
    ///
    /// # Errors
    /// `Invalid`, naming what is wrong; `Conflict` where there are too many; `Storage`.
    pub async fn save_command(&self, command: SavedCommand, who: &str) -> Result<SavedCommand> {
        command.check()?;
        if !command.on.trim().is_empty() {
            command.on.parse::<Selector>()?;
        }
        let saved = SavedCommand { saved_by: who.to_owned(), saved_at: self.now(), ..command };
        if self.store().replace_saved_command(&saved).await? {
            return Ok(saved);
        }
        if self.saved_commands().await?.len() >= MOST {
            return Err(Error::new(ErrorKind::Conflict, "save a command")
                .because(format!("there are {MOST} already"))
                .next("remove one that nobody runs any more"));
        }
        match self.store().add_saved_command(&saved).await? {
            true => Ok(saved),
            false => Err(Error::new(ErrorKind::Conflict, "save a command")
                .because("somebody has just saved another one under that name")
                .next("look at that one first")),
        }
    }

    /// Saves a new command.
    ///
    /// # Errors
    /// As [`save_command`](Self::save_command), and `Conflict` where there is one of its name.
    pub async fn add_saved_command(&self, command: SavedCommand, who: &str) -> Result<SavedCommand> {
        match self.saved_command(&command.name).await {
            Ok(_) => Err(Error::new(ErrorKind::Conflict, format!("save the command {:?}", command.name))
                .because("there is one of that name")
                .next("change that one, or give another name")),
            Err(error) if error.kind() == ErrorKind::NotFound => self.save_command(command, who).await,
            Err(error) => Err(error),
        }
    }

    /// Puts a command in the place of the one of its name.
    ///
    /// # Errors
    /// As [`save_command`](Self::save_command), and `NotFound`.
    pub async fn change_saved_command(&self, command: SavedCommand, who: &str) -> Result<SavedCommand> {
        self.saved_command(&command.name).await?;
        self.save_command(command, who).await
    }

    /// Removes a saved command; what runs goes on.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn remove_saved_command(&self, name: &str) -> Result<()> {
        match self.store().delete_saved_command(name).await? {
            true => Ok(()),
            false => Err(missing(name)),
        }
    }
}

fn missing(name: &str) -> Error {
    let name: String = name.chars().take(60).collect();
    Error::new(ErrorKind::NotFound, format!("find the saved command {name:?}"))
        .because("there is none of that name")
        .next("see `reanimator exec --saved-list`")
}

#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::FleetOptions;

    #[tokio::test]
    async fn commands_are_saved_changed_and_removed() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(FleetOptions::new(directory.path())).await.unwrap();
        let command = |text: serde_json::Value| serde_json::from_value::<SavedCommand>(text).unwrap();
        let uptime = command(serde_json::json!({
            "name": "up", "command": "uptime", "saved_by": "mallory", "saved_at": "2000-01-01T00:00:00Z",
        }));
        let saved = fleet.add_saved_command(uptime.clone(), "ada").await.unwrap();
        assert_eq!((saved.saved_by.as_str(), saved.saved_at > uptime.saved_at), ("ada", true));
        assert_eq!(fleet.add_saved_command(uptime.clone(), "ada").await.unwrap_err().kind(), ErrorKind::Conflict);
        let changed = SavedCommand { command: "uptime -p".into(), ..uptime.clone() };
        fleet.change_saved_command(changed, "bob").await.unwrap();
        assert_eq!(fleet.saved_command("up").await.unwrap().command, "uptime -p");
        let wrong = SavedCommand { on: "[".into(), ..uptime.clone() };
        assert_eq!(fleet.save_command(wrong, "ada").await.unwrap_err().kind(), ErrorKind::Invalid);
        let other = SavedCommand { name: "other".into(), ..uptime };
        assert_eq!(fleet.change_saved_command(other, "ada").await.unwrap_err().kind(), ErrorKind::NotFound);
        fleet.remove_saved_command("up").await.unwrap();
        assert_eq!(fleet.remove_saved_command("up").await.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(fleet.saved_commands().await.unwrap().is_empty());
    }
}
