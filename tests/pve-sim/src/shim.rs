//! `pve-sim shim TOOL ARGUMENT...`: a node's command, run by one of its shells.
//!
//! Asks the simulation at the address in `PVE_SIM_CONTROL` what to print.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::tools::{ToolCall, ToolOutput};

/// How long a command may take, with the task that it waits for.
const PATIENCE: Duration = Duration::from_secs(600);

/// Runs one command and ends as it ends.
pub fn run(tool: String, arguments: Vec<String>) -> ExitCode {
    let asked = ask(&ToolCall { node: std::env::var("PVE_SIM_NODE").unwrap_or_default(), tool, arguments });
    let output = match asked {
        Ok(output) => output,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "the simulation does not answer: {error}");
            return ExitCode::from(255);
        }
    };
    if let [program, rest @ ..] = output.instead.as_slice() {
        let error = Command::new(program).args(rest).env_clear().envs(&output.environment).exec();
        let _ = writeln!(std::io::stderr(), "lxc-attach: {program}: {error}");
        return ExitCode::from(127);
    }
    let _ = std::io::stderr().write_all(output.stderr.as_bytes());
    let _ = std::io::stdout().write_all(output.stdout.as_bytes());
    ExitCode::from(output.code)
}

fn ask(call: &ToolCall) -> std::io::Result<ToolOutput> {
    let control = std::env::var("PVE_SIM_CONTROL").map_err(std::io::Error::other)?;
    let address = control.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = serde_json::to_string(call)?;
    write!(
        stream,
        "POST /shim HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(|| std::io::Error::other("half an answer"))?;
    Ok(serde_json::from_str(body)?)
}
