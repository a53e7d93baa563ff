//! Runs played through from their first machine to their last, whatever comes of each.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::{collection::vec, prelude::*};

use super::{Candidate, Move, Outcome, Placed, Verdict, apply, next, order};
use crate::model::{
    GuestId, GuestOrder, Machine, OnFailure, OperationState, RebootWish, Safety, TargetKind, TargetState, UpdatePhase,
    UpdateRun, UpdateState, UpdateStep, UpdateTarget, UpdateWish,
    facts::updates::{PackageManager, PendingPackage},
    packages::PackageReport,
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn candidate(name: &str, kind: TargetKind) -> Candidate {
    let is_guest = matches!(kind, TargetKind::Container | TargetKind::Vm);
    let machine = match is_guest {
        true => Machine::Guest(GuestId(format!("c1:{name}"))),
        false => Machine::Host(name.into()),
    };
    Candidate {
        machine,
        name: name.to_owned(),
        kind,
        guest: is_guest.then(|| GuestId(format!("c1:{name}"))),
        node: (kind == TargetKind::Node).then(|| name.into()),
        in_maintenance: false,
        cluster: (kind != TargetKind::Host).then(|| "lab".to_owned()),
        apart: if kind == TargetKind::Node { ["cluster:c1".to_owned()].into() } else { BTreeSet::new() },
        ground: BTreeSet::new(),
        own: None,
        canary: false,
    }
}

fn fleet() -> Vec<Candidate> {
    use TargetKind::{Container, Host, Node, Vm};
    let kinds = [("pve1", Node), ("pve2", Node), ("ct1", Container), ("vm1", Vm), ("ct2", Container), ("web1", Host)];
    kinds.into_iter().map(|(name, kind)| candidate(name, kind)).collect()
}

/// `1:ct1 ct2|2:...`
fn told(placed: &[Placed]) -> String {
    let mut waves: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    placed.iter().for_each(|each| waves.entry(each.wave).or_default().push(&each.candidate.name));
    waves.values().map(|names| names.join(" ")).collect::<Vec<_>>().join("|")
}

fn run(placed: Vec<Placed>, wish: UpdateWish) -> UpdateRun {
    let target = |(number, placed): (usize, Placed)| {
        let each = placed.candidate;
        UpdateTarget {
            wave: placed.wave,
            canary: placed.canary,
            why: placed.why,
            own: each.own.is_some(),
            guest: each.guest,
            node: each.node,
            apart: each.apart,
            ground: each.ground,
            ..UpdateTarget::new(number as u32, each.machine, each.name, each.kind)
        }
    };
    UpdateRun {
        state: UpdateState::Running,
        targets: placed.into_iter().enumerate().map(target).collect(),
        ..UpdateRun::new(wish, "ada", "local", NOW)
    }
}

fn report(reboot_wanted: bool) -> PackageReport {
    PackageReport {
        manager: PackageManager::Apt,
        changes: Vec::new(),
        changed_count: 1,
        kept_files: Vec::new(),
        left: Vec::new(),
        reboot_wanted,
        reboot_reasons: Vec::new(),
        services: Vec::new(),
        failures: Vec::new(),
    }
}

/// What comes of each thing that is done: a machine's name and a phase fail where they are among `failing`.
struct World<'a> {
    failing: &'a dyn Fn(&str, UpdatePhase) -> bool,
    pending: &'a dyn Fn(&str) -> usize,
    restart: bool,
    /// Whether who is not well is not well either after it went back to its snapshot.
    ill_for_good: bool,
    asked: Vec<(String, UpdatePhase)>,
}

