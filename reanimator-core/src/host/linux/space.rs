//! File systems of one machine: local ones once a minute, network ones in the background.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    Result,
    collect::linux::file_systems::{self, Mount},
    host::Observation,
    model::{FileSystem, Unseen},
    transport::{Command, Transport},
};

/// How old local file systems may get.
const LOCAL_EVERY: Duration = Duration::from_secs(60);

/// How old a network file system may get before it is measured again.
const NETWORK_EVERY: Duration = Duration::from_secs(60);

/// How long a network file system that did not answer is left alone: each try may leave a process that hangs there.
const NETWORK_REST: Duration = Duration::from_secs(10 * 60);

/// How long local disks may take.
const LOCAL_TIME_LIMIT: Duration = Duration::from_secs(5);

/// How long one network file system may take.
const NETWORK_TIME_LIMIT: Duration = Duration::from_secs(5);

/// Keeps what is known of a machine's file systems.
#[derive(Debug)]
pub(super) struct SpaceWatch {
    transport: Arc<dyn Transport>,
    local: tokio::sync::Mutex<Local>,
    network: Arc<Mutex<Vec<Remote>>>,
}

#[derive(Debug, Default)]
struct Local {
    at: Option<Timestamp>,
    found: Vec<FileSystem>,
    unseen: Vec<Unseen>,
}

/// A network file system and the last word of it.
#[derive(Debug)]
struct Remote {
    mount: Mount,
    asked: Option<Timestamp>,
    running: bool,
    found: Option<FileSystem>,
    why_not: Option<String>,
}

impl SpaceWatch {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, local: Default::default(), network: Default::default() }
    }

    /// Adds file systems to an observation, measuring what has grown old.
    pub(super) async fn add_to(&self, observation: &mut Observation, now: Timestamp) {
        let mut local = self.local.lock().await;
        if is_due(local.at, LOCAL_EVERY, now) {
            match self.measure_local().await {
                Ok(found) => (local.found, local.unseen) = (found, Vec::new()),
                Err(error) => local.unseen = vec![Unseen::new("file systems", crate::message(&error))],
            }
            local.at = Some(now);
        }
        observation.telemetry.file_systems.extend(local.found.iter().cloned());
        observation.unseen.extend(local.unseen.iter().cloned());
        self.start_network(now);
        for remote in self.remotes().iter() {
            observation.telemetry.file_systems.extend(remote.found.clone());
            let why = remote.why_not.clone().or((remote.found.is_none()).then(|| "being measured".to_owned()));
            observation
                .unseen
                .extend(why.map(|why| Unseen::new(format!("file system {}", remote.mount.mount_point), why)));
        }
    }

    async fn measure_local(&self) -> Result<Vec<FileSystem>> {
        let command = Command::shell(file_systems::list_command()).time_limit(LOCAL_TIME_LIMIT);
        let mounts = file_systems::parse_mounts(&self.transport.run(command).await?.stdout.text());
        let (network, local): (Vec<_>, Vec<_>) = mounts.into_iter().partition(|mount| mount.network);
        self.remember_network(network);
        if local.is_empty() {
            return Ok(Vec::new());
        }
        measure(self.transport.as_ref(), &local, LOCAL_TIME_LIMIT).await
    }

    /// Keeps what is known of mounts that are still there.
    fn remember_network(&self, mounts: Vec<Mount>) {
        let mut remotes = self.remotes();
        remotes.retain(|remote| mounts.contains(&remote.mount));
        for mount in mounts {
            if !remotes.iter().any(|remote| remote.mount == mount) {
                remotes.push(Remote { mount, asked: None, running: false, found: None, why_not: None });
            }
        }
    }

    /// Measures network file systems that are due, one task each, without waiting for any.
    fn start_network(&self, now: Timestamp) {
        for remote in self.remotes().iter_mut() {
            let every = if remote.why_not.is_some() { NETWORK_REST } else { NETWORK_EVERY };
            if remote.running || !is_due(remote.asked, every, now) {
                continue;
            }
            (remote.running, remote.asked) = (true, Some(now));
            let (transport, shared, mount) = (self.transport.clone(), self.network.clone(), remote.mount.clone());
            tokio::spawn(async move {
                let result = measure(transport.as_ref(), std::slice::from_ref(&mount), NETWORK_TIME_LIMIT).await;
                let mut remotes = shared.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(remote) = remotes.iter_mut().find(|remote| remote.mount == mount) {
                    remote.running = false;
                    (remote.found, remote.why_not) = match result.map(|mut found| found.pop()) {
                        Ok(Some(found)) => (Some(found), None),
                        Ok(None) => (None, Some("df gave no figures for it".to_owned())),
                        Err(error) => (None, Some(crate::message(&error))),
                    };
                }
            });
        }
    }

    fn remotes(&self) -> std::sync::MutexGuard<'_, Vec<Remote>> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_due(at: Option<Timestamp>, every: Duration, now: Timestamp) -> bool {
    at.is_none_or(|at| now.duration_since(at).unsigned_abs() >= every)
}

async fn measure(transport: &dyn Transport, mounts: &[Mount], limit: Duration) -> Result<Vec<FileSystem>> {
    let command = Command::shell(file_systems::measure_command(mounts)).time_limit(limit);
    let output = transport.run(command).await?;
    Ok(file_systems::parse_measures(mounts, &output.stdout.text()))
}
