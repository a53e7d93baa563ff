//! Alerts while a server runs: rules are looked at every few seconds, and what became of what is written down.
//!
//! The loop looks at what the live loop keeps in memory, and asks no host. What it finds is decided by
//! [`alert::Watch`](crate::alert::Watch), pure; what became of alerts is written in one transaction with what is to be said of
//! it, so that nothing is told twice and nothing is lost, whenever the process ends. A new process goes on where the last one
//! was. How disks fill is kept in memory by the half hour; it is read from the history once.
//!
//! ```no_run
//! use reanimator_core::{Fleet, FleetOptions, workflows::alerts::AlertsLoop};
//! use tokio_util::sync::CancellationToken;
//! # async fn example() -> Result<(), reanimator_core::Error> {
//! let fleet = Fleet::open(FleetOptions::new("/tmp/fleet")).await?;
//! let stop = CancellationToken::new();
//! tokio::spawn(AlertsLoop::new(fleet).run(stop.clone()));
//! # Ok(()) }
//! ```

mod trends;
mod trial;

use std::{collections::BTreeSet, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::trends::Trends;
use crate::{
    Result,
    alert::{Transition, Watch},
    fleet::{AlertScene, Fleet},
    model::{Alert, AlertRule, EventKind},
};

pub use trial::{Ring, RuleTrial, try_rule};

/// The most time between two looks: figures are as far apart.
const SLOWEST: Duration = Duration::from_secs(10);
/// The least time between two looks.
const FASTEST: Duration = Duration::from_secs(1);
/// A look may take a fortieth of the time, so that a small fleet is told within a second or two and a large one costs
/// little.
const SHARE: u32 = 40;

/// The loop.
#[derive(Debug)]
pub struct AlertsLoop {
    fleet: Fleet,
    watch: Option<Watch>,
    trends: Trends,
    /// Acknowledged alerts that listeners were told of.
    known: BTreeSet<String>,
}

impl AlertsLoop {
    /// A loop over this fleet's rules.
    pub fn new(fleet: Fleet) -> Self {
        Self { fleet, watch: None, trends: Trends::default(), known: BTreeSet::new() }
    }

    /// Runs until `stop`. What fails is said and tried again at the next look.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let began = Instant::now();
            if let Err(error) = self.look().await {
                tracing::error!(error = %crate::report(&error), "the alert rules could not be looked at");
            }
            let pause = (began.elapsed() * SHARE).clamp(FASTEST, SLOWEST);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Looks once: reads the rules, takes a step, writes down what became of what. Gives that.
    ///
    /// # Errors
    /// `Storage`: then the same step is taken again at the next look.
    pub async fn look(&mut self) -> Result<Vec<Transition>> {
        let mut watch = match &self.watch {
            Some(watch) => watch.clone(),
            None => {
                let since = self.fleet.now() - Watch::remembers();
                Watch::remembering(self.fleet.store().alerts_since(since).await?)
            }
        };
        let rules = self.fleet.store().alert_rules().await?;
        let scene = self.fleet.alert_scene(&rules).await?;
        self.take_in_what_was_said(&mut watch).await?;
        self.trends.follow(&self.fleet, &rules, &scene).await;
        let (next, transitions) = self.step(&watch, &rules, scene);
        self.fleet.write_down_alerts(&transitions).await?;
        self.watch = Some(next);
        Ok(transitions)
    }

    fn step(&self, watch: &Watch, rules: &[AlertRule], mut scene: AlertScene) -> (Watch, Vec<Transition>) {
        self.trends.foretell(&mut scene);
        watch.step(&scene.bound(rules), &scene.subjects, scene.at)
    }

    /// Alerts that somebody knows of, also by another process: whoever listens here is told.
    async fn take_in_what_was_said(&mut self, watch: &mut Watch) -> Result<()> {
        // Before they are read: one that is acknowledged in between is told of twice rather than never.
        let here = self.fleet.take_acknowledged_here();
        let acknowledged = self.fleet.store().acknowledged_alerts().await?;
        if self.watch.is_some() {
            let news = |alert: &&Alert| !self.known.contains(&alert.id) && !here.contains(&alert.id);
            acknowledged.iter().filter(news).for_each(|alert| self.fleet.tell(EventKind::AlertAcknowledged, alert));
        }
        self.known = acknowledged.iter().map(|alert| alert.id.clone()).collect();
        watch.take_in(&acknowledged);
        Ok(())
    }
}
