//! Keeps the history within its bounds, a little at a time.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{Result, fleet::Fleet, store::Retention};

/// How often the history is looked through.
const EVERY: Duration = Duration::from_secs(5 * 60);

/// How long events are kept.
const EVENTS_KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long what changed is kept.
const CHANGES_KEPT: Duration = Duration::from_secs(2 * 365 * 24 * 60 * 60);

/// The wait between two bounded steps, so that what is seen now is written in between.
const BETWEEN: Duration = Duration::from_millis(200);

/// Runs until `end`.
pub(super) async fn run(fleet: Fleet, end: CancellationToken) {
    loop {
        let pause = match once(&fleet).await {
            Ok(true) => BETWEEN,
            Ok(false) => EVERY,
            Err(error) => {
                tracing::error!(error = %crate::report(&error), "the history could not be tidied");
                EVERY
            }
        };
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One bounded step; says whether there is more to do.
async fn once(fleet: &Fleet) -> Result<bool> {
    let now = fleet.now();
    let upkeep = fleet.store().roll_up_and_prune(now, &Retention::default()).await?;
    let pruned = fleet.store().prune_events(now - EVENTS_KEPT).await?;
    let forgotten = fleet.store().prune_changes(now - CHANGES_KEPT).await?;
    Ok(upkeep.more || pruned > 0 || forgotten > 0)
}
