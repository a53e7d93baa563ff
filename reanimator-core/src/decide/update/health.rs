//! Whether a machine is as well as it was.

use std::collections::BTreeSet;

use crate::model::{HealthWish, Vitals};

/// The most things that are named of one kind.
const NAMED: usize = 20;

/// What is not as it was before, one sentence each. What was not seen before is not asked for now.
pub fn unwell(before: &Vitals, now: &Vitals, wish: &HealthWish) -> Vec<String> {
    let mut found = Vec::new();
    if wish.units {
        let stopped = missing(&before.running, &now.running);
        found.extend(said(stopped, "it does not say which services run", |unit| {
            format!("{unit} does not run any more")
        }));
        let failed = missing(&now.failed, &before.failed).unwrap_or_default();
        found.extend(failed.into_iter().take(NAMED).map(|unit| format!("{unit} has failed")));
    }
    if wish.listeners {
        let silent = missing(&before.listeners, &now.listeners);
        found.extend(said(silent, "it does not say where it listens", |port| {
            format!("nobody listens on {port} any more")
        }));
    }
    found
}

/// What is in the first and not in the second; none where the second was not seen and something should be there.
fn missing(first: &Option<BTreeSet<String>>, second: &Option<BTreeSet<String>>) -> Option<Vec<String>> {
    match (first, second) {
        (None, _) => Some(Vec::new()),
        (Some(first), None) if first.is_empty() => Some(Vec::new()),
        (Some(_), None) => None,
        (Some(first), Some(second)) => Some(first.difference(second).cloned().collect()),
    }
}

fn said(missing: Option<Vec<String>>, unseen: &str, words: impl Fn(&str) -> String) -> Vec<String> {
    match missing {
        None => vec![unseen.to_owned()],
        Some(missing) => missing.iter().take(NAMED).map(|each| words(each)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(words: &str) -> Option<BTreeSet<String>> {
        Some(words.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn what_ran_runs_what_listened_listens_and_nothing_failed_anew() {
        let before = Vitals { running: set("nginx ssh"), failed: set("old"), listeners: set("tcp/22 tcp/80") };
        let wish = HealthWish::default();
        assert_eq!(unwell(&before, &before, &wish), [""; 0]);
        let now = Vitals { running: set("ssh"), failed: set("old new"), listeners: set("tcp/22 tcp/443") };
        let all = ["nginx does not run any more", "new has failed", "nobody listens on tcp/80 any more"];
        assert_eq!(unwell(&before, &now, &wish), all);
        let only = |units, listeners| unwell(&before, &now, &HealthWish { units, listeners, ..wish.clone() });
        assert_eq!((only(true, false), only(false, true)), (vec![all[0].into(), all[1].into()], vec![all[2].into()]));
        assert!(only(false, false).is_empty());
    }

    #[test]
    fn what_was_not_seen_before_is_not_asked_for_and_what_is_not_seen_now_is_not_well() {
        let (none, all) =
            (Vitals::default(), Vitals { running: set("ssh"), failed: set(""), listeners: set("tcp/22") });
        assert_eq!(unwell(&none, &all, &HealthWish::default()), [""; 0]);
        let told = unwell(&all, &none, &HealthWish::default());
        assert_eq!(told, ["it does not say which services run", "it does not say where it listens"]);
    }
}
