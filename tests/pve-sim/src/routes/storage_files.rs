//! `/nodes/{node}/storage/{storage}/upload` and `download-url`: files put on a
//! storage. Unrecorded: the flow follows the source of Proxmox's storage
//! (`PVE/API2/Storage/Status.pm` of 9.x) and the facts.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::{Call, Handler, storage};
use crate::figures;
use crate::params::split_list;
use crate::refusal::{Answer, Refusal};
use crate::state::{Cluster, StoredFile};
use crate::tasks::{Effect, Ending, Outcome, Work};
use crate::uploads::Received;

/// How long a download may wait for the other side.
const PATIENCE: Duration = Duration::from_secs(5);

/// The handler for a path below `/nodes/{node}/storage`.
pub(super) fn find(method: &str, below: &str) -> Option<Handler> {
    Some(match (method, below) {
        ("POST", "{storage}/upload") => upload,
        ("POST", "{storage}/download-url") => download,
        _ => return None,
    })
}

/// What is asked to be put where, once it was seen that it may be.
struct Target {
    storage: String,
    content: String,
    name: String,
    path: String,
    sum: Option<String>,
}

fn target(call: &Call<'_>) -> Result<Target, Refusal> {
    let index = storage::index(call)?;
    let place = &call.cluster.storages[index];
    let Some(root) = place.config.get("path").and_then(|path| path.as_str()) else {
        return Err(Refusal::died(format!("can't upload to storage type '{}'", place.plugin)));
    };
    let (content, sent) = (call.params.string("content"), call.params.string("filename"));
    let name = normal(&sent);
    let endings: &[&str] = match content.as_str() {
        "iso" => &[".iso", ".img"],
        "vztmpl" => &[".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2"],
        _ => &[".ova", ".qcow2", ".raw", ".vmdk"],
    };
    let lower = name.to_ascii_lowercase();
    if !endings.iter().any(|ending| lower.ends_with(ending) && lower.len() > ending.len()) {
        return Err(Refusal::parameter("filename", "wrong file extension"));
    }
    if !split_list(place.content).contains(&content) {
        return Err(Refusal::died(format!("storage '{}' does not support '{content}' content", place.name)));
    }
    let sum = call.params.text("checksum").map(str::to_ascii_lowercase);
    if sum.is_some() && call.params.text("checksum-algorithm") != Some("sha256") {
        return Err(Refusal::with_message(501, "only sha256 is part of this look-alike"));
    }
    let folder = match content.as_str() {
        "vztmpl" => "template/cache",
        "iso" => "template/iso",
        _ => "import",
    };
    let path = format!("{root}/{folder}/{name}");
    Ok(Target { storage: place.name.clone(), content, name, path, sum })
}

/// A name as Proxmox makes it: nothing before the last slash, and `_` for each
/// sign that it does not know.
fn normal(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().map(|c| if c.is_ascii_alphanumeric() || "_.-+".contains(c) { c } else { '_' }).collect()
}

fn upload(call: &mut Call<'_>) -> Answer {
    let target = target(call)?;
    let tmp = call.params.string("tmpfilename");
    let Some(received) = call.cluster.received.remove(&tmp) else {
        return Err(Refusal::died("missing temporary file name"));
    };
    let (node, name) = (call.node, call.cluster.nodes[call.node].name.clone());
    let log = vec![format!("starting file import from: {tmp}")];
    let lines = vec![
        format!("target node: {name}"),
        format!("target file: {}", target.path),
        format!("file size is: {}", received.size),
        format!("command: cp -- {tmp} {}", target.path),
        "finished file import successfully".to_owned(),
    ];
    let effect: Effect = Box::new(move |cluster, now| put(cluster, node, target, &received, lines, now));
    // It runs on the node that was handed the file, wherever the file goes.
    let here = &call.cluster.nodes[call.here];
    let work = Work { node: call.here, kind: "imgcopy".to_owned(), id: String::new(), units: 1.0, log, effect };
    let upid = call.cluster.tasks.start(&here.name, here.booted, &call.caller, work, call.now);
    Ok(serde_json::Value::String(upid).into())
}

fn put(
    cluster: &mut Cluster,
    node: usize,
    target: Target,
    received: &Received,
    lines: Vec<String>,
    now: f64,
) -> Outcome {
    let mut ending = Ending::default();
    if let Some(wanted) = &target.sum {
        if *wanted != received.sha256 {
            return Err(format!("checksum mismatch: got '{}' != expect '{wanted}'", received.sha256));
        }
        ending.log.push("calculating checksum...OK, checksum verified".to_owned());
    }
    let index = cluster.storages.iter().position(|storage| storage.name == target.storage);
    let index = index.ok_or_else(|| format!("storage '{}' does not exist", target.storage))?;
    if figures::storage_used(cluster, index, node) + received.size > cluster.storages[index].total {
        return Err("import failed: No space left on device".to_owned());
    }
    let shared = cluster.storages[index].shared;
    let is_it =
        |file: &StoredFile| file.storage == target.storage && file.name == target.name && (shared || file.node == node);
    // What is there is overwritten.
    cluster.files.retain(|file| !is_it(file));
    cluster.files.push(StoredFile {
        storage: target.storage,
        node,
        content: target.content,
        name: target.name,
        size: received.size,
        sha256: received.sha256.clone(),
        time: now as i64,
    });
    ending.log.extend(lines);
    Ok(ending)
}

fn download(call: &mut Call<'_>) -> Answer {
    let target = target(call)?;
    let url = call.params.string("url");
    let fetched = fetch(&url);
    let (node, id) = (call.node, target.name.clone());
    let log = vec![format!("downloading {url} to {}", target.path)];
    let lines = vec![format!("download of '{url}' to '{}' finished", target.path)];
    let effect: Effect = Box::new(move |cluster, now| put(cluster, node, target, &fetched?, lines, now));
    call.start_task("download", id, 1.0, log, effect)
}

/// Reads a file over plain HTTP. Only this machine is asked: nothing here
/// reaches further.
fn fetch(url: &str) -> Result<Received, String> {
    let failed = |what: String| format!("download failed: {what}");
    let url = url::Url::parse(url).map_err(|error| failed(error.to_string()))?;
    let port = url.port_or_known_default().unwrap_or(80);
    if url.scheme() != "http" || url.host_str() != Some("127.0.0.1") {
        return Err(failed("this look-alike fetches from http://127.0.0.1 only".to_owned()));
    }
    let read = || -> std::io::Result<Vec<u8>> {
        let address = ("127.0.0.1", port).to_socket_addrs()?.next();
        let address = address.ok_or_else(|| std::io::Error::other("no address"))?;
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", url.path())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = read().map_err(|error| failed(error.to_string()))?;
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(answer.len());
    let status = String::from_utf8_lossy(&answer[..head]).lines().next().unwrap_or_default().to_owned();
    if !status.contains(" 200 ") {
        return Err(failed(status));
    }
    let body = answer.get(head + 4..).unwrap_or_default();
    let sha256 = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Received { size: body.len() as u64, sha256 })
}
