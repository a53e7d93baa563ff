//! Projects of Compose.
//!
//! The project is found by the labels of its containers, and changed by the Compose that made it, out of the files that it
//! was made from, in a [job](super::job) of its own on the host.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, EffectName, Said},
    engine::Place,
};
use crate::{
    Error, ErrorKind, Result,
    collect::linux::engine::{
        Now,
        compose::{self, Project},
    },
    fleet::Fleet,
    model::{Action, ContainerVerb, HostId},
    transport::Command,
};

/// How long containers that were started must stay up to count as started.
const STAY_UP: Duration = Duration::from_secs(2);

/// Something done with one project.
pub(in crate::action) struct ComposeEffect {
    at: Place,
    project: String,
    verb: ContainerVerb,
    /// The same in words: `restart project shop`.
    words: String,
}

impl ComposeEffect {
    pub(in crate::action) async fn new(
        fleet: &Fleet,
        host: &HostId,
        project: &str,
        verb: ContainerVerb,
        name: &EffectName,
    ) -> Result<Self> {
        let words = format!("{verb} project {project}");
        if !compose::is_project(project) {
            return Err(Error::new(ErrorKind::Invalid, words)
                .because("names of projects hold small letters, digits, and _ -")
                .next("see `docker compose ls` there"));
        }
        Ok(Self { at: Place::new(fleet, host, name).await?, project: project.to_owned(), verb, words })
    }

    fn error(&self) -> Error {
        self.at.error(ErrorKind::Conflict, &self.words)
    }

    async fn look(&self) -> Result<Project> {
        Ok(Project::read(&self.at.text(&compose::words(&self.project), &self.words).await?))
    }

    /// The commands, or why there are none.
    async fn commands(&self, project: &Project) -> Result<Result<Vec<Vec<String>>, String>> {
        let host = &self.at.host_name;
        if project.containers.is_empty() {
            return Ok(Err(match (project.of_podman, project.has_docker) {
                (true, _) => "is one of Podman, whose projects are not controlled: control its containers".into(),
                (false, true) => format!("has no containers on {host}"),
                (false, false) => format!("is not on {host}, which has no Docker"),
            }));
        }
        let tool = match project.tool() {
            Ok(tool) => tool,
            Err(why) => return Ok(Err(why)),
        };
        if project.files.is_empty() {
            return Ok(Err("does not say which files it was made from".into()));
        }
        let files: Vec<String> = project.files.iter().chain(&project.environment_files).cloned().collect();
        let missing = self.at.text(&compose::missing(&files), &self.words).await?;
        let missing: Vec<&str> = missing.lines().collect();
        if !missing.is_empty() {
            return Ok(Err(format!("was made from {}, and that is not there any more", missing.join(", "))));
        }
        Ok(Ok(project.commands(tool, &self.project, self.verb)))
    }

    /// Why what was done is not what was wanted; none where it is.
    async fn wrong(&self, project: &Project, before: &Value) -> Option<String> {
        if self.verb == ContainerVerb::Stop {
            let up = project.containers.iter().find(|now| now.is_up())?;
            return Some(format!("{} is {} afterwards", up.name, up.status));
        }
        if self.verb == ContainerVerb::Update && !any_up(before) {
            return None;
        }
        let is_same = |now: &Now| {
            let was = listed(before).find(|was| was["id"] == now.id.as_str());
            was.is_some_and(|was| was["started_at"] == now.started_at.as_str())
        };
        // One that ended well had its work done; one that was never started waits for another. What an update has left alone
        // is as it was.
        let is_bad = |now: &&Now| {
            let left_alone = self.verb == ContainerVerb::Update && is_same(now);
            !left_alone && now.status != "running" && (now.exit_code != 0 || now.status != "exited")
        };
        if let Some(bad) = project.containers.iter().find(is_bad) {
            let log = self.at.log_of(bad).await;
            return Some(format!("{} is {} with status {} afterwards; {log}", bad.name, bad.status, bad.exit_code));
        }
        if !project.containers.iter().any(Now::is_up) {
            return Some("none of its containers is up afterwards".into());
        }
        let is_restart = self.verb == ContainerVerb::Restart;
        let stale = project.containers.iter().find(|now| is_restart && is_same(now))?;
        Some(format!("{} was not started anew", stale.name))
    }

