//! What an admin decides about the fleet: how long things are kept, how much is done at once, how much room files take.
//!
//! The settings lie in the store, so that the page, the command line and Python see the same ones. The live loop reads
//! them at each step of its upkeep.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Fleet, TerminalChange, TerminalSettings};
use crate::{
    Error, ErrorKind, Result,
    store::{Retention, StoreSizes},
};

/// Under this name the store keeps how long things are kept.
const RETENTION: &str = "retention";

/// Under this name the store keeps how much is done at once.
const CAPS: &str = "caps";
/// Under this name the store keeps how much room files take that are handed over.
const UPLOADS: &str = "uploads";
/// Under this name the store keeps how long terminals stay, and whether they are recorded.
const TERMINALS: &str = "terminals";

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// How long things are kept. The audit trail is kept for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RetentionSettings {
    /// Every sample, in hours. Defaults to 24.
    pub samples_hours: u32,
    /// Minimum, average and maximum of each minute, in days. Defaults to 7.
    pub minutes_days: u32,
    /// The same of each quarter of an hour, in days. Defaults to 90.
    pub quarters_days: u32,
    /// The same of each 6 hours, in days. Defaults to 730.
    pub six_hours_days: u32,
    /// What happened, in days. Defaults to 90.
    pub events_days: u32,
    /// What changed in facts, in days. Defaults to 730.
    pub changes_days: u32,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        let Retention { samples, minutes, quarters, six_hours } = Retention::default();
        let of = |duration: Duration, unit: u64| u32::try_from(duration.as_secs() / unit).unwrap_or(u32::MAX);
        Self {
            samples_hours: of(samples, HOUR),
            minutes_days: of(minutes, DAY),
            quarters_days: of(quarters, DAY),
            six_hours_days: of(six_hours, DAY),
            events_days: 90,
            changes_days: 730,
        }
    }
}

/// What to change of [`RetentionSettings`]; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct RetentionChange {
    /// Every sample, in hours: 1 to 720.
    pub samples_hours: Option<u32>,
    /// Minutes, in days: 1 to 365, and no shorter than samples.
    pub minutes_days: Option<u32>,
    /// Quarters of an hour, in days: 1 to 1825, and no shorter than minutes.
    pub quarters_days: Option<u32>,
    /// Six hours, in days: 1 to 7300, and no shorter than quarters of an hour.
    pub six_hours_days: Option<u32>,
    /// What happened, in days: 1 to 3650.
    pub events_days: Option<u32>,
    /// What changed in facts, in days: 1 to 7300.
    pub changes_days: Option<u32>,
}

/// How many operations may act on one host or cluster at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct CapSettings {
    /// On one host and what runs on it. Defaults to 2.
    pub per_host: u32,
    /// On one cluster and what runs on it. Defaults to 4.
    pub per_cluster: u32,
}

impl Default for CapSettings {
    fn default() -> Self {
        Self { per_host: 2, per_cluster: 4 }
    }
}

/// What to change of [`CapSettings`]; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CapChange {
    /// On one host: 1 to 64.
    pub per_host: Option<u32>,
    /// On one cluster: 1 to 256.
    pub per_cluster: Option<u32>,
}

/// How much room files take that are handed over, before they are on a storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct UploadSettings {
    /// All together, in GiB. Defaults to 50.
    pub quota_gib: u32,
    /// For how many days those are kept that nobody touches. Defaults to 3.
    pub keep_days: u32,
}

impl Default for UploadSettings {
    fn default() -> Self {
        Self { quota_gib: 50, keep_days: 3 }
    }
}

/// What to change of [`UploadSettings`]; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct UploadChange {
    /// All together, in GiB: 1 to 10000.
    pub quota_gib: Option<u32>,
    /// For how many days: 1 to 90.
    pub keep_days: Option<u32>,
}

/// The settings, and what the data takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settings {
    /// How long things are kept.
    pub retention: RetentionSettings,
    /// How much is done at once.
    pub caps: CapSettings,
    /// How much room files take that are handed over.
    pub uploads: UploadSettings,
    /// How long terminals stay, and whether they are recorded.
    pub terminals: TerminalSettings,
    /// How much room the data takes.
    pub sizes: StoreSizes,
    /// The version of this program.
    pub version: String,
}

/// What to change of [`Settings`]; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SettingsChange {
    /// How long things are kept.
    pub retention: RetentionChange,
    /// How much is done at once.
    pub caps: CapChange,
    /// How much room files take that are handed over.
    pub uploads: UploadChange,
    /// How long terminals stay, and whether they are recorded.
    pub terminals: TerminalChange,
}

