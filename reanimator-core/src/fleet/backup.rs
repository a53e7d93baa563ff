//! Backups of the fleet's own data: made while it is in use, looked at, and put back.
//!
//! A backup is one file behind a passphrase; [`store`](crate::store) says what is in it. One is made or put back at a
//! time. Putting one back needs the data directory for itself: a server that runs there does it, and where none runs
//! whoever does it is the server meanwhile.

use std::{
    fs::{File, OpenOptions},
    io::ErrorKind as IoErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::SecretString;

use super::Fleet;
use crate::{
    Error, ErrorKind, Result,
    model::EventKind,
    store::{
        BackupPassphrase, BackupReport, LeaseHolder, Scratch,
        backup::{self, newer, unlike},
    },
};

/// As long as a restore without a server may take before another program may serve.
const LEASE: Duration = Duration::from_secs(60 * 60);

/// A backup that was made. Its file goes when this is dropped: move or send it before.
#[derive(Debug)]
pub struct BackupFile {
    path: PathBuf,
    bytes: u64,
    report: BackupReport,
    _scratch: Scratch,
}

impl BackupFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How large it is.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives it a place to stay, for its owner only.
    ///
    /// # Errors
    /// `Conflict` where there is a file of that name; `Storage` where it cannot be written.
    pub fn save_as(&self, to: &Path) -> Result<()> {
        let saved = match std::fs::hard_link(&self.path, to) {
            // On another file system, or one without links.
            Err(error) if error.kind() != IoErrorKind::AlreadyExists => copy_anew(&self.path, to),
            linked => linked,
        };
        saved.map_err(|error| {
            let error_of = |kind| Error::new(kind, "save the backup").on(to.display().to_string());
            match error.kind() {
                IoErrorKind::AlreadyExists => error_of(ErrorKind::Conflict)
                    .because("there is a file of that name")
                    .next("give another name, or remove that file first"),
                _ => {
                    error_of(ErrorKind::Storage).next("see whether the folder is there and has room").from_source(error)
                }
            }
        })
    }

    /// What is in it.
    pub fn report(&self) -> &BackupReport {
        &self.report
    }
}

/// Who may be left without a way in by a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// Whoever restores can read the data directory, and so can always come in.
    AtTheMachine,
    /// Whoever restores comes in over HTTP: a backup without people would lock everybody out.
    OverHttp,
}

