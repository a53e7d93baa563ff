//! The world as each step of a plan will find it: pure, but for one look at the world.
//!
//! A step finds what those that it waits for have left, and may find the others while they go on. What other operations
//! are doing goes on beside all of them.

use std::time::{Duration, Instant};

use super::gate;
use crate::{
    Error, ErrorKind, Result,
    action::guard,
    decide::harm,
    fleet::Fleet,
    model::{Action, NewOperation, Objection, Scene},
};

/// How long a plan is judged beforehand. What is left then is judged when its turn comes, as all steps are.
const BUDGET: Duration = Duration::from_secs(5);
/// Kinds of steps, by what they wait for, that are told apart. The others are judged as if they waited for nothing.
const MOST_KINDS: usize = 8;

/// What speaks against each step of a plan.
pub(super) struct Scenes(Vec<Vec<Objection>>);

impl Scenes {
    /// Looks at the world once, and at each step in the world that it will find.
    pub(super) async fn of(fleet: &Fleet, new: &NewOperation) -> Result<Self> {
        let others = gate::in_flight(fleet, None).await?;
        let own: Vec<Action> = new.steps.iter().map(|step| step.action.clone()).collect();
        let mut now = guard::scene_beside(fleet, &own, &others).await?;
        now.in_flight.clear();
        let new = new.clone();
        // A large plan takes seconds, in which nobody else may wait.
        let judged = tokio::task::spawn_blocking(move || judge(&now, &new, Instant::now() + BUDGET));
        judged.await.map(Self).map_err(|error| Error::new(ErrorKind::Internal, "judge a plan").from_source(error))
    }

    /// What speaks against a step; none where it is judged when its turn comes.
    pub(super) fn objections(&self, step: usize) -> Option<Vec<Objection>> {
        self.0.get(step).cloned()
    }
}

/// Judges steps in order, as many as there is time for.
fn judge(now: &Scene, new: &NewOperation, until: Instant) -> Vec<Vec<Objection>> {
    let before = ancestors(new);
    // The scene of each kind of steps, brought forward step by step.
    let mut kinds: Vec<(Vec<bool>, Scene)> = vec![(Vec::new(), now.clone())];
    let (mut after_all, mut judged) = (now.clone(), Vec::with_capacity(new.steps.len()));
    for (place, step) in new.steps.iter().enumerate() {
        if Instant::now() > until {
            break;
        }
        let waits = &before[place];
        let waits_for_all = place > 0 && waits.iter().all(|is| *is);
        let scene = if waits_for_all { &after_all } else { scene_of(&mut kinds, now, new, waits) };
        judged.push(harm::objections(scene, &step.action));
        for (_, scene) in &mut kinds {
            // A later step may find this one going on.
            *scene = meanwhile(scene, &step.action);
        }
        after_all = after_all.after(&step.action);
    }
    judged
}

/// The scene that a step finds which waits for some of those before it.
fn scene_of<'a>(kinds: &'a mut Vec<(Vec<bool>, Scene)>, now: &Scene, new: &NewOperation, waits: &[bool]) -> &'a Scene {
    let trimmed = waits.iter().rposition(|is| *is).map_or(&waits[..0], |last| &waits[..=last]);
    let place = match kinds.iter().position(|(known, _)| known == trimmed) {
        Some(place) => place,
        None if kinds.len() >= MOST_KINDS => 0,
        None => {
            let each = || new.steps.iter().zip(waits);
            let first = each().filter(|(_, waits)| **waits);
            let first = first.fold(now.clone(), |scene, (step, _)| scene.after(&step.action));
            let beside = each().filter(|(_, waits)| !**waits);
            let scene = beside.fold(first, |scene, (step, _)| meanwhile(&scene, &step.action));
            kinds.push((trimmed.to_vec(), scene));
            kinds.len() - 1
        }
    };
    &kinds[place].1
}

/// The scene while an action goes on. How much goes on at once is not refused but waited for, and so not counted.
fn meanwhile(scene: &Scene, action: &Action) -> Scene {
    let mut scene = scene.meanwhile(action);
    scene.in_flight.clear();
    scene
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
        let judged = judge(&scene(), &NewOperation { steps, ..NewOperation::default() }, Instant::now() + BUDGET);
        judged[1].iter().map(|objection| objection.rule).collect()
    }

    #[test]
    fn a_step_is_judged_by_what_it_will_find() {
        assert!(!against(vec![0]).contains(&Rule::RunningGuests), "it waits for the guest to stop");
        assert!(against(Vec::new()).contains(&Rule::RunningGuests), "the guest may still run");
    }

    #[test]
    fn a_plan_that_is_judged_for_too_long_is_left_to_its_steps() {
        let stop = Action::Guest { id: GuestId("c1:101".into()), change: GuestChange::Stop };
        let steps = vec![stop.clone().into(), stop.into()];
        let plan = NewOperation { steps, ..NewOperation::default() };
        assert_eq!(judge(&scene(), &plan, Instant::now()).len(), 0);
        assert_eq!(judge(&scene(), &plan, Instant::now() + BUDGET).len(), 2);
    }

    #[test]
    fn many_kinds_of_steps_are_judged_as_those_that_wait_for_nothing() {
        let stop: NewStep = Action::Guest { id: GuestId("c1:101".into()), change: GuestChange::Stop }.into();
        let mut steps = vec![stop; 40];
        for (number, step) in steps.iter_mut().enumerate().skip(2) {
            step.after = vec![u32::try_from(number - 2).expect("it is small")];
        }
        let plan = NewOperation { steps, ..NewOperation::default() };
        assert_eq!(judge(&scene(), &plan, Instant::now() + BUDGET).len(), 40);
    }
}
