//! What was recorded of terminals.

use std::path::PathBuf;

use reanimator_core::{Fleet, Result};

use super::audited;
use crate::answer::Plain;

/// All recordings, the newest first.
pub(crate) async fn recordings(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.recordings().await?)
}

/// Where one recording lies.
pub(crate) async fn recording_file(fleet: Fleet, id: String) -> Result<PathBuf> {
    audited(&fleet, "recording read", &id, fleet.recording_file(&id.as_str().into())).await
}

/// Deletes a recording.
pub(crate) async fn delete_recording(fleet: Fleet, id: String) -> Result<()> {
    audited(&fleet, "recording delete", &id, fleet.delete_recording(&id.as_str().into())).await
}
