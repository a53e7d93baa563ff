//! Random plans in random worlds: what the rules let pass is carried out in a world that shares no code with them, and none
//! of it may do harm there. Each rule refuses something at least once.
//!
//! A plan's steps follow each other or run beside each other. Half of the plans are judged as dry runs are, by the scene as
//! the steps before leave it; the other half as the engine does, by what is there, with what is going on beside it.
//!
//! `REANIMATOR_PLANS` says how many (500 without it, 10,000 by `make harm-test`), `REANIMATOR_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(clippy::print_stdout, reason = "its counts are what people read")]

mod carry_out;
mod chance;
mod harms;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use reanimator_core::{
    decide::harm,
    model::{Action, GuestChange, Machine, Objection, Rule, Scene},
};

use self::{
    chance::Dice,
    world::{World, guest_of, host_of},
};

/// As many of what went wrong are told.
const TOLD: usize = 10;

#[test]
fn nothing_that_the_rules_let_pass_does_harm() {
    let plans = number("REANIMATOR_PLANS").unwrap_or(500);
    let seed = number("REANIMATOR_SEED").unwrap_or_else(|| {
        u64::from(std::process::id()) << 32
            | std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs() & 0xFFFF_FFFF)
    });
    let mut count = Count::default();
    for plan in 0..plans {
        Trial::new(seed.wrapping_add(plan), plan).run(&mut count);
    }
    let all = Rule::ALL.len();
    let refused = Rule::ALL.iter().filter(|rule| count.refused.contains_key(*rule)).count();
    println!("harm-test: seed {seed}, {} steps passed, {} were refused", count.passed, count.stopped);
    println!(
        "harm-test: {plans} plans, {} harmful passed, {refused} of {all} rules refused at least once",
        count.harmful
    );
    assert!(count.harmful == 0, "seed {seed}:\n{}", count.told.join("\n"));
    assert_eq!(refused, all, "seed {seed}: {:?}", count.refused);
    assert!(count.passed * 10 > count.stopped, "seed {seed}: hardly anything passes");
}

