//! `man`: the manual pages, for those who package the program.

use std::path::PathBuf;

use clap::Args;
use reanimator_core::{Error, ErrorKind};

use crate::{
    arguments,
    failure::{Done, Failure},
};

/// What `man` takes.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// Where to write the pages; made if it is not there
    directory: PathBuf,
}

/// Carries it out: one page for each command.
pub(crate) fn run(args: &ManArgs) -> Result<Done, Failure> {
    let directory = &args.directory;
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(arguments::command(), directory))
        .map_err(|error| {
            Error::new(ErrorKind::Storage, format!("write the manual pages into {}", directory.display()))
                .because(error.to_string())
                .next("name a directory that can be written")
        })?;
    Ok(Done::Whole)
}
