//! Groups and tags of many hosts at once.

use reanimator_core::{Fleet, Result, fleet::LabelChange};

use super::audited;
use crate::answer::Plain;

/// All groups and tags, counted.
pub(crate) async fn groups(fleet: Fleet) -> Result<Plain> {
    Plain::of(&fleet.labels().await?)
}

/// Gives and takes groups and tags.
pub(crate) async fn label_hosts(fleet: Fleet, change: LabelChange) -> Result<Plain> {
    let on = change.to_string();
    Plain::of(&audited(&fleet, "host label", &on, fleet.change_labels(change)).await?)
}

/// Renames a group.
pub(crate) async fn rename_group(fleet: Fleet, name: String, new_name: String) -> Result<Plain> {
    let on = format!("{name} to {new_name}");
    Plain::of(&audited(&fleet, "group rename", &on, fleet.rename_group(&name, &new_name)).await?)
}

/// Takes a group off its hosts.
pub(crate) async fn remove_group(fleet: Fleet, name: String) -> Result<Plain> {
    Plain::of(&audited(&fleet, "group remove", &name, fleet.remove_group(&name)).await?)
}
