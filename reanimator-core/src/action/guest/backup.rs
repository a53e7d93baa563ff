//! Backups of VMs and containers, made now.
//!
//! None of the older ones is taken away for it, whatever the storage is told to keep: that is the matter of backup jobs.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, Said},
    place::{Place, said, texts},
    task,
};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::{resources::StorageRow, volumes},
    fleet::Fleet,
    model::{Action, BackupMode, GuestId, facts::guest::GuestBackup},
    transport::http::Request,
};

/// Characters that Proxmox takes as notes.
const LONGEST_NOTES: usize = 1024;

/// A backup of one guest.
pub(super) struct BackupEffect {
    fleet: Fleet,
    at: Place,
    storage: String,
    mode: BackupMode,
    notes: String,
    words: String,
}

impl BackupEffect {
    pub(super) async fn new(
        fleet: &Fleet,
        id: &GuestId,
        action: &Action,
        storage: &str,
        mode: BackupMode,
        notes: &str,
    ) -> Result<Self> {
        let at = Place::of(fleet, id, "back up guest").await?;
        let words = action.words_with(|_| at.name.clone());
        Ok(Self { fleet: fleet.clone(), at, storage: storage.to_owned(), mode, notes: as_template(notes), words })
    }

    async fn backups(&self) -> Result<Vec<GuestBackup>> {
        let request = volumes::backups_request(&self.at.node, &self.storage, &self.at.vmid);
        Ok(volumes::content(&self.at.api.call(request).await?, &self.at.vmid)?.backups)
    }

    fn request(&self) -> Request {
        let mode = match self.mode {
            BackupMode::Snapshot => "snapshot",
            BackupMode::Suspend => "suspend",
            BackupMode::Stop => "stop",
        };
        let request = Request::post(["nodes", &self.at.node, "vzdump"])
            .param("vmid", self.at.vmid.as_str())
            .param("storage", self.storage.as_str())
            .param("mode", mode)
            .param("compress", "zstd")
            .param("remove", "0");
        if self.notes.is_empty() { request } else { request.param("notes-template", self.notes.as_str()) }
    }

    fn problem(&self, storages: &[StorageRow], lock: Option<&str>) -> Option<String> {
        let holds = |row: &&StorageRow| row.content.iter().any(|content| content == "backup");
        let here = || storages.iter().filter(|row| row.node == self.at.node);
        let (storage, node) = (&self.storage, &self.at.node);
        let Some(row) = here().find(|row| row.name == *storage) else {
            let names: Vec<&str> = here().filter(holds).map(|row| row.name.as_str()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Some(format!(
                "cannot be backed up to {storage}: {node} does not have it; for backups it has {names}"
            ));
        };
        if !holds(&row) {
            return Some(format!("cannot be backed up to {storage}: it holds no backups"));
        }
        if !row.available {
            return Some(format!("cannot be backed up to {storage}: {node} does not reach it now"));
        }
        if self.notes.chars().count() > LONGEST_NOTES {
            return Some(format!("cannot have notes of more than {LONGEST_NOTES} characters on a backup"));
        }
        lock.map(|lock| format!("is locked by Proxmox: {lock}"))
    }
}

#[async_trait]
impl Effect for BackupEffect {
    async fn check(&self) -> Result<Check> {
        let storages = self.at.rows("storage").await?.storages;
        let (config, _) = self.at.config().await?;
        if let Some(problem) = self.problem(&storages, config.lock.as_deref()) {
            return Ok(self.at.refuse(&problem));
        }
        let known: Vec<String> = self.backups().await?.into_iter().map(|backup| backup.volume).collect();
        let newest = self.at.newest_task().await?;
        Ok(Check::Ready {
            before: json!({ "node": self.at.node, "newest_task": newest, "backups": known }),
            calls: vec![said(&self.request())],
        })
    }

    async fn begin(&self, _before: &Value) -> Result<String> {
        self.at.begin(self.request(), &self.words).await
    }

    async fn find(&self, before: &Value) -> Result<Option<String>> {
        self.at.find(before, &["vzdump"]).await
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        task::follow(self.at.api.as_ref(), handle, said).await
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        let known = texts(before, "backups");
        let made = self.backups().await?.into_iter().filter(|backup| !known.contains(&backup.volume));
        let Some(backup) = made.max_by_key(|backup| backup.made_at) else {
            return Err(Error::new(ErrorKind::Conflict, self.words.clone())
                .because(format!("its task ended well, and yet {} lists no new backup of it", self.storage))
                .next("read the operation's log, and look at the storage"));
        };
        // The backup is there, whether that can be written down now or is seen by the next look at its storage.
        if let Err(error) = self.fleet.note_backup(&self.at.cluster, &self.at.vmid, &self.at.node, &backup).await {
            tracing::warn!(cluster = %self.at.cluster, error = %crate::report(&error), "a backup is not noted yet");
        }
        let size = backup.size_gb.map(|size| format!(" with {size} GiB")).unwrap_or_default();
        Ok(format!("{}:{} is there{size}", backup.storage, backup.volume))
    }

    /// A backup that was made is kept.
    fn undo(&self, _before: &Value) -> Option<Action> {
        None
    }
}

/// Notes as the template that Proxmox asks for: one line, with line breaks and backslashes written as such.
fn as_template(notes: &str) -> String {
    notes.trim().replace('\\', "\\\\").replace("\r\n", "\n").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_one_line() {
        assert_eq!(as_template("before\nthe \\ update\r\n"), r"before\nthe \\ update");
    }
}
