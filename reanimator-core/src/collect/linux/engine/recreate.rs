//! A container of Docker made once more, from another image: the body for the engine's API, out of its description.
//!
//! The engine takes `Config`, `HostConfig` and `NetworkingConfig` nearly as `inspect` gives them, so `HostConfig` goes back as
//! it came, whatever an engine of tomorrow puts there. A command line would have to name each option anew, and lose those it
//! does not know. What is put right:
//!
//! - what the image said of itself (environment, command, labels ...) is left out, since the new image says it;
//! - volumes without a name keep their data: they are named by their ids;
//! - addresses that the engine chose, the short id as alias and as host name are left out;
//! - old links (`/db:/web/alias`) are written as the engine takes them.
//!
//! A field of `Config` or of a network that is set and not known here is a reason to refuse, as it could be lost. From version
//! 29 on the engine does not tell a hardware address that somebody gave from one it chose: it chooses another.

use serde_json::{Map, Value, json};

/// What makes a container once more. It holds the environment, so secrets: it is neither stored nor shown.
#[derive(Clone, PartialEq)]
pub struct Recreation {
    /// The body of `POST /containers/create`.
    pub create: Value,
    /// The bodies of `POST /networks/NAME/connect`, without the container's id, and the name of each.
    pub connect: Vec<(String, Value)>,
}

/// What of `Config` an image says too: left out where it says the same.
const FROM_IMAGE: [&str; 6] = ["User", "WorkingDir", "StopSignal", "Healthcheck", "Shell", "ArgsEscaped"];

/// What of `Config` only whoever made the container says.
const ITS_OWN: [&str; 11] = [
    "Domainname",
    "AttachStdin",
    "AttachStdout",
    "AttachStderr",
    "Tty",
    "OpenStdin",
    "StdinOnce",
    "Image",
    "NetworkDisabled",
    "MacAddress",
    "StopTimeout",
];

/// What of `Config` is put right by hand, or is no matter of a container.
const BY_HAND: [&str; 8] = ["Hostname", "Env", "Cmd", "Entrypoint", "Labels", "ExposedPorts", "Volumes", "OnBuild"];

/// What of a network somebody asked for.
const ASKED: [&str; 4] = ["IPAMConfig", "Links", "DriverOpts", "GwPriority"];

/// What of a network the engine says of itself, and the aliases.
const TOLD: [&str; 11] = [
    "Aliases",
    "NetworkID",
    "EndpointID",
    "Gateway",
    "IPAddress",
    "IPPrefixLen",
    "IPv6Gateway",
    "GlobalIPv6Address",
    "GlobalIPv6PrefixLen",
    "MacAddress",
    "DNSNames",
];

/// Out of the descriptions of a container and of the image that it was made from.
///
/// # Errors
/// Why it cannot be made again as it is, for people.
pub fn recreation(container: &Value, image: &Value) -> Result<Recreation, Vec<String>> {
    let mut create = Map::new();
    let mut refused = reference(container).err().into_iter().collect::<Vec<_>>();
    for (name, value) in container["Config"].as_object().into_iter().flatten() {
        let of_image = &image["Config"][name];
        let known = |names: &[&str]| names.contains(&name.as_str());
        if known(&ITS_OWN) || (known(&FROM_IMAGE) && value != of_image) {
            create.insert(name.clone(), value.clone());
        } else if !known(&FROM_IMAGE) && !known(&BY_HAND) && is_set(value) {
            refused.push(format!("its {name} would be lost: this version does not know that setting"));
        }
    }
    put_right(&mut create, container, image);
    let (first, connect) = networks(container, &mut refused);
    create.insert("NetworkingConfig".into(), json!({ "EndpointsConfig": first }));
    match host_config(container) {
        Some(mut host) => {
            // What is asked of a network must name it.
            if first.get("bridge").is_some() {
                host["NetworkMode"] = "bridge".into();
            }
            create.insert("HostConfig".into(), host);
        }
        None => refused.push("the engine does not say with what it was made".into()),
    }
    if refused.is_empty() { Ok(Recreation { create: create.into(), connect }) } else { Err(refused) }
}

/// Whether its image has a name that may mean a newer one.
fn reference(container: &Value) -> Result<(), String> {
    let image = container["Config"]["Image"].as_str().unwrap_or_default();
    if image.contains('@') {
        return Err(format!("its image is pinned: {image}"));
    }
    let id = container["Image"].as_str().unwrap_or_default().trim_start_matches("sha256:");
    let bare = image.trim_start_matches("sha256:");
    if bare.is_empty() || (bare.len() >= 12 && id.starts_with(bare)) {
        return Err("it was made from an image without a name, of which there is no newer one".into());
    }
    Ok(())
}