impl Fleet {
    /// Makes a backup while everything goes on. Without the history of figures it is small.
    ///
    /// # Errors
    /// `Busy` while another one is made or put back; `Storage` where the disk has no room for two copies.
    pub async fn create_backup(&self, passphrase: BackupPassphrase, history: bool) -> Result<BackupFile> {
        let _turn = self.turn("make a backup")?;
        let scratch = Scratch::new(self.data_dir())?;
        let folder = scratch.path().join("copy");
        make_folder(&folder)?;
        let tables = self.store().copy_to(&folder, history).await?;
        let contents = self.store().check_copy(&folder).await?;
        let report = BackupReport {
            made_at: self.now(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hosts: contents.hosts as u64,
            connections: contents.connections as u64,
            users: contents.users as u64,
            history,
        };
        let path = scratch.path().join("backup.age");
        let (packed, to) = (report.clone(), path.clone());
        let bytes = aside(move || backup::pack(&folder, &to, &passphrase, &packed, tables)).await?;
        if bytes > backup::LARGEST_BACKUP {
            return Err(Error::new(ErrorKind::Invalid, "make a backup")
                .because(format!("it takes {bytes} bytes, more than the {} that are read back", backup::LARGEST_BACKUP))
                .next("make it without the history"));
        }
        Ok(BackupFile { path, bytes, report, _scratch: scratch })
    }

    /// A folder in the data directory for a backup that is coming in.
    ///
    /// # Errors
    /// `Storage` where it cannot be made.
    pub fn scratch(&self) -> Result<Scratch> {
        Scratch::new(self.data_dir())
    }

    /// Reads a backup to its end and says what is in it. Nothing is stored.
    ///
    /// # Errors
    /// `NotFound` for a file that cannot be read; `Invalid` for a wrong passphrase, and for a file that is damaged, cut
    /// off, or no backup.
    pub async fn inspect_backup(file: &Path, passphrase: SecretString) -> Result<BackupReport> {
        let file = file.to_owned();
        aside(move || backup::unpack(&file, &passphrase, None).map(|(report, _)| report)).await
    }

    /// Puts a backup in place of all that is stored: hosts, connections, secrets, people, tokens, settings, facts,
    /// events. Everything is checked first, and then it happens at one instant; before it, all is as it was, whatever
    /// fails. Sessions end. The audit trail loses nothing, and history that is there stays. A live loop in this process
    /// goes on with the restored fleet.
    ///
    /// # Errors
    /// As [`inspect_backup`](Self::inspect_backup); `Invalid` for one that a newer program made; `Conflict` while another
    /// program serves the data directory; `Busy` while another one is made or put back; `Storage` where the disk has no
    /// room.
    pub async fn restore_backup(
        &self,
        file: &Path,
        passphrase: SecretString,
        afterwards: Afterwards,
    ) -> Result<BackupReport> {
        let _turn = self.turn("restore a backup")?;
        let scratch = Scratch::new(self.data_dir())?;
        let folder = scratch.path().join("copy");
        make_folder(&folder)?;
        let (from, to) = (file.to_owned(), folder.clone());
        let (mut report, tables) = aside(move || backup::unpack(&from, &passphrase, Some(&to))).await?;
        let known = self.store().newest_tables();
        if tables.database > known.database || tables.history > known.history {
            return Err(newer(&report.version));
        }
        let contents = self.store().check_copy(&folder).await.map_err(of_the_copy)?;
        (report.hosts, report.connections) = (contents.hosts as u64, contents.connections as u64);
        report.users = contents.users as u64;
        if report.users == 0 && afterwards == Afterwards::OverHttp {
            return Err(Error::new(ErrorKind::Invalid, "restore the backup")
                .because("there is nobody in it who could log in afterwards")
                .next("restore it with `reanimator backup restore` on the server itself; nothing was changed"));
        }
        match self.is_live() {
            true => self.store().replace_from(&folder).await?,
            false => self.replace_alone(&folder).await?,
        }
        self.take_up_anew().await?;
        Ok(report)
    }

    /// Puts the copy in place with the data directory for this process alone.
    async fn replace_alone(&self, folder: &Path) -> Result<()> {
        let holder = LeaseHolder {
            id: uuid::Uuid::now_v7().to_string(),
            pid: std::process::id(),
            host: "this machine".to_owned(),
            address: "no address: it restores a backup".to_owned(),
        };
        self.store().acquire_server_lease(&holder, self.now(), LEASE).await.map_err(|error| match error.kind() {
            ErrorKind::Conflict => error.next("stop the server, or restore the backup on its page"),
            _ => error,
        })?;
        let replaced = self.store().replace_from(folder).await;
        self.store().release_server_lease(&holder).await.and(replaced)
    }

    /// Builds everything anew from the records: secrets may be others although the records are the same.
    async fn take_up_anew(&self) -> Result<()> {
        let machines = self.write(|world| {
            world.viewed.clear();
            world.clusters.clear();
            let machine = |known: &mut super::world::Known| {
                known.asked.clear();
                Some(known.machine.take()?.1)
            };
            world.hosts.values_mut().filter_map(machine).collect::<Vec<_>>()
        });
        self.sync().await?;
        self.remember().await?;
        self.remember_facts().await?;
        for view in self.read(|world| world.views(self.now())) {
            self.tell(EventKind::HostUpdated, &view);
        }
        // An observation under way holds its machine: nobody waits for that.
        tokio::spawn(async move {
            futures::future::join_all(machines.iter().map(|each| crate::host::Host::close(each.as_ref()))).await
        });
        Ok(())
    }

    fn turn(&self, attempt: &str) -> Result<tokio::sync::MutexGuard<'_, ()>> {
        self.inner.backing_up.try_lock().map_err(|_| {
            Error::new(ErrorKind::Busy, attempt)
                .because("a backup is being made or restored")
                .next("try again when that is over")
        })
    }
}

/// A failure to use what was in the file, which is no fault of the store.
fn of_the_copy(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Storage => unlike("what is in it cannot be used").from_source(error),
        _ => error,
    }
}

fn make_folder(folder: &Path) -> Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(folder).map_err(|error| {
        Error::new(ErrorKind::Storage, "make a folder for a while").on(folder.display().to_string()).from_source(error)
    })
}

/// Copies a file to where there is none, whole or not at all.
fn copy_anew(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let copied =
        File::open(from).and_then(|mut file| std::io::copy(&mut file, &mut copy)).and_then(|_| copy.sync_all());
    match copied {
        Ok(()) => Ok(()),
        Err(error) => std::fs::remove_file(to).and(Err(error)),
    }
}

/// Does work that keeps a core busy on a thread where it holds nobody up.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::new(ErrorKind::Internal, "work on a backup").from_source(error))?
}
