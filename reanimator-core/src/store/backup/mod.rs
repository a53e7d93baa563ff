//! Backups: everything that is stored, in one file behind a passphrase.
//!
//! A backup is an ordinary data directory, packed by `tar` and `gzip` and encrypted in the `age` format, so that it can
//! also be opened without Reanimator: `age -d FILE | tar xz`. Its members, in this order:
//!
//! | member | holds |
//! |---|---|
//! | `manifest.json` | [`BackupReport`] and the versions of the tables, read without unpacking the rest |
//! | `master.key` | a key made for this backup alone: that of the installation never leaves it |
//! | `reanimator.db` | the database, its secrets sealed under that key, without sessions |
//! | `telemetry.db` | the history of figures, unless it was left out |
//!
//! Nothing else is taken out of one: an unknown name, a second one, a wrong sum or a byte too few is a damaged file.
//! Copies lie in a [`Scratch`] folder in the data directory while they are needed.

mod age;
mod archive;
mod scratch;

use std::{
    fs::{File, OpenOptions},
    io::{BufReader, BufWriter, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

pub use scratch::Scratch;

/// The largest backup that is made, and that is taken over HTTP.
pub const LARGEST_BACKUP: u64 = 4 << 30;

/// As much as a backup may unpack to: a small file must not fill the disk.
const LARGEST_UNPACKED: u64 = 16 << 30;

/// The shortest passphrase that a backup is made with: it must withstand guessing by whoever has the file.
const SHORTEST_PASSPHRASE: usize = 12;
const LONGEST_PASSPHRASE: usize = 1024;

const MANIFEST: &str = "manifest.json";
const LARGEST_MANIFEST: u64 = 64 * 1024;
/// The database in a data directory.
pub(crate) const DATABASE: &str = "reanimator.db";
/// The history in a data directory.
pub(crate) const HISTORY: &str = "telemetry.db";
/// The key in a data directory.
pub(crate) const KEY: &str = "master.key";

/// The form of what is inside; another one is another number.
const FORMAT: u32 = 1;

/// The files of the copy, in the order in which they are packed.
const MEMBERS: [&str; 3] = [KEY, DATABASE, HISTORY];

/// What is in a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BackupReport {
    /// When it was made.
    pub made_at: Timestamp,
    /// The version of the program that made it.
    pub version: String,
    /// How many hosts are in it.
    pub hosts: u64,
    /// How many connections.
    pub connections: u64,
    /// How many people who may log in.
    pub users: u64,
    /// Whether the history of figures is in it.
    pub history: bool,
}

/// The versions of the tables in a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableVersions {
    /// Those of the database.
    pub database: i64,
    /// Those of the history.
    pub history: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    tables: TableVersions,
    #[serde(flatten)]
    report: BackupReport,
}

/// A passphrase that a backup may be made with.
#[derive(Debug)]
pub struct BackupPassphrase(SecretString);

impl BackupPassphrase {
    /// 12 characters or more.
    ///
    /// # Errors
    /// `Invalid` where it is shorter, or longer than 1,024 bytes.
    pub fn checked(passphrase: SecretString) -> Result<Self> {
        let (text, attempt) = (passphrase.expose_secret(), "take the passphrase of the backup");
        if text.chars().count() < SHORTEST_PASSPHRASE {
            return Err(Error::new(ErrorKind::Invalid, attempt).because("it is too short").next(format!(
                "use {SHORTEST_PASSPHRASE} characters or more: who has the file can guess as long as they like"
            )));
        }
        if text.len() > LONGEST_PASSPHRASE {
            return Err(Error::new(ErrorKind::Invalid, attempt)
                .because(format!("it is longer than {LONGEST_PASSPHRASE} bytes")));
        }
        Ok(Self(passphrase))
    }
}

