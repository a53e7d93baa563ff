//! Container engines and their containers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Watched;
use crate::model::units::Bytes;

/// Container engines and their containers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Containers {
    /// The engines that run here.
    pub engines: Vec<Engine>,
    /// Their containers, running or not, by name.
    pub containers: Vec<Container>,
    /// The counters that [`Containers::with_rates`] makes rates of; never stored.
    #[serde(skip)]
    pub counters: Counters,
}

/// A container engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Engine {
    /// Which.
    pub kind: EngineKind,
    /// Its version.
    pub version: Option<String>,
    /// How it keeps layers: `overlay2`.
    pub storage_driver: Option<String>,
    /// Where it keeps all it has.
    pub root_directory: Option<String>,
    /// Whether it runs without root.
    pub rootless: Option<bool>,
}

/// The engines that are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    /// Docker.
    #[default]
    Docker,
    /// Podman.
    Podman,
}

impl EngineKind {
    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// One container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Container {
    /// The engine that it belongs to.
    pub engine: EngineKind,
    /// Its whole id.
    pub id: String,
    /// Its name, without the slash.
    pub name: String,
    /// The image that it was made from, as it was asked for.
    pub image: String,
    /// `running`, `exited`, `paused`, `restarting`, `created`...
    pub state: String,
    /// `healthy`, `unhealthy` or `starting`; absent without a health check.
    pub health: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// When it last ended.
    pub finished_at: Option<Timestamp>,
    /// What it ended with; absent while it runs and before it ever ran.
    pub exit_code: Option<i64>,
    /// Whether the kernel killed it for lack of memory.
    pub out_of_memory: Option<bool>,
    /// How often its engine started it again by itself.
    pub restart_count: Option<u64>,
    /// `no`, `always`, `unless-stopped`, `on-failure`.
    pub restart_policy: Option<String>,
    /// What it may take of memory; absent where nothing limits it.
    pub memory_limit_bytes: Option<Bytes>,
    /// How many CPUs it may keep busy; absent where nothing limits it.
    pub cpu_limit: Option<f64>,
    /// The project that Compose made it for.
    pub compose_project: Option<String>,
    /// The service of that project.
    pub compose_service: Option<String>,
    /// Where it answers on the host.
    pub ports: Vec<Port>,
    /// What it sees of the host's disks.
    pub mounts: Vec<Mount>,
    /// The networks that it is in.
    pub networks: Vec<Membership>,
    /// CPU time since the sample before; 100 is one CPU, as `docker stats` counts.
    pub cpu_percent: Option<f64>,
    /// Memory in use without files that can be dropped, as `docker stats` counts.
    pub memory_bytes: Option<Bytes>,
}

/// A port of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Port {
    /// The port inside.
    pub container_port: u16,
    /// `tcp`, `udp` or `sctp`.
    pub protocol: String,
    /// The address outside that it answers at; absent where it is not published.
    pub host_address: Option<String>,
    /// The port outside; absent where it is not published.
    pub host_port: Option<u16>,
}

/// Something of the host inside a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Mount {
    /// `bind`, `volume`, `tmpfs`.
    pub kind: String,
    /// The volume's name, else the path on the host.
    pub source: Option<String>,
    /// The path inside.
    pub destination: String,
    /// Whether it cannot be written to.
    pub read_only: bool,
}

/// A network that a container is in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Membership {
    /// The network's name.
    pub network: String,
    /// Its addresses there.
    pub addresses: Vec<String>,
}

/// CPU time that containers have taken, at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counters {
    /// The machine's time since its start, in seconds.
    pub uptime_seconds: Option<f64>,
    /// CPU time in seconds, by container id.
    pub cpu_seconds: BTreeMap<String, f64>,
}

/// Below this a share of CPU time is mostly error.
const SHORTEST_SECONDS: f64 = 0.5;

impl Containers {
    /// The same with [`Container::cpu_percent`], from these counters and those of the sample before.
    ///
    /// A container that is new, or whose counter went back because it was started again, gets none.
    #[must_use]
    pub fn with_rates(mut self, before: &Counters) -> Self {
        let (Some(now), Some(then)) = (self.counters.uptime_seconds, before.uptime_seconds) else { return self };
        let seconds = now - then;
        if seconds < SHORTEST_SECONDS {
            return self;
        }
        for container in &mut self.containers {
            let now = self.counters.cpu_seconds.get(&container.id);
            let used = now.zip(before.cpu_seconds.get(&container.id)).map(|(now, then)| now - then);
            container.cpu_percent = used.filter(|used| *used >= 0.0).map(|used| used / seconds * 100.0);
        }
        self
    }

    /// The same with what was seen of engines by questions that are asked less often.
    #[must_use]
    pub fn with_slow(mut self, slow: &Self) -> Self {
        for engine in &slow.engines {
            match self.engines.iter_mut().find(|known| known.kind == engine.kind) {
                Some(known) => *known = engine.clone(),
                None => self.engines.push(engine.clone()),
            }
        }
        self
    }
}

impl Container {
    /// Whether it is up, or about to be up again.
    pub fn runs(&self) -> bool {
        matches!(self.state.as_str(), "running" | "restarting")
    }
}

/// Engines by version, containers by image and by whether they run. One that is started again and again counts as
/// running, so that its loop does not fill the timeline.
impl Watched for Containers {
    fn watched(&self) -> BTreeMap<String, String> {
        let engines =
            self.engines.iter().filter_map(|engine| Some((engine.kind.as_str().to_owned(), engine.version.clone()?)));
        let containers = self.containers.iter().map(|container| {
            let state = if container.runs() { "running" } else { &container.state };
            (format!("container {}", container.name), format!("{}, {state}", container.image))
        });
        engines.chain(containers).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(uptime: f64, cpu: f64) -> Containers {
        let container = Container { id: "a".into(), state: "running".into(), ..Container::default() };
        let cpu_seconds = [("a".to_owned(), cpu)].into();
        Containers {
            containers: vec![container],
            counters: Counters { uptime_seconds: Some(uptime), cpu_seconds },
            ..Containers::default()
        }
    }

    #[test]
    fn cpu_percent_counts_one_cpu_as_a_hundred() {
        let rated = sample(110.0, 25.0).with_rates(&sample(100.0, 10.0).counters);
        assert_eq!(rated.containers[0].cpu_percent, Some(150.0));
    }

    #[test]
    fn a_container_that_started_again_has_no_rate_yet() {
        for before in [sample(100.0, 30.0).counters, sample(110.0, 1.0).counters, Counters::default()] {
            assert_eq!(sample(110.0, 25.0).with_rates(&before).containers[0].cpu_percent, None);
        }
    }

    #[test]
    fn a_restart_loop_is_no_change() {
        let mut containers = sample(1.0, 1.0);
        let running = containers.watched();
        containers.containers[0].state = "restarting".into();
        assert_eq!(containers.watched(), running);
        containers.containers[0].state = "exited".into();
        assert_ne!(containers.watched(), running);
    }
}
