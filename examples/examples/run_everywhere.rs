//! Runs one command on many hosts at once and shows equal answers once.
//!
//! ```text
//! cargo run -p reanimator-examples --example run_everywhere -- 'uname -r' 'group:web, !web3'
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it found")]

use std::time::Duration;

use futures::StreamExt;
use reanimator_core::{
    Fleet, FleetOptions,
    fleet::{ExecRequest, group_answers},
    report,
};

#[tokio::main]
async fn main() -> Result<(), reanimator_core::Error> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_else(|| "uname -sr".to_owned());
    let on = arguments.next().unwrap_or_else(|| "all".to_owned());

    let fleet = Fleet::open(FleetOptions::new(FleetOptions::default_data_dir()?)).await?;
    let mut request = ExecRequest::new(command, on.parse()?);
    request.time_limit = Duration::from_secs(10);

    // Answers come as they are there; a host that hangs holds up no other.
    let mut answers = fleet.exec(request).await?;
    let mut all = Vec::new();
    while let Some(answer) = answers.next().await {
        match &answer.outcome {
            Ok(output) => println!("{} answered after {:?}, status {:?}", answer.host, answer.took, output.status),
            Err(error) => println!("{}", report(error)),
        }
        all.push(answer);
    }

    for group in group_answers(&all) {
        println!("\n== {} ==", group.hosts.join(", "));
        if let Ok(output) = &group.answer.outcome {
            println!("{}", output.stdout.text());
        }
    }
    fleet.close().await;
    Ok(())
}
