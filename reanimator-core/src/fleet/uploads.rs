//! Files that are handed over before they are put on a storage: kept in the data directory, bounded, and resumed where they
//! stopped.
//!
//! Each is a file `uploads/ID` with what is known of it beside, `uploads/ID.json`. It grows by what is appended at its end
//! and nowhere else; once it is whole its SHA-256 is taken, and compared where one was named. What nobody touched for some
//! days goes by itself.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::{fs::File as AsyncFile, io::AsyncWriteExt as _, task::spawn_blocking};

use super::Fleet;
use crate::{Error, ErrorKind, Result, access::Principal, model::Role};

/// The largest file, in bytes: no medium is larger.
const LARGEST: u64 = 256 << 30;
/// Room that is left on the disk of the data directory in any case.
const RESERVE: u64 = 1 << 30;
/// What ends the name of what is known of a file, while that is being written; a process that dies may leave one.
const NEW: &str = ".new";
/// What is read at once for a sum.
const PIECE: usize = 256 * 1024;

/// A file that is to be handed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewUpload {
    /// What it is called, for people.
    pub name: String,
    /// How long it is, in bytes.
    pub size: u64,
    /// Its SHA-256, which is compared once it is whole. Defaults to none.
    #[serde(default)]
    pub sha256: Option<String>,
}

/// A file that is being handed over, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Upload {
    /// Its id.
    pub id: String,
    /// What it is called, for people.
    pub name: String,
    /// How long it is to be, in bytes.
    pub size: u64,
    /// How much of it is there: what comes next is appended here.
    pub offset: u64,
    /// Its SHA-256: what was named, and what was found once it is whole.
    pub sha256: Option<String>,
    /// Whether all of it is there, as it should be.
    pub complete: bool,
    /// Who hands it over.
    pub by: String,
    /// Since when.
    pub created_at: Timestamp,
}

