//! What goes on, and what becomes of it from one look to the next.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hasher,
};

use jiff::{SignedDuration, Timestamp};

use super::{
    Bound, Presence, Subject,
    judge::{self, Finding, Verdict},
    words,
};
use crate::model::{Alert, AlertCondition, AlertRule, AlertState, Resolution};

/// Two looks further apart have a gap between them, in seconds: what was in it nobody knows.
const GAP: f64 = 60.0;
/// The least and the most that something has to be well for before it resolves the first time, in seconds.
const CALM: (f64, f64) = (60.0, 300.0);
/// A disk may grow at one time of the day alone: it is well when it has not for more than a day, in seconds.
const CALM_OF_FILLING: f64 = 26.0 * 3600.0;
/// However often something came back, after an hour of calm it resolves, in seconds.
const CALMEST: f64 = 3600.0;
/// What comes back within this time is the same alert again, in seconds.
const COMES_BACK: f64 = 1800.0;
/// The same for a disk that fills, in seconds: a day.
const FILLING_COMES_BACK: f64 = 24.0 * 3600.0;
/// What is nowhere to be found for so long is gone, in seconds. A cluster that is read anew may lack things for a moment.
const GONE: f64 = 300.0;
/// How often text and value of an alert that goes on are brought up to date, in seconds.
const RENEWED: f64 = 300.0;
/// As many alerts may go on at once. Who has more needs another rule, not another alert.
const MOST_OPEN: usize = 10_000;

/// What becomes of an alert.
#[derive(Clone, Debug, PartialEq)]
pub enum Transition {
    /// It was raised.
    Raised(Alert),
    /// It had resolved a short while ago and is back.
    Returned(Alert),
    /// It goes on, and what it says is another thing now. Nobody need be told.
    Renewed(Alert),
    /// It is over.
    Resolved(Alert),
}

impl Transition {
    /// The alert as it is then.
    pub const fn alert(&self) -> &Alert {
        match self {
            Self::Raised(alert) | Self::Returned(alert) | Self::Renewed(alert) | Self::Resolved(alert) => alert,
        }
    }
}

/// What goes on. Cloning it is cheap: what is quiet is not in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watch {
    /// By rule, entity and item.
    states: BTreeMap<String, BTreeMap<String, BTreeMap<String, State>>>,
    stepped_at: Option<Timestamp>,
    /// Since when it looks without a gap.
    watching_since: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq)]
enum State {
    /// It meets the rule, but not for long enough.
    /// It may have been raised and have resolved a short while ago.
    Pending { revision: u64, since: Timestamp, held: f64, before: Option<Box<Alert>> },
    /// It was raised. It has been well for `calm` seconds, and nowhere to be found for `absent`.
    Open { alert: Box<Alert>, calm: f64, absent: f64 },
    /// It resolved a short while ago.
    Over { alert: Box<Alert> },
}

/// One look.
struct Look {
    now: Timestamp,
    /// Seconds since the last one that count; none where there was a gap.
    passed: f64,
    /// Seconds for which there has been no gap.
    watched: f64,
    open: usize,
    transitions: Vec<Transition>,
}

impl Watch {
    /// A watch that goes on with these alerts: those that are open, and those that resolved a short while ago.
    pub fn remembering(alerts: impl IntoIterator<Item = Alert>) -> Self {
        let mut watch = Self::default();
        for alert in alerts {
            let (rule, entity, item) = (alert.rule.clone(), alert.entity.clone(), alert.item.clone());
            let alert = Box::new(alert);
            let state = match alert.is_open() {
                true => State::Open { alert, calm: 0.0, absent: 0.0 },
                false => State::Over { alert },
            };
            let items = watch.states.entry(rule).or_default().entry(entity).or_default();
            // Of two of the same matter the later one counts.
            items.insert(item, state);
        }
        watch
    }

    /// How long alerts that resolved are to be remembered at most.
    pub const fn remembers() -> SignedDuration {
        SignedDuration::from_hours(24)
    }

    /// Takes in what people have said of alerts meanwhile.
    pub fn take_in(&mut self, acknowledged: &[Alert]) {
        for said in acknowledged {
            let items = self.states.get_mut(&said.rule).and_then(|entities| entities.get_mut(&said.entity));
            if let Some(State::Open { alert, .. }) = items.and_then(|items| items.get_mut(&said.item))
                && alert.id == said.id
            {
                alert.state = said.state;
                alert.acknowledged_by.clone_from(&said.acknowledged_by);
                alert.acknowledged_at = said.acknowledged_at;
                alert.comment.clone_from(&said.comment);
            }
        }
    }