impl World<'_> {
    fn outcome(&self, target: &UpdateTarget, phase: UpdatePhase) -> Outcome {
        let name = target.name.as_str();
        let is_healed = phase == UpdatePhase::Health && target.rolled_back && !self.ill_for_good;
        let fails = (self.failing)(name, phase) && !is_healed;
        let verdict = if fails { Verdict::Refuse("no room".into()) } else { Verdict::Go };
        match phase {
            UpdatePhase::Check => Outcome::Checked { verdict, vitals: None, notes: Vec::new() },
            UpdatePhase::Survey => Outcome::Surveyed {
                verdict,
                pending: vec![PendingPackage::default(); (self.pending)(name)],
                security: None,
                restart_due: self.restart,
                notes: Vec::new(),
            },
            UpdatePhase::Health if fails => Outcome::Unwell(vec!["nginx does not run any more".into()]),
            UpdatePhase::Health => Outcome::Well,
            _ => Outcome::Ended {
                state: if fails { OperationState::Failed } else { OperationState::Done },
                note: Some("it broke".into()),
                begun: true,
                report: (phase == UpdatePhase::Upgrade).then(|| report(self.restart)),
            },
        }
    }

    /// Plays a run to its end, one thing at a time, in the order that `dice` say.
    fn play(&mut self, run: &mut UpdateRun, dice: &[usize]) {
        let mut busy: BTreeMap<u32, UpdatePhase> = BTreeMap::new();
        for turn in 0..10_000 {
            for step in next(run, &busy.keys().copied().collect()) {
                match step {
                    Move::Begin(number) => {
                        let target = &mut run.targets[number as usize];
                        assert_eq!(target.state, TargetState::Pending);
                        (target.state, target.phase) = (TargetState::Running, Some(UpdatePhase::Check));
                    }
                    Move::Skip(number, why) => {
                        let target = &mut run.targets[number as usize];
                        assert_eq!(target.state, TargetState::Pending, "what has begun is seen to its end");
                        (target.state, target.failure) = (TargetState::Skipped, Some(why));
                    }
                    Move::Go(number, phase) => {
                        let target = &mut run.targets[number as usize];
                        if phase.is_operation() {
                            assert!(target.step(phase).is_none(), "{} {phase:?} twice", target.name);
                            let (operation, asked_at) = (format!("{number}").into(), NOW);
                            target.steps.push(UpdateStep { phase, operation, state: None, asked_at, ended_at: None });
                        }
                        self.asked.push((target.name.clone(), phase));
                        assert!(busy.insert(number, phase).is_none());
                    }
                    Move::End(state, note) => {
                        assert!(busy.is_empty());
                        (run.state, run.note) = (state, note);
                        return;
                    }
                }
            }
            self.check_apart(run);
            let Some((&number, &phase)) = busy.iter().nth(dice[turn % dice.len()] % busy.len().max(1)) else {
                continue;
            };
            busy.remove(&number);
            let outcome = self.outcome(&run.targets[number as usize], phase);
            apply(&mut run.targets[number as usize], &run.wish, outcome, NOW);
        }
        panic!("it does not end: {run:#?}");
    }

    fn check_apart(&self, run: &UpdateRun) {
        let mut taken = BTreeSet::new();
        for target in run.targets.iter().filter(|target| target.state == TargetState::Running) {
            for key in &target.apart {
                assert!(taken.insert(key), "two of {key} at once");
            }
        }
    }
}

fn play(run: &mut UpdateRun, failing: &dyn Fn(&str, UpdatePhase) -> bool) -> Vec<(String, UpdatePhase)> {
    let mut world = World { failing, pending: &|_| 1, restart: false, ill_for_good: false, asked: Vec::new() };
    world.play(run, &[0]);
    world.asked
}

fn states(run: &UpdateRun) -> String {
    run.targets.iter().map(|each| format!("{}={}", each.name, each.state.as_str())).collect::<Vec<_>>().join(" ")
}

#[test]
fn guests_come_before_their_nodes_or_after_them_and_nodes_of_a_cluster_one_by_one() {
    let wish = UpdateWish { wave_size: 2, ..UpdateWish::default() };
    assert_eq!(told(&order(fleet(), &wish)), "ct1|ct2 vm1|web1|pve1|pve2");
    let after = UpdateWish { order: GuestOrder::GuestsLast, ..wish.clone() };
    assert_eq!(told(&order(fleet(), &after)), "pve1|pve2 web1|ct1 ct2|vm1");
    let none = UpdateWish { canary: 0, wave_size: 9, ..wish };
    assert_eq!(told(&order(fleet(), &none)), "ct1 ct2 vm1 web1|pve1|pve2");
}

