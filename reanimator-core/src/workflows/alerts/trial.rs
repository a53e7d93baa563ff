//! Trying a rule before it is kept: what it would say now, and how often it would have rung over the last week.
//!
//! The week is played from the history, a minute at a time, by the very watch that looks at the present. What the history
//! does not keep (what needs somebody, certificates) can be tried on the present alone, and the answer says so.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    alert::{Bound, Past, Presence, Subject, Transition, Watch, derived_percent, forecast},
    fleet::{AlertScene, Fleet, check_alert_rule},
    model::{AlertCondition, AlertRule, ChangeFilter, Entity, EntityKind, RecentQuery},
};

/// How far back it is played.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Points of the history: one each quarter of an hour.
const POINTS: usize = 7 * 24 * 4;
/// Over so many things the week is played; of more, the first ones.
const MOST_PLAYED: usize = 200;
/// As many rings as are told one by one.
const MOST_TOLD: usize = 100;
/// A minute at a time.
const STEP: i64 = 60;

/// What a rule would say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleTrial {
    /// When it is met, in words.
    pub words: String,
    /// How many things it covers now.
    pub covers: usize,
    /// What meets it at this moment, whatever time it asks for. At most 100.
    pub now: Vec<Ring>,
    /// Over how many things the last week was played: none where the history does not keep what it looks at.
    pub played: usize,
    /// How often it would have rung over the last week.
    pub rang: usize,
    /// Those times, the newest first. At most 100.
    pub rings: Vec<Ring>,
}

/// A time at which a rule would have rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ring {
    /// About what: `host:ID`.
    pub entity: String,
    /// Its name.
    pub name: String,
    /// What it would have said.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// When it would have resolved; none where it goes on.
    pub until: Option<Timestamp>,
}

/// Tries a rule, whether it is kept or not: nothing is changed and nobody is told.
///
/// # Errors
/// `Invalid` for a rule that could not be kept, `Storage`.
pub async fn try_rule(fleet: &Fleet, rule: AlertRule) -> Result<RuleTrial> {
    check_alert_rule(&rule)?;
    let rules = [AlertRule { enabled: true, ..rule }];
    let mut scene = fleet.alert_scene(&rules).await?;
    let places: Vec<usize> = scene.covers[0].iter().copied().take(MOST_PLAYED).collect();
    let pasts = match rules[0].condition {
        AlertCondition::Filling { .. } => {
            pasts(&Lines::read(fleet, &scene, &places, "disk_used").await?, &scene, &places)
        }
        _ => BTreeMap::new(),
    };
    for (place, past) in &pasts {
        scene.subjects[*place].forecast = forecast(past);
    }
    let mut trial = RuleTrial {
        words: rules[0].condition.to_string(),
        covers: scene.covers[0].len(),
        now: now(&rules[0], &scene),
        ..RuleTrial::default()
    };
    let story = match &rules[0].condition {
        AlertCondition::Threshold { metric, .. } => figures(fleet, &scene, &places, metric).await?,
        AlertCondition::Filling { .. } => {
            fillings(&Lines::read(fleet, &scene, &places, "disk_used").await?, &scene, &places)
        }
        AlertCondition::Offline { .. } => states(fleet, &scene, &places).await?,
        AlertCondition::Attention { .. } | AlertCondition::Certificate { .. } => return Ok(trial),
    };
    trial.played = places.len();
    let rule = rules[0].clone();
    let mut rings = tokio::task::spawn_blocking(move || play(&rule, story))
        .await
        .map_err(|error| crate::Error::new(crate::ErrorKind::Internal, "try the rule").from_source(error))?;
    trial.rang = rings.len();
    rings.sort_by_key(|ring| std::cmp::Reverse(ring.at));
    rings.truncate(MOST_TOLD);
    trial.rings = rings;
    Ok(trial)
}

/// What meets the rule at this moment: the same condition with no time to wait for.
fn now(rule: &AlertRule, scene: &AlertScene) -> Vec<Ring> {
    let mut at_once = rule.clone();
    match &mut at_once.condition {
        AlertCondition::Threshold { for_seconds, .. }
        | AlertCondition::Offline { for_seconds }
        | AlertCondition::Attention { for_seconds, .. } => *for_seconds = 0,
        AlertCondition::Filling { .. } | AlertCondition::Certificate { .. } => {}
    }
    let bound = [Bound { rule: &at_once, covers: scene.covers[0].clone() }];
    let (_, transitions) = Watch::default().step(&bound, &scene.subjects, scene.at);
    transitions.iter().take(MOST_TOLD).map(|each| ring(each, None)).collect()
}