    /// Alerts that go on.
    pub fn open(&self) -> impl Iterator<Item = &Alert> {
        let states = self.states.values().flat_map(|entities| entities.values().flat_map(BTreeMap::values));
        states.filter_map(|state| match state {
            State::Open { alert, .. } => Some(alert.as_ref()),
            State::Pending { .. } | State::Over { .. } => None,
        })
    }

    /// What is so now, and what became of what on the way there. Time that goes backwards is no time.
    pub fn step(&self, rules: &[Bound<'_>], subjects: &[Subject], now: Timestamp) -> (Self, Vec<Transition>) {
        let since_last = self.stepped_at.map(|before| now.duration_since(before).as_secs_f64());
        let passed = since_last.filter(|passed| (0.0..=GAP).contains(passed));
        let watching_since = self.watching_since.filter(|_| passed.is_some()).unwrap_or(now);
        let mut look = Look {
            now,
            passed: passed.unwrap_or(0.0),
            watched: now.duration_since(watching_since).as_secs_f64(),
            open: self.open().count(),
            transitions: Vec::new(),
        };
        let mut next = Self { states: BTreeMap::new(), stepped_at: Some(now), watching_since: Some(watching_since) };
        let none = BTreeMap::new();
        let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for Bound { rule, covers } in rules.iter().filter(|bound| bound.rule.enabled) {
            let before = self.states.get(&rule.name).unwrap_or(&none);
            let mut after = BTreeMap::new();
            let entities = seen.entry(rule.name.as_str()).or_default();
            for subject in covers.iter().filter_map(|place| subjects.get(*place)) {
                // Twice the same thing is once too often.
                if !entities.insert(subject.entity.as_str()) {
                    continue;
                }
                let items = look.at(rule, subject, before.get(&subject.entity));
                if !items.is_empty() {
                    after.insert(subject.entity.clone(), items);
                }
            }
            if !after.is_empty() {
                next.states.insert(rule.name.clone(), after);
            }
        }
        self.leave_behind(rules, subjects, &seen, &mut next, &mut look);
        (next, look.transitions)
    }

    /// What becomes of that which no rule looked at in this step.
    fn leave_behind(
        &self,
        rules: &[Bound<'_>],
        subjects: &[Subject],
        seen: &BTreeMap<&str, BTreeSet<&str>>,
        next: &mut Self,
        look: &mut Look,
    ) {
        let there: BTreeSet<&str> = subjects.iter().map(|subject| subject.entity.as_str()).collect();
        for (name, entities) in &self.states {
            let rule = rules.iter().map(|bound| bound.rule).find(|rule| rule.name == *name && rule.enabled);
            for (entity, items) in entities {
                if seen.get(name.as_str()).is_some_and(|seen| seen.contains(entity.as_str())) {
                    continue;
                }
                for (item, state) in items {
                    let reason = match rule {
                        None => Some(Resolution::RuleRemoved),
                        Some(rule) if !state.is_of(rule) => Some(Resolution::RuleChanged),
                        Some(_) if there.contains(entity.as_str()) => Some(Resolution::NotCovered),
                        Some(_) => None,
                    };
                    if let Some(kept) = look.left(state, reason) {
                        let entities = next.states.entry(name.clone()).or_default();
                        entities.entry(entity.clone()).or_default().insert(item.clone(), kept);
                    }
                }
            }
        }
    }
}

impl State {
    fn is_of(&self, rule: &AlertRule) -> bool {
        match self {
            Self::Pending { revision, .. } => *revision == rule.revision,
            Self::Open { alert, .. } | Self::Over { alert } => alert.revision == rule.revision,
        }
    }
}

impl Look {
    /// What becomes of everything that a rule sees in something.
    fn at(
        &mut self,
        rule: &AlertRule,
        subject: &Subject,
        before: Option<&BTreeMap<String, State>>,
    ) -> BTreeMap<String, State> {
        let mut after = BTreeMap::new();
        let mut keep = |item: &str, state: Option<State>| {
            if let Some(state) = state {
                after.insert(item.to_owned(), state);
            }
        };
        if subject.presence == Presence::Maintenance {
            for (item, state) in before.into_iter().flatten() {
                // What was about to be raised begins anew afterwards.
                match state {
                    State::Pending { before, .. } => keep(item, self.over(before.as_deref())),
                    state if !state.is_of(rule) => keep(item, self.left(state, Some(Resolution::RuleChanged))),
                    State::Over { alert } => keep(item, self.over(Some(alert))),
                    State::Open { .. } => keep(item, Some(state.clone())),
                }
            }
            return after;
        }
        let findings = judge::judge(&rule.condition, subject);
        for finding in &findings {
            let state = before.and_then(|before| before.get(finding.item.as_ref()));
            keep(&finding.item, self.advance(rule, subject, finding, state));
        }
        for (item, state) in before.into_iter().flatten() {
            if findings.iter().any(|finding| finding.item == item.as_str()) {
                continue;
            }
            let verdict = judge::absent(&rule.condition, subject, item);
            let finding = Finding { item: item.as_str().into(), verdict, since: None, trouble: None };
            keep(item, self.advance(rule, subject, &finding, Some(state)));
        }
        after
    }

    fn advance(
        &mut self,
        rule: &AlertRule,
        subject: &Subject,
        finding: &Finding<'_>,
        state: Option<&State>,
    ) -> Option<State> {
        let state = match state {
            Some(state @ State::Open { .. }) if !state.is_of(rule) => {
                self.left(state, Some(Resolution::RuleChanged));
                None
            }
            state => state.filter(|state| state.is_of(rule)),
        };
        match state {
            Some(State::Open { alert, calm, .. }) => self.go_on(rule, subject, finding, alert, *calm),
            Some(State::Over { alert }) => match (self.over(Some(alert)), finding.verdict) {
                (Some(_), Verdict::Bad) => self.begin(rule, subject, finding, Some(alert)),
                (None, Verdict::Bad) => self.begin(rule, subject, finding, None),
                (kept, _) => kept,
            },
            Some(State::Pending { since, held, before, .. }) => match finding.verdict {
                Verdict::Bad => self.wait(rule, subject, finding, (*since, held + self.passed), before.as_deref()),
                Verdict::Between | Verdict::Unseen => state.cloned(),
                Verdict::Well => self.over(before.as_deref()),
            },
            None if finding.verdict == Verdict::Bad => self.begin(rule, subject, finding, None),
            None => None,
        }
    }

    /// It meets the rule now, and did not before.
    fn begin(
        &mut self,
        rule: &AlertRule,
        subject: &Subject,
        finding: &Finding<'_>,
        before: Option<&Alert>,
    ) -> Option<State> {
        // The thing itself may know since when; time in which nobody looked does not count.
        let known = finding.since.map(|since| self.now.duration_since(since).as_secs_f64());
        let held = known.map_or(0.0, |known| known.clamp(0.0, self.watched));
        let since = finding.since.filter(|since| *since <= self.now).unwrap_or(self.now);
        self.wait(rule, subject, finding, (since, held), before)
    }

    fn wait(
        &mut self,
        rule: &AlertRule,
        subject: &Subject,
        finding: &Finding<'_>,
        (since, held): (Timestamp, f64),
        before: Option<&Alert>,
    ) -> Option<State> {
        if held < rule.condition.for_seconds() as f64 || self.open >= MOST_OPEN {
            let before = before.cloned().map(Box::new);
            return Some(State::Pending { revision: rule.revision, since, held, before });
        }
        self.open += 1;
        let alert = Box::new(self.raised(rule, subject, finding, since, before));
        self.transitions.push(match before {
            Some(_) => Transition::Returned((*alert).clone()),
            None => Transition::Raised((*alert).clone()),
        });
        Some(State::Open { alert, calm: 0.0, absent: 0.0 })
    }

    fn raised(
        &self,
        rule: &AlertRule,
        subject: &Subject,
        finding: &Finding<'_>,
        since: Timestamp,
        before: Option<&Alert>,
    ) -> Alert {
        let (text, values) = words::of(rule, subject, finding);
        let fresh = Alert {
            id: id(rule, subject, &finding.item, self.now),
            rule: rule.name.clone(),
            revision: rule.revision,
            kind: rule.condition.kind().to_owned(),
            level: rule.level,
            entity: subject.entity.clone(),
            name: subject.name.clone(),
            item: finding.item.as_ref().to_owned(),
            text,
            values,
            state: AlertState::Active,
            since,
            raised_at: self.now,
            at: self.now,
            value: judge::value(&rule.condition, subject),
            times: 1,
            acknowledged_by: None,
            acknowledged_at: None,
            comment: String::new(),
            resolved_at: None,
            resolution: None,
        };
        let Some(before) = before else { return fresh };
        // Who has said that they know still knows.
        let state = if before.acknowledged_by.is_some() { AlertState::Acknowledged } else { AlertState::Active };
        let (text, values, value) = (fresh.text, fresh.values, fresh.value);
        let times = before.times.saturating_add(1);
        Alert { text, values, value, state, times, at: self.now, resolved_at: None, resolution: None, ..before.clone() }
    }

    /// What becomes of one that was raised.
    fn go_on(
        &mut self,
        rule: &AlertRule,
        subject: &Subject,
        finding: &Finding<'_>,
        alert: &Alert,
        calm: f64,
    ) -> Option<State> {
        let mended = judge::is_mended(&rule.condition, subject, alert.value);
        let calm = match finding.verdict {
            Verdict::Well if mended => f64::INFINITY,
            Verdict::Well => calm + self.passed,
            Verdict::Bad | Verdict::Between => 0.0,
            Verdict::Unseen => calm,
        };
        if calm >= calm_needed(&rule.condition, alert.times) {
            return self.resolve(alert, Resolution::Well);
        }
        let mut alert = Box::new(alert.clone());
        let due = self.now.duration_since(alert.at).as_secs_f64() >= RENEWED;
        if due && finding.verdict == Verdict::Bad {
            let (text, values) = words::of(rule, subject, finding);
            // What a disk was at when it was raised tells whether it has been mended.
            let filling = matches!(rule.condition, AlertCondition::Filling { .. });
            let value = if filling { alert.value } else { judge::value(&rule.condition, subject) };
            if text != alert.text || subject.name != alert.name {
                *alert = Alert { text, values, value, at: self.now, name: subject.name.clone(), ..*alert };
                self.transitions.push(Transition::Renewed((*alert).clone()));
            }
        }
        Some(State::Open { alert, calm, absent: 0.0 })
    }

    /// What becomes of something that its rule does not look at now: at once where there is a reason, else after a while.
    fn left(&mut self, state: &State, reason: Option<Resolution>) -> Option<State> {
        match (state, reason) {
            (State::Open { alert, .. }, Some(reason)) => {
                self.resolve(alert, reason);
                // Whatever it looks at next is another matter.
                None
            }
            (State::Open { alert, absent, .. }, None) if absent + self.passed >= GONE => {
                self.resolve(alert, Resolution::Gone);
                None
            }
            (State::Open { alert, calm, absent }, None) => {
                Some(State::Open { alert: alert.clone(), calm: *calm, absent: absent + self.passed })
            }
            (State::Over { alert }, None) => self.over(Some(alert)),
            (State::Over { .. } | State::Pending { .. }, _) => None,
        }
    }

    fn resolve(&mut self, alert: &Alert, reason: Resolution) -> Option<State> {
        self.open = self.open.saturating_sub(1);
        let alert = Alert {
            state: AlertState::Resolved,
            resolved_at: Some(self.now),
            resolution: Some(reason),
            at: self.now,
            ..alert.clone()
        };
        self.transitions.push(Transition::Resolved(alert.clone()));
        Some(State::Over { alert: Box::new(alert) })
    }

    /// What resolved a short while ago, and might come back; nothing where that was too long ago.
    fn over(&self, before: Option<&Alert>) -> Option<State> {
        let alert = before?;
        let ago = alert.resolved_at.map(|at| self.now.duration_since(at).as_secs_f64())?;
        let kept = if alert.kind == "filling" { FILLING_COMES_BACK } else { COMES_BACK };
        (alert.resolution == Some(Resolution::Well) && ago <= kept)
            .then(|| State::Over { alert: Box::new(alert.clone()) })
    }
}

/// For how many seconds it has to be well before it resolves.
fn calm_needed(condition: &AlertCondition, times: u32) -> f64 {
    if matches!(condition, AlertCondition::Filling { .. }) {
        return CALM_OF_FILLING;
    }
    let first = (condition.for_seconds() as f64).clamp(CALM.0, CALM.1);
    let doubled = first * f64::from(1_u32 << times.saturating_sub(1).min(10));
    doubled.min(CALMEST)
}

/// An id that is the same for the same matter at the same time, and rises with the time.
fn id(rule: &AlertRule, subject: &Subject, item: &str, now: Timestamp) -> String {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    for part in [rule.name.as_str(), subject.entity.as_str(), item] {
        hasher.write(part.as_bytes());
        hasher.write_u8(0);
    }
    format!("{:012x}-{:016x}", now.as_millisecond().max(0), hasher.finish())
}

/// FNV-1a: the same in every build, unlike the hasher of the standard library.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