#[test]
fn a_named_canary_goes_first_and_our_own_ground_last_and_says_so() {
    let mut machines = fleet();
    machines[5].canary = true;
    machines[3].own = Some("Reanimator itself runs in it".into());
    machines[0].own = Some("Reanimator itself runs in vm1, which is on it".into());
    let placed = order(machines, &UpdateWish::default());
    assert_eq!(told(&placed), "web1|ct1 ct2|pve2|vm1|pve1");
    assert_eq!(placed[0].why, "it is a canary, and goes first");
    assert!(placed[5].why.starts_with("it comes last: Reanimator itself runs in vm1, which is on it"), "{placed:?}");
}

#[test]
fn two_of_a_redundant_set_are_in_different_waves_and_it_is_said_why() {
    let mut machines: Vec<Candidate> = ["a", "b", "c"].map(|name| candidate(name, TargetKind::Host)).into();
    machines[0].apart.insert("set:dns".into());
    machines[1].apart.insert("set:dns".into());
    let placed = order(machines, &UpdateWish { canary: 0, ..UpdateWish::default() });
    assert_eq!(told(&placed), "a c|b");
    assert_eq!(placed[2].why, "not together with a: both are of the redundant set dns");
}

#[test]
fn a_canary_that_fails_stops_the_run_and_the_rest_is_untouched() {
    let wish = UpdateWish { on_failure: OnFailure::GoOn, ..UpdateWish::default() };
    let mut failing = run(order(fleet(), &wish), wish.clone());
    play(&mut failing, &|name, phase| name == "ct1" && phase == UpdatePhase::Upgrade);
    assert_eq!(states(&failing), "ct1=failed ct2=skipped vm1=skipped web1=skipped pve1=skipped pve2=skipped");
    assert_eq!(failing.targets[1].failure.as_deref(), Some("not begun: ct1, the canary, failed"));
    assert_eq!(failing.state, UpdateState::Failed);

    let mut later = run(order(fleet(), &wish), wish);
    play(&mut later, &|name, phase| name == "pve1" && phase == UpdatePhase::Check);
    assert_eq!(states(&later), "ct1=updated ct2=updated vm1=updated web1=updated pve1=failed pve2=skipped");
    assert_eq!(later.targets[5].failure.as_deref(), Some("pve1 failed, and both are nodes of one cluster"));
}

#[test]
fn a_canary_that_is_passed_over_shows_nothing_and_the_rest_is_not_begun() {
    let wish = UpdateWish::default();
    let passed_over = |run: &mut UpdateRun, number: usize| {
        let target = &mut run.targets[number];
        (target.state, target.failure) = (TargetState::Skipped, Some("it does not answer".to_owned()));
    };
    let mut none = run(order(fleet(), &wish), wish.clone());
    passed_over(&mut none, 0);
    assert!(play(&mut none, &|_, _| false).is_empty());
    assert_eq!(none.targets[1].failure.as_deref(), Some("not begun: ct1, the canary, was passed over"));
    assert_eq!(none.state, UpdateState::Cancelled);
    assert_eq!(none.note.as_deref(), Some("6 of 6 machines were passed over, the canary among them"));

    let two = UpdateWish { canary: 2, ..wish.clone() };
    let mut other = run(order(fleet(), &two), two);
    passed_over(&mut other, 0);
    play(&mut other, &|_, _| false);
    assert_eq!(
        (other.state, other.targets[1].state),
        (UpdateState::Done, TargetState::Updated),
        "the other one shows it"
    );

    let mut alone = run(order(vec![candidate("web1", TargetKind::Host)], &wish), wish);
    passed_over(&mut alone, 0);
    play(&mut alone, &|_, _| false);
    assert_eq!(alone.state, UpdateState::Done, "nobody waited for it");
}

