//! `pve-sim`: serves a Proxmox VE look-alike until it is ended.
//!
//! Prints one line of JSON that says how to reach it, then serves.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use pve_sim::{Options, Sim, shim};

/// A Proxmox VE look-alike over HTTPS.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where the first node listens; the others take the addresses after it
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Number of clusters
    #[arg(long, default_value_t = 1)]
    clusters: u32,
    /// Nodes per cluster (1 to 32)
    #[arg(long, default_value_t = 3)]
    nodes: u32,
    /// Guests per cluster
    #[arg(long, default_value_t = 8)]
    guests: u32,
    /// What guests and load curves are made from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long a failed log-in is held back, in milliseconds
    #[arg(long, default_value_t = 3000)]
    login_delay: u64,
    /// How long the shortest task takes, in milliseconds
    #[arg(long, default_value_t = 1000)]
    task_time: u64,
    /// Let each node answer SSH too
    #[arg(long)]
    ssh: bool,
    #[command(subcommand)]
    command: Option<Inner>,
}

#[derive(Subcommand)]
enum Inner {
    /// A command of a node, run by one of its shells
    #[command(hide = true, disable_help_flag = true)]
    Shim {
        /// Which one
        tool: String,
        /// Its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    if let Some(Inner::Shim { tool, arguments }) = arguments.command.take() {
        return shim::run(tool, arguments);
    }
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let served = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(run(arguments)),
        Err(error) => Err(error.into()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "pve-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let sim = Sim::start(Options {
        listen: arguments.listen,
        clusters: arguments.clusters,
        nodes: arguments.nodes,
        guests: arguments.guests,
        seed: arguments.seed,
        login_delay: Duration::from_millis(arguments.login_delay),
        task_time: Duration::from_millis(arguments.task_time),
        ssh: arguments.ssh,
        program: None,
    })
    .await?;
    let line = serde_json::to_string(sim.info())?;
    let mut out = std::io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
