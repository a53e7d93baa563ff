//! A project of Compose: found by the labels of its containers, and changed by the Compose that is installed.
//!
//! Compose 1 is a program of its own, `docker-compose`; Compose 2 is a plugin, `docker compose`, and on some systems that
//! program too. Both write down in labels where a project lies and which of them made it.

use serde_json::Value;

use super::Now;
use crate::model::{ContainerVerb, facts::containers::EngineKind};

/// Asks for the containers of the project `$1` and for what there is of Compose.
const LOOK: &str = r#"if command -v podman >/dev/null 2>&1; then
for p in com.docker io.podman; do podman ps --all --quiet --filter "label=$p.compose.project=$1" 2>/dev/null; done | sed "s/^/@podman /"; fi
command -v docker >/dev/null 2>&1 || { echo "@lacks"; exit 0; }
i=$(docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$1") || exit 1
[ -z "$i" ] || docker container inspect --format "{{json .}}" $i | sed "s/^/@container /"
for t in "docker compose" docker-compose; do v=$($t version --short 2>/dev/null </dev/null) && echo "@tool $v $t"; done; exit 0"#;

/// Says which of some files are not there.
const MISSING: &str = r#"for f; do [ -f "$f" ] || printf "%s\n" "$f"; done"#;

/// What there is of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// Its containers, but for those of `run`.
    pub containers: Vec<Now>,
    /// Whether Podman has containers of a project of that name.
    pub of_podman: bool,
    /// Whether there is a Docker at all.
    pub has_docker: bool,
    /// Where it lies.
    pub directory: String,
    /// Its files, with their whole paths.
    pub files: Vec<String>,
    /// Files of environment that it was made with.
    pub environment_files: Vec<String>,
    /// The version of Compose that made it.
    pub made_by: String,
    /// What there is of Compose.
    pub tools: Vec<Tool>,
}

/// A Compose that is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tool {
    /// How it is called: `docker compose`, `docker-compose`.
    pub words: Vec<String>,
    /// Its version.
    pub version: String,
}

/// Whether a project can be called that: small letters, digits, `_` and `-`.
pub fn is_project(text: &str) -> bool {
    text.len() <= 100
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
}

/// The program and its words that ask for a project.
pub fn words(project: &str) -> Vec<String> {
    ["sh", "-c", LOOK, "sh", project].map(str::to_owned).to_vec()
}

/// The program and its words that say which of some files are not there.
pub fn missing(files: &[String]) -> Vec<String> {
    ["sh", "-c", MISSING, "sh"].map(str::to_owned).into_iter().chain(files.iter().cloned()).collect()
}

impl Project {
    /// Reads what came of [`words`].
    pub fn read(text: &str) -> Self {
        let mut project = Self { has_docker: true, ..Self::default() };
        for line in text.lines() {
            let (what, rest) = line.split_once(' ').unwrap_or((line, ""));
            match what {
                "@lacks" => project.has_docker = false,
                "@podman" => project.of_podman = true,
                "@tool" => project.tools.extend(tool(rest)),
                "@container" => {
                    if let Ok(said) = serde_json::from_str::<Value>(rest) {
                        project.take_in(&said);
                    }
                }
                _ => {}
            }
        }
        project.containers.sort_by(|a, b| a.name.cmp(&b.name));
        project
    }

    fn take_in(&mut self, said: &Value) {
        let label = |name: &str| said["Config"]["Labels"][format!("com.docker.compose.{name}")].as_str();
        if label("oneoff").is_some_and(|oneoff| oneoff.eq_ignore_ascii_case("true")) {
            return;
        }
        self.containers.extend(Now::of(said, EngineKind::Docker));
        if !self.files.is_empty() {
            return;
        }
        label("project.working_dir").unwrap_or_default().clone_into(&mut self.directory);
        label("version").unwrap_or_default().clone_into(&mut self.made_by);
        let list = |name: &str| -> Vec<String> {
            let paths = label(name).unwrap_or_default().split(',').map(str::trim).filter(|path| !path.is_empty());
            paths.map(|path| self.whole(path)).collect()
        };
        (self.files, self.environment_files) = (list("project.config_files"), list("project.environment_file"));
    }

    /// A path from where the project lies: Compose 1 writes them down as they were given.
    fn whole(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.directory.trim_end_matches('/')) }
    }

    /// The Compose to use: the one that made it, else a newer one.
    ///
    /// # Errors
    /// Why there is none, for people.
    pub fn tool(&self) -> Result<&Tool, String> {
        let made = major(&self.made_by);
        let newest = self.tools.iter().max_by_key(|tool| major(&tool.version));
        let tool = self.tools.iter().find(|tool| major(&tool.version) == made).or(newest);
        let Some(tool) = tool else {
            return Err("neither `docker compose` nor `docker-compose` is installed there".into());
        };
        if major(&tool.version) < made {
            return Err(format!(
                "was made by Compose {}, and there is only {}, which does not know all that it may use",
                self.made_by, tool.version
            ));
        }
        Ok(tool)
    }

    /// The commands that do something with it, in order.
    pub fn commands(&self, tool: &Tool, name: &str, verb: ContainerVerb) -> Vec<Vec<String>> {
        let mut start = tool.words.clone();
        start.extend(["--project-name".into(), name.into(), "--project-directory".into(), self.directory.clone()]);
        let named = |option: &'static str, paths: &[String]| -> Vec<String> {
            paths.iter().flat_map(|path| [option.to_owned(), path.clone()]).collect()
        };
        start.extend(named("--env-file", &self.environment_files));
        start.extend(named("--file", &self.files));
        let with = |words: &[&str]| start.iter().cloned().chain(words.iter().map(|word| (*word).to_owned())).collect();
        match verb {
            ContainerVerb::Start | ContainerVerb::Stop | ContainerVerb::Restart => vec![with(&[verb.as_str()])],
            // One that is stopped as a whole is made anew, and stays stopped.
            ContainerVerb::Update if self.containers.iter().any(Now::is_up) => {
                vec![with(&["pull"]), with(&["up", "--detach"])]
            }
            ContainerVerb::Update => vec![with(&["pull"]), with(&["up", "--no-start"])],
        }
    }
}

/// `2.26.1 docker compose`.
fn tool(text: &str) -> Option<Tool> {
    let (version, words) = text.split_once(' ')?;
    let version = version.trim_start_matches('v');
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| Tool { words: words.split(' ').map(str::to_owned).collect(), version: version.to_owned() })
}

/// The first number of a version; 0 where there is none.
fn major(version: &str) -> u32 {
    version.trim_start_matches('v').split('.').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}
