//! The watch, step by step.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::model::{
    Alert, AlertRule, AlertState, Resolution,
    attention::{Attention, AttentionKind, AttentionLevel, Trouble},
};

fn rule(condition: &str) -> AlertRule {
    let text = format!(r#"{{"name":"r","hosts":"all","condition":{condition}}}"#);
    let rule: AlertRule = serde_json::from_str(&text).unwrap();
    rule.check().unwrap();
    rule
}

fn cpu() -> AlertRule {
    rule(r#"{"kind":"threshold","metric":"cpu_percent","enter":90,"leave":80,"for_seconds":60}"#)
}

fn trouble(kind: AttentionKind, disk: &str) -> Attention {
    let trouble = Trouble::new(kind, AttentionLevel::Critical, format!("{disk} is ill")).with("disk", disk);
    trouble.of("host:h", "web1")
}

/// A watch, its time, and what it told.
struct Play {
    rule: AlertRule,
    watch: Watch,
    second: i64,
    told: Vec<(i64, &'static str, Alert)>,
}

impl Play {
    fn new(rule: AlertRule) -> Self {
        Self { rule, watch: Watch::default(), second: 0, told: Vec::new() }
    }

    fn look(&mut self, after: i64, subjects: &[Subject]) {
        self.second += after;
        let rule = self.rule.clone();
        self.take(&[Bound { rule: &rule, covers: (0..subjects.len()).collect() }], subjects);
    }

    fn take(&mut self, rules: &[Bound<'_>], subjects: &[Subject]) {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(self.second);
        let (watch, transitions) = self.watch.step(rules, subjects, now);
        self.watch = watch;
        for transition in transitions {
            let word = match &transition {
                Transition::Raised(_) => "raised",
                Transition::Returned(_) => "returned",
                Transition::Renewed(_) => "renewed",
                Transition::Resolved(_) => "resolved",
            };
            self.told.push((self.second, word, transition.alert().clone()));
        }
    }

    /// So many looks, ten seconds apart, at that figure.
    fn figures(&mut self, looks: usize, value: f64) {
        for _ in 0..looks {
            self.look(10, &[Subject::new("host:h", "web1").with("cpu_percent", value)]);
        }
    }

    fn words(&self) -> Vec<(i64, &'static str)> {
        self.told.iter().map(|(second, word, _)| (*second, *word)).collect()
    }
}

#[test]
fn a_threshold_has_a_time_and_two_levels() {
    let mut play = Play::new(cpu());
    play.figures(3, 50.0);
    play.figures(5, 95.0);
    play.figures(1, 70.0);
    assert_eq!(play.words(), [], "it did not last");
    play.figures(7, 95.0);
    assert_eq!(play.words(), [(160, "raised")]);
    let alert = play.told[0].2.clone();
    assert_eq!(alert.text, "cpu_percent is 95 %, above 90 %");
    assert_eq!((alert.since.as_second(), alert.value, alert.state), (100, Some(95.0), AlertState::Active));
    play.figures(60, 85.0);
    assert_eq!(play.words().len(), 1, "between the levels nothing goes on");
    play.figures(3, 79.0);
    play.figures(1, 85.0);
    play.figures(6, 79.0);
    assert_eq!(play.words().len(), 2, "it has to be calm in one go");
    assert_eq!(play.told[1].2.resolution, Some(Resolution::Well));
    assert_eq!(play.told[1].2.id, alert.id);
}

#[test]
fn a_gap_neither_raises_nor_resolves() {
    let mut play = Play::new(cpu());
    play.figures(3, 95.0);
    play.look(3600, &[Subject::new("host:h", "web1").with("cpu_percent", 95.0)]);
    assert_eq!(play.words(), [], "an hour that nobody saw is no time");
    for _ in 0..500 {
        play.look(10, &[Subject::new("host:h", "web1")]);
    }
    assert_eq!(play.words(), []);
    play.figures(4, 95.0);
    assert_eq!(play.words().len(), 1, "what was seen adds up");
    for _ in 0..500 {
        play.look(10, &[Subject::new("host:h", "web1")]);
    }
    assert_eq!(play.words().len(), 1);
    play.figures(7, 10.0);
    assert_eq!(play.words().last().unwrap().1, "resolved");
}

#[test]
fn what_flaps_rings_a_few_times_only() {
    let mut play = Play::new(cpu());
    // For a day: two minutes on, two minutes off.
    for _ in 0..360 {
        play.figures(12, 95.0);
        play.figures(12, 10.0);
    }
    let rung = play.words().iter().filter(|(_, word)| *word == "raised" || *word == "returned").count();
    assert!((2..=3).contains(&rung), "{:?}", play.words());
    assert!(play.told.iter().all(|(.., alert)| alert.id == play.told[0].2.id), "it is one alert");
}

#[test]
fn maintenance_is_silent_and_goes_on_afterwards() {
    let hand = |value| Subject {
        presence: Presence::Maintenance,
        ..Subject::new("host:h", "web1").with("cpu_percent", value)
    };
    let mut play = Play::new(cpu());
    play.figures(3, 95.0);
    for _ in 0..50 {
        play.look(10, &[hand(95.0)]);
    }
    assert_eq!(play.words(), []);
    play.figures(6, 95.0);
    assert_eq!(play.words(), [], "it begins anew afterwards");
    play.figures(1, 95.0);
    assert_eq!(play.words().len(), 1);
    for _ in 0..50 {
        play.look(10, &[hand(0.0)]);
    }
    assert_eq!(play.words().len(), 1, "what was raised before stays");
    play.figures(7, 0.0);
    assert_eq!(play.words().len(), 2);
}

#[test]
fn offline_counts_from_the_last_answer_but_not_from_before_it_looked() {
    let away = |since: i64| Subject {
        presence: Presence::Away { since: Timestamp::from_second(since).ok() },
        ..Subject::new("host:h", "web1")
    };
    let mut play = Play::new(rule(r#"{"kind":"offline","for_seconds":60}"#));
    // It looks for the first time, at something that was silent for long.
    play.second = 10_000;
    play.look(0, &[away(0)]);
    assert_eq!(play.words(), []);
    for _ in 0..6 {
        play.look(10, &[away(0)]);
    }
    assert_eq!(play.words(), [(10_060, "raised")]);
    let mut play = Play::new(rule(r#"{"kind":"offline","for_seconds":60}"#));
    for _ in 0..20 {
        play.look(10, &[Subject::new("host:h", "web1")]);
    }
    // It answered last at 170 and is known to be away at 210.
    play.look(10, &[away(170)]);
    play.look(10, &[away(170)]);
    play.look(10, &[away(170)]);
    assert_eq!(play.words(), [(230, "raised")]);
    assert_eq!(play.told[0].2.since.as_second(), 170);
}

#[test]
fn each_disk_is_a_matter_of_its_own_and_a_silent_host_mends_none() {
    let with = |disks: &[&str]| Subject {
        troubles: disks.iter().map(|disk| trouble(AttentionKind::DiskHealth, disk)).collect(),
        ..Subject::new("host:h", "web1")
    };
    let mut play = Play::new(rule(r#"{"kind":"attention","kinds":["disk-health"]}"#));
    play.look(10, &[with(&["sda", "sdb"])]);
    assert_eq!(play.words(), [(10, "raised"), (10, "raised")]);
    for _ in 0..50 {
        play.look(10, &[Subject { presence: Presence::Away { since: None }, ..with(&[]) }]);
    }
    assert_eq!(play.told.len(), 2);
    for _ in 0..10 {
        play.look(10, &[with(&["sda"])]);
    }
    assert_eq!(play.told.len(), 3);
    let resolved = &play.told[2].2;
    assert_eq!((resolved.item.as_str(), resolved.text.as_str()), ("disk-health sdb", "sdb is ill"));
    play.look(10, &[Subject { troubles: vec![trouble(AttentionKind::Pool, "sdc")], ..with(&[]) }]);
    assert_eq!(play.told.len(), 3, "other kinds are no matter of this rule");
}

#[test]
fn a_certificate_is_told_within_its_days_however_many() {
    let with = |days: i64| {
        let trouble = Trouble::new(AttentionKind::Certificate, AttentionLevel::Warning, "it ends");
        let trouble = trouble.with("certificate", "pveproxy").with("days", days);
        Subject { certificates: vec![trouble.of("host:h", "web1")], ..Subject::new("host:h", "web1") }
    };
    for (within, from) in [(14, 30), (60, 90), (365, 400)] {
        let mut play = Play::new(rule(&format!(r#"{{"kind":"certificate","within_days":{within}}}"#)));
        for days in (within - 5..=from).rev() {
            play.look(60, &[with(days)]);
        }
        assert_eq!(play.words(), [(60 * (from - within + 1), "raised")], "{within} days");
        for _ in 0..5 {
            play.look(60, &[with(720)]);
        }
        assert_eq!(play.words().last().unwrap().1, "resolved", "it was renewed");
    }
}

#[test]
fn an_old_backup_resolves_once_a_new_one_is_seen_and_not_when_nobody_can_see() {
    let text = r#"{"kind":"attention","kinds":["backup-old","backup-failed"]}"#;
    let off = Subject { presence: Presence::Away { since: None }, ..Subject::new("guest:c:100", "db1") };
    let trouble =
        Trouble::new(AttentionKind::BackupOld, AttentionLevel::Warning, "it is old").with("backup_job", "nightly");
    let old = Subject { troubles: vec![trouble.of("guest:c:100", "db1")], ..off.clone() };
    let blind = Subject { unseen: [AttentionKind::BackupOld].into(), ..off.clone() };
    let mut play = Play::new(rule(text));
    let times = |play: &mut Play, subject: &Subject| (0..12).for_each(|_| play.look(10, std::slice::from_ref(subject)));
    times(&mut play, &blind);
    times(&mut play, &old);
    times(&mut play, &blind);
    // Another job counts now: it is the same matter.
    let other =
        Trouble::new(AttentionKind::BackupOld, AttentionLevel::Warning, "it is old").with("backup_job", "weekly");
    times(&mut play, &Subject { troubles: vec![other.of("guest:c:100", "db1")], ..off.clone() });
    assert_eq!(play.words(), [(130, "raised")]);
    times(&mut play, &off);
    assert_eq!(play.words().len(), 2, "also of a guest that is switched off");
    assert_eq!(play.told[1].2.resolution, Some(Resolution::Well));
}

#[test]
fn a_rule_that_changes_or_goes_resolves_and_says_so() {
    let hot = [Subject::new("host:h", "web1").with("cpu_percent", 95.0)];
    for (what, reason) in [
        ("changed", Resolution::RuleChanged),
        ("removed", Resolution::RuleRemoved),
        ("off", Resolution::RuleRemoved),
        ("covers", Resolution::NotCovered),
        ("gone", Resolution::Gone),
    ] {
        let mut play = Play::new(cpu());
        play.figures(10, 95.0);
        play.second += 10;
        let mut rule = play.rule.clone();
        let covers = if what == "covers" { vec![] } else { vec![0] };
        match what {
            "changed" => rule.revision += 1,
            "off" => rule.enabled = false,
            _ => {}
        }
        match what {
            "removed" => play.take(&[], &hot),
            "gone" => {
                let rules = [Bound { rule: &rule, covers: vec![] }];
                for _ in 0..31 {
                    play.take(&rules, &[]);
                    play.second += 10;
                }
            }
            _ => play.take(&[Bound { rule: &rule, covers }], &hot),
        }
        assert_eq!(play.told.len(), 2, "{what}");
        assert_eq!((play.told[1].1, play.told[1].2.resolution), ("resolved", Some(reason)), "{what}");
        assert_eq!(play.watch.open().count(), 0);
    }
}

#[test]
fn a_new_process_goes_on_where_the_last_one_was() {
    let mut play = Play::new(cpu());
    play.figures(10, 95.0);
    let alert = play.told[0].2.clone();
    let mut again = Play { watch: Watch::remembering([alert.clone()]), told: Vec::new(), ..Play::new(cpu()) };
    again.second = play.second;
    again.figures(60, 95.0);
    assert_eq!(again.words(), [], "nothing is told twice");
    let acknowledged = Alert {
        state: AlertState::Acknowledged,
        acknowledged_by: Some("ada".into()),
        comment: "I look".into(),
        ..alert.clone()
    };
    again.watch.take_in(&[acknowledged]);
    again.figures(20, 10.0);
    let resolved = again.told[0].2.clone();
    assert_eq!((resolved.id.as_str(), resolved.comment.as_str()), (alert.id.as_str(), "I look"));
    // It resolved a moment ago: in a third process it comes back as itself, and who knew still knows.
    let mut third = Play { watch: Watch::remembering([resolved]), told: Vec::new(), ..Play::new(cpu()) };
    third.second = again.second;
    third.figures(10, 95.0);
    assert_eq!(third.words().iter().map(|(_, word)| *word).collect::<Vec<_>>(), ["returned"]);
    assert_eq!((third.told[0].2.state, third.told[0].2.times), (AlertState::Acknowledged, 2));
}

#[test]
fn an_alert_that_goes_on_says_what_is_so_now() {
    let mut play = Play::new(cpu());
    play.figures(10, 95.0);
    play.figures(40, 99.0);
    assert_eq!(play.told.last().unwrap().1, "renewed");
    assert_eq!(play.told.last().unwrap().2.text, "cpu_percent is 99 %, above 90 %");
    assert_eq!(play.told.len(), 2);
}

#[test]
fn a_disk_that_was_cleaned_is_mended_at_once_and_a_full_one_never() {
    let with = |percent, outlook| {
        [Subject {
            forecast: Some(Forecast { percent, swing: 0.0, outlook }),
            ..Subject::new("storage:h:/var", "/var on web1")
        }]
    };
    let mut play = Play::new(rule(r#"{"kind":"filling"}"#));
    play.look(60, &with(80.0, Outlook::Full { hours: 90.0 }));
    play.look(60, &with(20.0, Outlook::Full { hours: 20.0 }));
    assert_eq!(play.words(), [], "too far away, and too empty");
    play.look(60, &with(80.0, Outlook::Full { hours: 70.0 }));
    assert_eq!(play.words(), [(180, "raised")]);
    assert_eq!(play.told[0].2.text, "it will be full in 3 days, by its trend: 80 % now");
    for _ in 0..2000 {
        play.look(60, &with(98.0, Outlook::Steady));
    }
    assert_eq!(play.told.len(), 1, "it does not grow because it is full");
    play.look(60, &with(70.0, Outlook::Steady));
    assert_eq!(play.words().last(), Some(&(play.second, "resolved")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is seen: what is raised resolves before it is raised again, and ids tell alerts apart.
    #[test]
    fn raised_and_resolved_take_turns(looks in proptest::collection::vec((1_i64..90, proptest::option::of(0.0..120.0_f64), 0..12_u8), 1..400)) {
        let mut play = Play::new(cpu());
        for (after, value, presence) in looks {
            let mut subject = Subject::new("host:h", "web1");
            subject.figures.extend(value.map(|value| ("cpu_percent".to_owned(), value)));
            subject.presence = match presence {
                0 => Presence::Maintenance,
                1 => Presence::Unknown,
                _ => Presence::Here,
            };
            play.look(after, &[subject]);
        }
        let mut open: BTreeMap<String, bool> = BTreeMap::new();
        for (_, word, alert) in &play.told {
            let open = open.entry(alert.id.clone()).or_default();
            match *word {
                "raised" | "returned" => prop_assert!(!std::mem::replace(open, true)),
                "resolved" => prop_assert!(std::mem::replace(open, false)),
                _ => prop_assert!(*open),
            }
        }
        prop_assert_eq!(open.values().filter(|open| **open).count(), play.watch.open().count());
    }

    /// Noise below the level at which it is entered raises nothing.
    #[test]
    fn noise_raises_nothing(values in proptest::collection::vec(0.0..89.9_f64, 1..500)) {
        let mut play = Play::new(cpu());
        values.into_iter().for_each(|value| play.figures(1, value));
        prop_assert_eq!(play.told.len(), 0);
    }
}