/// Whether a value says anything.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// What of `Config` is no plain copy.
fn put_right(create: &mut Map<String, Value>, container: &Value, image: &Value) {
    let (ours, theirs) = (&container["Config"], &image["Config"]);
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let env: Vec<Value> = list(&ours["Env"]).into_iter().filter(|each| !list(&theirs["Env"]).contains(each)).collect();
    create.insert("Env".into(), env.into());
    for name in ["Labels", "ExposedPorts", "Volumes"] {
        let own = ours[name].as_object().into_iter().flatten();
        let own = own.filter(|(key, value)| theirs[name].get(key.as_str()) != Some(value));
        create.insert(name.into(), own.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>().into());
    }
    // A command of one's own for the image's entrypoint; an entrypoint of one's own, and then never the image's command.
    let same = |name: &str| list(&ours[name]) == list(&theirs[name]);
    if !same("Entrypoint") {
        create.insert("Entrypoint".into(), ours["Entrypoint"].clone());
    }
    if !same("Entrypoint") || !same("Cmd") {
        create.insert("Cmd".into(), ours["Cmd"].clone());
    }
    let hostname = ours["Hostname"].as_str().unwrap_or_default();
    if !is_short_id(container, hostname) && !borrows_its_name(&container["HostConfig"]) {
        create.insert("Hostname".into(), hostname.into());
    }
}

fn is_short_id(container: &Value, text: &str) -> bool {
    text.len() == 12 && container["Id"].as_str().unwrap_or_default().starts_with(text)
}

/// Whether it is called like the host, or like a container whose network it shares: then it must be given no name.
fn borrows_its_name(host: &Value) -> bool {
    let mode = |name: &str| host[name].as_str().unwrap_or_default();
    mode("NetworkMode").starts_with("container:") || mode("UTSMode") == "host"
}

/// `HostConfig` as it is, with volumes by their names and links as they are asked for.
fn host_config(container: &Value) -> Option<Value> {
    let mut host = container["HostConfig"].as_object()?.clone();
    let links = host.get("Links").and_then(Value::as_array).cloned().unwrap_or_default();
    if !links.is_empty() {
        let plain = |link: &Value| {
            let (target, alias) = link.as_str()?.trim_start_matches('/').split_once(':')?;
            Some(format!("{target}:{}", alias.rsplit('/').next()?))
        };
        host.insert("Links".into(), links.iter().filter_map(plain).collect());
    }
    let mut binds = host.get("Binds").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut mounts = host.get("Mounts").and_then(Value::as_array).cloned().unwrap_or_default();
    for mounted in container["Mounts"].as_array().into_iter().flatten() {
        let (Some("volume"), Some(name), Some(path)) =
            (mounted["Type"].as_str(), mounted["Name"].as_str(), mounted["Destination"].as_str())
        else {
            continue;
        };
        let asked = mounts.iter_mut().find(|mount| mount["Target"].as_str() == Some(path));
        if let Some(mount) = asked {
            if !is_set(&mount["Source"]) {
                mount["Source"] = name.into();
            }
        } else if !binds.iter().any(|bind| destination(bind) == Some(path)) {
            let mode = mounted["Mode"].as_str().filter(|mode| !mode.is_empty());
            let mode = mode.or((mounted["RW"] == false).then_some("ro"));
            binds.push(mode.map_or_else(|| format!("{name}:{path}"), |mode| format!("{name}:{path}:{mode}")).into());
        }
    }
    for (name, list) in [("Binds", binds), ("Mounts", mounts)] {
        if !list.is_empty() {
            host.insert(name.into(), list.into());
        }
    }
    Some(host.into())
}

/// The path inside of `SOURCE:PATH[:MODE]`.
fn destination(bind: &Value) -> Option<&str> {
    bind.as_str()?.split(':').nth(1)
}

/// The network that it is made in, and those that it is put into afterwards: older engines take one only.
fn networks(container: &Value, refused: &mut Vec<String>) -> (Value, Vec<(String, Value)>) {
    let mode = container["HostConfig"]["NetworkMode"].as_str().unwrap_or("default");
    let (mut first, mut others) = (Map::new(), Vec::new());
    for (name, said) in container["NetworkSettings"]["Networks"].as_object().into_iter().flatten() {
        let mut asked = Map::new();
        for (key, value) in said.as_object().into_iter().flatten().filter(|(_, value)| is_set(value)) {
            if ASKED.contains(&key.as_str()) {
                asked.insert(key.clone(), value.clone());
            } else if !TOLD.contains(&key.as_str()) {
                refused.push(format!(
                    "its {key} in network {name} would be lost: this version does not know that setting"
                ));
            }
        }
        let aliases = said["Aliases"].as_array().into_iter().flatten();
        let aliases: Vec<Value> =
            aliases.filter(|alias| !is_short_id(container, alias.as_str().unwrap_or_default())).cloned().collect();
        if !aliases.is_empty() {
            asked.insert("Aliases".into(), aliases.into());
        }
        // Its own network has a name, or an id; `default` is `bridge`.
        let is_first = name == mode
            || said["NetworkID"].as_str().is_some_and(|id| id == mode)
            || (mode == "default" && name == "bridge");
        if !is_first {
            others.push((name.clone(), json!({ "EndpointConfig": asked })));
            continue;
        }
        let given = &container["Config"]["MacAddress"];
        if is_set(given) {
            asked.insert("MacAddress".into(), given.clone());
        }
        if !asked.is_empty() {
            let name = if mode == "default" { "bridge" } else { mode };
            first.insert(name.to_owned(), asked.into());
        }
    }
    (first.into(), others)
}
