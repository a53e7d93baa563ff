//! A file for every terminal that is open, locked for as long as the process lives that serves it. A lock goes with its
//! process, however that ends: a file that nobody holds is of a terminal whose end nobody has noted.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{ErrorKind as IoKind, Read, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{Error, ErrorKind, Result, model::Terminal};

/// The folder in the data directory.
const FOLDER: &str = "terminals";

/// How the files end.
const ENDING: &str = "open";

/// As large as a file of ours may be.
const LARGEST: u64 = 64 * 1024;

/// A file that holds nothing for so long is of a process that died before it had noted that anything was opened.
const EMPTY_FOR: Duration = Duration::from_secs(60);

/// The file of one terminal.
#[derive(Debug)]
pub(super) struct Mark {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl Mark {
    /// Makes the file of a terminal, which nobody else may read.
    pub(super) async fn make(data: &Path, of: &Terminal) -> Result<Self> {
        let folder = data.join(FOLDER);
        let path = folder.join(format!("{}.{ENDING}", of.id));
        let text = serde_json::to_vec(of)
            .map_err(|error| Error::new(ErrorKind::Internal, "note that a terminal is open").from_source(error))?;
        in_background(move || {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
            file.lock()?;
            file.write_all(&text)?;
            file.sync_all()?;
            Ok(Self { path, _file: file })
        })
        .await
    }

    /// Removes it: the end is noted.
    pub(super) async fn remove(self) {
        let removed = in_background(move || std::fs::remove_file(&self.path)).await;
        if let Err(error) = removed {
            tracing::warn!(error = %crate::report(&error), "the mark of a terminal that has ended is not removed");
        }
    }
}

/// The terminals whose process has died before their end was noted. While a mark is held, no other process finds it.
pub(super) async fn left_behind(data: &Path) -> Result<Vec<(Mark, Terminal)>> {
    let folder = data.join(FOLDER);
    in_background(move || {
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == IoKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == ENDING) {
                found.extend(take(path)?);
            }
        }
        Ok(found)
    })
    .await
}

/// What a file says, where nobody holds it.
fn take(path: PathBuf) -> std::io::Result<Option<(Mark, Terminal)>> {
    let mut file = match File::open(&path) {
        // Its process has removed it in this very moment.
        Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
        file => file?,
    };
    if file.try_lock().is_err() {
        return Ok(None);
    }
    let about = file.metadata()?;
    if about.nlink() == 0 {
        return Ok(None);
    }
    let mut text = Vec::new();
    Read::by_ref(&mut file).take(LARGEST).read_to_end(&mut text)?;
    match serde_json::from_slice(&text) {
        Ok(terminal) => Ok(Some((Mark { path, _file: file }, terminal))),
        Err(_) => {
            if about.modified()?.elapsed().is_ok_and(|since| since > EMPTY_FOR) {
                tracing::warn!(path = %path.display(), "what is no mark of a terminal is removed");
                std::fs::remove_file(&path)?;
            }
            Ok(None)
        }
    }
}

async fn in_background<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T> {
    let attempt = "note which terminals are open";
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::new(ErrorKind::Internal, attempt).from_source(error))?.map_err(|error| {
        Error::new(ErrorKind::Storage, attempt)
            .because(error.to_string())
            .next("check that the data directory can be read and written")
            .from_source(error)
    })
}
