//! How long actions may take where nobody says otherwise.

use std::time::Duration;

use crate::model::{Action, ContainerVerb, GuestChange, HostChange, PackagesChange, SnapshotVerb};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// How long an action may usually take. Generous: what is slow is no failure, what hangs for ever is.
pub(crate) const fn usual_limit(action: &Action) -> Duration {
    Duration::from_secs(match action {
        Action::Guest { change, .. } => guest(change),
        Action::Snapshot { verb, .. } => match verb {
            SnapshotVerb::Create => HOUR,
            // Of a large disk on spinning ones, merging takes hours.
            SnapshotVerb::Delete | SnapshotVerb::RollBack => 6 * HOUR,
        },
        Action::Host { change, .. } => match change {
            // A server with much memory tests it for minutes before anything starts.
            HostChange::Reboot | HostChange::Wake { .. } => 20 * MINUTE,
            HostChange::Shutdown | HostChange::Suspend => 15 * MINUTE,
            HostChange::EnterMaintenance | HostChange::LeaveMaintenance => HOUR,
        },
        Action::Unit { .. } => 15 * MINUTE,
        Action::Container { verb, .. } | Action::Compose { verb, .. } => match verb {
            ContainerVerb::Start | ContainerVerb::Stop | ContainerVerb::Restart => 15 * MINUTE,
            ContainerVerb::Update => 2 * HOUR,
        },
        // A script has a limit of its own, which is kept over there; this one is for a host that does not come back.
        Action::Script { .. } => 25 * HOUR,
        Action::Packages { change: PackagesChange::Refresh, .. } => HOUR,
        // A slow machine behind a thin line, with a release's worth of packages.
        Action::Packages { change: PackagesChange::Upgrade { .. }, .. } => 6 * HOUR,
        Action::Storage { .. } => 12 * HOUR,
    })
}

const fn guest(change: &GuestChange) -> u64 {
    match change {
        GuestChange::Start | GuestChange::Stop | GuestChange::Suspend | GuestChange::Resume => 10 * MINUTE,
        GuestChange::Shutdown { limit_seconds, .. } | GuestChange::Reboot { limit_seconds } => {
            *limit_seconds as u64 + 10 * MINUTE
        }
        GuestChange::Migrate { .. } => 6 * HOUR,
        GuestChange::RemoteMigrate { .. } | GuestChange::Clone { .. } | GuestChange::BackUp { .. } => 24 * HOUR,
        GuestChange::Scale { .. } | GuestChange::Tag { .. } | GuestChange::GrowDisk { .. } => 10 * MINUTE,
        GuestChange::Delete { .. } => HOUR,
    }
}
