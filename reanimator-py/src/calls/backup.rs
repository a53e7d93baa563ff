//! Copies of the fleet's own data.

use std::path::PathBuf;

use reanimator_core::{Fleet, Result, fleet::Afterwards, store::BackupPassphrase};
use secrecy::SecretString;

use super::audited;
use crate::answer::Plain;

/// Makes a backup and saves it in a new file.
pub(crate) async fn create_backup(
    fleet: Fleet,
    path: PathBuf,
    passphrase: SecretString,
    history: bool,
) -> Result<Plain> {
    let create = async {
        let backup = fleet.create_backup(BackupPassphrase::checked(passphrase)?, history).await?;
        backup.save_as(&path)?;
        Plain::of(backup.report())
    };
    audited(&fleet, "backup create", &path.display().to_string(), create).await
}

/// What is in a backup.
pub(crate) async fn inspect_backup(path: PathBuf, passphrase: SecretString) -> Result<Plain> {
    Plain::of(&Fleet::inspect_backup(&path, passphrase).await?)
}

/// Puts a backup in place of all that is stored.
pub(crate) async fn restore_backup(fleet: Fleet, path: PathBuf, passphrase: SecretString) -> Result<Plain> {
    let restore = fleet.restore_backup(&path, passphrase, Afterwards::AtTheMachine);
    Plain::of(&audited(&fleet, "backup restore", &path.display().to_string(), restore).await?)
}
