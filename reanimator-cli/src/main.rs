//! Reanimator on the command line: `reanimator <noun> <verb>`.
//!
//! A command converts its arguments, calls the core and shows the answer; each noun is one file in [`commands`].
//! Answers go to stdout, everything else to stderr. With `--json` stdout holds exactly one document.
//!
//! ```text
//! reanimator host add root@192.0.2.7 --group web
//! reanimator status
//! reanimator exec 'uptime' --on group:web --group
//! ```

mod arguments;
mod ask;
mod commands;
mod context;
mod failure;
mod screen;

use std::{process::ExitCode, time::Duration};

use context::Context;
use failure::{Failure, exit_code};

/// How long work that was let go of may take to end once the answer is out.
const LAST_BREATH: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let cli = match arguments::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let context = Context::new(&cli.globals);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::show(&Failure::from(error), context.screen.is_json()),
    };
    let outcome = runtime.block_on(async {
        let outcome = commands::run(cli.noun, &context).await;
        // What does not let go in time goes with the process.
        drop(tokio::time::timeout(LAST_BREATH, context.close()).await);
        outcome
    });
    runtime.shutdown_timeout(LAST_BREATH);
    match outcome {
        Ok(done) => exit_code(done),
        Err(failure) => failure::show(&failure, context.screen.is_json()),
    }
}
