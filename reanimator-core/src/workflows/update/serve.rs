//! Updates while a server runs: what is asked for is carried out, what a process has left when it died is taken over, those
//! of schedules are made when their time comes, and whoever listens is told how far each one got.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    task::{Id, JoinSet},
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use super::{Updates, news::News};
use crate::{
    Result,
    fleet::Fleet,
    model::{UnreadableSchedule, UpdateFilter, UpdateId, UpdateLine, UpdateSchedule},
};

/// How often the store is looked into: what it costs is two small queries while there is nothing to do.
const EVERY: Duration = Duration::from_secs(1);
/// How late a schedule's update may still be made, when no server ran at its time: who planned for the night does not want
/// it at noon.
const LATE: SignedDuration = SignedDuration::from_hours(1);
/// How many of the newest updates are looked at for those that began and ended between two looks.
const NEWEST: u32 = 20;

/// The loop.
#[derive(Debug)]
pub struct UpdatesLoop {
    fleet: Fleet,
    updates: Updates,
    running: JoinSet<()>,
    ours: BTreeMap<Id, UpdateId>,
    news: News,
    /// Schedules that cannot be read, or of which nobody knows when they are due, and that were complained of.
    unreadable: BTreeSet<String>,
}

impl UpdatesLoop {
    /// A loop over this fleet's updates.
    pub fn new(fleet: Fleet) -> Self {
        let updates = Updates::new(fleet.clone());
        let (running, ours, news) = (JoinSet::new(), BTreeMap::new(), News::default());
        Self { fleet, updates, running, ours, news, unreadable: BTreeSet::new() }
    }

    /// Runs until `stop`; then lets go of what it carries out.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = self.running.join_next_with_id() => {
                    let id = match ended {
                        Ok((id, ())) => id,
                        Err(error) => {
                            tracing::error!(%error, "the task of an update broke");
                            error.id()
                        }
                    };
                    self.ours.remove(&id);
                    continue;
                }
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.look(&stop).await {
                tracing::error!(error = %crate::report(&error), "the updates cannot be read");
            }
        }
        while self.running.join_next().await.is_some() {}
    }

    async fn look(&mut self, stop: &CancellationToken) -> Result<()> {
        // Whatever is wrong with schedules, updates that were asked for go on.
        if let Err(error) = self.make_those_of_schedules().await {
            tracing::error!(error = %crate::report(&error), "the schedules of updates cannot be read");
        }
        let taken = self.updates.take_orphans(&mut self.running, &self.ours, stop).await?;
        self.ours.extend(taken);
        for (kind, line) in self.news.of(self.seen().await?) {
            self.fleet.tell(kind, &line);
        }
        Ok(())
    }

    /// Each at its time, once. One whose last update goes on is passed over.
    async fn make_those_of_schedules(&mut self) -> Result<()> {
        let now = self.fleet.now();
        for stored in self.fleet.store().update_schedules().await? {
            let schedule = match stored {
                Ok(schedule) => schedule,
                Err(UnreadableSchedule { name, cause, .. }) => {
                    if self.unreadable.insert(name.clone()) {
                        tracing::error!(schedule = %name, %cause, "a schedule of updates cannot be read");
                    }
                    continue;
                }
            };
            let due = match schedule.due(now) {
                Ok(due) => due,
                Err(error) => {
                    if self.unreadable.insert(schedule.name.clone()) {
                        let error = crate::report(&error);
                        tracing::error!(schedule = %schedule.name, %error, "nobody knows when an update is due");
                    }
                    continue;
                }
            };
            self.unreadable.remove(&schedule.name);
            let Some(due) = due else { continue };
            if let Err(error) = self.make_that_of(&schedule, due, now).await {
                tracing::error!(schedule = %schedule.name, error = %crate::report(&error), "an update was not made");
            }
        }
        Ok(())
    }

    /// Makes the update of a schedule that is due, or passes it over.
    async fn make_that_of(&self, schedule: &UpdateSchedule, due: Timestamp, now: Timestamp) -> Result<()> {
        let why_not = match is_late(due, now) {
            true => "no server ran at its time",
            false if self.goes_on(&schedule.name).await? => "its last update goes on",
            false => return self.updates.make_of(schedule, due).await.map(drop),
        };
        if self.fleet.store().add_update_of(&schedule.name, due, Err(why_not)).await? {
            tracing::warn!(schedule = %schedule.name, %due, "an update is passed over: {why_not}");
        }
        Ok(())
    }

    async fn goes_on(&self, schedule: &str) -> Result<bool> {
        let open = UpdateFilter { open: true, limit: 200, ..UpdateFilter::default() };
        let runs = self.updates.list(&open).await?;
        Ok(runs.iter().any(|run| run.schedule.as_deref() == Some(schedule)))
    }

    /// Those that go on, those that went on at the last look, and the newest.
    async fn seen(&self) -> Result<Vec<UpdateLine>> {
        let filter = |open, limit| UpdateFilter { open, limit, ..UpdateFilter::default() };
        let open = self.updates.list(&filter(true, 200)).await?;
        let mut seen: Vec<UpdateLine> = open.iter().map(|run| run.line()).collect();
        for id in self.news.going_on() {
            if !seen.iter().any(|line| line.id == id) {
                seen.push(self.updates.get(&id).await?.line());
            }
        }
        let newest = self.fleet.store().newest_update().await?;
        if newest.is_some_and(|newest| self.news.is_new(&newest)) {
            let rest = self.updates.list(&filter(false, NEWEST)).await?;
            seen.extend(rest.iter().map(|run| run.line()).filter(|line| self.news.is_new(&line.id)));
        }
        Ok(seen)
    }
}