fn ring(transition: &Transition, until: Option<Timestamp>) -> Ring {
    let alert = transition.alert();
    Ring {
        entity: alert.entity.clone(),
        name: alert.name.clone(),
        text: alert.text.clone(),
        at: transition.alert().at,
        until,
    }
}

/// A week: for each thing what it is at each step, from its beginning.
struct Story {
    from: Timestamp,
    steps: usize,
    things: Vec<Thing>,
}

struct Thing {
    subject: Subject,
    tale: Tale,
}

/// What is told of a thing over the week.
enum Tale {
    /// A figure by the quarter of an hour.
    Figure { metric: String, values: Vec<Option<f64>> },
    /// How full it was by the quarter of an hour, and what was to be expected then.
    Filling { values: Vec<Option<f64>>, past: Past },
    /// From when to when it was away.
    Away(Vec<(Timestamp, Option<Timestamp>)>),
}

fn play(rule: &AlertRule, story: Story) -> Vec<Ring> {
    let Story { from, steps, mut things } = story;
    let bound = [Bound { rule, covers: (0..things.len()).collect() }];
    let mut watch = Watch::default();
    let mut rings: Vec<(String, Ring)> = Vec::new();
    for step in 0..steps {
        let Ok(seconds) = i64::try_from(step).map(|step| step * STEP) else { break };
        let Ok(now) = from.checked_add(SignedDuration::from_secs(seconds)) else { break };
        let subjects: Vec<Subject> = things.iter_mut().map(|thing| thing.at(step, now)).collect();
        let (next, transitions) = watch.step(&bound, &subjects, now);
        watch = next;
        for each in &transitions {
            match each {
                Transition::Raised(alert) | Transition::Returned(alert) => {
                    rings.push((alert.id.clone(), ring(each, None)));
                }
                Transition::Resolved(alert) => {
                    if let Some((_, ring)) = rings.iter_mut().rev().find(|(id, _)| *id == alert.id) {
                        ring.until = alert.resolved_at;
                    }
                }
                Transition::Renewed(_) => {}
            }
        }
    }
    rings.into_iter().map(|(_, ring)| ring).collect()
}

impl Thing {
    fn at(&mut self, step: usize, now: Timestamp) -> Subject {
        let mut subject = Subject::new(self.subject.entity.as_str(), self.subject.name.as_str());
        let quarter = step / 15;
        match &mut self.tale {
            Tale::Figure { metric, values } => {
                if let Some(value) = values.get(quarter).copied().flatten() {
                    subject.figures.insert(metric.clone(), value);
                }
            }
            Tale::Filling { values, past } => {
                if let Some(percent) = values.get(quarter).copied().flatten() {
                    past.push(now, percent);
                    // Looked at as often as there is something new.
                    if step.is_multiple_of(15) {
                        self.subject.forecast = forecast(past);
                    }
                    subject.forecast = self.subject.forecast;
                }
            }
            Tale::Away(times) => {
                let away = times.iter().find(|(from, to)| *from <= now && to.is_none_or(|to| now < to));
                subject.presence = away.map_or(Presence::Here, |(from, _)| Presence::Away { since: Some(*from) });
            }
        }
        subject
    }
}

/// A figure of each thing over the week.
struct Lines {
    from: Timestamp,
    /// By place, each quarter of an hour.
    lines: BTreeMap<usize, Vec<Option<f64>>>,
}

impl Lines {
    /// Of storages, `disk_used` is `used` and `disk_total` is `total`.
    async fn read(fleet: &Fleet, scene: &AlertScene, places: &[usize], metric: &str) -> Result<Self> {
        let mut by_kind: BTreeMap<EntityKind, BTreeMap<Entity, usize>> = BTreeMap::new();
        for place in places {
            if let Ok(entity) = scene.subjects[*place].entity.parse::<Entity>() {
                by_kind.entry(entity.kind()).or_default().insert(entity, *place);
            }
        }
        // Whole quarters, so that all kinds have the same times.
        let quarter = 15 * STEP;
        let end = scene.at.as_second().div_euclid(quarter) * quarter;
        let to = Timestamp::from_second(end).unwrap_or(scene.at);
        let mut all = Self { from: to - WEEK, lines: BTreeMap::new() };
        for (kind, of_kind) in by_kind {
            let metric = match (kind, metric) {
                (EntityKind::Storage, "disk_used") => "used",
                (EntityKind::Storage, "disk_total") => "total",
                _ => metric,
            };
            let query = RecentQuery {
                entities: of_kind.keys().cloned().collect(),
                metric: metric.to_owned(),
                from: all.from,
                to,
                points: POINTS,
            };
            let recent = fleet.store().recent(&query).await?;
            // A coarser past is spread over its quarters.
            let spread = usize::try_from(recent.step_seconds / (15 * 60)).unwrap_or(1).max(1);
            let skipped = usize::try_from((all.from.as_second() - recent.from.as_second()) / quarter).unwrap_or(0);
            for (entity, line) in recent.series {
                if let Some(place) = of_kind.get(&entity) {
                    let quarters = line.iter().flat_map(|value| std::iter::repeat_n(*value, spread));
                    all.lines.insert(*place, quarters.skip(skipped).take(POINTS).collect());
                }
            }
        }
        Ok(all)
    }