#[test]
fn a_guest_that_is_not_well_goes_back_and_its_snapshot_goes_in_the_end() {
    let wish = UpdateWish { safety: Safety::Snapshot, ..UpdateWish::default() };
    let mut failing = run(order(vec![candidate("ct1", TargetKind::Container)], &wish), wish.clone());
    let asked = play(&mut failing, &|_, phase| phase == UpdatePhase::Health);
    let phases: Vec<&str> = asked.iter().map(|(_, phase)| phase.as_str()).collect();
    assert_eq!(phases, ["check", "refresh", "survey", "safety", "upgrade", "health", "roll-back", "health", "tidy"]);
    assert_eq!((states(&failing).as_str(), failing.targets[0].has_snapshot), ("ct1=rolled-back", false));

    let mut stuck = run(order(vec![candidate("ct1", TargetKind::Container)], &wish), wish.clone());
    play(&mut stuck, &|_, phase| matches!(phase, UpdatePhase::Health | UpdatePhase::RollBack));
    assert_eq!((states(&stuck).as_str(), stuck.targets[0].has_snapshot), ("ct1=failed", true), "it is kept");

    let mut ill = run(order(vec![candidate("ct1", TargetKind::Container)], &wish), wish.clone());
    let fails = |_: &str, phase| phase == UpdatePhase::Health;
    let mut world = World { failing: &fails, pending: &|_| 1, restart: false, ill_for_good: true, asked: Vec::new() };
    world.play(&mut ill, &[0]);
    let target = &ill.targets[0];
    assert_eq!((target.state, target.rolled_back, target.has_snapshot), (TargetState::Failed, true, true), "kept");
    assert!(target.failure.as_deref().is_some_and(|why| why.contains("is not well there either")), "{target:?}");

    let mut early = run(order(vec![candidate("ct1", TargetKind::Container)], &wish), wish);
    play(&mut early, &|_, phase| phase == UpdatePhase::Survey);
    assert_eq!(
        (states(&early).as_str(), early.targets[0].steps.len()),
        ("ct1=failed", 1),
        "only its lists were fetched"
    );
}

