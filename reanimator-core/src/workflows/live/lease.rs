//! One server per data directory: a lease in the store, renewed while the loop runs.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::{ErrorKind, Result, fleet::Fleet, store::LeaseHolder};

/// How long a lease lasts that is not renewed. The lock on the data directory tells of a killed server at once; this
/// is for data directories that two machines share.
const LASTS: Duration = Duration::from_secs(30);

/// How often it is renewed.
const RENEWED_EVERY: Duration = Duration::from_secs(10);

/// The right to serve a data directory.
#[derive(Debug)]
pub(super) struct Lease {
    fleet: Fleet,
    holder: LeaseHolder,
}

impl Lease {
    /// Takes it.
    pub(super) async fn acquire(fleet: &Fleet, address: &str) -> Result<Self> {
        let holder = LeaseHolder {
            id: uuid::Uuid::now_v7().to_string(),
            pid: std::process::id(),
            host: std::fs::read_to_string("/proc/sys/kernel/hostname")
                .map(|name| name.trim().to_owned())
                .unwrap_or_default(),
            address: address.to_owned(),
        };
        fleet.store().acquire_server_lease(&holder, fleet.now(), LASTS).await?;
        Ok(Self { fleet: fleet.clone(), holder })
    }

    /// Keeps it; returns only when it is lost.
    pub(super) async fn keep(&self) -> Result<()> {
        let mut ticks = tokio::time::interval(RENEWED_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.fleet.store().renew_server_lease(&self.holder, self.fleet.now(), LASTS).await {
                Err(error) if error.kind() == ErrorKind::Conflict => return Err(error),
                // A full disk keeps nobody from observing.
                Err(error) => {
                    tracing::error!(error = %crate::report(&error), "the server's lease could not be renewed")
                }
                Ok(()) => {}
            }
        }
    }

    /// Gives it back.
    pub(super) async fn release(&self) -> Result<()> {
        self.fleet.store().release_server_lease(&self.holder).await
    }
}