    fn outcome(&self, project: &Project, before: &Value) -> String {
        let all = project.containers.len();
        let up = project.containers.iter().filter(|now| now.is_up()).count();
        let fresh = project.containers.iter().filter(|now| {
            let mut was = listed(before).filter(|was| was["service"].as_str() == now.service.as_deref());
            was.all(|was| was["image_id"] != now.image_id.as_str())
        });
        match (self.verb, fresh.count()) {
            (ContainerVerb::Update, 0) => format!("{up} of {all} containers run, all of the same images as before"),
            (ContainerVerb::Update, fresh) => format!("{up} of {all} containers run, {fresh} of a new image"),
            _ => format!("{up} of {all} containers run"),
        }
    }
}

/// The containers that were noted before.
fn listed(before: &Value) -> impl Iterator<Item = &Value> {
    before["containers"].as_array().into_iter().flatten()
}

fn any_up(before: &Value) -> bool {
    listed(before).any(|was| matches!(was["status"].as_str(), Some("running" | "restarting")))
}

#[async_trait]
impl Effect for ComposeEffect {
    async fn check(&self) -> Result<Check> {
        let project = self.look().await?;
        let commands = match self.commands(&project).await? {
            Ok(commands) => commands,
            Err(why) => return Ok(Check::Refused(vec![format!("project {} {why}", self.project)])),
        };
        let containers = &project.containers;
        match self.verb {
            ContainerVerb::Start if containers.iter().all(|now| now.status == "running") => {
                return Ok(Check::Already(format!("all its containers run already: {}", containers.len())));
            }
            ContainerVerb::Stop if !containers.iter().any(Now::is_up) => {
                return Ok(Check::Already("all its containers are stopped already".into()));
            }
            _ => {}
        }
        if let Some(paused) = containers.iter().find(|now| now.status == "paused") {
            let why = format!("project {}: container {} is paused: unpause it first", self.project, paused.name);
            return Ok(Check::Refused(vec![why]));
        }
        let noted = containers.iter().map(|now| {
            json!({
                "id": now.id, "service": now.service, "image_id": now.image_id, "status": now.status,
                "started_at": now.started_at,
            })
        });
        // What would be sent is what is sent.
        let calls: Vec<String> = commands.iter().map(|words| Command::argv(words).text).collect();
        let before = json!({ "containers": noted.collect::<Vec<_>>(), "directory": project.directory, "calls": calls });
        Ok(Check::Ready { before, calls })
    }

    async fn begin(&self, before: &Value) -> Result<String> {
        let calls: Vec<&str> = before["calls"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let place = Command::argv(["cd", before["directory"].as_str().unwrap_or("/")]).text;
        self.at.job(format!("set -e\n{place}\n{}\n", calls.join("\n"))).begin().await
    }

    async fn find(&self, _before: &Value) -> Result<Option<String>> {
        self.at.job("").find().await
    }

    async fn follow(&self, _handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        self.at.follow(said).await
    }

    async fn confirm(&self, before: &Value) -> Result<String> {
        let failure = self.at.failure().await?;
        self.at.job("").forget().await;
        if let Some(failure) = failure {
            let because = self.at.last_words().map_or(failure.clone(), |last| format!("{failure}: {last}"));
            return Err(self.error().because(because).next("look at its containers with `docker ps --all` there"));
        }
        let mut looks = 0;
        loop {
            let project = self.look().await?;
            if let Some(wrong) = self.wrong(&project, before).await {
                return Err(self.error().because(wrong).next("see `docker logs` there"));
            }
            if looks > 0 || self.verb == ContainerVerb::Stop {
                return Ok(self.outcome(&project, before));
            }
            looks += 1;
            tokio::time::sleep(STAY_UP).await;
        }
    }

    fn undo(&self, before: &Value) -> Option<Action> {
        let verb = match self.verb {
            ContainerVerb::Start if !any_up(before) => ContainerVerb::Stop,
            ContainerVerb::Stop if any_up(before) => ContainerVerb::Start,
            ContainerVerb::Start | ContainerVerb::Stop | ContainerVerb::Restart | ContainerVerb::Update => return None,
        };
        Some(Action::Compose { host: self.at.host.clone(), project: self.project.clone(), verb })
    }
}