    fn story(self, things: Vec<Thing>) -> Story {
        Story { from: self.from, steps: POINTS * 15, things }
    }
}

async fn figures(fleet: &Fleet, scene: &AlertScene, places: &[usize], metric: &str) -> Result<Story> {
    let mut lines = Lines::read(fleet, scene, places, derived_percent(metric).map_or(metric, |(part, _)| part)).await?;
    if let Some((_, whole)) = derived_percent(metric) {
        let wholes = Lines::read(fleet, scene, places, whole).await?;
        for (place, line) in &mut lines.lines {
            let none = Vec::new();
            let whole = wholes.lines.get(place).unwrap_or(&none);
            for (index, value) in line.iter_mut().enumerate() {
                let whole = whole.get(index).copied().flatten().filter(|whole| *whole > 0.0);
                *value = value.zip(whole).map(|(part, whole)| part / whole * 100.0);
            }
        }
    }
    let things = std::mem::take(&mut lines.lines).into_iter().map(|(place, values)| Thing {
        subject: scene.subjects[place].clone(),
        tale: Tale::Figure { metric: metric.to_owned(), values },
    });
    let things = things.collect();
    Ok(lines.story(things))
}

/// How full things were, in percent of what they hold now.
fn percents(lines: &Lines, scene: &AlertScene, places: &[usize]) -> BTreeMap<usize, Vec<Option<f64>>> {
    let of = |place: &usize| {
        let percent = scene.subjects[*place].figures.get("disk_percent")?;
        let scale = scene.used.get(place).filter(|used| **used > 0.0).map(|used| percent / used)?;
        let line = lines.lines.get(place)?;
        Some((*place, line.iter().map(|used| used.map(|used| used * scale)).collect()))
    };
    places.iter().filter_map(of).collect()
}

fn pasts(lines: &Lines, scene: &AlertScene, places: &[usize]) -> BTreeMap<usize, Past> {
    let at = |index: usize| {
        let seconds = i64::try_from(index).unwrap_or(0) * 15 * STEP;
        lines.from.checked_add(SignedDuration::from_secs(seconds)).ok()
    };
    let past = |(place, values): (usize, Vec<Option<f64>>)| {
        let points = values.into_iter().enumerate().filter_map(|(index, value)| Some((at(index)?, value?)));
        let mut past = Past::of(points);
        if let Some(percent) = scene.subjects[place].figures.get("disk_percent") {
            past.push(scene.at, *percent);
        }
        (place, past)
    };
    percents(lines, scene, places).into_iter().map(past).collect()
}

fn fillings(lines: &Lines, scene: &AlertScene, places: &[usize]) -> Story {
    let thing = |(place, values): (usize, Vec<Option<f64>>)| Thing {
        subject: Subject { forecast: None, ..scene.subjects[place].clone() },
        tale: Tale::Filling { values, past: Past::default() },
    };
    let things = percents(lines, scene, places).into_iter().map(thing).collect();
    Story { from: lines.from, steps: POINTS * 15, things }
}

/// When things were away, by what changed.
async fn states(fleet: &Fleet, scene: &AlertScene, places: &[usize]) -> Result<Story> {
    let from = scene.at - WEEK;
    let mut things = Vec::new();
    for place in places {
        let subject = &scene.subjects[*place];
        let filter = ChangeFilter {
            entity: Some(subject.entity.clone()),
            field: Some("state".to_owned()),
            limit: 1_000,
            ..ChangeFilter::default()
        };
        let mut changes = fleet.store().changes(&filter).await?;
        changes.retain(|change| change.created_at >= from);
        changes.reverse();
        let mut times: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
        for change in changes {
            match change.new_value.as_deref() {
                Some("offline") => times.push((change.created_at, None)),
                _ => {
                    if let Some(last) = times.last_mut().filter(|last| last.1.is_none()) {
                        last.1 = Some(change.created_at);
                    }
                }
            }
        }
        things.push(Thing { subject: subject.clone(), tale: Tale::Away(times) });
    }
    Ok(Story { from, steps: POINTS * 15, things })
}