/// Otherwise the other test would prove nothing: each rule keeps a harm away that the world sees.
#[test]
fn a_rule_that_is_left_out_lets_harm_through() {
    for rule in Rule::ALL {
        let mut count = Count::default();
        for plan in 0..MOST_WITHOUT {
            Trial { without: Some(rule), ..Trial::new(plan, plan) }.run(&mut count);
            if count.harmful > 0 {
                break;
            }
        }
        assert!(count.harmful > 0, "without {rule} no harm was seen in {MOST_WITHOUT} plans");
        println!("without {rule}: {}", count.told[0].lines().next().unwrap_or_default());
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What came of all plans.
#[derive(Default)]
struct Count {
    harmful: usize,
    passed: usize,
    stopped: usize,
    refused: BTreeMap<Rule, usize>,
    told: Vec<String>,
}

/// Plans without a rule until its harm must have been seen.
const MOST_WITHOUT: u64 = 5_000;

/// One plan in one world.
struct Trial {
    plan: u64,
    dice: Dice,
    world: World,
    /// The scene as the steps that are done leave it, for a plan that is judged beforehand.
    planned: Option<Scene>,
    in_flight: Vec<Action>,
    /// A rule that is not asked.
    without: Option<Rule>,
    harms: Vec<String>,
    /// What began and ended before.
    steps: Vec<String>,
}

impl Trial {
    fn new(seed: u64, plan: u64) -> Self {
        let mut dice = Dice(seed);
        let world = dice.world();
        let planned = dice.percent(50).then(|| world.scene());
        Self { plan, dice, world, planned, in_flight: Vec::new(), without: None, harms: Vec::new(), steps: Vec::new() }
    }

    fn run(mut self, count: &mut Count) {
        for _ in 0..1 + self.dice.below(8) {
            let action = self.dice.action(&self.world);
            // One machine is acted upon by one operation at a time.
            while let Some(place) = self.in_flight.iter().position(|other| self.machine(other) == self.machine(&action))
            {
                self.finish(place);
            }
            if self.dice.percent(40) && !self.in_flight.is_empty() {
                let place = self.dice.below(self.in_flight.len());
                self.finish(place);
            }
            let objections = self.judge(&action);
            for objection in &objections {
                *count.refused.entry(objection.rule).or_default() += 1;
            }
            if objections.is_empty() {
                count.passed += 1;
                self.begin(action);
            } else {
                count.stopped += 1;
            }
        }
        while !self.in_flight.is_empty() {
            self.finish(0);
        }
        if !self.harms.is_empty() {
            count.harmful += 1;
            if count.told.len() < TOLD {
                count.told.push(format!("plan {}: {}", self.plan, self.harms.join("\n")));
            }
        }
    }

    /// What an action acts upon; a host that is a guest is one machine with it.
    fn machine(&self, action: &Action) -> String {
        let guest = match action {
            Action::Guest { id, .. }
            | Action::Snapshot { guest: id, .. }
            | Action::Packages { machine: Machine::Guest(id), .. } => Some(guest_of(id)),
            other => self.world.hosts[host_of(&other.on().id().into())].guest,
        };
        guest.map_or_else(|| action.thing(), |guest| format!("guest {guest}"))
    }

    fn judge(&self, action: &Action) -> Vec<Objection> {
        let scene = self.planned.clone().unwrap_or_else(|| self.world.scene());
        let scene = self.in_flight.iter().fold(scene, |scene, other| scene.meanwhile(other));
        let mut objections = harm::objections(&scene, action);
        objections.retain(|objection| Some(objection.rule) != self.without);
        objections
    }

    fn begin(&mut self, action: Action) {
        let before = self.world.clone();
        self.world.begin(&action);
        let mut harms = harms::harms(&before, &self.world);
        harms.extend(harms::acted_upon(&before, &action));
        self.in_flight.push(action.clone());
        harms.extend(self.crowded());
        self.note("begins", &action, harms);
    }

    fn finish(&mut self, place: usize) {
        let action = self.in_flight.remove(place);
        let before = self.world.clone();
        self.world.end(&action);
        let harms = harms::harms(&before, &self.world);
        self.note("ends", &action, harms);
        self.planned = self.planned.take().map(|scene| scene.after(&action));
    }

    fn note(&mut self, when: &str, action: &Action, harms: Vec<String>) {
        self.steps.push(format!("{when}: {action:?}"));
        let planned = if self.planned.is_some() { "planned" } else { "live" };
        let steps = self.steps.join("\n    ");
        self.harms
            .extend(harms.into_iter().map(|harm| format!("{harm} ({planned}), as the last of these\n    {steps}")));
    }

    /// Hosts and clusters that have more to do at once than they may.
    fn crowded(&self) -> Vec<String> {
        let busy: Vec<BTreeSet<usize>> = self.in_flight.iter().map(|action| self.busy(action)).collect();
        let mut harms = Vec::new();
        for host in 0..self.world.hosts.len() {
            if busy.iter().filter(|hosts| hosts.contains(&host)).count() > self.world.per_host {
                harms.push(format!("cap: h{host} has too much to do"));
            }
        }
        for cluster in 0..self.world.clusters.len() {
            let of_it = |host: &usize| self.world.hosts[*host].cluster == Some(cluster);
            if busy.iter().filter(|hosts| hosts.iter().any(of_it)).count() > self.world.per_cluster {
                harms.push(format!("cap: c{cluster} has too much to do"));
            }
        }
        harms
    }

    /// The hosts that have to do with an action.
    fn busy(&self, action: &Action) -> BTreeSet<usize> {
        match action {
            Action::Guest { id, change } => {
                let guest = &self.world.guests[guest_of(id)];
                let to = match change {
                    GuestChange::Migrate { to, .. }
                    | GuestChange::RemoteMigrate { to, .. }
                    | GuestChange::Clone { to: Some(to), .. } => Some(host_of(to)),
                    _ => None,
                };
                // One that is gone keeps nobody busy.
                let host = (!guest.gone).then_some(guest.host);
                host.into_iter().chain(to).collect()
            }
            Action::Snapshot { guest, .. } | Action::Packages { machine: Machine::Guest(guest), .. } => {
                let guest = &self.world.guests[guest_of(guest)];
                // One that is gone keeps nobody busy.
                (!guest.gone).then_some(guest.host).into_iter().collect()
            }
            other => [host_of(&other.on().id().into())].into(),
        }
    }
}
