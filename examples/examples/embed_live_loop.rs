//! Keeps a fleet live inside a program of your own: every host is observed every ten seconds, and every change is an
//! event.
//!
//! ```text
//! cargo run -p reanimator-examples --example embed_live_loop
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use reanimator_core::{
    Fleet, FleetOptions,
    model::EventKind,
    workflows::live::{LiveLoop, LiveOptions},
};
use tokio_util::sync::CancellationToken;

/// How many updates this example waits for.
const ENOUGH: usize = 3;

#[tokio::main]
async fn main() -> Result<(), reanimator_core::Error> {
    let data_dir = std::env::temp_dir().join(format!("reanimator-example-{}", std::process::id()));
    let fleet = Fleet::open(FleetOptions::new(&data_dir)).await?;
    let mut events = fleet.events();

    // The loop runs until it is told to stop.
    let stop = CancellationToken::new();
    let options = LiveOptions { interval: std::time::Duration::from_secs(1), ..LiveOptions::default() };
    let live = tokio::spawn(LiveLoop::new(fleet.clone(), options).run(stop.clone()));

    let mut updates = 0;
    while updates < ENOUGH {
        let Ok(event) = events.recv().await else { break };
        println!("{} {}: {}", event.at, event.kind.as_str(), event.data["name"]);
        updates += usize::from(event.kind == EventKind::HostUpdated);
    }

    stop.cancel();
    if let Ok(outcome) = live.await {
        outcome?;
    }
    let totals = fleet.status().await?.totals;
    println!("{} of {} hosts online", totals.hosts.online, totals.hosts.total);
    fleet.close().await;
    drop(std::fs::remove_dir_all(data_dir));
    Ok(())
}