fn is_late(due: Timestamp, now: Timestamp) -> bool {
    now.duration_since(due) > LATE
}

#[cfg(all(test, feature = "sqlite"))]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::{
        FleetOptions,
        model::{NoticeKind, TargetState, UpdateState},
        store::break_update_schedule,
        workflows::update::tests::{fleet, wish},
    };

    /// A schedule that was due so many minutes ago.
    async fn due(fleet: &Fleet, name: &str, minutes: i64) {
        due_by(fleet, name, minutes, "local:ada").await;
    }

    async fn due_by(fleet: &Fleet, name: &str, minutes: i64, by: &str) {
        let (now, ago) = (fleet.now(), SignedDuration::from_mins(minutes));
        let text = serde_json::json!({
            "name": name, "wish": wish(), "at": (now - ago).strftime("%H:%M").to_string(),
            "done_until": now - ago - SignedDuration::from_mins(30), "by": by,
        });
        let schedule: UpdateSchedule = serde_json::from_value(text).unwrap();
        fleet.store().insert_update_schedule(&schedule).await.unwrap();
    }

    #[tokio::test]
    async fn a_schedule_is_made_once_at_its_time_and_not_hours_later() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = fleet(FleetOptions::new(directory.path())).await;
        due(&fleet, "now", 5).await;
        due(&fleet, "missed", 120).await;
        let mut serving = UpdatesLoop::new(fleet.clone());
        let (stop, mut events) = (CancellationToken::new(), fleet.events());
        serving.look(&stop).await.unwrap();
        serving.look(&stop).await.unwrap();
        let made = serving.updates.list(&UpdateFilter { limit: 10, ..UpdateFilter::default() }).await.unwrap();
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!((made[0].schedule.as_deref(), made[0].requested_by.as_str()), (Some("now"), "local:ada"));
        assert_eq!(made[0].requested_from, "schedule now");
        while serving.running.join_next().await.is_some() {}
        serving.look(&stop).await.unwrap();
        let over = serving.updates.get(&made[0].id).await.unwrap();
        assert_eq!((over.state, over.targets[0].state), (UpdateState::Done, TargetState::Skipped));
        let mut told = Vec::new();
        while let Ok(event) = events.try_recv() {
            told.push(event.kind.as_str());
        }
        assert_eq!((told.first(), told.last()), (Some(&"update:started"), Some(&"update:ended")), "{told:?}");
    }

    async fn told(fleet: &Fleet) -> Vec<(NoticeKind, String, String)> {
        let notices = fleet.store().notices(10).await.unwrap().into_iter().map(|each| each.notice);
        notices.map(|notice| (notice.kind, notice.key, notice.text)).collect()
    }

    #[tokio::test]
    async fn who_is_gone_has_nothing_updated_and_it_is_told_once() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = fleet(FleetOptions::new(directory.path())).await;
        due_by(&fleet, "gone", 5, "ada").await;
        let now = fleet.now();
        fleet.access().create_token("reader", crate::access::Role::Viewer, now).await.unwrap();
        due_by(&fleet, "lowered", 5, "token:reader").await;
        let mut serving = UpdatesLoop::new(fleet.clone());
        let stop = CancellationToken::new();
        serving.look(&stop).await.unwrap();
        serving.look(&stop).await.unwrap();
        assert!(serving.updates.list(&UpdateFilter { limit: 10, ..UpdateFilter::default() }).await.unwrap().is_empty());
        let told = told(&fleet).await;
        assert_eq!(told.iter().map(|told| told.1.as_str()).collect::<Vec<_>>(), ["schedule:gone", "schedule:lowered"]);
        assert!(told[0].2.contains("ada, in whose name"), "{told:?}");
        assert!(told[1].2.contains("operator"), "{told:?}");
        let last = fleet.update_schedule("gone").await.unwrap().schedule.last_outcome.unwrap();
        assert!(!last.made && last.text == told[0].2, "{last:?}");
    }

    #[tokio::test]
    async fn one_that_nobody_can_read_stops_no_other_and_an_end_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let fleet = fleet(FleetOptions::new(directory.path())).await;
        due(&fleet, "bad", 5).await;
        let nowhere = |schedule| Ok(UpdateSchedule { zone: "Nowhere".into(), ..schedule });
        fleet.store().edit_update_schedule("bad", Box::new(nowhere)).await.unwrap();
        due(&fleet, "a-broken-one", 5).await;
        break_update_schedule(directory.path(), "a-broken-one").await;
        due(&fleet, "good", 5).await;
        let mut serving = UpdatesLoop::new(fleet.clone());
        serving.look(&CancellationToken::new()).await.unwrap();
        let made = serving.updates.list(&UpdateFilter { limit: 10, ..UpdateFilter::default() }).await.unwrap();
        assert_eq!(made.iter().map(|run| run.schedule.as_deref()).collect::<Vec<_>>(), [Some("good")]);
        while serving.running.join_next().await.is_some() {}
        serving.updates.see_through(&made[0].id, &CancellationToken::new()).await.unwrap();
        let ends: Vec<_> = told(&fleet).await.into_iter().filter(|told| told.1.starts_with("update:")).collect();
        assert_eq!(ends.len(), 1, "{ends:?}");
        assert_eq!((ends[0].0, &ends[0].1), (NoticeKind::UpdateEnded, &format!("update:{}", made[0].id)));
    }
}
