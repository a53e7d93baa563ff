//! What stands before each effect: how much goes on at once, and the rules by which nothing is harmed.
//!
//! There is one way to an effect, and it leads through here, for a step as for what takes one back. The rules are asked
//! about the world as it is now and as it will be when everything has ended that other steps have begun; who asks closes
//! the gate of the cluster or host meanwhile, until the own intent is written down, so that two that are each harmless
//! alone are not let through together.

use std::time::Duration;

use tokio::sync::watch;

use super::{engine::Wishes, owner};
use crate::{
    Error, ErrorKind, Result,
    action::guard,
    fleet::Fleet,
    model::{Action, GuestChange, HostChange, Objection, Rule, Step, Thing},
    store::{OperationHold, Slot},
};

/// How often it is looked whether there is a slot, or a gate is open.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long a gate stays closed when who closed it has died.
const GATE: Duration = Duration::from_secs(60);

/// The gate before a step.
pub(super) struct Gate<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) hold: &'a OperationHold,
    pub(super) step: u32,
    pub(super) wishes: &'a watch::Receiver<Wishes>,
}

/// Whether the way is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Free,
    /// It was asked to stop while it waited.
    Stopped,
    /// As much goes on there as may: it is waited for.
    Full,
}

impl Gate<'_> {
    /// Waits until there are slots for an action, and says once what for.
    pub(super) async fn wait_for_slots(&self, action: &Action) -> Result<Way> {
        let slots = self.slots(action).await?;
        let mut told = false;
        while let Some(full) = self.fleet.store().take_slots(self.hold, self.step, &slots, self.fleet.now()).await? {
            if self.is_to_stop() {
                return Ok(Way::Stopped);
            }
            if !told {
                told = true;
                let place = self.fleet.place_name(&full.name).await?;
                let why = format!("waits: {} of at most {} steps go on at {place} already", full.most, full.most);
                self.fleet.store().say(self.hold, Some(self.step), &why, self.fleet.now()).await?;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(Way::Free)
    }

    /// Closes the gates of an action behind this step.
    pub(super) async fn close(&self, action: &Action) -> Result<Way> {
        for gate in self.gates(action).await? {
            let store = self.fleet.store();
            while let Some(other) = store.close_gate(self.hold, self.step, &gate, self.fleet.now(), GATE).await? {
                if self.is_to_stop() {
                    self.open(action).await?;
                    return Ok(Way::Stopped);
                }
                let owner = store.operation(&other).await?.and_then(|operation| operation.owner);
                if owner.is_none_or(|owner| owner::is_gone(&owner)) {
                    store.break_gate(&gate, &other).await?;
                    continue;
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        Ok(Way::Free)
    }

    /// Opens them again.
    pub(super) async fn open(&self, action: &Action) -> Result<()> {
        for gate in self.gates(action).await? {
            self.fleet.store().open_gate(self.hold, self.step, &gate).await?;
        }
        Ok(())
    }

    /// Asks all rules about an action. What only the cap forbids is waited for.
    ///
    /// # Errors
    /// `Conflict` naming each rule that forbids it, and those of looking at the world.
    pub(super) async fn ask(&self, action: &Action, overrides: &[Rule]) -> Result<Way> {
        let others = in_flight(self.fleet, Some((self.hold, self.step))).await?;
        let objections = guard::objections(self.fleet, action, &others).await?;
        let (kept, passed) = split(objections, overrides);
        for objection in passed {
            let line = format!("goes on in spite of rule {}: {}", objection.rule, objection.why);
            self.fleet.store().say(self.hold, Some(self.step), &line, self.fleet.now()).await?;
        }
        if kept.is_empty() {
            return Ok(Way::Free);
        }
        if kept.iter().all(|objection| objection.rule == Rule::Cap) {
            return Ok(Way::Full);
        }
        let words = self.fleet.words_of(action).await?;
        Err(Error::new(ErrorKind::Conflict, words).because(told(&kept)).next(way_out(&kept)))
    }

    /// Waits a little before it is looked again; whether it was asked to stop.
    pub(super) async fn wait(&self) -> Way {
        tokio::time::sleep(LOOK_EVERY).await;
        if self.is_to_stop() { Way::Stopped } else { Way::Free }
    }

    fn is_to_stop(&self) -> bool {
        let wishes = *self.wishes.borrow();
        wishes.cancel || wishes.undo
    }

    async fn slots(&self, action: &Action) -> Result<Vec<Slot>> {
        let (hosts, cluster) = self.places(action).await?;
        let caps = self.fleet.caps().await?;
        let host = |id| Slot { name: format!("host {id}"), most: caps.per_host };
        let cluster = cluster.map(|id| Slot { name: format!("cluster {id}"), most: caps.per_cluster });
        Ok(hosts.into_iter().map(host).chain(cluster).collect())
    }

    /// The hosts and the cluster that an action burdens.
    async fn places(&self, action: &Action) -> Result<(Vec<String>, Option<String>)> {
        let mut hosts = Vec::new();
        let cluster = match action.on() {
            Thing::Guest(id) => {
                let guest = self.fleet.guest_by_id(id).await?;
                hosts.extend(guest.as_ref().and_then(|guest| guest.host_id.clone()).map(|id| id.0));
                guest.map(|guest| guest.connection.0)
            }
            Thing::Host(id) => {
                hosts.push(id.0.clone());
                self.fleet.cluster_of(id).await?.map(|id| id.0)
            }
        };
        if let Action::Guest { change, .. } = action {
            let to = match change {
                GuestChange::Migrate { to, .. } | GuestChange::RemoteMigrate { to, .. } => Some(to),
                GuestChange::Clone { to, .. } => to.as_ref(),
                _ => None,
            };
            hosts.extend(to.map(|id| id.0.clone()));
        }
        hosts.sort_unstable();
        hosts.dedup();
        Ok((hosts, cluster))
    }

    async fn gates(&self, action: &Action) -> Result<Vec<String>> {
        let (hosts, cluster) = self.places(action).await?;
        let mut gates = match cluster {
            Some(cluster) => vec![format!("cluster {cluster}")],
            None => hosts.into_iter().map(|id| format!("host {id}")).collect(),
        };
        let is_power =
            |change: &HostChange| matches!(change, HostChange::Shutdown | HostChange::Reboot | HostChange::Suspend);
        if matches!(action, Action::Host { change, .. } if is_power(change)) {
            // What the last of a kind is, is a question to the whole fleet.
            gates.push("power".to_owned());
        }
        Ok(gates)
    }
}

/// What other steps are doing now.
pub(super) async fn in_flight(fleet: &Fleet, but: Option<(&OperationHold, u32)>) -> Result<Vec<Action>> {
    let steps = fleet.store().steps_in_flight().await?;
    let is_own = |id: &crate::model::OperationId, step: &Step| {
        but.is_some_and(|(hold, number)| hold.id == *id && number == step.number)
    };
    Ok(steps.into_iter().filter(|(id, step)| !is_own(id, step)).map(|(_, step)| step.action).collect())
}

/// Objections that hold, and those that are overridden.
fn split(objections: Vec<Objection>, overrides: &[Rule]) -> (Vec<Objection>, Vec<Objection>) {
    objections.into_iter().partition(|objection| !(objection.can_override && overrides.contains(&objection.rule)))
}

fn told(objections: &[Objection]) -> String {
    let told: Vec<String> =
        objections.iter().map(|objection| format!("{} (rule {})", objection.why, objection.rule)).collect();
    told.join("; ")
}

fn way_out(objections: &[Objection]) -> String {
    if objections.iter().all(|objection| objection.can_override) {
        let rules: Vec<&str> = objections.iter().map(|objection| objection.rule.as_str()).collect();
        return format!("mend that, or let an admin ask again with an override of {}", rules.join(", "));
    }
    "mend that, then ask again".to_owned()
}
