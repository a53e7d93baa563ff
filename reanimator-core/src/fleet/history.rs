//! The history as people ask for it: things by their names, times in words, tables for other programs.

use std::{fmt::Write as _, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Fleet;
use crate::{
    Error, ErrorKind, Result,
    model::{Change, ChangeFilter, Entity, EntityKind, Guest, GuestId, HostId, Latest, Series, TelemetryQuery},
};

/// Which part of a history, in the words of a person or a web address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HistoryWords {
    /// Whose: `host:NAME`, `guest:VMID`, `guest:NAME`, `storage:NAME`, each by its id as well, or `fleet` for all of it;
    /// any other word without a kind is a host.
    pub entity: String,
    /// Which figures, with commas between. Defaults to all that are kept of such a thing.
    pub metric: Option<String>,
    /// From then on: a time (RFC 3339) or how long ago (`24h`). Defaults to an hour ago.
    pub from: Option<String>,
    /// Up to but not including then. Defaults to now.
    pub to: Option<String>,
    /// How far apart the points are: `10s`, `5m`, `6h`. Defaults to what makes a chart of a few hundred points.
    pub step: Option<String>,
}

impl Fleet {
    /// Part of a history, in columns.
    ///
    /// # Errors
    /// `Invalid` for a figure that there is not, a span that ends before it begins, or more points than one answer
    /// holds.
    pub async fn telemetry(&self, query: &TelemetryQuery) -> Result<Series> {
        self.store().query(query).await
    }

    /// The part of a history that some words mean.
    ///
    /// # Errors
    /// As [`Fleet::telemetry`] and [`Fleet::entity`]; `Invalid` for words that are no time or span.
    pub async fn telemetry_in_words(&self, words: &HistoryWords) -> Result<Series> {
        let now = self.now();
        let time = |text: &Option<String>, default: &str| parse_time(text.as_deref().unwrap_or(default), now);
        let names = words.metric.iter().flat_map(|names| names.split(',')).map(str::trim);
        let query = TelemetryQuery {
            entity: self.entity(&words.entity).await?,
            metrics: names.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            from: time(&words.from, "1h")?,
            to: time(&words.to, "now")?,
            step: words.step.as_deref().map(parse_span).transpose()?,
        };
        self.telemetry(&query).await
    }

    /// The newest reading of each figure of one thing.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn latest(&self, entity: &Entity) -> Result<Latest> {
        let found = self.store().latest(std::slice::from_ref(entity)).await?.remove(entity);
        Ok(found.unwrap_or_default())
    }

    /// What changed, newest first.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn changes(&self, filter: &ChangeFilter) -> Result<Vec<Change>> {
        self.store().changes(filter).await
    }

    /// The thing that a word names: `host:NAME`, `guest:VMID`, `guest:NAME`, `storage:NAME`, each with its id as well, or
    /// `fleet` for all of it; any other word without a kind is a host. A host that is called `fleet` is `host:fleet`.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` where several things are called so.
    pub async fn entity(&self, word: &str) -> Result<Entity> {
        if word == EntityKind::Fleet.as_str() {
            return Ok(Entity::Fleet);
        }
        match word.split_once(':') {
            Some(("guest", name)) => self.guest_named(name).await.map(Entity::Guest),
            Some(("storage", name)) => self.storage_named(name).await.map(Entity::Storage),
            Some(("host", name)) => self.host_named(name).await.map(Entity::Host),
            _ => self.host_named(word).await.map(Entity::Host),
        }
    }

    async fn host_named(&self, name: &str) -> Result<HostId> {
        Ok(self.find(name).await?.id)
    }

    /// A guest by its id, its number or its name.
    pub(super) async fn guest_named(&self, name: &str) -> Result<GuestId> {
        let guests = self.guests().await?;
        pick_guest(&guests, name)?
            .map(|guest| guest.id.clone())
            .ok_or_else(|| missing("guest", name, "reanimator guest list"))
    }

    async fn storage_named(&self, name: &str) -> Result<String> {
        let storages = self.storages().await?;
        if let Some(exact) = storages.iter().find(|storage| storage.id == name) {
            return Ok(exact.id.clone());
        }
        let ids: Vec<String> = storages.into_iter().filter(|each| each.name == name).map(|each| each.id).collect();
        let found = ids.first().cloned();
        one("storage", name, ids, "reanimator storage list")?;
        found.ok_or_else(|| missing("storage", name, "reanimator storage list"))
    }
}

/// The guest of that id; or else the only one of that number or name.
pub(super) fn pick_guest<'a>(guests: &'a [Guest], name: &str) -> Result<Option<&'a Guest>> {
    if let Some(exact) = guests.iter().find(|guest| guest.id.0 == name) {
        return Ok(Some(exact));
    }
    let called = || guests.iter().filter(|guest| guest.vmid == name || guest.name.as_deref() == Some(name));
    one("guest", name, called().map(|guest| guest.id.to_string()).collect(), "reanimator guest list")?;
    Ok(called().next())
}

