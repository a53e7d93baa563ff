//! Observes the machine it runs on: no set-up, no agent, no root.
//!
//! ```text
//! cargo run -p reanimator-examples --example observe_this_machine
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use reanimator_core::{Fleet, FleetOptions, model::Bytes};

#[tokio::main]
async fn main() -> Result<(), reanimator_core::Error> {
    // A fleet of its own for this example; leave `new` out for the user's own: `FleetOptions::default_data_dir()`.
    let data_dir = std::env::temp_dir().join(format!("reanimator-example-{}", std::process::id()));
    let fleet = Fleet::open(FleetOptions::new(&data_dir)).await?;

    // A new fleet has one host already: this machine.
    for host in fleet.status().await?.hosts {
        let seen = fleet.observe(host.id.as_str()).await?;
        println!("{} runs {}", seen.host.name, seen.host.os.as_deref().unwrap_or("something unknown"));
        if let Some(memory) = &seen.host.memory {
            println!("memory: {} of {} in use (by {})", memory.used_bytes, memory.total_bytes, memory.source);
        }
        for system in seen.telemetry.iter().flat_map(|telemetry| &telemetry.file_systems) {
            let (used, total): (Bytes, Bytes) = (system.used_bytes, system.total_bytes);
            println!("{}: {used} of {total} in use", system.mount_point);
        }
        // What was not seen is not zero: it is said, with the reason.
        for unseen in &seen.unseen {
            println!("not seen: {}, because {}", unseen.what, unseen.why);
        }
    }

    fleet.close().await;
    drop(std::fs::remove_dir_all(data_dir));
    Ok(())
}
