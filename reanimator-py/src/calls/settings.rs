//! What is decided about the fleet's own data.

use reanimator_core::{
    Error, ErrorKind, Fleet, Result,
    fleet::{CapChange, RetentionChange, SettingsChange},
};

use super::audited;
use crate::answer::Plain;

/// The settings, and what the data takes.
pub(crate) async fn settings(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.settings().await?)
}

/// Changes how long things are kept and how much is done at once; what is `None` stays.
pub(crate) async fn change_settings(fleet: Fleet, retention: RetentionChange, caps: CapChange) -> Result<Plain> {
    if retention == RetentionChange::default() && caps == CapChange::default() {
        return Err(Error::new(ErrorKind::Invalid, "change the settings").because("nothing was given").next(
            "give samples_hours=, minutes_days=, quarters_days=, six_hours_days=, events_days=, changes_days=, per_host= or per_cluster=",
        ));
    }
    let change = SettingsChange { retention, caps, ..SettingsChange::default() };
    Plain::of(&audited(&fleet, "settings change", &change.to_string(), fleet.change_settings(change)).await?)
}