/// Refuses a name that several things have.
fn one(kind: &str, name: &str, ids: Vec<String>, list: &str) -> Result<()> {
    match ids.len() {
        0 | 1 => Ok(()),
        _ => Err(Error::new(ErrorKind::Conflict, format!("find the {kind} \"{name}\""))
            .because(format!("{} are called so: {}", ids.len(), ids.join(", ")))
            .next(format!("name it by its id; see `{list} --json`"))),
    }
}

fn missing(kind: &str, name: &str, list: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("find the {kind} \"{name}\""))
        .because("there is none of that id or name")
        .next(format!("see `{list}`"))
}

/// A time as people write it: `2026-01-31T12:00:00Z`, `now`, or how long ago: `24h`, `-90m`, `7d`.
///
/// # Errors
/// `Invalid`.
pub fn parse_time(text: &str, now: Timestamp) -> Result<Timestamp> {
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let ago = parse_span(text.strip_prefix('-').unwrap_or(text)).ok();
    ago.and_then(|ago| now.checked_sub(ago).ok()).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("read the time {text:?}"))
            .because("it is neither a time nor how long ago")
            .next("write it as 2026-01-31T12:00:00Z, or as 90m, 24h, 7d, or now")
    })
}

/// A span as people write it: `30s`, `5m`, `2h`, `7d`, `4w`, or a number of seconds.
///
/// # Errors
/// `Invalid`.
pub fn parse_span(text: &str) -> Result<Duration> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds: Option<u64> = match &text[digits.len()..] {
        "" | "s" => Some(1),
        "m" => Some(60),
        "h" => Some(60 * 60),
        "d" => Some(24 * 60 * 60),
        "w" => Some(7 * 24 * 60 * 60),
        _ => None,
    };
    let span = seconds.and_then(|unit| digits.parse::<u64>().ok()?.checked_mul(unit)).filter(|seconds| *seconds > 0);
    span.map(Duration::from_secs).ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("read the span {text:?}"))
            .because("it is no number with a unit")
            .next("write it as 30s, 5m, 2h, 7d or 4w")
    })
}

/// A history as CSV: a line per time, and per figure the least, the average and the most. A gap is an empty field.
///
/// ```
/// # use reanimator_core::{fleet::to_csv, model::{Columns, Series}};
/// let columns = Columns { min: vec![Some(1.0)], mean: vec![Some(1.5)], max: vec![None] };
/// let series = Series {
///     entity: "host:a".parse()?,
///     step_seconds: 60,
///     times: vec!["2026-01-31T12:00:00Z".parse()?],
///     metrics: [("load1".to_owned(), columns)].into(),
/// };
/// assert_eq!(to_csv(&series), "time,load1_min,load1_mean,load1_max\n2026-01-31T12:00:00Z,1,1.5,\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn to_csv(series: &Series) -> String {
    let mut text = String::from("time");
    for name in series.metrics.keys() {
        // Writing to a string does not fail.
        let _written = write!(text, ",{name}_min,{name}_mean,{name}_max");
    }
    text.push('\n');
    for (index, time) in series.times.iter().enumerate() {
        let _written = write!(text, "{time}");
        for columns in series.metrics.values() {
            for column in [&columns.min, &columns.mean, &columns.max] {
                text.push(',');
                if let Some(value) = column.get(index).copied().flatten() {
                    let _written = write!(text, "{value}");
                }
            }
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
        for (text, time) in [
            ("now", "2026-01-31T12:00:00Z"),
            ("24h", "2026-01-30T12:00:00Z"),
            ("-90m", "2026-01-31T10:30:00Z"),
            ("7d", "2026-01-24T12:00:00Z"),
            ("2026-01-01T00:00:00+02:00", "2025-12-31T22:00:00Z"),
        ] {
            assert_eq!(parse_time(text, now).unwrap().to_string(), time, "{text}");
        }
        for text in ["", "yesterday", "-", "5y", "1.5h", "99999999999999999999d", "18446744073709551615w", "0s", "ü"] {
            assert_eq!(parse_time(text, now).unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
    }

    #[test]
    fn a_guest_whose_name_another_has_is_named_by_its_id_only() {
        let guest = |id: &str, vmid: &str, name: &str| -> Guest {
            serde_json::from_value(serde_json::json!({
                "id": id, "connection": "a", "vmid": vmid, "name": name, "kind": "lxc", "node": "pve1",
                "status": "running", "tags": [], "template": false,
            }))
            .unwrap()
        };
        let guests = [guest("a/100", "100", "web"), guest("a/101", "101", "web"), guest("a/102", "102", "a/100")];
        let picked = |name| pick_guest(&guests, name).map(|guest| guest.map(|guest| guest.vmid.as_str()));
        assert_eq!(picked("a/100").unwrap(), Some("100"));
        assert_eq!(picked("101").unwrap(), Some("101"));
        assert_eq!(picked("mail").unwrap(), None);
        assert_eq!(picked("web").unwrap_err().kind(), ErrorKind::Conflict);
    }
}
