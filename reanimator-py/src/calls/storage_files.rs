//! Files put on storages.

use std::path::PathBuf;

use reanimator_core::{
    Error, ErrorKind, Fleet, Result,
    access::Principal,
    fleet::NewUpload,
    model::{Action, NewOperation, NewStep, StorageChange, StorageContent},
    operation::Operations,
};
use tokio::fs::File;
use tokio_util::{io::ReaderStream, sync::CancellationToken};

use super::audited;
use crate::answer::Plain;

/// What is read of a file at once.
const PIECE: usize = 256 * 1024;

/// A file's place on a storage of a node.
pub(crate) struct Place {
    /// The node's name in the fleet, or its id.
    pub(crate) host: String,
    /// The storage's name.
    pub(crate) storage: String,
    /// `iso`, `vztmpl` or `import`.
    pub(crate) content: String,
    /// What the file is called there.
    pub(crate) name: Option<String>,
}

impl Place {
    async fn carry_out(self, fleet: Fleet, called: String, change: StorageChange) -> Result<Plain> {
        let content = match self.content.as_str() {
            "iso" => StorageContent::Iso,
            "vztmpl" => StorageContent::Vztmpl,
            "import" => StorageContent::Import,
            other => {
                return Err(Error::new(ErrorKind::Invalid, "find the storage")
                    .because(format!("{other:?} is nothing that a file is"))
                    .next("choose iso, vztmpl or import"));
            }
        };
        let host = fleet.host(&self.host).await?.host.id;
        let name = self.name.unwrap_or(called);
        let action = Action::Storage { host, storage: self.storage, content, name, change };
        let new = NewOperation { steps: vec![NewStep::from(action)], ..NewOperation::default() };
        let operations = Operations::new(fleet);
        let asked = operations.ask(new, &Principal::local(), "local").await?;
        Plain::of(&operations.see_through(&asked.id, &CancellationToken::new()).await?)
    }
}

/// Puts a file of this machine on a storage; gives the operation when it is over.
pub(crate) async fn upload(fleet: Fleet, path: PathBuf, place: Place, sha256: Option<String>) -> Result<Plain> {
    let unreadable = |error: std::io::Error| {
        Error::new(ErrorKind::NotFound, format!("read {}", path.display()))
            .next("name a file that can be read")
            .from_source(error)
    };
    let called = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    fleet.host(&place.host).await?;
    let file = File::open(&path).await.map_err(unreadable)?;
    let size = file.metadata().await.map_err(unreadable)?.len();
    let on = format!("{called}, {size} bytes");
    let who = Principal::local().who();
    let begin = fleet.begin_upload(NewUpload { name: called.clone(), size, sha256 }, &who);
    let id = audited(&fleet, "upload begin", &on, begin).await?.id;
    let taken = fleet.append_upload(&id, 0, ReaderStream::with_capacity(file, PIECE)).await;
    match taken {
        Ok(upload) if upload.complete => {
            let over = place.carry_out(fleet.clone(), called, StorageChange::Upload { file: id.clone() }).await?;
            fleet.drop_upload(&id)?;
            Ok(over)
        }
        Ok(_) => {
            fleet.drop_upload(&id)?;
            Err(Error::new(ErrorKind::Conflict, format!("read {}", path.display()))
                .because(format!("it has become shorter than the {size} bytes that it had")))
        }
        Err(error) => {
            fleet.drop_upload(&id)?;
            Err(error)
        }
    }
}

/// Has a node fetch a file; gives the operation when it is over.
pub(crate) async fn download(fleet: Fleet, url: String, place: Place, sha256: Option<String>) -> Result<Plain> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let called = path.rsplit('/').next().unwrap_or_default().to_owned();
    place.carry_out(fleet, called, StorageChange::Download { url, sha256 }).await
}
