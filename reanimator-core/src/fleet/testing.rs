//! Trying a connection step by step, so that a person sees where it fails.

use serde::{Deserialize, Serialize};

use super::Fleet;
use crate::{
    Result,
    host::{Host as _, LinuxHost as _, linux::LinuxMachine},
    transport::{Become, Command},
};

/// What a test found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TestReport {
    /// Whether every step worked.
    pub ok: bool,
    /// The steps, up to the first that failed.
    pub steps: Vec<TestStep>,
}

/// One step of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TestStep {
    /// What was tried.
    pub what: String,
    /// Whether it worked.
    pub ok: bool,
    /// What was found, or why it failed and what to do next.
    pub detail: String,
}

impl TestReport {
    /// Adds a step; says whether it worked.
    pub(super) fn step(&mut self, what: &str, result: Result<String>) -> bool {
        let (ok, detail) = match result {
            Ok(detail) => (true, detail),
            Err(error) => (false, crate::report(&error)),
        };
        self.ok = ok && (self.ok || self.steps.is_empty());
        self.steps.push(TestStep { what: what.to_owned(), ok, detail });
        ok
    }
}

impl Fleet {
    /// Tries a host: log in, run a command, become root where that is set up, read figures; for a node, ask its
    /// cluster.
    ///
    /// # Errors
    /// `NotFound` for a name that is no host. What fails on the host is in the report.
    pub async fn test_host(&self, name_or_id: &str) -> Result<TestReport> {
        let host = self.find(name_or_id).await?;
        let (kept, clusters) = self.read(|world| {
            let known = world.hosts.get(&host.id);
            let kept = known.and_then(|known| Some((known.machine.clone()?, known.shell.heard.misses)));
            let links = known.into_iter().flat_map(|known| &known.host.links);
            let clusters: Vec<_> =
                links.filter_map(|link| Some(world.clusters.get(link.connection())?.connection.name.clone())).collect();
            (kept, clusters)
        });
        let mut report = TestReport::default();
        if let Some(((connection, machine), misses)) = kept {
            // Over a connection of its own: it waits for no back-off of an earlier failure, and what runs over the kept
            // one goes on.
            let sibling = self.machine(&connection).await?;
            self.test_machine(&sibling, &mut report).await;
            sibling.close().await;
            if report.ok && misses > 0 {
                // The host is back: the next to ask need not wait either.
                machine.close().await;
            }
        }
        for cluster in clusters {
            let tested = self.test_proxmox(&cluster).await?;
            report.ok = tested.ok && (report.ok || report.steps.is_empty());
            report.steps.extend(tested.steps);
        }
        Ok(report)
    }

    async fn test_machine(&self, machine: &LinuxMachine, report: &mut TestReport) {
        let said = machine.run(Command::argv(["id", "-un"])).await;
        if !report.step("log in and run a command", said.map(|output| format!("as {}", output.stdout.text().trim()))) {
            return;
        }
        if !matches!(machine.root(), Become::No) {
            let said = machine.run(Command::argv(["id", "-u"]).become_root(machine.root())).await;
            let said = said.and_then(|output| match output.stdout.text().trim() {
                "0" => Ok("sudo works".to_owned()),
                uid => Err(crate::Error::new(crate::ErrorKind::Denied, "become root")
                    .because(format!("sudo ran the command as user {uid}: {}", output.stderr.text().trim()))
                    .next("check the account's sudo rules")),
            });
            if !report.step("become root", said) {
                return;
            }
        }
        let seen = machine.observe(self.now()).await.map(|seen| match seen.unseen.len() {
            0 => "everything seen".to_owned(),
            _ => {
                let unseen = seen.unseen.iter().map(|each| format!("{} ({})", each.what, each.why));
                format!("not seen: {}", unseen.collect::<Vec<_>>().join(", "))
            }
        });
        report.step("read figures", seen);
    }
}
