//! A folder in the data directory for what is needed for a while only, and goes again however the program ends.

use std::{
    fs::{self, DirBuilder, File, TryLockError},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use crate::{Error, ErrorKind, Result};

const PREFIX: &str = "scratch-";
/// A folder may be swept away between being made and being locked.
const ATTEMPTS: usize = 5;

/// A folder for its owner only, removed when it is dropped. One that a killed program left is removed when the store is
/// opened next: its lock has gone with the program.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// A new one.
    ///
    /// # Errors
    /// `Storage` where it cannot be made.
    pub fn new(data_dir: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Storage, "make a folder for a while")
                .on(data_dir.display().to_string())
                .next("see whether there is room on its disk, and who owns it")
                .from_source(error)
        };
        for _ in 0..ATTEMPTS {
            let path = data_dir.join(format!("{PREFIX}{}", uuid::Uuid::new_v4()));
            DirBuilder::new().mode(0o700).create(&path).map_err(failed)?;
            let Ok(lock) = File::open(&path) else { continue };
            if lock.try_lock().is_ok() && path.exists() {
                return Ok(Self { path, _lock: lock });
            }
        }
        Err(failed(std::io::Error::other("it is removed again and again")))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what killed programs left.
    pub(crate) fn sweep(data_dir: &Path) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Storage, "remove what a killed program left")
                .on(data_dir.display().to_string())
                .from_source(error)
        };
        for entry in fs::read_dir(data_dir).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
            // Not a folder, or one that somebody else removes at this moment.
            let Some(lock) = ours.then(|| File::open(&path).ok()).flatten() else { continue };
            match lock.try_lock() {
                Ok(()) => remove(&path),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// What cannot be removed now is tried again at the next start.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path) {
        tracing::warn!(folder = %path.display(), %error, "a folder for a while could not be removed");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn it_is_for_its_owner_and_goes_when_it_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(directory.path()).unwrap();
        fs::write(scratch.path().join("copy"), "secret").unwrap();
        assert_eq!(fs::metadata(scratch.path()).unwrap().mode() & 0o777, 0o700);
        drop(scratch);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_program_left_is_swept_and_what_is_in_use_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let left = directory.path().join("scratch-left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("copy"), "secret").unwrap();
        let used = Scratch::new(directory.path()).unwrap();
        Scratch::sweep(directory.path()).unwrap();
        assert!(used.path().exists() && !left.exists());
    }
}