/// Packs the copy in `folder` into a new file at `to`; says how large it became.
pub(crate) fn pack(
    folder: &Path,
    to: &Path,
    passphrase: &BackupPassphrase,
    report: &BackupReport,
    tables: TableVersions,
) -> Result<u64> {
    let attempt = "write the backup";
    let failed =
        |error: std::io::Error| Error::new(ErrorKind::Storage, attempt).on(to.display().to_string()).from_source(error);
    let manifest = Manifest { format: FORMAT, tables, report: report.clone() };
    let manifest = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Error::new(ErrorKind::Internal, attempt).from_source(error))?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(failed)?;
    let encryptor = age::Encryptor::begin(BufWriter::new(file), &passphrase.0)?;
    let mut archive = archive::Writer::new(GzEncoder::new(encryptor, Compression::fast()), report.made_at.as_second());
    archive.member(MANIFEST, manifest.len() as u64, &mut manifest.as_slice()).map_err(failed)?;
    for name in MEMBERS.into_iter().filter(|name| report.history || *name != HISTORY) {
        let mut member = File::open(folder.join(name)).map_err(failed)?;
        let size = member.metadata().map_err(failed)?.len();
        archive.member(name, size, &mut member).map_err(failed)?;
    }
    let encryptor = archive.finish().and_then(GzEncoder::finish).map_err(failed)?;
    let file = encryptor.finish().and_then(|out| out.into_inner().map_err(|error| error.into_error()));
    let file = file.map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(file.metadata().map_err(failed)?.len())
}

/// Reads a backup to its end, and says what is in it. With a folder, its files are put there.
pub(crate) fn unpack(
    from: &Path,
    passphrase: &SecretString,
    folder: Option<&Path>,
) -> Result<(BackupReport, TableVersions)> {
    let file = File::open(from).map_err(|error| {
        Error::new(ErrorKind::NotFound, "open the backup")
            .on(from.display().to_string())
            .next("name a file that can be read")
            .from_source(error)
    })?;
    let decryptor = age::Decryptor::begin(BufReader::new(file), passphrase)?;
    let mut archive = archive::Reader::new(GzDecoder::new(decryptor));
    let manifest = read_manifest(&mut archive)?;
    let mut expected = MEMBERS.into_iter().filter(|name| manifest.report.history || *name != HISTORY);
    let mut room = LARGEST_UNPACKED;
    while let Some((name, size)) = archive.next().map_err(damaged)? {
        if expected.next() != Some(name.as_str()) {
            return Err(unlike("a member is missing, or one is in it that does not belong there"));
        }
        room = room.checked_sub(size).ok_or_else(|| unlike("it unpacks to more than 16 GiB"))?;
        match folder {
            Some(folder) => write_member(&folder.join(&name), size, &mut archive)?,
            None => archive.copy(size, &mut std::io::sink()).map_err(damaged)?,
        }
    }
    if expected.next().is_some() {
        return Err(unlike("a member is missing"));
    }
    let mut rest = archive.finish().map_err(damaged)?.into_inner();
    match rest.read(&mut [0; 1]).map_err(damaged)? {
        0 => Ok((manifest.report, manifest.tables)),
        _ => Err(unlike("something follows its end")),
    }
}

fn read_manifest(archive: &mut archive::Reader<impl Read>) -> Result<Manifest> {
    let first = archive.next().map_err(damaged)?;
    let Some((_, size)) = first.filter(|(name, size)| name == MANIFEST && *size <= LARGEST_MANIFEST) else {
        return Err(unlike("it does not begin with a manifest"));
    };
    let mut text = Vec::new();
    archive.copy(size, &mut text).map_err(damaged)?;
    let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| {
        Error::new(ErrorKind::Invalid, "read the backup").because("its manifest is not readable").from_source(error)
    })?;
    match manifest.format {
        FORMAT => Ok(manifest),
        _ => Err(newer(&manifest.report.version)),
    }
}

fn write_member(path: &Path, size: u64, archive: &mut archive::Reader<impl Read>) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Storage, "unpack the backup")
            .on(path.display().to_string())
            .next("see whether there is room on the disk of the data directory")
            .from_source(error)
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    let mut file = BufWriter::new(file);
    archive.copy(size, &mut file).map_err(|error| match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => failed(error),
        _ => damaged(error),
    })?;
    file.flush().map_err(failed)
}

/// A backup that a newer program made.
pub(crate) fn newer(version: &str) -> Error {
    Error::new(ErrorKind::Invalid, "use the backup")
        .because(format!(
            "it was made by a newer Reanimator (version {version}) than this one ({})",
            env!("CARGO_PKG_VERSION")
        ))
        .next("update Reanimator first; nothing was changed")
}

/// Something that is no backup of ours.
pub(crate) fn unlike(cause: &str) -> Error {
    Error::new(ErrorKind::Invalid, "read the backup")
        .because(cause)
        .next("use another copy of the file; nothing was changed")
}

fn damaged(error: std::io::Error) -> Error {
    unlike("it is cut off or damaged").from_source(error)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests;
