//! Nodes that are shut down, start anew and are woken: what was asked for takes effect some time later.
//!
//! A node that is off answers at none of its addresses, neither do its guests run; others answer 595 for it. Once it
//! is on again it answers at the same addresses, with another time and id of its boot, and starts the guests that start
//! with it. How long each turn takes is measured in the simulated pace; the real times are unrecorded.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::routes::guest_power;
use crate::state::Cluster;
use crate::tasks::release;
use crate::world::World;

/// How often it is looked whether a node has come to its next turn.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What happens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Its guests are stopped.
    GuestsStop,
    /// It is off.
    Off,
    /// It is on.
    On,
}

/// What was asked of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Shutdown,
    Reboot,
    Wake,
}

impl Asked {
    /// The turns that it leads to, with their times in units of the pace.
    const fn turns(self) -> &'static [(f64, Turn)] {
        match self {
            Self::Shutdown => &[(1.0, Turn::GuestsStop), (2.0, Turn::Off)],
            Self::Reboot => &[(1.0, Turn::GuestsStop), (2.0, Turn::Off), (5.0, Turn::On)],
            Self::Wake => &[(3.0, Turn::On)],
        }
    }
}

impl Cluster {
    /// Has a node do what it was asked, in its time. One that is on its way already goes on with what it was asked
    /// first, and a packet wakes none that is on.
    pub(crate) fn ask_node(&mut self, node: usize, asked: Asked, now: f64) {
        let is_needed = asked != Asked::Wake || self.nodes[node].off;
        if !self.turns.iter().any(|turn| turn.1 == node) && is_needed {
            let pace = self.tasks.pace;
            self.turns.extend(asked.turns().iter().map(|(after, turn)| (now + after * pace, node, *turn)));
            self.keeper.notify_one();
        }
    }

    /// Takes the turns that are due.
    pub(crate) fn take_turns(&mut self, now: f64) {
        let due = |turn: &(f64, usize, Turn)| turn.0 <= now;
        while let Some(place) = self.turns.iter().position(due) {
            let (at, node, turn) = self.turns.remove(place);
            self.take_turn(node, turn, at);
        }
    }

    pub(crate) fn take_turn(&mut self, node: usize, turn: Turn, at: f64) {
        match turn {
            Turn::GuestsStop => self.stop_guests(node),
            Turn::Off => {
                self.stop_guests(node);
                let broken = self.tasks.break_off("unexpected status", at, |task| task.node == node);
                broken.iter().for_each(|id| release(self, id));
                (self.nodes[node].off, self.nodes[node].down_since) = (true, Some(at));
            }
            Turn::On => {
                (self.nodes[node].off, self.nodes[node].down_since) = (false, None);
                self.nodes[node].booted = at;
                let (guests, tasks) = (&mut self.guests, &mut self.tasks);
                let own = guests.values_mut().filter(|guest| guest.node == node && !guest.template());
                for guest in own.filter(|guest| guest_power::starts_at_boot(guest)) {
                    guest_power::start(guest, tasks.new_pid(), at);
                }
            }
        }
    }

    fn stop_guests(&mut self, node: usize) {
        for guest in self.guests.values_mut().filter(|guest| guest.node == node) {
            guest.running = None;
        }
    }
}

/// Opens and closes the addresses of a cluster's nodes as they come and go, until the simulation stops.
pub(crate) async fn keep(world: Arc<World>, cluster: usize, mut stop: watch::Receiver<bool>) {
    let keeper = Arc::clone(&world.cluster(cluster).keeper);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            () = keeper.notified() => {}
        }
        while world.attend(cluster) {
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }
}

impl World {
    /// Lets each node of a cluster answer if it is on; whether some of them have turns before them.
    pub(crate) fn attend(&self, index: usize) -> bool {
        let cluster = self.cluster(index);
        for door in self.doors.iter().filter(|door| door.cluster == index) {
            let node = &cluster.nodes[door.node];
            door.note_boot(node.booted);
            door.wanted.send_if_modified(|wanted| std::mem::replace(wanted, node.up()) != node.up());
        }
        !cluster.turns.is_empty()
    }
}
