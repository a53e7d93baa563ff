//! `make bench`: what Reanimator costs, beside something real in the same run.
//!
//! Prints a table and writes `target/bench/figures.json`. Each measured client is a process of its own, so that its CPU
//! time is the kernel's word and not ours; ours is this very program called again with a worker's name
//! ([`workers`]). Runs of ours and of the others alternate, each figure is the median, and everything has a limit: where
//! time runs out there are fewer samples, and the table says how many. Where a peer is missing it says that too.
//!
//! Other work on the machine makes wall times worse; CPU times less so. The load is printed beside them.

mod alerts;
mod commands;
mod fan_out;
mod memory;
mod page;
mod panorama;
mod peers;
mod processes;
mod report;
mod sshd;
mod store;
mod terminals;
mod tick;
mod workers;

use std::{io::Write as _, process::ExitCode};

use report::Report;

/// Whatever keeps a figure from being measured.
type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Error> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => bench(),
        ["commands"] => alone(commands::measure),
        ["alerts"] => alone(alerts::measure),
        ["store"] => alone(store::measure),
        ["page"] => alone(page::measure),
        ["panorama"] => alone(panorama::measure),
        ["memory"] => alone(memory::measure),
        ["terminals"] => alone(terminals::measure),
        ["worker", name, file] => workers::run(name, file),
        _ => {
            Err("without arguments this measures everything; `alerts`, `commands`, `memory`, `page`, `panorama`, `store` or `terminals` alone by name"
                .into())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told when this fails too.
            let _unheard = writeln!(std::io::stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One room alone.
fn alone(measure: fn(&mut Report) -> Result<()>) -> Result<()> {
    let mut report = Report::start()?;
    measure(&mut report)?;
    report.finish()
}

fn bench() -> Result<()> {
    let mut report = Report::start()?;
    let sshd = sshd::Sshd::start()?;
    let setting = fan_out::Setting::new(&sshd)?;
    fan_out::cold(&setting, &mut report)?;
    fan_out::warm(&setting, &mut report)?;
    tick::measure(&setting, &mut report)?;
    commands::measure(&mut report)?;
    drop(sshd);
    memory::measure(&mut report)?;
    panorama::measure(&mut report)?;
    alerts::measure(&mut report)?;
    store::measure(&mut report)?;
    terminals::measure(&mut report)?;
    page::measure(&mut report)?;
    report.finish()
}
