//! The world as each step of a plan will find it: pure, but for one look at the world.
//!
//! A step finds what those that it waits for have left, and may find the others while they go on. What other operations
//! are doing goes on beside all of them.

use super::gate;
use crate::{
    Result,
    action::guard,
    decide::harm,
    fleet::Fleet,
    model::{Action, NewOperation, Objection, Scene},
};

/// What speaks against each step of a plan.
pub(super) struct Scenes(Vec<Vec<Objection>>);

impl Scenes {
    /// Looks at the world once, and at each step in the world that it will find.
    pub(super) async fn of(fleet: &Fleet, new: &NewOperation) -> Result<Self> {
        let others = gate::in_flight(fleet, None).await?;
        let own: Vec<Action> = new.steps.iter().map(|step| step.action.clone()).collect();
        let now = guard::scene_beside(fleet, &own, &others).await?;
        Ok(Self(judge(&now, new)))
    }

    pub(super) fn objections(&self, step: usize) -> Vec<Objection> {
        self.0.get(step).cloned().unwrap_or_default()
    }
}

fn judge(now: &Scene, new: &NewOperation) -> Vec<Vec<Objection>> {
    let before = ancestors(new);
    // Most plans know two kinds of steps: those beside all others, and those after all others.
    let (mut beside_all, mut after_all) = (now.clone(), now.clone());
    let mut judged = Vec::with_capacity(new.steps.len());
    for (place, step) in new.steps.iter().enumerate() {
        let waits_for = before[place].iter().filter(|is| **is).count();
        let mut scene = match waits_for {
            0 => beside_all.clone(),
            all if all == place => after_all.clone(),
            _ => {
                let each = new.steps[..place].iter().zip(&before[place]);
                let (first, beside): (Vec<_>, Vec<_>) = each.partition(|(_, waits)| **waits);
                let scene = first.iter().fold(now.clone(), |scene, (step, _)| scene.after(&step.action));
                beside.iter().fold(scene, |scene, (step, _)| scene.meanwhile(&step.action))
            }
        };
        // How much goes on at once is not refused but waited for.
        scene.in_flight.clear();
        judged.push(harm::objections(&scene, &step.action));
        beside_all = beside_all.meanwhile(&step.action);
        after_all = after_all.after(&step.action);
    }
    judged
}

/// For each step those that it waits for, also by way of others.
fn ancestors(new: &NewOperation) -> Vec<Vec<bool>> {
    let mut all: Vec<Vec<bool>> = Vec::with_capacity(new.steps.len());
    for (place, step) in new.steps.iter().enumerate() {
        let mut own = vec![false; place];
        for after in step.after.iter().filter_map(|after| usize::try_from(*after).ok()).filter(|after| *after < place) {
            own[after] = true;
            for (earlier, is) in all[after].iter().enumerate() {
                own[earlier] |= is;
            }
        }
        all.push(own);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{GuestChange, GuestId, GuestStatus};
    use crate::model::{
        HostChange, NewStep, Rule,
        scene::{SceneGuest, SceneHost, SceneNode},
    };

    /// A node that stands alone, with a guest that runs.
    fn scene() -> Scene {
        let mut scene = Scene::default();
        let node = SceneNode::new("c1".into(), "pve1");
        let host = SceneHost { name: "pve1".into(), online: true, node: Some(node), ..SceneHost::default() };
        scene.hosts.insert("h1".into(), host);
        let guest = SceneGuest { host: "h1".into(), status: GuestStatus::Running, ..SceneGuest::default() };
        scene.guests.insert(GuestId("c1:101".into()), guest);
        scene
    }

    fn against(after: Vec<u32>) -> Vec<Rule> {
        let stop = Action::Guest { id: GuestId("c1:101".into()), change: GuestChange::Stop };
        let off = Action::Host { id: "h1".into(), change: HostChange::Shutdown };
        let steps = vec![stop.into(), NewStep { after, ..off.into() }];
        let judged = judge(&scene(), &NewOperation { steps, ..NewOperation::default() });
        judged[1].iter().map(|objection| objection.rule).collect()
    }

    #[test]
    fn a_step_is_judged_by_what_it_will_find() {
        assert!(!against(vec![0]).contains(&Rule::RunningGuests), "it waits for the guest to stop");
        assert!(against(Vec::new()).contains(&Rule::RunningGuests), "the guest may still run");
    }
}
