//! Which machine is updated when: waves of machines that may be disturbed at the same time.
//!
//! Guests come before their node or after it, as it is wished, and are in no wave with nodes, so that a node is never emptied
//! while its guests are being updated. No two nodes of one cluster and no two of a redundant set are in one wave. The
//! canary goes first; Reanimator's own ground comes last, one by one.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{GuestId, GuestOrder, HostId, Machine, TargetKind, UpdateWish};

/// A machine that is to be updated, and what its place depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub machine: Machine,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
    /// The guest that it is, where it is one.
    pub guest: Option<GuestId>,
    /// The node that it is, where it is one.
    pub node: Option<HostId>,
    /// Whether it is in maintenance already.
    pub in_maintenance: bool,
    /// The name of its cluster, where it is of one.
    pub cluster: Option<String>,
    /// What it may not share with another that is updated at the same time: `cluster:ID` of a node, `set:NAME`.
    pub apart: BTreeSet<String>,
    /// Clusters that it is a part of.
    pub ground: BTreeSet<String>,
    /// What it has to do with Reanimator itself, where it has: `Reanimator itself runs on it`.
    pub own: Option<String>,
    /// Whether it was named as a canary.
    pub canary: bool,
}

/// A machine in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Which.
    pub candidate: Candidate,
    /// Its wave, counted from 1.
    pub wave: u32,
    /// Whether that wave goes first.
    pub canary: bool,
    /// Why it stands there.
    pub why: String,
}

/// Puts machines into waves, in order. Those of one wave are in the order of their names.
pub fn order(mut candidates: Vec<Candidate>, wish: &UpdateWish) -> Vec<Placed> {
    candidates.sort_by(|a, b| (a.name.as_str(), &a.machine).cmp(&(b.name.as_str(), &b.machine)));
    let (own, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|each| each.own.is_some());
    let (canaries, rest) = choose_canaries(others, wish);
    let mut waves = Waves { wish, placed: Vec::new(), next: 1 };
    for group in by_rank(canaries, wish) {
        waves.add(group, wish.wave_size.max(wish.canary), true);
    }
    for group in by_rank(rest, wish) {
        waves.add(group, wish.wave_size, false);
    }
    for group in by_rank(own, wish) {
        waves.add(group, 1, false);
    }
    waves.placed
}

/// Where a machine stands: lower ranks come first, and no wave has two.
fn rank(candidate: &Candidate, wish: &UpdateWish) -> u8 {
    let is_guest = candidate.guest.is_some() && candidate.kind != TargetKind::Node;
    match wish.order {
        GuestOrder::GuestsFirst => u8::from(candidate.kind == TargetKind::Node),
        GuestOrder::GuestsLast => u8::from(is_guest),
    }
}

fn by_rank(candidates: Vec<Candidate>, wish: &UpdateWish) -> Vec<Vec<Candidate>> {
    let mut groups: BTreeMap<u8, Vec<Candidate>> = BTreeMap::new();
    for candidate in candidates {
        groups.entry(rank(&candidate, wish)).or_default().push(candidate);
    }
    groups.into_values().collect()
}

/// Those that were named; else the first ones of the lowest rank that may be disturbed together.
fn choose_canaries(candidates: Vec<Candidate>, wish: &UpdateWish) -> (Vec<Candidate>, Vec<Candidate>) {
    if candidates.iter().any(|each| each.canary) {
        return candidates.into_iter().partition(|each| each.canary);
    }
    let lowest = candidates.iter().map(|each| rank(each, wish)).min();
    let (mut chosen, mut rest, mut taken) = (Vec::new(), Vec::new(), BTreeSet::new());
    for candidate in candidates {
        let room = chosen.len() < wish.canary as usize;
        if room && Some(rank(&candidate, wish)) == lowest && taken.is_disjoint(&candidate.apart) {
            taken.extend(candidate.apart.iter().cloned());
            chosen.push(candidate);
        } else {
            rest.push(candidate);
        }
    }
    (chosen, rest)
}

/// A wave as it fills: what no other of it may have, and each machine with the one that it waits for.
#[derive(Default)]
struct Filling {
    taken: BTreeSet<String>,
    there: Vec<(Candidate, Option<String>)>,
}

/// Waves as they fill.
struct Waves<'a> {
    wish: &'a UpdateWish,
    placed: Vec<Placed>,
    next: u32,
}

impl Waves<'_> {
    /// Adds a group in waves of its own, each machine into the first that has room for it.
    fn add(&mut self, group: Vec<Candidate>, size: u32, canary: bool) {
        let mut waves: Vec<Filling> = Vec::new();
        for candidate in group {
            let mut waits_for = None;
            let place = waves.iter().position(|Filling { taken, there }| {
                if !taken.is_disjoint(&candidate.apart) {
                    waits_for = shares(&candidate, there);
                    return false;
                }
                there.len() < size.max(1) as usize
            });
            let place = place.unwrap_or_else(|| {
                waves.push(Filling::default());
                waves.len() - 1
            });
            waves[place].taken.extend(candidate.apart.iter().cloned());
            waves[place].there.push((candidate, waits_for));
        }
        for Filling { there, .. } in waves {
            for (candidate, waits_for) in there {
                let why = self.why(&candidate, waits_for, canary);
                self.placed.push(Placed { candidate, wave: self.next, canary, why });
            }
            self.next += 1;
        }
    }

    fn why(&self, candidate: &Candidate, waits_for: Option<String>, canary: bool) -> String {
        let mut reasons = Vec::new();
        reasons.extend(candidate.own.as_ref().map(|own| format!("it comes last: {own}")));
        if canary {
            reasons.push("it is a canary, and goes first".to_owned());
        }
        let guests_first = self.wish.order == GuestOrder::GuestsFirst;
        let is_node = candidate.kind == TargetKind::Node;
        match (&candidate.cluster, is_node) {
            (Some(cluster), true) => {
                let guests = if guests_first { "after" } else { "before" };
                reasons.push(format!("one node of {cluster} at a time, {guests} the guests"));
            }
            (Some(_), false) if candidate.guest.is_some() => {
                let nodes = if guests_first { "before" } else { "after" };
                reasons.push(format!("guests come {nodes} nodes"));
            }
            _ => {}
        }
        reasons.extend(waits_for);
        if reasons.is_empty() {
            reasons.push(format!("{} at a time, by name", self.wish.wave_size));
        }
        reasons.join("; ")
    }
}

/// With whom of a wave a machine is not updated at once, and why.
fn shares(candidate: &Candidate, there: &[(Candidate, Option<String>)]) -> Option<String> {
    there.iter().find_map(|(other, _)| {
        let set = candidate.apart.intersection(&other.apart).find_map(|key| key.strip_prefix("set:"))?;
        Some(format!("not together with {}: both are of the redundant set {set}", other.name))
    })
}
