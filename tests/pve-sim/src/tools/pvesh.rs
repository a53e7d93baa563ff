//! `pvesh get|create|set|delete PATH [--param value] --output-format json`.

use serde_json::Value;

use super::{Place, ToolOutput};
use crate::access::Caller;
use crate::login::Credentials;
use crate::params::Params;
use crate::refusal::Refusal;
use crate::state::Cluster;
use crate::world::{Request, now, perform};

/// Answers one `pvesh`.
pub(super) async fn run(place: &Place, arguments: &[&str]) -> ToolOutput {
    let (verb, path, options) = match arguments {
        [verb, path, options @ ..] => (*verb, *path, options),
        _ => return ToolOutput::failed(255, "ERROR: not enough arguments: pvesh <command> <path>\n"),
    };
    let method = match verb {
        "get" => "GET",
        "create" => "POST",
        "set" => "PUT",
        "delete" => "DELETE",
        _ => return ToolOutput::failed(255, format!("ERROR: unknown command 'pvesh {verb}'\n")),
    };
    let (format, params) = match read_options(options) {
        Ok(read) => read,
        Err(text) => return ToolOutput::failed(255, text),
    };
    match place.ask(method, path, &params).await {
        Ok((data, log)) => {
            let lines: String = log.iter().map(|line| format!("{line}\n")).collect();
            let text = match format.as_str() {
                "json" => format!("{data}\n"),
                _ if data.is_null() => String::new(),
                "text" if data.is_string() => format!("{}\n", data.as_str().unwrap_or_default()),
                _ => format!("{data:#}\n"),
            };
            ToolOutput::printed(lines + &text)
        }
        Err(refusal) if refusal.status == 501 => {
            ToolOutput::failed(2, format!("No '{verb}' handler defined for '{path}'\n"))
        }
        Err(refusal) if refusal.status == 595 => {
            let node = path.trim_start_matches('/').split('/').nth(1).unwrap_or_default();
            let cluster = place.world.cluster(place.cluster);
            let ip = cluster.node_index(node).map_or("", |index| cluster.nodes[index].ip.as_str());
            ToolOutput::failed(255, format!("ssh: connect to host {ip} port 22: No route to host\n"))
        }
        Err(refusal) => ToolOutput::failed(exit_code(&refusal), complaint(&refusal)),
    }
}

/// The output format and the other options, `--name value` or `--name=value`.
fn read_options(options: &[&str]) -> Result<(String, Vec<(String, String)>), String> {
    let mut format = "text".to_owned();
    let mut params = Vec::new();
    let mut rest = options.iter();
    while let Some(word) = rest.next() {
        let name = word.trim_start_matches('-');
        if name.len() == word.len() {
            return Err(format!("400 too many arguments: '{word}'\n"));
        }
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => match rest.next() {
                Some(value) => (name, (*value).to_owned()),
                None => return Err(format!("400 unable to parse option '{name}'\n")),
            },
        };
        match name {
            "output-format" => format = value,
            "noproxy" => {}
            _ => params.push((name.to_owned(), value)),
        }
    }
    Ok((format, params))
}

/// Carries out a call as root on a node, as the command line does.
///
/// # Errors
/// The refusal of the API.
pub(super) fn perform_as_root(
    cluster: &mut Cluster,
    node: usize,
    method: &str,
    path: &str,
    given: &[(String, String)],
) -> Result<Value, Refusal> {
    let mut params = Params::default();
    for (name, value) in given {
        params.set(name, Value::from(value.as_str()));
    }
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        segments: path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        params,
        credentials: Credentials::default(),
        has_body: false,
        far: None,
    };
    let root = Some(Caller::user("root@pam"));
    perform(cluster, node, root, &request, now()).map(|reply| reply.data)
}

/// What a command prints for a refusal.
pub(super) fn complaint(refusal: &Refusal) -> String {
    let errors = refusal.body.as_ref().and_then(|body| body["errors"].as_object());
    match errors {
        Some(errors) => {
            let lines = errors.iter().map(|(name, text)| {
                let text = text.as_str().unwrap_or_default().trim_end();
                format!("{name}: {text}\n")
            });
            format!("400 {}\n{}", refusal.reason, lines.collect::<String>())
        }
        None => format!("{}\n", refusal.reason),
    }
}

/// The exit status for a refusal: a missing file is 2, as Perl leaves it.
pub(super) fn exit_code(refusal: &Refusal) -> u8 {
    if refusal.reason.ends_with("does not exist") { 2 } else { 255 }
}
