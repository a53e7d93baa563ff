//! How much each node of a cluster is asked in a minute. Pure: no API, no clock.
//!
//! Figures come first: what their rounds take of a minute is counted, and facts are asked for in what is left of
//! [`PER_MINUTE`]. Whatever is asked is noted, also what somebody wanted to see at once; facts wait for it then.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

/// How many requests a node sees in any minute.
pub(super) const PER_MINUTE: usize = 20;

/// What is left for facts in any case: where nobody knows the nodes' addresses, one node sees the rounds of all.
const LEAST: usize = 6;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// How long a node is remembered that is not asked any more.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(5);

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Figures, in a round that comes again and again.
    Round,
    /// Facts, which can wait.
    Facts,
}

/// What nodes were asked lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Budget {
    nodes: BTreeMap<String, Asked>,
}

#[derive(Clone, Debug, Default)]
struct Asked {
    /// The minute up to the last round: as much as any minute sees of rounds.
    rounds: VecDeque<Timestamp>,
    facts: VecDeque<Timestamp>,
}

impl Budget {
    /// Notes a request that these nodes see.
    pub(super) fn note(&mut self, nodes: &[String], purpose: Purpose, now: Timestamp) {
        self.nodes.retain(|_, asked| asked.is_remembered(now));
        for node in nodes {
            let asked = self.nodes.entry(node.clone()).or_default();
            let row = match purpose {
                Purpose::Round => &mut asked.rounds,
                Purpose::Facts => &mut asked.facts,
            };
            row.retain(|at| is_within(*at, MINUTE, now));
            row.push_back(now);
        }
    }

    /// How many questions about facts all of these nodes may be asked now.
    pub(super) fn room(&self, nodes: &[String], now: Timestamp) -> usize {
        let room = |node: &String| self.nodes.get(node).map_or(PER_MINUTE, |asked| asked.room(now));
        nodes.iter().map(room).min().unwrap_or(PER_MINUTE)
    }
}

impl Asked {
    fn room(&self, now: Timestamp) -> usize {
        let rounds = match self.rounds.back() {
            Some(last) if is_within(*last, REMEMBERED, now) => self.rounds.len(),
            _ => 0,
        };
        let facts = self.facts.iter().filter(|at| is_within(**at, MINUTE, now)).count();
        PER_MINUTE.saturating_sub(rounds).max(LEAST).saturating_sub(facts)
    }

    fn is_remembered(&self, now: Timestamp) -> bool {
        [self.rounds.back(), self.facts.back()].into_iter().flatten().any(|at| is_within(*at, REMEMBERED, now))
    }
}

/// Whether it was less than this ago. What lies ahead, since a clock was set back, is not.
fn is_within(at: Timestamp, span: SignedDuration, now: Timestamp) -> bool {
    let age = now.duration_since(at);
    !age.is_negative() && age < span
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    /// Half an hour of rounds every 10 s, with facts asked for whenever there is room.
    fn half_an_hour(names: &[&str], per_round: usize) -> Vec<i64> {
        let nodes: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let (mut budget, mut asked) = (Budget::default(), Vec::new());
        for second in (0..1800).step_by(10) {
            for _ in 0..per_round + usize::from(second % 60 == 0) {
                budget.note(&nodes, Purpose::Round, at(second));
                asked.push(second);
            }
            while second % 20 == 0 && budget.room(&nodes, at(second)) > 0 {
                budget.note(&nodes, Purpose::Facts, at(second));
                asked.push(second);
            }
        }
        asked
    }

    #[test]
    fn no_minute_whatever_its_start_sees_more_than_twenty() {
        let asked = half_an_hour(&["pve1"], 2);
        let in_minute = |from: i64| asked.iter().filter(|second| (from..from + 60).contains(*second)).count();
        assert!((60..1740).all(|from| in_minute(from) <= PER_MINUTE));
        assert_eq!(in_minute(600), PER_MINUTE, "and all of it is used");
    }

    #[test]
    fn a_request_that_is_sent_on_takes_of_both_nodes() {
        let mut budget = Budget::default();
        let (a, b) = ("a".to_owned(), "b".to_owned());
        for _ in 0..5 {
            budget.note(&[a.clone(), b.clone()], Purpose::Facts, at(0));
        }
        budget.note(std::slice::from_ref(&b), Purpose::Facts, at(0));
        let room =
            |nodes: &[&String]| budget.room(&nodes.iter().map(|node| (*node).clone()).collect::<Vec<_>>(), at(1));
        assert_eq!((room(&[&a]), room(&[&b]), room(&[&a, &b])), (15, 14, 14));
        assert_eq!(budget.room(&[a], at(60)), PER_MINUTE);
    }

    #[test]
    fn rounds_that_take_it_all_leave_a_little_and_those_that_ended_are_forgotten() {
        let (mut budget, node) = (Budget::default(), ["a".to_owned()]);
        for _ in 0..100 {
            budget.note(&node, Purpose::Round, at(0));
        }
        assert_eq!(budget.room(&node, at(100)), LEAST);
        assert_eq!(budget.room(&node, at(300)), PER_MINUTE);
        budget.note(&["b".to_owned()], Purpose::Round, at(300));
        assert_eq!(budget.nodes.len(), 1);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nobody_waiting() {
        let (mut budget, node) = (Budget::default(), ["a".to_owned()]);
        for _ in 0..20 {
            budget.note(&node, Purpose::Facts, at(1000));
        }
        assert_eq!(budget.room(&node, at(10)), PER_MINUTE);
    }
}
