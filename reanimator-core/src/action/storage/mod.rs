//! Files on storages of nodes: put there from here, or fetched by the node.

mod download;
mod names;
mod shelf;
mod upload;

use super::Effect;
use crate::{
    Result,
    fleet::Fleet,
    model::{HostId, StorageChange, StorageContent},
};

/// The effect of putting a file on a storage.
pub(super) async fn effect(
    fleet: &Fleet,
    host: &HostId,
    storage: &str,
    file: (StorageContent, &str),
    change: &StorageChange,
) -> Result<Box<dyn Effect>> {
    let shelf = shelf::Shelf::of(fleet, host, storage, file).await?;
    Ok(match change {
        StorageChange::Upload { file } => Box::new(upload::UploadEffect::new(fleet, shelf, file)),
        StorageChange::Download { url, sha256 } => {
            Box::new(download::DownloadEffect::new(shelf, url.clone(), sha256.clone()))
        }
    })
}
