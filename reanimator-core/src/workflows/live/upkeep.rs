//! Keeps the history within its bounds, a little at a time, and lets go of files that nobody has come back for.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{Result, fleet::Fleet};

/// How often the history is looked through.
const EVERY: Duration = Duration::from_secs(5 * 60);

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

/// One bounded step; says whether there is more to do. What is kept for how long is read anew each time, so that a
/// change holds from the next step on, whichever program made it.
async fn once(fleet: &Fleet) -> Result<bool> {
    let now = fleet.now();
    let kept = fleet.retention().await?;
    let upkeep = fleet.store().roll_up_and_prune(now, &kept.figures()).await?;
    let pruned = fleet.store().prune_events(now - kept.events()).await?;
    let forgotten = fleet.store().prune_changes(now - kept.changes()).await?;
    let over = fleet.store().prune_alerts(now - kept.events()).await?;
    fleet.sweep_uploads().await?;
    Ok(upkeep.more || pruned > 0 || forgotten > 0 || over > 0)
}