/// What is to change, for the audit trail: `minutes_days 14, events_days 30`.
impl fmt::Display for SettingsChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RetentionChange { samples_hours, minutes_days, quarters_days, six_hours_days, events_days, changes_days } =
            self.retention;
        let fields = [
            ("samples_hours", samples_hours),
            ("minutes_days", minutes_days),
            ("quarters_days", quarters_days),
            ("six_hours_days", six_hours_days),
            ("events_days", events_days),
            ("changes_days", changes_days),
            ("per_host", self.caps.per_host),
            ("per_cluster", self.caps.per_cluster),
            ("quota_gib", self.uploads.quota_gib),
            ("keep_days", self.uploads.keep_days),
        ];
        let changed = fields.iter().filter_map(|(field, value)| value.map(|value| format!("{field} {value}")));
        f.write_str(&changed.chain(self.terminals.words()).collect::<Vec<_>>().join(", "))
    }
}

impl RetentionSettings {
    /// Of the history of figures.
    pub(crate) fn figures(&self) -> Retention {
        Retention {
            samples: Duration::from_secs(u64::from(self.samples_hours) * HOUR),
            minutes: days(self.minutes_days),
            quarters: days(self.quarters_days),
            six_hours: days(self.six_hours_days),
        }
    }

    /// Of what happened.
    pub(crate) fn events(&self) -> Duration {
        days(self.events_days)
    }

    /// Of what changed.
    pub(crate) fn changes(&self) -> Duration {
        days(self.changes_days)
    }

    /// With the change made, if what comes of it can be.
    ///
    /// # Errors
    /// `Invalid`, naming the field and what it may be.
    fn with(self, change: RetentionChange) -> Result<Self> {
        let after = Self {
            samples_hours: change.samples_hours.unwrap_or(self.samples_hours),
            minutes_days: change.minutes_days.unwrap_or(self.minutes_days),
            quarters_days: change.quarters_days.unwrap_or(self.quarters_days),
            six_hours_days: change.six_hours_days.unwrap_or(self.six_hours_days),
            events_days: change.events_days.unwrap_or(self.events_days),
            changes_days: change.changes_days.unwrap_or(self.changes_days),
        };
        in_range("samples_hours", after.samples_hours, 720, "hours")?;
        in_range("minutes_days", after.minutes_days, 365, "days")?;
        in_range("quarters_days", after.quarters_days, 1825, "days")?;
        in_range("six_hours_days", after.six_hours_days, 7300, "days")?;
        in_range("events_days", after.events_days, 3650, "days")?;
        in_range("changes_days", after.changes_days, 7300, "days")?;
        let tiers = [
            ("samples_hours", u64::from(after.samples_hours)),
            ("minutes_days", u64::from(after.minutes_days) * 24),
            ("quarters_days", u64::from(after.quarters_days) * 24),
            ("six_hours_days", u64::from(after.six_hours_days) * 24),
        ];
        for pair in tiers.windows(2) {
            let [(finer, shorter), (coarser, longer)] = pair else { continue };
            if shorter > longer {
                return Err(refused(coarser)
                    .because(format!("{coarser} ({longer} hours) is shorter than {finer} ({shorter} hours)"))
                    .next(format!("keep the coarser figures at least as long: raise {coarser} or lower {finer}")));
            }
        }
        Ok(after)
    }
}

impl CapSettings {
    /// With the change made, if what comes of it can be.
    fn with(self, change: CapChange) -> Result<Self> {
        let after = Self {
            per_host: change.per_host.unwrap_or(self.per_host),
            per_cluster: change.per_cluster.unwrap_or(self.per_cluster),
        };
        in_range("per_host", after.per_host, 64, "operations")?;
        in_range("per_cluster", after.per_cluster, 256, "operations")?;
        Ok(after)
    }
}

impl UploadSettings {
    /// With the change made, if what comes of it can be.
    fn with(self, change: UploadChange) -> Result<Self> {
        let after = Self {
            quota_gib: change.quota_gib.unwrap_or(self.quota_gib),
            keep_days: change.keep_days.unwrap_or(self.keep_days),
        };
        in_range("quota_gib", after.quota_gib, 10_000, "GiB")?;
        in_range("keep_days", after.keep_days, 90, "days")?;
        Ok(after)
    }
}