#[test]
fn a_node_is_emptied_only_where_a_restart_is_due_and_filled_again() {
    let wish = UpdateWish::default();
    let phases = |restart, wish: &UpdateWish| {
        let mut run = run(order(vec![candidate("pve1", TargetKind::Node)], wish), wish.clone());
        let mut world =
            World { failing: &|_, _| false, pending: &|_| 1, restart, ill_for_good: false, asked: Vec::new() };
        world.play(&mut run, &[0]);
        assert_eq!(states(&run), "pve1=updated");
        world.asked.iter().map(|(_, phase)| phase.as_str()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(phases(false, &wish), "check refresh survey upgrade health");
    assert_eq!(phases(true, &wish), "check refresh survey evacuate upgrade restart health return");
    let never = UpdateWish { reboot: RebootWish::Never, ..wish.clone() };
    assert_eq!(phases(true, &never), "check refresh survey upgrade health");
    // What is pending did not tell of it, and the report does.
    let mut late = run(order(vec![candidate("pve1", TargetKind::Node)], &wish), wish.clone());
    (late.targets[0].state, late.targets[0].phase, late.targets[0].pending_count) =
        (TargetState::Running, Some(UpdatePhase::Upgrade), 1);
    let ended = Outcome::Ended { state: OperationState::Done, note: None, begun: true, report: Some(report(true)) };
    apply(&mut late.targets[0], &wish, ended, NOW);
    assert_eq!(late.targets[0].phase, Some(UpdatePhase::Evacuate));
    let ended = Outcome::Ended { state: OperationState::Done, note: None, begun: true, report: None };
    apply(&mut late.targets[0], &wish, ended, NOW);
    assert_eq!(late.targets[0].phase, Some(UpdatePhase::Restart));
}

#[test]
fn one_that_is_stopped_sees_to_its_end_what_has_begun() {
    let wish = UpdateWish { canary: 0, wave_size: 2, ..UpdateWish::default() };
    let mut run = run(order(fleet(), &wish), wish);
    run.targets[0].state = TargetState::Running;
    run.targets[0].phase = Some(UpdatePhase::Upgrade);
    run.cancel = true;
    play(&mut run, &|_, _| false);
    assert_eq!(states(&run), "ct1=updated ct2=skipped vm1=skipped web1=skipped pve1=skipped pve2=skipped");
    assert_eq!(run.state, UpdateState::Cancelled);
}

#[test]
fn two_runs_clash_where_they_share_a_machine_a_cluster_or_a_set() {
    let single =
        |name: &str, kind| run(order(vec![candidate(name, kind)], &UpdateWish::default()), UpdateWish::default());
    let (one, two) = (single("pve1", TargetKind::Node), single("pve2", TargetKind::Node));
    assert!(one.clashes(&two) && one.clashes(&one));
    let mut other = single("web1", TargetKind::Host);
    assert!(!one.clashes(&other));
    other.targets[0].ground.insert("cluster:c1".into());
    assert!(one.clashes(&other));
    other.targets[0].state = TargetState::Updated;
    assert!(!one.clashes(&other), "what is over is free");
}

prop_compose! {
    fn machine()(kind in 0..4_u8, sets in vec(0..3_u8, 0..2), own in prop::bool::weighted(0.1), canary in prop::bool::weighted(0.1))
        -> (u8, Vec<u8>, bool, bool) {
        (kind, sets, own, canary)
    }
}

fn any_fleet(machines: &[(u8, Vec<u8>, bool, bool)]) -> Vec<Candidate> {
    let build = |(place, (kind, sets, own, canary)): (usize, &(u8, Vec<u8>, bool, bool))| {
        let kind = [TargetKind::Host, TargetKind::Node, TargetKind::Container, TargetKind::Vm][usize::from(*kind)];
        let mut each = candidate(&format!("m{place:02}"), kind);
        each.apart.extend(sets.iter().map(|set| format!("set:{set}")));
        each.own = own.then(|| "it is ours".to_owned());
        each.canary = *canary;
        each
    };
    machines.iter().enumerate().map(build).collect()
}

proptest! {
    #[test]
    fn every_order_keeps_its_promises(machines in vec(machine(), 1..30), size in 1..5_u32, canary in 0..3_u32, last: bool) {
        let order_wish = if last { GuestOrder::GuestsLast } else { GuestOrder::GuestsFirst };
        let wish = UpdateWish { wave_size: size, canary, order: order_wish, ..UpdateWish::default() };
        let all = any_fleet(&machines);
        let placed = order(all.clone(), &wish);
        prop_assert_eq!(placed.len(), all.len());
        let named: BTreeSet<_> = placed.iter().map(|each| each.candidate.machine.clone()).collect();
        prop_assert_eq!(named.len(), all.len());
        let waves: BTreeSet<u32> = placed.iter().map(|each| each.wave).collect();
        prop_assert_eq!(waves, (1..=placed.iter().map(|each| each.wave).max().unwrap_or(0)).collect::<BTreeSet<_>>());
        prop_assert!(placed.is_sorted_by_key(|each| each.wave));
        for wave in placed.chunk_by(|a, b| a.wave == b.wave) {
            let keys: Vec<&String> = wave.iter().flat_map(|each| &each.candidate.apart).collect();
            prop_assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "two that stand in for each other");
            prop_assert!(wave.len() <= size.max(canary) as usize);
            let own = wave.iter().any(|each| each.candidate.own.is_some());
            prop_assert!(!own || wave.len() == 1);
            let nodes = wave.iter().filter(|each| each.candidate.kind == TargetKind::Node).count();
            prop_assert!(nodes == 0 || wave.iter().all(|each| each.candidate.guest.is_none()), "a node and a guest at once");
            prop_assert!(wave.iter().all(|each| !each.why.is_empty()));
        }
        let plain = || placed.iter().filter(|each| !each.canary && each.candidate.own.is_none());
        let first_own = placed.iter().filter(|each| each.candidate.own.is_some()).map(|each| each.wave).min();
        prop_assert!(first_own.is_none_or(|own| placed.iter().all(|each| each.candidate.own.is_some() || each.wave < own)));
        for node in plain().filter(|each| each.candidate.kind == TargetKind::Node) {
            for guest in plain().filter(|each| each.candidate.guest.is_some()) {
                prop_assert_eq!(guest.wave < node.wave, !last);
            }
        }
    }

    #[test]
    fn every_run_ends_and_leaves_nothing_half_done(
        machines in vec(machine(), 1..12), failing in vec((0..12_usize, 0..11_usize), 0..4), dice in vec(0..7_usize, 1..20),
        go_on: bool, snapshot: bool, restart: bool, ill_for_good: bool, nothing in 0..13_usize,
    ) {
        let phases = [
            UpdatePhase::Check, UpdatePhase::Refresh, UpdatePhase::Survey, UpdatePhase::Safety, UpdatePhase::Evacuate,
            UpdatePhase::Upgrade, UpdatePhase::Restart, UpdatePhase::Health, UpdatePhase::Return, UpdatePhase::RollBack,
            UpdatePhase::Tidy,
        ];
        let wish = UpdateWish {
            on_failure: if go_on { OnFailure::GoOn } else { OnFailure::Stop },
            safety: if snapshot { Safety::Snapshot } else { Safety::None },
            ..UpdateWish::default()
        };
        let mut run = run(order(any_fleet(&machines), &wish), wish);
        let fails = |name: &str, phase: UpdatePhase| {
            failing.iter().any(|(place, which)| name == format!("m{place:02}") && phases[*which] == phase)
        };
        let current = format!("m{nothing:02}");
        let pending = |name: &str| usize::from(name != current);
        let mut world = World { failing: &fails, pending: &pending, restart, ill_for_good, asked: Vec::new() };
        world.play(&mut run, &dice);
        prop_assert!(run.state.is_over());
        for target in &run.targets {
            prop_assert!(target.state.is_over(), "{:?}", target);
            prop_assert!(target.steps.iter().all(|step| step.state.is_some()), "no operation is left unheard");
            match target.state {
                TargetState::Updated => {
                    prop_assert!(!target.evacuated && target.failure.is_none());
                    let tidied = !target.has_snapshot;
                    prop_assert!(tidied);
                }
                TargetState::RolledBack => {
                    prop_assert!(target.rolled_back && target.guest.is_some() && !target.own);
                    let well = !ill_for_good || !fails(&target.name, UpdatePhase::Health);
                    prop_assert!(well, "nobody is called rolled back who is not well");
                }
                TargetState::Skipped => prop_assert!(target.steps.is_empty() && target.failure.is_some()),
                TargetState::Failed => prop_assert!(target.failure.is_some()),
                TargetState::Current => prop_assert!(!target.has_snapshot && !target.evacuated),
                TargetState::Pending | TargetState::Running => prop_assert!(false),
            }
            let upgraded = target.step(UpdatePhase::Upgrade).is_some();
            let unwell = target.state == TargetState::Failed && upgraded && snapshot && target.guest.is_some() && !target.own;
            prop_assert!(!unwell || target.step(UpdatePhase::RollBack).is_some(), "{:?}", target);
        }
        let bad = run.targets.iter().any(|target| target.state.is_bad());
        prop_assert_eq!(run.state == UpdateState::Failed, bad);
        if !go_on && bad {
            let wave = run.targets.iter().filter(|each| each.state.is_bad()).map(|each| each.wave).max();
            prop_assert!(run.targets.iter().all(|each| Some(each.wave) <= wave || each.state == TargetState::Skipped));
        }
    }
}