impl Fleet {
    /// Makes room for a file that is to be handed over.
    ///
    /// # Errors
    /// `Invalid` for a name, a size or a sum that cannot be; `Conflict` where there is no room for it; `Storage`.
    pub async fn begin_upload(&self, new: NewUpload, who: &str) -> Result<Upload> {
        let settings = self.upload_settings().await?;
        self.sweep_uploads().await?;
        let refuse = |kind, cause: String, next: &str| Err(Error::new(kind, "take a file").because(cause).next(next));
        let sum = new.sha256.as_deref().map(str::to_ascii_lowercase);
        if new.name.is_empty() || new.name.chars().count() > 255 || new.name.chars().any(char::is_control) {
            return refuse(ErrorKind::Invalid, "the name does not fit".into(), "use 1 to 255 characters");
        }
        if !(1..=LARGEST).contains(&new.size) {
            let cause = format!("a file has 1 to {LARGEST} bytes, not {}", new.size);
            return refuse(ErrorKind::Invalid, cause, "name the size that it has");
        }
        if sum.as_ref().is_some_and(|sum| !is_sha256(sum)) {
            return refuse(ErrorKind::Invalid, "that is no SHA-256".into(), "give 64 hexadecimal digits, or none");
        }
        let directory = self.uploads_dir()?;
        let others = all(&directory)?;
        let taken: u64 = others.iter().map(|upload| upload.size).sum();
        let quota = u64::from(settings.quota_gib) << 30;
        if taken.saturating_add(new.size) > quota {
            let cause = format!("files of {taken} bytes wait already, and {quota} are allowed");
            return refuse(ErrorKind::Conflict, cause, "put those on storages or drop them, or raise quota_gib");
        }
        let (free, coming) = (free(&directory)?, still_to_come(&others));
        if !is_room(free, coming, new.size) {
            let cause = format!(
                "{free} bytes are free on the disk of the data directory, and {coming} of other files are to come"
            );
            return refuse(ErrorKind::Conflict, cause, "make room there");
        }
        let upload = Upload {
            id: uuid::Uuid::now_v7().to_string(),
            name: new.name,
            size: new.size,
            offset: 0,
            sha256: sum,
            complete: false,
            by: who.to_owned(),
            created_at: self.now(),
        };
        let path = directory.join(&upload.id);
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed("take a file"))?;
        note(&directory, &upload)?;
        Ok(upload)
    }

    /// One of them, with how much of it is there.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub fn upload(&self, id: &str) -> Result<Upload> {
        read(&self.uploads_dir()?, id)
    }

    /// The same, for whoever hands it over, and for admins.
    ///
    /// # Errors
    /// `Denied` for anybody else; `NotFound`, `Storage`.
    pub fn upload_of(&self, id: &str, who: &Principal, attempt: &str) -> Result<Upload> {
        let upload = self.upload(id)?;
        if upload.by == who.who() || who.role.allows(Role::Admin) {
            return Ok(upload);
        }
        Err(Error::new(ErrorKind::Denied, attempt)
            .on(id)
            .because(format!("{} hands it over, not {}", upload.by, who.who()))
            .next("ask them or an admin"))
    }

    /// Appends what comes, up to the end of the file; what came before it broke off stays. Once it is whole, its SHA-256 is
    /// taken.
    ///
    /// # Errors
    /// `Conflict` where `offset` is not its end, or its SHA-256 is another one: then it is dropped. `Busy` while somebody else
    /// appends. `Invalid` for more than it is to have; `NotFound`, `Storage`; `Unreachable` where what comes breaks off.
    pub async fn append_upload<E: std::fmt::Display>(
        &self,
        id: &str,
        offset: u64,
        mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin + Send,
    ) -> Result<Upload> {
        let directory = self.uploads_dir()?;
        let attempt = "take more of a file";
        read(&directory, id)?;
        let file = OpenOptions::new().append(true).open(directory.join(id)).map_err(failed(attempt))?;
        if file.try_lock().is_err() {
            return Err(Error::new(ErrorKind::Busy, attempt)
                .because("it is being handed over by somebody else")
                .next("wait until that has ended, and ask how much is there"));
        }
        let upload = read(&directory, id)?;
        if upload.complete || upload.offset != offset {
            return Err(Error::new(ErrorKind::Conflict, attempt)
                .because(format!("{} bytes of it are there, and these would begin at {offset}", upload.offset))
                .next("ask how much is there, and go on from that"));
        }
        let mut file = AsyncFile::from_std(file);
        let (mut left, mut broken) = (upload.size - upload.offset, None);
        while let Some(piece) = pieces.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    broken = Some(Error::new(ErrorKind::Unreachable, attempt).because(error.to_string()));
                    break;
                }
            };
            if piece.len() as u64 > left {
                let cause = format!("more comes than the {} bytes that were named", upload.size);
                broken = Some(Error::new(ErrorKind::Invalid, attempt).because(cause).next("begin anew, with its size"));
                break;
            }
            file.write_all(&piece).await.map_err(failed(attempt))?;
            left -= piece.len() as u64;
        }
        file.flush().await.map_err(failed(attempt))?;
        file.sync_data().await.map_err(failed(attempt))?;
        match broken {
            Some(error) => Err(error),
            None if left > 0 => read(&directory, id),
            None => spawn_blocking(move || complete(&directory, upload))
                .await
                .map_err(|error| Error::new(ErrorKind::Internal, attempt).from_source(error))?,
        }
    }

    /// Drops one. Whether it was there.
    ///
    /// # Errors
    /// `Storage`.
    pub fn drop_upload(&self, id: &str) -> Result<bool> {
        let directory = self.uploads_dir()?;
        if !is_id(id) {
            return Ok(false);
        }
        for beside in [".json", NEW] {
            remove(&directory.join(format!("{id}{beside}")))?;
        }
        remove(&directory.join(id))
    }

    /// Drops what nobody touched for some days.
    pub(crate) async fn sweep_uploads(&self) -> Result<()> {
        let kept = Duration::from_secs(u64::from(self.upload_settings().await?.keep_days) * 24 * 60 * 60);
        let directory = self.uploads_dir()?;
        for entry in fs::read_dir(&directory).map_err(failed("look through the files that were handed over"))? {
            let entry = entry.map_err(failed("look through the files that were handed over"))?;
            let touched = entry.metadata().and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            let name = entry.file_name().to_string_lossy().into_owned();
            let id = name.strip_suffix(".json").or_else(|| name.strip_suffix(NEW)).unwrap_or(&name);
            // What tells of a file is as old as the file's beginning: it goes with the file.
            let of_file = fs::metadata(directory.join(id)).and_then(|data| data.modified()).unwrap_or(touched);
            if of_file.elapsed().is_ok_and(|age| age > kept) {
                self.drop_upload(id)?;
            }
        }
        Ok(())
    }

    /// Where a file lies that was handed over as a whole.
    pub(crate) fn whole_upload(&self, id: &str) -> Result<(Upload, PathBuf)> {
        let directory = self.uploads_dir()?;
        let upload = read(&directory, id)?;
        if !upload.complete {
            return Err(Error::new(ErrorKind::Conflict, format!("use the file {}", upload.name))
                .because(format!("{} of {} bytes of it are there", upload.offset, upload.size))
                .next("hand over the rest of it"));
        }
        Ok((upload, directory.join(id)))
    }

    fn uploads_dir(&self) -> Result<PathBuf> {
        let directory = self.data_dir().join("uploads");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .map_err(failed("make a folder for files that are handed over"))?;
        Ok(directory)
    }
}

