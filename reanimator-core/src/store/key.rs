//! The master key: where it comes from, and that nobody else can read it.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{ErrorKind as IoErrorKind, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Error, ErrorKind, Result};

/// The environment variable that may hold the master key.
pub const KEY_VARIABLE: &str = "REANIMATOR_MASTER_KEY";

const KEY_FILE: &str = "master.key";

/// 32 random bytes in base64 take 44 letters; more than this is no key.
const LONGEST_KEY_FILE: u64 = 1024;

/// The key under which all secrets' keys are encrypted.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

impl MasterKey {
    /// A new random key.
    ///
    /// # Errors
    /// `Internal` when the system has no randomness to give.
    pub fn generate() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut())
            .map_err(|error| Error::new(ErrorKind::Internal, "make a master key").because(error.to_string()))?;
        Ok(Self(*bytes))
    }

    /// Reads a key from its base64 form.
    ///
    /// # Errors
    /// `Invalid` unless it is base64 of exactly 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self> {
        let invalid = || Error::new(ErrorKind::Invalid, "read the master key").because("it is not base64 of 32 bytes");
        let bytes = Zeroizing::new(BASE64.decode(text.trim()).map_err(|_| invalid())?);
        Self::from_slice(&bytes).ok_or_else(invalid)
    }

    /// Writes it into a new file, for its owner only.
    pub(crate) fn write_to(&self, path: &Path) -> Result<()> {
        write_key(self, path).map_err(|error| {
            Error::new(ErrorKind::Storage, "write a master key").on(path.display().to_string()).from_source(error)
        })
    }

    /// The key of exactly 32 bytes.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Where the master key comes from.
#[derive(Clone, Debug, Default)]
pub enum KeySource {
    /// From the environment variable [`KEY_VARIABLE`] (base64 of 32 bytes) if that is set, else from the key file.
    #[default]
    Standard,
    /// From `master.key` in the data directory, which is made when the store is made.
    File,
    /// From a file elsewhere, for example one that systemd hands in. It is never made.
    FileAt(PathBuf),
    /// This key.
    Given(MasterKey),
}

impl KeySource {
    /// The key for the store in `directory`. With `may_create`, a key file that is missing is made; without, secrets
    /// are there already that only the missing key opens.
    pub(crate) fn key(&self, directory: &Path, may_create: bool) -> Result<MasterKey> {
        match self {
            Self::Given(key) => Ok(key.clone()),
            Self::FileAt(path) => read_key_file(path)?.ok_or_else(|| missing(path)),
            Self::File => key_in(directory, may_create),
            Self::Standard => match std::env::var(KEY_VARIABLE) {
                Ok(text) => {
                    let text = Zeroizing::new(text);
                    MasterKey::from_base64(&text).map_err(|error| {
                        error.on(KEY_VARIABLE).next("set it to what `openssl rand -base64 32` printed when it was made")
                    })
                }
                Err(std::env::VarError::NotPresent) => key_in(directory, may_create),
                Err(std::env::VarError::NotUnicode(_)) => Err(Error::new(ErrorKind::Invalid, "read the master key")
                    .on(KEY_VARIABLE)
                    .because("it is not text")),
            },
        }
    }
}

fn key_in(directory: &Path, may_create: bool) -> Result<MasterKey> {
    let path = directory.join(KEY_FILE);
    if let Some(key) = read_key_file(&path)? {
        return Ok(key);
    }
    if !may_create {
        return Err(missing(&path));
    }
    create_key_file(directory, &path)?;
    read_key_file(&path)?.ok_or_else(|| missing(&path))
}

fn missing(path: &Path) -> Error {
    Error::new(ErrorKind::Storage, "read the master key")
        .on(path.display().to_string())
        .because("there is no such file")
        .next(format!(
            "put the file back from a backup or set {KEY_VARIABLE}; without it the stored secrets cannot be read"
        ))
}

/// The key in the file; `None` if there is no file.
fn read_key_file(path: &Path) -> Result<Option<MasterKey>> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Storage, "read the master key").on(path.display().to_string()).from_source(error)
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::new(ErrorKind::Storage, "use the master key")
            .on(path.display().to_string())
            .because(format!("others can read or change the file (mode {mode:03o})"))
            .next(format!("run: chmod 600 '{}'", path.display())));
    }
    let mut text = Zeroizing::new(String::with_capacity(LONGEST_KEY_FILE as usize));
    file.take(LONGEST_KEY_FILE).read_to_string(&mut text).map_err(failed)?;
    MasterKey::from_base64(&text)
        .map(Some)
        .map_err(|error| error.on(path.display().to_string()).next("put the file back from a backup"))
}

/// Makes the key file whole or not at all, and never over one that another program made meanwhile.
fn create_key_file(directory: &Path, path: &Path) -> Result<()> {
    let draft = directory.join(format!("{KEY_FILE}.{}", uuid::Uuid::new_v4()));
    let written = write_draft(&draft).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == IoErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    let removed = match fs::remove_file(&draft) {
        Err(error) if error.kind() == IoErrorKind::NotFound => Ok(()),
        removed => removed,
    };
    // The name must be as durable as what will be encrypted under the key.
    written.and(removed).and_then(|()| File::open(directory)?.sync_all()).map_err(|error| {
        Error::new(ErrorKind::Storage, "make the master key").on(path.display().to_string()).from_source(error)
    })
}

fn write_draft(draft: &Path) -> std::io::Result<()> {
    write_key(&MasterKey::generate().map_err(std::io::Error::other)?, draft)
}

fn write_key(key: &MasterKey, draft: &Path) -> std::io::Result<()> {
    let text = Zeroizing::new(BASE64.encode(key.bytes()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_file_is_made_once_and_for_its_owner_only() {
        let directory = tempfile::tempdir().unwrap();
        let first = KeySource::File.key(directory.path(), true).unwrap();
        let again = KeySource::File.key(directory.path(), true).unwrap();
        assert_eq!(first.bytes(), again.bytes());
        let path = directory.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "a draft was left behind");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_the_command_to_run() {
        let directory = tempfile::tempdir().unwrap();
        KeySource::File.key(directory.path(), true).unwrap();
        let path = directory.path().join(KEY_FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = KeySource::File.key(directory.path(), true).unwrap_err();
        assert!(error.to_string().contains("mode 640"), "{error}");
        assert!(error.next_step().unwrap().contains("chmod 600"));
    }

    #[test]
    fn a_missing_key_is_not_replaced_where_secrets_need_it() {
        let directory = tempfile::tempdir().unwrap();
        let error = KeySource::File.key(directory.path(), false).unwrap_err();
        assert!(error.to_string().contains("master.key"), "{error}");
        assert!(!directory.path().join(KEY_FILE).exists());
    }

    #[test]
    fn a_damaged_key_says_so_without_showing_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(KEY_FILE);
        write_draft(&path).unwrap();
        fs::write(&path, "c2VjcmV0IQ==").unwrap();
        let error = KeySource::File.key(directory.path(), true).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(!crate::report(&error).contains("c2VjcmV0"), "{error}");
    }

    #[test]
    fn debug_shows_no_key() {
        let key = MasterKey([7; 32]);
        assert_eq!(format!("{:?}", KeySource::Given(key)), "Given(MasterKey([redacted]))");
    }
}
