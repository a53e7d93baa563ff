//! A host that is taken into maintenance, or out of it.
//!
//! Its record says so: nothing new is put on it, and nobody is told of its silence. For a node of a cluster whose high
//! availability looks after guests, its manager is told too; there is no call of the API for it, so a shell is needed, of
//! the node itself or of another one of its cluster. The manager then moves its guests away by itself, and back later.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::{Check, Effect, Said};
use crate::{
    Error, ErrorKind, Result,
    collect::pve::cluster_ha as ha,
    fleet::{Fleet, HostEdit, HostWays, NodeWay},
    host::{LinuxHost as _, linux::LinuxMachine},
    model::{Action, HostChange, HostId, facts::cluster::HaFacts},
    transport::Command,
};

/// How often high availability is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long its manager may take to hear a command: it makes a round each ten seconds, and may be another one by then.
const HEARD_WITHIN: Duration = Duration::from_secs(180);
/// How long the move of one guest may take before those that are left count as staying.
const NEXT_GONE_WITHIN: Duration = Duration::from_secs(15 * 60);
/// Words of a guest's state that say that it stays where it is.
const STAYS: [&str; 5] = ["stopped", "disabled", "ignored", "error", "request_stop"];

/// A host's way into maintenance, or out of it.
pub(super) struct MaintenanceEffect {
    fleet: Fleet,
    ways: HostWays,
    enter: bool,
    /// A host with a shell in its cluster, by which high availability is told.
    teller: Option<(String, std::sync::Arc<LinuxMachine>)>,
}

/// What high availability has to do with a host.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ha {
    /// It looks after nothing, or the host is no node.
    Unused,
    /// It cannot be seen, and why.
    Unseen(String),
    /// It is there.
    Used {
        /// Whether it has the node in maintenance.
        away: bool,
        /// What is to run, and is on the node.
        running_here: Vec<String>,
        /// What else is on the node.
        staying_here: Vec<String>,
    },
}

impl MaintenanceEffect {
    pub(super) async fn new(fleet: &Fleet, id: &HostId, enter: bool) -> Result<Self> {
        let all = fleet.all_ways().await?;
        let ways = match all.iter().find(|ways| ways.id == *id) {
            Some(ways) => ways.clone(),
            None => fleet.host_ways(id).await?,
        };
        let teller = teller(&ways, &all);
        Ok(Self { fleet: fleet.clone(), ways, enter, teller })
    }

    async fn ha(&self) -> Result<Ha> {
        let Some(node) = &self.ways.node else { return Ok(Ha::Unused) };
        match facts(node).await {
            Ok(facts) => Ok(of_node(&facts, &node.name)),
            Err(error) if error.kind().is_retryable() => Err(error),
            Err(error) => Ok(Ha::Unseen(crate::message(&error))),
        }
    }

    /// Whether high availability must and can be told.
    fn must_tell(&self, ha: &Ha) -> bool {
        matches!(ha, Ha::Used { away, .. } if *away != self.enter) && self.teller.is_some()
    }

    fn words(&self) -> Option<[&str; 5]> {
        let node = self.ways.node.as_ref()?;
        let verb = if self.enter { "enable" } else { "disable" };
        Some(["ha-manager", "crm-command", "node-maintenance", verb, &node.name])
    }

    fn failed(&self, cause: impl Into<String>, next: &str) -> Error {
        let into = if self.enter { "into" } else { "out of" };
        Error::new(ErrorKind::Conflict, format!("take host {} {into} maintenance", self.ways.name))
            .because(cause)
            .next(next)
    }

    async fn is_noted(&self) -> Result<bool> {
        Ok(self.fleet.host_ways(&self.ways.id).await?.maintenance == self.enter)
    }

    async fn note(&self) -> Result<()> {
        let edit = HostEdit { maintenance: Some(self.enter), ..HostEdit::default() };
        self.fleet.update_host(self.ways.id.as_str(), edit).await.map(drop)
    }