/// Takes the sum of a file that is whole, and notes that it is.
fn complete(directory: &Path, upload: Upload) -> Result<Upload> {
    let found = sha256_of(&directory.join(&upload.id))?;
    if let Some(wanted) = upload.sha256.as_ref().filter(|wanted| **wanted != found) {
        remove(&directory.join(format!("{}.json", upload.id)))?;
        remove(&directory.join(&upload.id))?;
        return Err(Error::new(ErrorKind::Conflict, format!("take the file {}", upload.name))
            .because(format!("its SHA-256 is {found}, and {wanted} was named"))
            .next("see whether the file is the right one, and hand it over anew"));
    }
    let upload = Upload { sha256: Some(found), complete: true, offset: upload.size, ..upload };
    note(directory, &upload)?;
    Ok(upload)
}

fn sha256_of(path: &Path) -> Result<String> {
    let attempt = "take a file's SHA-256";
    let mut file = File::open(path).map_err(failed(attempt))?;
    let (mut hasher, mut piece) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut piece).map_err(failed(attempt))? {
            0 => return Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => hasher.update(&piece[..read]),
        }
    }
}

/// Writes down what is known of a file, in one step.
fn note(directory: &Path, upload: &Upload) -> Result<()> {
    let attempt = "note what is known of a file";
    let text =
        serde_json::to_vec(upload).map_err(|error| Error::new(ErrorKind::Internal, attempt).from_source(error))?;
    let (new, place) = (directory.join(format!("{}{NEW}", upload.id)), directory.join(format!("{}.json", upload.id)));
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new).map_err(failed(attempt))?;
    file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed(attempt))?;
    fs::rename(&new, &place).map_err(failed(attempt))
}

fn read(directory: &Path, id: &str) -> Result<Upload> {
    let missing = || {
        Error::new(ErrorKind::NotFound, "find a file that was handed over")
            .because(format!("there is none of the id {id:?}, or it is gone: what nobody touches goes after some days"))
            .next("hand it over anew")
    };
    if !is_id(id) {
        return Err(missing());
    }
    let attempt = "read what is known of a file";
    let text = match fs::read(directory.join(format!("{id}.json"))) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(failed(attempt)(error)),
    };
    let upload: Upload = serde_json::from_slice(&text)
        .map_err(|error| Error::new(ErrorKind::Storage, attempt).next("drop it").from_source(error))?;
    let there = fs::metadata(directory.join(id)).map_err(failed(attempt))?.len();
    Ok(Upload { offset: there, complete: upload.complete && there == upload.size, ..upload })
}

fn all(directory: &Path) -> Result<Vec<Upload>> {
    let attempt = "look through the files that were handed over";
    let mut uploads = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed(attempt))? {
        let name = entry.map_err(failed(attempt))?.file_name().to_string_lossy().into_owned();
        if let Some(id) = name.strip_suffix(".json") {
            match read(directory, id) {
                Ok(upload) => uploads.push(upload),
                // Somebody drops it at this moment.
                Err(error) => tracing::debug!(id, error = %crate::report(&error), "a file is not counted"),
            }
        }
    }
    Ok(uploads)
}

fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("drop a file that was handed over")(error)),
    }
}

/// How many bytes of files are yet to come: room that is free only for now.
fn still_to_come(uploads: &[Upload]) -> u64 {
    uploads.iter().map(|upload| upload.size.saturating_sub(upload.offset)).fold(0, u64::saturating_add)
}

/// Whether a file of `size` finds room where `free` is free and `coming` is to come of others.
fn is_room(free: u64, coming: u64, size: u64) -> bool {
    let needed = size.checked_add(coming).and_then(|needed| needed.checked_add(RESERVE));
    needed.is_some_and(|needed| needed <= free)
}

/// What is free for us on the disk of a directory.
fn free(directory: &Path) -> Result<u64> {
    let disk = rustix::fs::statvfs(directory)
        .map_err(|error| failed("see how much room there is")(std::io::Error::from(error)))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn failed(attempt: &str) -> impl Fn(std::io::Error) -> Error {
    move |error| {
        Error::new(ErrorKind::Storage, attempt)
            .next("see whether there is room on the disk of the data directory, and who owns it")
            .from_source(error)
    }
}

/// Nothing else may become part of a path.
fn is_id(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
#[path = "uploads_tests.rs"]
mod tests;
