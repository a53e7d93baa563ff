//! What is decided about the fleet's own data.

use reanimator_core::{Error, ErrorKind, Fleet, Result, fleet::SettingsChange};

use super::audited;
use crate::answer::Plain;

/// The settings, and what the data takes.
pub(crate) async fn settings(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.settings().await?)
}

/// Changes settings; what is `None` stays.
pub(crate) async fn change_settings(fleet: Fleet, change: SettingsChange) -> Result<Plain> {
    if change == SettingsChange::default() {
        return Err(Error::new(ErrorKind::Invalid, "change the settings")
            .because("nothing was given")
            .next("name a setting: samples_hours=, per_host=, quota_gib= and others"));
    }
    Plain::of(&audited(&fleet, "settings change", &change.to_string(), fleet.change_settings(change)).await?)
}
