//! One container, or one project of Compose, looked at just before and after something is done with it.
//!
//! | file | asks | gives |
//! |---|---|---|
//! | here | each engine's `container inspect` | [`Look`]: who has a container of that name, and what it is doing |
//! | [`update`] | the engine's API: the container, its image, what the registry has | [`update::Before`], and the script of an update |
//! | [`recreate`] | nothing | [`recreate::Recreation`]: what makes the same again from another image |
//! | [`compose`] | `docker inspect` of all with a project's label, `version` of Compose | [`compose::Project`] |
//!
//! Unlike the [inventory](super::inventory), which keeps only what is worth showing, this reads whole descriptions, the
//! environment with its secrets too. None of it is stored or shown beyond what [`Now`] names.

pub mod compose;
pub mod recreate;
pub mod update;

use serde_json::Value;

use crate::model::facts::containers::EngineKind;

/// Asks each engine of `$2` for the container `$1`: a line `@ENGINE JSON`, or `@ENGINE !COMPLAINT`. Podman has a format of its
/// own for `{{json .}}`, over many lines; what both give without a format is alike.
const LOOK: &str = r#"for e in $2; do command -v "$e" >/dev/null 2>&1 || continue
if o=$("$e" container inspect "$1" 2>/dev/null); then printf "@%s %s\n" "$e" "$(printf "%s" "$o" | tr "\n" " ")"
else printf "@%s !%s\n" "$e" "$("$e" container inspect "$1" 2>&1 >/dev/null | head -n 3 | tr "\n" " ")"; fi; done"#;

/// Which container is meant: a name, and where it was said, of which engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, or its whole id.
    pub name: String,
    /// The engine; none where whoever has it is meant.
    pub engine: Option<EngineKind>,
}

/// What the engines said of one name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// Who has it, one for each engine at most.
    pub found: Vec<Now>,
    /// The engines that are installed.
    pub engines: Vec<EngineKind>,
    /// Engines that could not say, and why.
    pub complaints: Vec<(EngineKind, String)>,
}

/// What a container is, and what it is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// The engine that it belongs to.
    pub engine: EngineKind,
    /// Its whole id.
    pub id: String,
    /// Its name, without the slash.
    pub name: String,
    /// The id of its image.
    pub image_id: String,
    /// The image as it was asked for.
    pub image: String,
    /// `running`, `exited`, `paused`, `restarting`, `created`...
    pub status: String,
    /// `healthy`, `unhealthy` or `starting`; absent without a health check.
    pub health: Option<String>,
    /// What it ended with.
    pub exit_code: i64,
    /// When it was last started, as the engine writes it: another text is another start.
    pub started_at: String,
    /// Whether it goes away as soon as it is stopped.
    pub removes_itself: bool,
    /// The project that Compose made it for.
    pub project: Option<String>,
    /// The service of that project.
    pub service: Option<String>,
    /// What else keeps it as it is: `the systemd unit web.service`.
    pub keeper: Option<String>,
}

impl Wanted {
    /// Reads `NAME`, `docker:NAME` or `podman:NAME`; none where an engine would not take such a name.
    pub fn parse(text: &str) -> Option<Self> {
        let (engine, name) = match text.split_once(':') {
            Some(("docker", name)) => (Some(EngineKind::Docker), name),
            Some(("podman", name)) => (Some(EngineKind::Podman), name),
            Some(_) => return None,
            None => (None, text),
        };
        is_name(name).then(|| Self { name: name.to_owned(), engine })
    }

    /// The program and its words that ask for it.
    pub fn words(&self) -> Vec<String> {
        let engines = self.engine.map_or("docker podman", EngineKind::as_str);
        ["sh", "-c", LOOK, "sh", &self.name, engines].map(str::to_owned).to_vec()
    }

    /// Reads what came of that.
    pub fn read(&self, text: &str) -> Look {
        let mut look = Look::default();
        for line in text.lines() {
            let Some((engine, said)) = line.strip_prefix('@').and_then(|line| line.split_once(' ')) else { continue };
            let engine = if engine == "podman" { EngineKind::Podman } else { EngineKind::Docker };
            look.engines.push(engine);
            match said.strip_prefix('!') {
                Some(complaint) if lacks_it(complaint) => {}
                Some(complaint) => look.complaints.push((engine, complaint.trim().to_owned())),
                None => match serde_json::from_str::<Value>(said) {
                    // Engines take the beginning of an id for a name.
                    Ok(list) => look.found.extend(Now::of(&list[0], engine).filter(|now| now.is(&self.name))),
                    Err(_) => look.complaints.push((engine, "its answer is no JSON".to_owned())),
                },
            }
        }
        // Where `docker` is another word for Podman, both have the very same.
        let of_podman = |now: &&Now| now.engine == EngineKind::Podman;
        if let Some(id) = look.found.iter().find(of_podman).map(|now| now.id.clone()) {
            look.found.retain(|now| now.engine == EngineKind::Podman || now.id != id);
        }
        look
    }
}

impl Now {
    /// Reads one description of `inspect`.
    pub fn of(said: &Value, engine: EngineKind) -> Option<Self> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (state, config) = (&said["State"], &said["Config"]);
        let label = |names: &[&str]| {
            let found = names.iter().find_map(|name| config["Labels"][name].as_str());
            found.filter(|value| !value.is_empty()).map(str::to_owned)
        };
        let health = [&state["Health"], &state["Healthcheck"]].into_iter().find_map(|health| health["Status"].as_str());
        Some(Self {
            engine,
            id: said["Id"].as_str()?.to_owned(),
            name: said["Name"].as_str()?.trim_start_matches('/').to_owned(),
            image_id: text(&said["Image"]),
            image: text(&config["Image"]),
            status: state["Status"].as_str()?.to_lowercase(),
            health: health.filter(|health| !matches!(*health, "" | "none")).map(str::to_owned),
            exit_code: state["ExitCode"].as_i64().unwrap_or_default(),
            started_at: text(&state["StartedAt"]),
            removes_itself: said["HostConfig"]["AutoRemove"].as_bool() == Some(true),
            project: label(&["com.docker.compose.project", "io.podman.compose.project"]),
            service: label(&["com.docker.compose.service", "io.podman.compose.service"]),
            keeper: [
                ("systemd unit", "PODMAN_SYSTEMD_UNIT"),
                ("Swarm service", "com.docker.swarm.service.name"),
                ("Kubernetes pod", "io.kubernetes.pod.name"),
            ]
            .into_iter()
            .find_map(|(what, name)| label(&[name]).map(|name| format!("the {what} {name}"))),
        })
    }

    fn is(&self, name: &str) -> bool {
        self.name == name || self.id == name || (name.len() == 12 && self.id.starts_with(name))
    }

    /// Whether it is up, or about to be up again.
    pub fn is_up(&self) -> bool {
        matches!(self.status.as_str(), "running" | "restarting")
    }
}

/// Whether an engine means by this that it has no such container.
fn lacks_it(complaint: &str) -> bool {
    let complaint = complaint.to_lowercase();
    complaint.contains("no such container") || complaint.contains("no container with name or id")
}

/// Names as engines take them: a letter or digit, then letters, digits, `_`, `.` and `-`.
fn is_name(text: &str) -> bool {
    text.len() <= 200
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

#[cfg(test)]
mod tests;
