//! First, do no harm: what speaks against an action, as things are.
//!
//! Each [`Rule`] has a function of its own, in a file of its own or with its siblings, which gives the objections it has.
//! What is not known is not taken for good: it is an objection too, which an admin may set aside. What the far side
//! refuses anyway nobody may.
//!
//! Several actions in order are judged by the scene as each leaves it, [`Scene::after`]; what is going on at the moment
//! by [`Scene::meanwhile`], which takes the worse of before and after.
//!
//! ```
//! use reanimator_core::{decide::harm, model::{Action, HostChange, Rule, Scene, scene::SceneHost}};
//! let mut scene = Scene::default();
//! scene.hosts.insert("h1".into(), SceneHost { name: "attic".into(), online: true, own: true, ..SceneHost::default() });
//! let shutdown = Action::Host { id: "h1".into(), change: HostChange::Shutdown };
//! let objections = harm::objections(&scene, &shutdown);
//! assert_eq!(objections[0].rule, Rule::OwnMachine);
//! assert_eq!(objections[0].why, "Reanimator itself runs on attic");
//! ```

mod after;
mod bounds;
mod case;
mod disks;
mod moving;
mod own;
mod placement;
mod power;
mod servers;
mod target;
#[cfg(test)]
mod testing;

use self::case::Case;
use crate::model::{Action, GuestId, Objection, Rule, Scene};

/// What speaks against an action; nothing where it may be done. In the order of [`Rule::ALL`].
pub fn objections(scene: &Scene, action: &Action) -> Vec<Objection> {
    let case = Case::new(scene, action);
    Rule::ALL.into_iter().flat_map(|rule| against(rule, &case)).collect()
}

/// Whom high availability moves along with a guest, as its rules keep them together.
pub fn companions_of(scene: &Scene, guest: &GuestId) -> Vec<GuestId> {
    case::companions(scene, guest).into_iter().cloned().collect()
}

/// What one rule says.
fn against(rule: Rule, case: &Case<'_>) -> Vec<Objection> {
    match rule {
        Rule::Quorum => power::quorum(case),
        Rule::Ha => placement::ha(case),
        Rule::Affinity => placement::affinity(case),
        Rule::Target => target::target(case),
        Rule::Memory => target::memory(case),
        Rule::Processors => target::processors(case),
        Rule::Storage => disks::storage(case),
        Rule::Bridge => target::bridge(case),
        Rule::Passthrough => moving::passthrough(case),
        Rule::LocalDisks => disks::local_disks(case),
        Rule::Locked => moving::locked(case),
        Rule::Preconditions => moving::preconditions(case),
        Rule::RunningGuests => power::running_guests(case),
        Rule::LastDns => servers::last_dns(case),
        Rule::LastDhcp => servers::last_dhcp(case),
        Rule::OwnMachine => own::own_machine(case),
        Rule::OwnPath => own::own_path(case),
        Rule::Protected => bounds::protected(case),
        Rule::Window => bounds::window(case),
        Rule::Cap => bounds::cap(case),
    }
}
