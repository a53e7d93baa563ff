//! Prepared scripts on hosts.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    super::{Check, Effect, EffectName, Said},
    job::Job,
};
use crate::{
    Error, ErrorKind, Result,
    collect::linux::job::JobSpec,
    fleet::Fleet,
    model::{Action, HostId, Script, StoredScript},
};

/// The host's name, for the script.
const HOST_VARIABLE: &str = "REANIMATOR_HOST";

/// Lines of what it wrote that its outcome tells.
const LAST_LINES: usize = 3;

/// Which script is asked for, and with what.
#[derive(Clone, Copy)]
pub(in crate::action) struct Asked<'a> {
    pub(in crate::action) script: &'a str,
    pub(in crate::action) parameters: &'a BTreeMap<String, String>,
    pub(in crate::action) version: Option<&'a str>,
}

/// One run of a script on one host.
pub(in crate::action) struct ScriptEffect {
    job: Job,
    host_name: String,
    name: String,
    version: String,
    /// What is run, for people.
    words: String,
    /// Why it must not begin. One that has begun is followed whatever became of its definition.
    refused: Vec<String>,
}

impl ScriptEffect {
    pub(in crate::action) async fn new(
        fleet: &Fleet,
        host: &HostId,
        asked: Asked<'_>,
        name: &EffectName,
    ) -> Result<Self> {
        let (host_name, machine) = fleet.machine_with_shell(host).await?;
        let stored = fleet.store().script(asked.script).await?;
        let (spec, refused) = match &stored {
            Some(stored) => prepare(fleet, host, stored, asked, name, &host_name).await?,
            None => (JobSpec::new(name.as_str(), ""), vec![format!("there is no script {}", asked.script)]),
        };
        Ok(Self {
            job: Job::new(&machine, &host_name, spec),
            host_name,
            name: asked.script.to_owned(),
            words: stored.as_ref().map(|stored| in_words(&stored.script)).unwrap_or_default(),
            version: stored.map(|stored| stored.version).unwrap_or_default(),
            refused,
        })
    }

    async fn last_lines(&self) -> String {
        self.job.last_lines(LAST_LINES).await.join(" | ")
    }
}

/// The job that a script is, and why it must not begin.
async fn prepare(
    fleet: &Fleet,
    host: &HostId,
    stored: &StoredScript,
    asked: Asked<'_>,
    name: &EffectName,
    host_name: &str,
) -> Result<(JobSpec, Vec<String>)> {
    let script = &stored.script;
    let mut refused = Vec::new();
    if asked.version.is_some_and(|version| version != stored.version) {
        refused
            .push(format!("the script {} was changed since it was asked for: look at it, and ask again", script.name));
    }
    if !fleet.is_for(script, host).await? {
        refused.push(format!("the script {} may not run on {host_name}, only on {}", script.name, script.hosts));
    }
    let mut spec = job_of(script, name);
    match script.environment(asked.parameters) {
        Ok(environment) => spec.environment = environment,
        Err(error) => refused.push(crate::message(&error)),
    }
    Ok((spec.variable(HOST_VARIABLE, host_name), refused))
}

fn job_of(script: &Script, name: &EffectName) -> JobSpec {
    JobSpec {
        interpreter: script.interpreter.clone(),
        output_limit: u64::from(script.output_bytes),
        memory_limit: script.memory_mb.map(|memory| u64::from(memory) << 20),
        tasks_limit: script.tasks,
        user: script.user.clone(),
        protect_system: script.protect_system,
        ..JobSpec::new(name.as_str(), script.body.as_str()).time_limit(Duration::from_secs(script.limit_seconds.into()))
    }
}

/// `/bin/sh, as www, for 600 s at most, with 64 MiB at most`: what is run, beside what it is given.
fn in_words(script: &Script) -> String {
    let parts = [
        Some(script.interpreter.join(" ")),
        script.user.as_ref().map(|user| format!("as {user}")),
        Some(format!("for {} s at most", script.limit_seconds)),
        script.memory_mb.map(|memory| format!("with {memory} MiB at most")),
        script.tasks.map(|tasks| format!("with {tasks} processes at most")),
        script.protect_system.then(|| "with the system's files read-only".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[async_trait]
impl Effect for ScriptEffect {
    async fn check(&self) -> Result<Check> {
        if !self.refused.is_empty() {
            return Ok(Check::Refused(self.refused.clone()));
        }
        let refused = self.job.refusals().await?;
        if !refused.is_empty() {
            return Ok(Check::Refused(refused));
        }
        let calls = vec![format!("{}, version {}: {}", self.name, self.version, self.words)];
        Ok(Check::Ready { before: json!({ "script": self.name, "version": self.version }), calls })
    }

    async fn begin(&self, _before: &Value) -> Result<String> {
        self.job.begin().await
    }

    async fn find(&self, _before: &Value) -> Result<Option<String>> {
        self.job.find().await
    }

    async fn follow(&self, _handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        let end = self.job.follow(said).await?;
        if end.is_well() {
            return Ok(());
        }
        let last = self.last_lines().await;
        self.job.forget().await;
        let error = Error::new(ErrorKind::Protocol, format!("run the script {}", self.name)).on(self.host_name.clone());
        let error = error.because(end.words());
        Err(if last.is_empty() { error } else { error.noting(format!("its last lines: {last}")) })
    }

    async fn confirm(&self, _before: &Value) -> Result<String> {
        let end = self.job.end().await?;
        let last = self.last_lines().await;
        self.job.forget().await;
        Ok(if last.is_empty() { end.words() } else { format!("{}: {last}", end.words()) })
    }

    async fn abort(&self, _handle: &str) -> Result<bool> {
        self.job.stop().await?;
        Ok(true)
    }

    fn undo(&self, _before: &Value) -> Option<Action> {
        None
    }
}
