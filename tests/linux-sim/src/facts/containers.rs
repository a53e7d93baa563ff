//! Docker's containers, and what the kernel's control groups say of them.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Asked, Said, mixed};

/// What runs: a name, an image, and a port.
const APPS: [(&str, &str, u16); 5] = [
    ("web", "nginx:1.27", 8080),
    ("db", "postgres:16", 5432),
    ("cache", "redis:7", 6379),
    ("metrics", "prom/prometheus:v2.55.1", 9090),
    ("files", "nextcloud:30-apache", 8081),
];

pub(super) fn answer(name: &str, asked: &Asked<'_>) -> Option<Said> {
    Some(match name {
        "containers.docker" if count(asked) > 0 => docker(asked).into(),
        "containers.docker" | "containers.podman" | "containers.podman-info" => "".into(),
        "containers.cgroups" => groups(asked).into(),
        _ => return None,
    })
}

/// How many containers the machine has; none where there is no Docker.
pub(super) fn count(asked: &Asked<'_>) -> usize {
    if asked.one_in(3, 100) { 1 + asked.draw(101, APPS.len() as u64) as usize } else { 0 }
}

fn id(asked: &Asked<'_>, at: usize) -> String {
    (0..4).map(|part| format!("{:016x}", mixed(asked.draw(102 + at as u64, u64::MAX) ^ part))).collect()
}

/// The last one of many was stopped.
fn is_up(asked: &Asked<'_>, at: usize) -> bool {
    at < 3 || at + 1 < count(asked)
}

/// `GET /info`, then each container's description.
fn docker(asked: &Asked<'_>) -> String {
    let count = count(asked);
    let up = (0..count).filter(|at| is_up(asked, *at)).count();
    let mut text = format!(
        "{}\n",
        json!({
            "ID": asked.machine.uuid, "Containers": count, "ContainersRunning": up, "ContainersPaused": 0,
            "ContainersStopped": count - up, "Images": count, "Driver": "overlay2", "CgroupDriver": "systemd",
            "CgroupVersion": "2", "OperatingSystem": asked.machine.system.pretty, "OSType": "linux",
            "NCPU": asked.machine.cpus, "MemTotal": asked.figures.memory_kib.0 * 1024, "DockerRootDir": "/var/lib/docker",
            "Name": asked.machine.name(), "ServerVersion": "27.3.1", "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
        })
    );
    for at in 0..count {
        let _written = writeln!(text, "{}", container(asked, at));
    }
    text
}

fn container(asked: &Asked<'_>, at: usize) -> Value {
    let (name, image, port) = APPS[at];
    let time = |second: i64| Timestamp::from_second(second).unwrap_or_default().to_string();
    let (up, started) = (is_up(asked, at), asked.started() + 20);
    let port_name = format!("{port}/tcp");
    json!({
        "Id": id(asked, at), "Created": time(started - 86_400), "Path": "/docker-entrypoint.sh", "Args": [],
        "State": {
            "Status": if up { "running" } else { "exited" }, "Running": up, "Paused": false, "Restarting": false,
            "OOMKilled": false, "Dead": false, "Pid": if up { 2000 + at } else { 0 }, "ExitCode": 0, "Error": "",
            "StartedAt": time(started), "FinishedAt": if up { "0001-01-01T00:00:00Z".to_owned() } else { time(started + 600) },
        },
        "Image": "sha256:c5bee813eed0514e38e5a49f57d8573b6396096e73b94ca3de0bc876a88ce264",
        "Name": format!("/{name}"), "RestartCount": 0, "Driver": "overlay2", "Platform": "linux",
        "HostConfig": {
            "NetworkMode": "bridge", "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
            "Privileged": false, "Memory": 0, "NanoCpus": 0, "CpuQuota": 0, "CpuPeriod": 0,
        },
        "Mounts": [{"Type": "volume", "Name": format!("{name}-data"), "Source": format!("/var/lib/docker/volumes/{name}-data/_data"),
                    "Destination": "/data", "Driver": "local", "Mode": "z", "RW": true, "Propagation": ""}],
        "Config": {
            "Hostname": "replaced", "User": "", "Env": ["PATH=/usr/bin", "PASSWORD=nobody-may-see-this"], "Image": image,
            "Labels": {"com.docker.compose.project": "apps", "com.docker.compose.service": name},
        },
        "NetworkSettings": {
            "Ports": {port_name: [{"HostIp": "0.0.0.0", "HostPort": port.to_string()}]},
            "Networks": {"bridge": {"IPAddress": format!("172.17.0.{}", at + 2), "GlobalIPv6Address": ""}},
        },
    })
}

/// CPU time and memory of what runs, in groups of version 2.
fn groups(asked: &Asked<'_>) -> String {
    let uptime = asked.figures.uptime;
    let mut text = format!("{uptime:.2} {:.2}\n", asked.figures.ticks[2] as f64 / 100.0);
    let busy_seconds = (asked.figures.ticks[0] + asked.figures.ticks[1]) as f64 / 100.0;
    for at in (0..count(asked)).filter(|at| is_up(asked, *at)) {
        let folder = format!("/sys/fs/cgroup/system.slice/docker-{}.scope", id(asked, at));
        let used = (busy_seconds * 1e6 / 10.0) as u64;
        let memory = (40 + asked.draw(110 + at as u64, 400)) << 20;
        let _written = writeln!(
            text,
            "{folder}/cpu.stat:usage_usec {used}\n{folder}/memory.current:{memory}\n{folder}/memory.stat:inactive_file {}",
            memory / 8
        );
    }
    text
}
