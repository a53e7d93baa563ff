//! How disks fill: kept in memory, read from the history once, and written there where nobody else does.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    Result,
    alert::{Forecast, Past, forecast},
    fleet::{AlertScene, Fleet},
    model::{AlertCondition, AlertRule, Entity, EntityKind, RecentQuery},
    store::{MetricRow, Sample},
};

/// How far back the history is read.
const PAST: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Points of that: one each half hour.
const POINTS: usize = 14 * 48;
/// Of so many things at once: a question with its answer is some MiB.
const AT_ONCE: usize = 256;
/// How often it is foretold.
const EVERY: Duration = Duration::from_secs(60);
/// How often file systems of hosts are written into the history.
const WRITTEN_EVERY: Duration = Duration::from_secs(10 * 60);

/// The pasts of everything that a rule wants to know of how it fills.
#[derive(Debug, Default)]
pub(super) struct Trends {
    pasts: BTreeMap<String, Past>,
    forecasts: BTreeMap<String, Forecast>,
    foretold_at: Option<Timestamp>,
    written_at: Option<Timestamp>,
}

impl Trends {
    /// Takes in what is so now. A history that cannot be read or written keeps nobody from being told: what is seen from
    /// now on counts.
    pub(super) async fn follow(&mut self, fleet: &Fleet, rules: &[AlertRule], scene: &AlertScene) {
        let wanted = wanted(rules, scene);
        let there: BTreeSet<&str> = wanted.iter().map(|place| scene.subjects[*place].entity.as_str()).collect();
        self.pasts.retain(|entity, _| there.contains(entity.as_str()));
        self.read_history(fleet, scene, &wanted).await;
        let mut changed = BTreeSet::new();
        for place in &wanted {
            let subject = &scene.subjects[*place];
            let percent = subject.figures.get("disk_percent");
            if let (Some(past), Some(percent)) = (self.pasts.get_mut(&subject.entity), percent) {
                past.push(scene.at, *percent);
                changed.insert(subject.entity.as_str());
            }
        }
        self.forecasts.retain(|entity, _| changed.contains(entity.as_str()));
        if due(self.foretold_at, scene.at, EVERY) {
            self.foretold_at = Some(scene.at);
            let pasts = changed.iter().filter_map(|entity| Some((*entity, self.pasts.get(*entity)?)));
            self.forecasts = pasts.filter_map(|(entity, past)| Some((entity.to_owned(), forecast(past)?))).collect();
        }
        if let Err(error) = self.write_history(fleet, scene).await {
            tracing::error!(error = %crate::report(&error), "how full disks are could not be written down");
        }
    }

    /// Says of each thing how it will go on.
    pub(super) fn foretell(&self, scene: &mut AlertScene) {
        for subject in &mut scene.subjects {
            subject.forecast = self.forecasts.get(&subject.entity).copied();
        }
    }

    /// Reads the past of those that are new here.
    async fn read_history(&mut self, fleet: &Fleet, scene: &AlertScene, wanted: &BTreeSet<usize>) {
        let mut by_kind: BTreeMap<EntityKind, Vec<(Entity, usize)>> = BTreeMap::new();
        for place in wanted.iter().filter(|place| !self.pasts.contains_key(&scene.subjects[**place].entity)) {
            // What it is now says what a byte of its past was in percent.
            if let Some(entity) = entity(scene, *place).filter(|_| scene.used.contains_key(place)) {
                by_kind.entry(entity.kind()).or_default().push((entity, *place));
            }
        }
        for (kind, new) in by_kind {
            for some in new.chunks(AT_ONCE) {
                if let Err(error) = self.read_some(fleet, scene, kind, some).await {
                    tracing::error!(error = %crate::report(&error), "how disks filled could not be read");
                    let entities = some.iter().map(|(_, place)| scene.subjects[*place].entity.clone());
                    self.pasts.extend(entities.map(|entity| (entity, Past::default())));
                }
            }
        }
    }

    async fn read_some(
        &mut self,
        fleet: &Fleet,
        scene: &AlertScene,
        kind: EntityKind,
        some: &[(Entity, usize)],
    ) -> Result<()> {
        let metric = if kind == EntityKind::Storage { "used" } else { "disk_used" };
        let query = RecentQuery {
            entities: some.iter().map(|(entity, _)| entity.clone()).collect(),
            metric: metric.to_owned(),
            from: scene.at - PAST,
            to: scene.at,
            points: POINTS,
        };
        let mut recent = fleet.store().recent(&query).await?;
        let step = i64::try_from(recent.step_seconds).unwrap_or(i64::MAX);
        for (entity, place) in some {
            let line = recent.series.remove(entity).unwrap_or_default();
            let subject = &scene.subjects[*place];
            let percent = subject.figures.get("disk_percent").copied().unwrap_or(0.0);
            let scale = scene.used.get(place).filter(|used| **used > 0.0).map_or(0.0, |used| percent / used);
            let begin = |index: usize| {
                let seconds = i64::try_from(index).ok()?.checked_mul(step)?;
                recent.from.checked_add(SignedDuration::from_secs(seconds)).ok()
            };
            let points = line.into_iter().enumerate().filter_map(|(index, used)| Some((begin(index)?, used? * scale)));
            self.pasts.insert(subject.entity.clone(), Past::of(points.filter(|(at, _)| *at < scene.at)));
        }
        Ok(())
    }

    /// File systems of hosts have no history but this.
    async fn write_history(&mut self, fleet: &Fleet, scene: &AlertScene) -> Result<()> {
        if !due(self.written_at, scene.at, WRITTEN_EVERY) {
            return Ok(());
        }
        self.written_at = Some(scene.at);
        let sample = |(place, total): (&usize, &f64)| {
            let mut values = MetricRow::new(EntityKind::Storage);
            values.put("used", scene.used.get(place).copied());
            values.put("total", Some(*total));
            Some(Sample { entity: entity(scene, *place)?, at: scene.at, values })
        };
        let samples: Vec<Sample> = scene.file_systems.iter().filter_map(sample).collect();
        fleet.store().append_samples(&samples).await
    }
}

/// The places of what rules want to know of how it fills.
fn wanted(rules: &[AlertRule], scene: &AlertScene) -> BTreeSet<usize> {
    let fills = |rule: &AlertRule| rule.enabled && matches!(rule.condition, AlertCondition::Filling { .. });
    let covers = rules.iter().zip(&scene.covers).filter(|(rule, _)| fills(rule));
    covers.flat_map(|(_, covers)| covers.iter().copied()).collect()
}

fn entity(scene: &AlertScene, place: usize) -> Option<Entity> {
    scene.subjects.get(place)?.entity.parse().ok()
}

fn due(last: Option<Timestamp>, now: Timestamp, every: Duration) -> bool {
    last.is_none_or(|last| now.duration_since(last).unsigned_abs() >= every)
}
