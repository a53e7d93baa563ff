//! `linux-sim --hosts N --seed S`: prints one JSON line per host, then serves until it is told to end.

use std::{io::Write as _, net::Ipv4Addr, process::ExitCode};

use clap::Parser;
use linux_sim::{Options, Sim};
use tokio::signal::unix::{SignalKind, signal};

/// Many believable Linux hosts in one process, behind real SSH.
///
/// Prints one JSON line per host: {"name","address","port","user","key","host_key"}. Serves until SIGTERM or SIGINT.
#[derive(Debug, Parser)]
#[command(name = "linux-sim", version)]
struct Arguments {
    /// How many hosts.
    #[arg(long, default_value_t = 3)]
    hosts: usize,
    /// The same seed gives the same hosts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The first host's address; the others follow one by one.
    #[arg(long, default_value_t = Ipv4Addr::new(127, 77, 0, 1))]
    base: Ipv4Addr,
    /// The port of every host; 0 takes a free one for each.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { hosts, seed, base, port } = Arguments::parse();
    match serve(Options { hosts, seed, base, port }).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told when this fails too.
            let _unheard = writeln!(std::io::stderr(), "linux-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let sim = Sim::start(options).await?;
    let mut lines = String::new();
    for host in sim.hosts() {
        lines += &serde_json::to_string(host)?;
        lines.push('\n');
    }
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(lines.as_bytes())?;
    stdout.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    sim.stop().await;
    Ok(())
}
