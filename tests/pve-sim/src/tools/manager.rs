//! `ha-manager`: status, configuration, and taking a node out of service.

use serde_json::Value;

use super::{Place, ToolOutput, pvesh};
use crate::params::plain;
use crate::world::now;

/// Answers one `ha-manager`.
pub(super) fn run(place: &Place, arguments: &[&str]) -> ToolOutput {
    match arguments {
        ["status", ..] => status(place),
        ["config", ..] => config(place),
        ["crm-command", "node-maintenance", verb @ ("enable" | "disable"), node] => {
            maintenance(place, node, *verb == "enable")
        }
        ["migrate" | "relocate", sid, node] => change(place, "migrate", sid, &["--node", node]),
        [verb @ ("add" | "set" | "remove"), sid, options @ ..] => change(place, verb, sid, options),
        _ => ToolOutput::failed(255, format!("ERROR: unknown command 'ha-manager {}'\n", arguments.join(" "))),
    }
}

fn status(place: &Place) -> ToolOutput {
    let mut cluster = place.world.cluster(place.cluster);
    match pvesh::perform_as_root(&mut cluster, place.node, "GET", "/cluster/ha/status/current", &[]) {
        Ok(Value::Array(list)) => {
            let lines = list.iter().map(|entry| {
                let text = entry["status"].as_str().unwrap_or_default();
                format!("{} {text}\n", entry["type"].as_str().unwrap_or_default())
            });
            ToolOutput::printed(lines.collect::<String>())
        }
        Ok(_) => ToolOutput::default(),
        Err(refusal) => ToolOutput::failed(255, pvesh::complaint(&refusal)),
    }
}

fn config(place: &Place) -> ToolOutput {
    let cluster = place.world.cluster(place.cluster);
    let entries = cluster.ha.resources.iter().map(|(sid, options)| {
        let lines = options.iter().map(|(name, value)| format!("\t{name} {}\n", plain(value)));
        format!("{sid}\n{}\n", lines.collect::<String>())
    });
    ToolOutput::printed(entries.collect::<String>())
}

/// Leaves the command to the manager. Unrecorded; without quorum nothing can be left to anybody.
fn maintenance(place: &Place, node: &str, enable: bool) -> ToolOutput {
    let mut cluster = place.world.cluster(place.cluster);
    if let Err(refusal) = cluster.node_index(node) {
        return ToolOutput::failed(255, pvesh::complaint(&refusal));
    }
    if !cluster.quorate() {
        return ToolOutput::failed(255, "cluster not ready - no quorum?\n");
    }
    cluster.ask_maintenance(node, enable, now());
    ToolOutput::default()
}

fn change(place: &Place, verb: &str, sid: &str, options: &[&str]) -> ToolOutput {
    let mut params: Vec<(String, String)> = options
        .chunks(2)
        .filter_map(|pair| Some((pair.first()?.trim_start_matches('-').to_owned(), (*pair.get(1)?).to_owned())))
        .collect();
    let (method, path) = match verb {
        "add" => {
            params.push(("sid".to_owned(), sid.to_owned()));
            ("POST", "/cluster/ha/resources".to_owned())
        }
        "migrate" => ("POST", format!("/cluster/ha/resources/{sid}/migrate")),
        "set" => ("PUT", format!("/cluster/ha/resources/{sid}")),
        _ => ("DELETE", format!("/cluster/ha/resources/{sid}")),
    };
    let mut cluster = place.world.cluster(place.cluster);
    match pvesh::perform_as_root(&mut cluster, place.node, method, &path, &params) {
        Ok(_) => ToolOutput::default(),
        Err(refusal) => ToolOutput::failed(pvesh::exit_code(&refusal), pvesh::complaint(&refusal)),
    }
}