impl Fleet {
    /// The settings, and what the data takes.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn settings(&self) -> Result<Settings> {
        Ok(Settings {
            retention: self.retention().await?,
            caps: self.caps().await?,
            uploads: self.upload_settings().await?,
            terminals: self.terminal_settings().await?,
            sizes: self.store().sizes().await?,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }

    /// Changes settings, from the next step of upkeep on. What is then too old is deleted within minutes.
    ///
    /// # Errors
    /// `Invalid`, naming the field, for a value that cannot be; then nothing is changed.
    pub async fn change_settings(&self, change: SettingsChange) -> Result<Settings> {
        let retention = self.retention().await?.with(change.retention)?;
        let caps = self.caps().await?.with(change.caps)?;
        let uploads = self.upload_settings().await?.with(change.uploads)?;
        let terminals = self.terminal_settings().await?.with(change.terminals)?;
        self.put(RETENTION, &retention).await?;
        self.put(CAPS, &caps).await?;
        self.put(UPLOADS, &uploads).await?;
        self.put(TERMINALS, &terminals).await?;
        self.settings().await
    }

    /// How long things are kept.
    pub(crate) async fn retention(&self) -> Result<RetentionSettings> {
        self.kept(RETENTION, "read how long things are kept").await
    }

    /// How many operations may act on one host or cluster at once.
    pub(crate) async fn caps(&self) -> Result<CapSettings> {
        self.kept(CAPS, "read how much is done at once").await
    }

    /// How much room files take that are handed over.
    pub(crate) async fn upload_settings(&self) -> Result<UploadSettings> {
        self.kept(UPLOADS, "read how much room files take").await
    }

    /// How long terminals stay, and whether they are recorded.
    pub(crate) async fn terminal_settings(&self) -> Result<TerminalSettings> {
        self.kept(TERMINALS, "read how long terminals stay").await
    }

    async fn kept<T: DeserializeOwned + Default>(&self, name: &str, attempt: &str) -> Result<T> {
        let Some(text) = self.store().setting(name).await? else { return Ok(T::default()) };
        serde_json::from_str(&text)
            .map_err(|error| Error::new(ErrorKind::Storage, attempt).next("set it again").from_source(error))
    }

    async fn put<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let text = serde_json::to_string(value)
            .map_err(|error| Error::new(ErrorKind::Internal, "write the settings as JSON").from_source(error))?;
        self.store().put_setting(name, Some(&text)).await
    }
}

fn days(count: u32) -> Duration {
    Duration::from_secs(u64::from(count) * DAY)
}

pub(super) fn in_range(field: &str, value: u32, most: u32, unit: &str) -> Result<()> {
    if (1..=most).contains(&value) {
        return Ok(());
    }
    Err(refused(field)
        .because(format!("{field} is 1 to {most} {unit}, not {value}"))
        .next(format!("give {field} a number from 1 to {most}")))
}

fn refused(field: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("change {field}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_store() {
        let kept = RetentionSettings::default();
        assert_eq!(kept.figures(), Retention::default());
        assert_eq!((kept.samples_hours, kept.minutes_days, kept.quarters_days), (24, 7, 90));
        assert_eq!(kept.with(RetentionChange::default()).unwrap(), kept);
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_name() {
        let kept = RetentionSettings::default();
        let change = |field: &str, value: u32| serde_json::from_value(serde_json::json!({ field: value })).unwrap();
        for (field, value, word) in [
            ("samples_hours", 0, "1 to 720"),
            ("samples_hours", 721, "1 to 720"),
            ("samples_hours", 200, "minutes_days"),
            ("minutes_days", 91, "quarters_days"),
            ("quarters_days", 3, "minutes_days"),
            ("six_hours_days", 80, "quarters_days"),
            ("six_hours_days", u32::MAX, "1 to 7300"),
            ("events_days", 0, "1 to 3650"),
            ("changes_days", 9999, "1 to 7300"),
        ] {
            let error = kept.with(change(field, value)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            let report = crate::report(&error);
            assert!(report.contains(field) && report.contains(word), "{report}");
            assert!(error.next_step().is_some());
        }
    }

    #[test]
    fn several_tiers_may_move_together() {
        let change = RetentionChange {
            samples_hours: Some(1),
            minutes_days: Some(1),
            quarters_days: Some(1),
            six_hours_days: Some(1),
            ..RetentionChange::default()
        };
        let kept = RetentionSettings::default().with(change).unwrap();
        assert_eq!(kept.figures().six_hours, Duration::from_secs(DAY));
        assert_eq!(kept.events_days, 90);
    }

    #[test]
    fn settings_of_an_earlier_version_take_the_defaults_for_what_is_new() {
        let kept: RetentionSettings = serde_json::from_str(r#"{"samples_hours":48}"#).unwrap();
        assert_eq!(kept, RetentionSettings { samples_hours: 48, ..RetentionSettings::default() });
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn a_change_is_kept_and_a_refused_one_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let open = || {
            let options =
                crate::FleetOptions { with_this_machine: false, ..crate::FleetOptions::new(directory.path()) };
            Fleet::open(options)
        };
        let fleet = open().await.unwrap();
        let change = |minutes_days| SettingsChange {
            retention: RetentionChange { minutes_days: Some(minutes_days), ..RetentionChange::default() },
            caps: CapChange { per_host: Some(3), per_cluster: None },
            ..SettingsChange::default()
        };
        assert_eq!(fleet.change_settings(change(14)).await.unwrap().retention.minutes_days, 14);
        fleet.change_settings(change(0)).await.unwrap_err();
        fleet.close().await;
        let settings = open().await.unwrap().settings().await.unwrap();
        assert_eq!(settings.retention, RetentionSettings { minutes_days: 14, ..RetentionSettings::default() });
        assert_eq!(settings.caps, CapSettings { per_host: 3, per_cluster: 4 });
        assert!(settings.sizes.database_bytes > 0 && settings.sizes.history_bytes > 0);
    }
}