    async fn tell(&self) -> Result<()> {
        let (Some((_, machine)), Some(words)) = (&self.teller, self.words()) else { return Ok(()) };
        let output = machine.run(Command::argv(words).become_root(machine.root())).await?;
        if output.success() {
            return Ok(());
        }
        let cause = format!("ha-manager says: {}", output.stderr.text().trim());
        Err(self.failed(cause, "see `ha-manager status` there"))
    }

    /// Waits until the manager has heard it.
    async fn until_heard(&self, said: &(dyn Said + Sync)) -> Result<()> {
        let give_up = Instant::now() + HEARD_WITHIN;
        loop {
            match self.ha().await {
                Ok(Ha::Used { away, .. }) if away != self.enter => {}
                Ok(Ha::Used { .. }) => {
                    said.line(if self.enter {
                        "high availability has it in maintenance"
                    } else {
                        "high availability uses it again"
                    })
                    .await;
                    return Ok(());
                }
                Ok(Ha::Unused | Ha::Unseen(_)) => return Ok(()),
                Err(error) if Instant::now() > give_up => return Err(error),
                Err(_) => {}
            }
            if Instant::now() > give_up {
                let cause =
                    format!("the manager of high availability has not heard it in {} s", HEARD_WITHIN.as_secs());
                return Err(
                    self.failed(cause, "see `ha-manager status` there: a cluster without quorum has no manager")
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until high availability has moved everything away, or moves nothing any more.
    async fn until_empty(&self, said: &(dyn Said + Sync)) -> Result<()> {
        let (mut left, mut since) = (usize::MAX, Instant::now());
        loop {
            match self.ha().await {
                Ok(Ha::Used { running_here, .. }) => {
                    if running_here.is_empty() {
                        return Ok(());
                    }
                    if running_here.len() != left {
                        (left, since) = (running_here.len(), Instant::now());
                        said.line(&format!("high availability still moves {}", running_here.join(", "))).await;
                    }
                }
                Ok(Ha::Unused | Ha::Unseen(_)) => return Ok(()),
                Err(error) if since.elapsed() > NEXT_GONE_WITHIN => return Err(error),
                Err(_) => {}
            }
            if since.elapsed() > NEXT_GONE_WITHIN {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What there is to say of high availability beside the record.
    fn remark(&self, ha: &Ha) -> String {
        match ha {
            Ha::Unused => String::new(),
            Ha::Unseen(why) => format!("; high availability was not told, since it cannot be seen: {why}"),
            Ha::Used { away, .. } if *away != self.enter => {
                "; high availability was not told: that takes a shell on a node of its cluster, and there is none. \
                 Next: add one with `reanimator host add`, or run `ha-manager crm-command node-maintenance` there"
                    .to_owned()
            }
            Ha::Used { running_here, staying_here, .. } if self.enter => {
                let here: Vec<&str> = running_here.iter().chain(staying_here).map(String::as_str).collect();
                let stay = if here.is_empty() { String::new() } else { format!("; {} stay on it", here.join(", ")) };
                format!("; high availability keeps away from it{stay}")
            }
            Ha::Used { .. } => "; high availability uses it again".to_owned(),
        }
    }

    fn state(&self) -> &'static str {
        if self.enter { "it is in maintenance" } else { "it is not in maintenance" }
    }
}

#[async_trait]
impl Effect for MaintenanceEffect {
    async fn check(&self) -> Result<Check> {
        let ha = self.ha().await?;
        let (noted, tell) = (self.is_noted().await?, self.must_tell(&ha));
        if noted && !tell {
            let already = if self.enter { " already" } else { "" };
            return Ok(Check::Already(format!("{}{already}{}", self.state(), self.remark(&ha))));
        }
        let mut calls = Vec::new();
        if !noted {
            calls.push(format!("note in its record that {}", self.state()));
        }
        if let (true, Some((host, _)), Some(words)) = (tell, &self.teller, self.words()) {
            calls.push(format!("{} (on {host})", words.join(" ")));
        }
        Ok(Check::Ready { before: json!({ "noted": noted, "tell": tell }), calls })
    }

    async fn begin(&self, before: &Value) -> Result<String> {
        let tell = before.get("tell").and_then(Value::as_bool).unwrap_or(false);
        // In: nothing new comes first. Out: nothing comes before high availability uses it again.
        if self.enter {
            self.note().await?;
        }
        if tell {
            self.tell().await?;
        }
        if !self.enter {
            self.note().await?;
        }
        Ok(if tell { "told" } else { "noted" }.to_owned())
    }

    /// All of it may be done twice: it has begun where all is done.
    async fn find(&self, before: &Value) -> Result<Option<String>> {
        let tell = before.get("tell").and_then(Value::as_bool).unwrap_or(false);
        if !self.is_noted().await? || (tell && self.must_tell(&self.ha().await?)) {
            return Ok(None);
        }
        Ok(Some(if tell { "told" } else { "noted" }.to_owned()))
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        if handle != "told" {
            return Ok(());
        }
        self.until_heard(said).await?;
        if self.enter { self.until_empty(said).await } else { Ok(()) }
    }

    async fn confirm(&self, _before: &Value) -> Result<String> {
        if !self.is_noted().await? {
            return Err(self.failed("its record says something else by now", "see `reanimator host show`"));
        }
        Ok(format!("{}{}", self.state(), self.remark(&self.ha().await?)))
    }

    fn undo(&self, _before: &Value) -> Option<Action> {
        let change = if self.enter { HostChange::LeaveMaintenance } else { HostChange::EnterMaintenance };
        Some(Action::Host { id: self.ways.id.clone(), change })
    }
}

/// Whether high availability is told when a host is taken into maintenance, and so moves by itself what it looks after.
pub(crate) async fn is_ha_told(fleet: &Fleet, id: &HostId) -> Result<bool> {
    let effect = MaintenanceEffect::new(fleet, id, true).await?;
    Ok(effect.teller.is_some() && matches!(effect.ha().await?, Ha::Used { .. }))
}

/// Who tells high availability: the node itself, else another one of its cluster that has a shell and answers.
fn teller(ways: &HostWays, all: &[HostWays]) -> Option<(String, std::sync::Arc<LinuxMachine>)> {
    let node = ways.node.as_ref()?;
    let of_cluster = |other: &&HostWays| other.node.as_ref().is_some_and(|own| own.connection == node.connection);
    let own = std::iter::once(ways).filter(|ways| !ways.is_silent);
    let others = all.iter().filter(of_cluster).filter(|other| !other.is_silent);
    own.chain(others).find_map(|host| Some((host.name.clone(), host.machine.clone()?)))
}

async fn facts(node: &NodeWay) -> Result<HaFacts> {
    let mut facts = ha::status(&node.api.call(ha::status_request()).await?)?;
    ha::manager_into(&node.api.call(ha::manager_request()).await?, &mut facts)?;
    ha::resources_into(&node.api.call(ha::resources_request()).await?, &mut facts)?;
    Ok(facts)
}

fn of_node(facts: &HaFacts, name: &str) -> Ha {
    if facts.resources.is_empty() {
        return Ha::Unused;
    }
    let node = facts.nodes.iter().find(|node| node.name == name);
    let says = |text: &Option<String>, what: &str| text.as_ref().is_some_and(|text| text.contains(what));
    let away = node.is_some_and(|node| says(&node.status, "maintenance mode") || says(&node.state, "maintenance"));
    let here = facts.resources.iter().filter(|resource| resource.node.as_deref() == Some(name));
    let (staying, running): (Vec<_>, Vec<_>) = here.partition(|resource| {
        let states = [&resource.state, &resource.wanted];
        states.into_iter().flatten().any(|state| STAYS.contains(&state.as_str()))
    });
    let ids = |resources: Vec<&crate::model::facts::cluster::HaResource>| {
        resources.into_iter().map(|resource| resource.id.clone()).collect()
    };
    Ha::Used { away, running_here: ids(running), staying_here: ids(staying) }
}
