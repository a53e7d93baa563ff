//! `systemctl poweroff`, `shutdown -r now` and their like: they act on the node, never on the machine that all of this
//! runs on. Unrecorded.

use std::path::Path;

use super::{Place, ToolOutput};
use crate::power::Asked;
use crate::world::now;

/// Answers one of them. What else `systemctl` can do is left to the machine's own.
pub(super) fn run(place: &Place, tool: &str, arguments: &[&str]) -> ToolOutput {
    let plain: Vec<&str> = arguments.iter().copied().filter(|word| !word.starts_with("--")).collect();
    let asked = match (tool, plain.as_slice()) {
        ("systemctl", ["poweroff"]) | ("poweroff", []) => Asked::Shutdown,
        ("systemctl", ["reboot"]) | ("reboot", []) => Asked::Reboot,
        ("systemctl", ["suspend"]) => {
            return ToolOutput::failed(1, "Call to Suspend failed: Sleep verb 'suspend' is not supported\n");
        }
        ("shutdown", ["-r", "now"]) => Asked::Reboot,
        ("shutdown", ["-h" | "-P", "now"]) => Asked::Shutdown,
        ("systemctl", [verb, ..]) if !matches!(*verb, "halt" | "kexec" | "isolate" | "hibernate") => {
            return the_machines_own(arguments);
        }
        _ => return ToolOutput::failed(1, format!("{tool}: the look-alike does not know how\n")),
    };
    place.world.cluster(place.cluster).ask_node(place.node, asked, now());
    ToolOutput::default()
}

fn the_machines_own(arguments: &[&str]) -> ToolOutput {
    let real = ["/usr/bin/systemctl", "/bin/systemctl"].into_iter().find(|path| Path::new(path).exists());
    match real {
        Some(real) => {
            let words = std::iter::once(real).chain(arguments.iter().copied());
            ToolOutput { instead: words.map(str::to_owned).collect(), ..ToolOutput::default() }
        }
        None => ToolOutput::failed(127, "systemctl: not found\n"),
    }
}
