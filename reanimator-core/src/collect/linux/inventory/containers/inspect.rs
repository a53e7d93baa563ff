//! Descriptions of engines and containers, as Docker's API, `docker inspect` and `podman inspect` give them alike.

use jiff::Timestamp;
use serde_json::Value;

use super::{super::hardware::text::words, CONTAINERS_LIMIT};
use crate::model::{
    facts::containers::{Container, Engine, EngineKind, Membership, Mount, Port},
    units::Bytes,
};

/// The most ports, mounts or networks of one container that are kept.
const PARTS_LIMIT: usize = 64;

/// The engines and containers in a row of JSON values, alone or in lists; and whether it broke off.
pub(super) fn read(text: &str, kind: EngineKind) -> (Vec<Engine>, Vec<Container>, bool) {
    let (mut engines, mut containers, mut broken) = (Vec::new(), Vec::new(), false);
    for said in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let Ok(said) = said else {
            broken = true;
            break;
        };
        let list = match said {
            Value::Array(list) => list,
            one => vec![one],
        };
        for said in &list {
            if engines.is_empty() && said["ServerVersion"].is_string() {
                engines.push(docker(said));
            } else if containers.len() < CONTAINERS_LIMIT {
                containers.extend(container(said, kind));
            }
        }
    }
    (engines, containers, broken)
}

fn text(said: &Value) -> Option<String> {
    said.as_str().and_then(words)
}

/// What `GET /info` and `docker info` say.
fn docker(said: &Value) -> Engine {
    let options = said["SecurityOptions"].as_array();
    Engine {
        kind: EngineKind::Docker,
        version: text(&said["ServerVersion"]),
        storage_driver: text(&said["Driver"]),
        root_directory: text(&said["DockerRootDir"]),
        rootless: options.map(|options| {
            options.iter().any(|option| option.as_str().is_some_and(|option| option.starts_with("name=rootless")))
        }),
    }
}

/// What `podman info` says.
pub(super) fn podman(said: &Value) -> Option<Engine> {
    Some(Engine {
        kind: EngineKind::Podman,
        version: Some(text(&said["version"]["Version"])?),
        storage_driver: text(&said["store"]["graphDriverName"]),
        root_directory: text(&said["store"]["graphRoot"]),
        rootless: said["host"]["security"]["rootless"].as_bool(),
    })
}

/// A time; the year 1 is Go's way to say never.
fn time(said: &Value) -> Option<Timestamp> {
    let time: Timestamp = said.as_str()?.parse().ok()?;
    (time > Timestamp::UNIX_EPOCH).then_some(time)
}

/// One container; `None` where that is none, as for one that went away meanwhile.
fn container(said: &Value, engine: EngineKind) -> Option<Container> {
    let id = text(&said["Id"])?;
    let (state, settings, limits) = (&said["State"], &said["Config"], &said["HostConfig"]);
    let status = text(&state["Status"])?.to_lowercase();
    let up = matches!(status.as_str(), "running" | "paused");
    let started_at = time(&state["StartedAt"]);
    let labels = &settings["Labels"];
    let label = |docker: &str, podman: &str| text(&labels[docker]).or_else(|| text(&labels[podman]));
    // Podman wrote it under another name before version 4.
    let health = text(&state["Health"]["Status"]).or_else(|| text(&state["Healthcheck"]["Status"]));
    Some(Container {
        engine,
        name: text(&said["Name"]).map_or_else(|| id.clone(), |name| name.trim_start_matches('/').to_owned()),
        image: text(&settings["Image"]).or_else(|| text(&said["ImageName"])).unwrap_or_default(),
        health: health.filter(|health| health != "none"),
        created_at: time(&said["Created"]),
        finished_at: time(&state["FinishedAt"]).filter(|_| !up),
        exit_code: state["ExitCode"].as_i64().filter(|_| !up && started_at.is_some()),
        started_at,
        out_of_memory: state["OOMKilled"].as_bool(),
        restart_count: said["RestartCount"].as_u64(),
        restart_policy: restart_policy(&limits["RestartPolicy"]["Name"]),
        memory_limit_bytes: limits["Memory"].as_u64().filter(|bytes| *bytes > 0).map(Bytes),
        cpu_limit: cpu_limit(limits),
        compose_project: label("com.docker.compose.project", "io.podman.compose.project"),
        compose_service: label("com.docker.compose.service", "io.podman.compose.service"),
        ports: ports(&said["NetworkSettings"]["Ports"]),
        mounts: said["Mounts"].as_array().into_iter().flatten().take(PARTS_LIMIT).filter_map(mount).collect(),
        networks: networks(&said["NetworkSettings"]["Networks"]),
        state: status,
        id,
        cpu_percent: None,
        memory_bytes: None,
    })
}

/// An engine that says nothing means `no`.
fn restart_policy(said: &Value) -> Option<String> {
    match said.as_str()? {
        "" => Some("no".to_owned()),
        name => words(name),
    }
}

/// CPUs out of billionths of a CPU, or out of a quota and its period in microseconds.
fn cpu_limit(limits: &Value) -> Option<f64> {
    let above_zero = |name: &str| limits[name].as_f64().filter(|number| *number > 0.0);
    let quota = || Some(above_zero("CpuQuota")? / above_zero("CpuPeriod").unwrap_or(100_000.0));
    above_zero("NanoCpus").map(|nanos| nanos / 1e9).or_else(quota)
}

/// `{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "443/tcp": null}`.
fn ports(said: &Value) -> Vec<Port> {
    let mut ports = Vec::new();
    for (name, bindings) in said.as_object().into_iter().flatten() {
        let (port, protocol) = name.split_once('/').unwrap_or((name, "tcp"));
        let (Ok(container_port), Some(protocol)) = (port.parse(), words(protocol)) else { continue };
        let inside = Port { container_port, protocol, ..Port::default() };
        let bindings = bindings.as_array().map(Vec::as_slice).unwrap_or_default();
        if bindings.is_empty() {
            ports.push(inside.clone());
        }
        for binding in bindings.iter().take(PARTS_LIMIT) {
            let host_port = binding["HostPort"].as_str().and_then(|port| port.parse().ok());
            // An engine that names no address means all of them.
            let host_address = binding["HostIp"].as_str().map(|address| {
                address.parse::<std::net::IpAddr>().map_or_else(|_| "0.0.0.0".to_owned(), |address| address.to_string())
            });
            ports.push(Port { host_address, host_port, ..inside.clone() });
        }
        if ports.len() >= PARTS_LIMIT {
            break;
        }
    }
    ports.truncate(PARTS_LIMIT);
    ports.sort();
    ports
}

fn mount(said: &Value) -> Option<Mount> {
    let path = |name: &str| text(&said[name]);
    Some(Mount {
        kind: path("Type").unwrap_or_else(|| "bind".to_owned()),
        source: path("Name").or_else(|| path("Source")),
        destination: path("Destination")?,
        read_only: said["RW"].as_bool() == Some(false),
    })
}

fn networks(said: &Value) -> Vec<Membership> {
    let networks = said.as_object().into_iter().flatten().take(PARTS_LIMIT);
    networks
        .filter_map(|(name, said)| {
            let addresses = [&said["IPAddress"], &said["GlobalIPv6Address"]];
            Some(Membership { network: words(name)?, addresses: addresses.into_iter().filter_map(text).collect() })
        })
        .collect()
}
