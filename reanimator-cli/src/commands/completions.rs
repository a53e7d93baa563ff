//! `completions`: what a shell needs to complete our words.

use clap::Args;
use clap_complete::Shell;

use crate::{
    arguments,
    context::Context,
    failure::{Done, Failure},
};

/// What `completions` takes.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Carries it out.
pub(crate) fn run(args: CompletionsArgs, context: &Context) -> Result<Done, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut arguments::command(), "reanimator", &mut script);
    if context.screen.is_json() {
        let text = String::from_utf8_lossy(&script);
        context.screen.document(&serde_json::json!({ "shell": args.shell.to_string(), "script": text }))?;
    } else {
        context.screen.bytes(&script)?;
    }
    Ok(Done::Whole)
}
