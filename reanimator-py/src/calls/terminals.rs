//! Terminals, and what was recorded of them.

use std::{path::PathBuf, sync::Arc};

use reanimator_core::{Fleet, Result, model::NewTerminal, workflows::shell::Terminals};

use super::audited;
use crate::{answer::Plain, terminal::Open};

/// Opens a terminal of the machine that is called so, of so many columns and rows.
pub(crate) async fn open_terminal(
    fleet: Fleet,
    terminals: Terminals,
    called: String,
    (cols, rows): (u16, u16),
    record: Option<bool>,
) -> Result<Arc<Open>> {
    let machine = fleet.machine_called(&called).await?;
    Open::begin(terminals, NewTerminal { machine, cols, rows, record }).await
}

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
