//! What was recorded of terminals: files in the data directory, for admins alone.

use std::{
    io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde_json::Value;

use super::Fleet;
use crate::{
    Error, ErrorKind, Result,
    model::{Recording, TerminalId},
};

/// The folder in the data directory.
const FOLDER: &str = "recordings";

/// How the files end.
const ENDING: &str = "cast";

/// As many recordings as are kept, and as much as they take together: what is more must be deleted by somebody who has
/// decided that it may be.
const MOST: usize = 1000;
const LARGEST_TOGETHER: u64 = 4 * 1024 * 1024 * 1024;

/// What stands in the last line of a recording that took all that one may, as a marker of asciicast.
pub(crate) const CUT: &str = "the recording is full; the terminal went on";

/// As long as that line may be.
const LONGEST_MARKER: u64 = 256;

/// As long as the first line of a file of ours may be.
const LONGEST_HEAD: u64 = 16 * 1024;

impl Fleet {
    /// All recordings, the newest first.
    ///
    /// # Errors
    /// `Storage` when the data directory cannot be read.
    pub async fn recordings(&self) -> Result<Vec<Recording>> {
        let folder = self.recordings_folder();
        in_background(move || list(&folder)).await
    }

    /// Where one recording lies: asciicast, version 2.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn recording_file(&self, id: &TerminalId) -> Result<PathBuf> {
        let path = self.recording_path(id)?;
        match tokio::fs::metadata(&path).await {
            Ok(file) if file.is_file() => Ok(path),
            _ => Err(missing(id)),
        }
    }

    /// Deletes a recording.
    ///
    /// # Errors
    /// `NotFound`; `Storage` when the file cannot be deleted.
    pub async fn delete_recording(&self, id: &TerminalId) -> Result<()> {
        let path = self.recording_file(id).await?;
        tokio::fs::remove_file(path).await.map_err(|error| unusable("delete the recording", error))
    }

    /// Where a new recording is to lie.
    ///
    /// # Errors
    /// `Conflict` when there are too many already, `Storage`.
    pub(crate) async fn new_recording(&self, id: &TerminalId) -> Result<PathBuf> {
        let there = self.recordings().await?;
        let bytes: u64 = there.iter().map(|recording| recording.bytes).sum();
        if there.len() >= MOST || bytes >= LARGEST_TOGETHER {
            return Err(Error::new(ErrorKind::Conflict, "record the terminal")
                .because(format!("there are {} recordings with {bytes} bytes already", there.len()))
                .next("delete recordings that are not needed, or open it without one"));
        }
        let folder = self.recordings_folder();
        in_background(move || {
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.map_err(|error| unusable("make a folder for recordings", error))
        })
        .await?;
        self.recording_path(id)
    }

    fn recordings_folder(&self) -> PathBuf {
        self.data_dir().join(FOLDER)
    }

    /// The path for an id, which comes from strangers: it leads nowhere else.
    fn recording_path(&self, id: &TerminalId) -> Result<PathBuf> {
        let text = id.as_str();
        let plain = text.len() <= 64 && text.chars().all(|sign| sign.is_ascii_hexdigit() || sign == '-');
        if text.is_empty() || !plain {
            return Err(missing(id));
        }
        Ok(self.recordings_folder().join(format!("{text}.{ENDING}")))
    }
}

fn missing(id: &TerminalId) -> Error {
    let shown: String = id.as_str().chars().take(64).collect();
    Error::new(ErrorKind::NotFound, format!("find the recording {shown:?}"))
        .because("there is none of that id")
        .next("see the list of recordings")
}

fn unusable(attempt: &str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Storage, attempt)
        .because(error.to_string())
        .next("check that the data directory can be read and written")
        .from_source(error)
}

async fn in_background<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Internal, "look at the recordings").because(error.to_string()))
    })
}

fn list(folder: &Path) -> Result<Vec<Recording>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unusable("read the folder of recordings", error)),
    };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    // What is no recording of ours is not shown as one.
    let mut found: Vec<Recording> = paths.filter_map(|path| read(&path)).collect();
    found.sort_by(|a, b| b.started_at.cmp(&a.started_at).then_with(|| b.id.cmp(&a.id)));
    Ok(found)
}

/// What a file says of itself in its first line.
fn read(path: &Path) -> Option<Recording> {
    let id = path.extension().is_some_and(|end| end == ENDING).then(|| path.file_stem()?.to_str())??;
    let mut file = std::fs::File::open(path).ok()?;
    let bytes = file.metadata().ok()?.len();
    let mut line = String::new();
    BufReader::new((&file).take(LONGEST_HEAD)).read_line(&mut line).ok()?;
    let head: Value = serde_json::from_str(&line).ok()?;
    let ours = head.get("reanimator")?;
    let text = |name: &str| ours.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Recording {
        id: id.into(),
        machine: text("machine"),
        name: text("name"),
        who: text("who"),
        from: text("from"),
        started_at: Timestamp::from_second(head.get("timestamp")?.as_i64()?).ok()?,
        bytes,
        cut: is_cut(&mut file, bytes).ok()?,
    })
}

/// Whether a file ends with the marker of one that is full. What people see is within the words of a line, so that nobody can
/// show what looks like one.
fn is_cut(file: &mut std::fs::File, bytes: u64) -> std::io::Result<bool> {
    file.seek(SeekFrom::Start(bytes.saturating_sub(LONGEST_MARKER)))?;
    let mut tail = Vec::new();
    file.take(LONGEST_MARKER).read_to_end(&mut tail)?;
    let lines = tail.strip_suffix(b"\n").unwrap_or(&tail);
    let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(serde_json::from_slice::<(f64, String, String)>(last).is_ok_and(|(_, kind, text)| kind == "m" && text == CUT))
}

#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_id_leads_nowhere_else() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = Fleet::open(crate::FleetOptions::new(directory.path())).await.unwrap();
        std::fs::write(directory.path().join("secret.cast"), "{}").unwrap();
        for id in ["", "../secret", "..", "a/b", "x", &"a".repeat(65)] {
            let error = fleet.recording_file(&id.into()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{id}");
        }
        assert_eq!(fleet.recordings().await.unwrap(), []);
    }
}
