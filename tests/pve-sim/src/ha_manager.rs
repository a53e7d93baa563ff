//! What the manager of high availability does by itself: it takes nodes into maintenance, moves what it looks after
//! away from them, and moves it back afterwards. A command waits until the manager's next round, and one that nobody
//! works on waits for ever: without a resource there is no manager. Unrecorded; as the documentation has it.

use serde_json::Value;

use crate::manager;
use crate::routes::cluster_sid as sid;
use crate::state::Cluster;

/// How long the manager takes until it hears a command, in units of the simulated pace.
const ROUND: f64 = 2.0;

impl Cluster {
    /// Asks the manager to take a node into maintenance, or out of it.
    pub(crate) fn ask_maintenance(&mut self, node: &str, enable: bool, now: f64) {
        let due = now + ROUND * self.tasks.pace;
        self.ha.commands.push((due, node.to_owned(), enable));
    }

    /// Carries out the commands whose round has come.
    pub(crate) fn hear_commands(&mut self, now: f64) {
        if self.ha.resources.is_empty() || !self.quorate() {
            return;
        }
        while let Some(place) = self.ha.commands.iter().position(|command| command.0 <= now) {
            let (_, name, enable) = self.ha.commands.remove(place);
            self.ha.maintenance.retain(|other| *other != name);
            if enable {
                self.ha.maintenance.push(name.clone());
            }
            let Some(node) = self.nodes.iter().position(|node| node.name == name) else { continue };
            if enable { self.move_away(node, now) } else { self.move_back(node, now) }
        }
    }

    /// Moves what is to run from a node that is in maintenance now. What is to be stopped stays where it is.
    fn move_away(&mut self, node: usize, now: f64) {
        let here = self.guests.values().filter(|guest| guest.node == node && guest.lock.is_none());
        let vmids: Vec<u32> = here.filter(|guest| self.is_to_run(&sid(guest))).map(|guest| guest.vmid).collect();
        for vmid in vmids {
            let Some(target) = self.refuge() else { return };
            self.ha.left.insert(vmid, node);
            manager::begin(self, vmid, target, now);
        }
    }

    fn move_back(&mut self, node: usize, now: f64) {
        let left = std::mem::take(&mut self.ha.left);
        let (back, rest) = left.into_iter().partition(|(_, from)| *from == node);
        self.ha.left = rest;
        for (vmid, _) in back {
            let there = self.guests.get(&vmid).is_some_and(|guest| guest.node != node && guest.lock.is_none());
            if there && self.nodes[node].up() {
                manager::begin(self, vmid, node, now);
            }
        }
    }

    fn is_to_run(&self, sid: &str) -> bool {
        let state = self.ha.resources.get(sid).map(|options| options.get("state").and_then(Value::as_str));
        state.is_some_and(|state| matches!(state, None | Some("started" | "enabled")))
    }

    /// The node with the fewest guests that is up and not in maintenance.
    fn refuge(&self) -> Option<usize> {
        let fits = |index: &usize| {
            let node = &self.nodes[*index];
            node.up() && !self.ha.maintenance.contains(&node.name)
        };
        let guests = |index: &usize| self.guests.values().filter(|guest| guest.node == *index).count();
        (0..self.nodes.len()).filter(fits).min_by_key(guests)
    }
}
