//! What needs somebody, out of what is known now: pure. Nobody is asked for it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{
    backup_age::{self, Standing},
    digest::{ClusterDigest, HostDigest},
};
use crate::model::{
    ConnectionId, GuestId, HostId, HostState, HostView,
    attention::{
        Attention, AttentionKind,
        AttentionLevel::{Critical, Notice, Warning},
        Trouble,
    },
    dashboard::{ClusterRow, StorageRow, VmRow},
};

/// A storage or file system that is so full needs somebody, in percent.
const FILLING: f64 = 85.0;

/// One that is so full will soon stop what writes to it, in percent.
const FULL: f64 = 95.0;

/// A machine is too warm from here on, where its sensors name no limit of their own.
const WARM_CELSIUS: f64 = 85.0;

/// A certificate that holds no longer than so many days needs somebody.
const EXPIRES_SOON_DAYS: i64 = 30;

/// One that holds no longer than so many days needs somebody now.
const EXPIRES_NOW_DAYS: i64 = 7;

/// For so long a backup that failed is told of.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Facts are asked for every quarter of an hour at most; after so long somebody should look why they are not seen.
const FACTS_OLD: SignedDuration = SignedDuration::from_hours(6);

/// A clock that is off by more seconds is wrong: certificates and two-factor codes begin to fail.
const CLOCK_OFF_SECONDS: u64 = 60;

/// Hosts that are known not to answer or are looked after by hand: what is wrong with their storages follows from that.
#[derive(Clone, Debug, Default)]
pub(super) struct Away {
    pub(super) hosts: BTreeSet<HostId>,
    /// Those that are nodes, by cluster and name.
    pub(super) nodes: BTreeSet<(ConnectionId, String)>,
}

impl Away {
    /// Whether everything that a storage lies on is away.
    fn holds(&self, storage: &StorageRow) -> bool {
        let Some((owner, _)) = storage.id.split_once(':') else { return false };
        // A file system is a host's; a storage is a cluster's, on some of its nodes.
        self.hosts.contains(&HostId::from(owner))
            || storage.node.split(',').all(|node| self.nodes.contains(&(ConnectionId::from(owner), node.to_owned())))
    }
}

/// What attention is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub(super) views: &'a [HostView],
    pub(super) hosts: &'a BTreeMap<HostId, HostDigest>,
    pub(super) storages: &'a [StorageRow],
    pub(super) away: &'a Away,
    pub(super) clusters: &'a [ClusterRow],
    pub(super) digests: &'a BTreeMap<ConnectionId, ClusterDigest>,
    pub(super) guests: &'a [VmRow],
    /// The newest backups that somebody saw when looking at a guest.
    pub(super) looked: &'a BTreeMap<GuestId, Timestamp>,
}

/// What needs somebody: the worst first, of equal ones the newest first, and those last whose age nobody knows.
pub(super) fn attention(known: Known<'_>, now: Timestamp) -> Vec<Attention> {
    let none = HostDigest::default();
    let mut all: Vec<Attention> = Vec::new();
    for view in known.views {
        let digest = known.hosts.get(&view.id).unwrap_or(&none);
        let entity = format!("host:{}", view.id);
        all.extend(of_host(view, digest, now).into_iter().map(|each| each.of(entity.as_str(), view.name.as_str())));
    }
    all.extend(known.storages.iter().filter(|storage| !known.away.holds(storage)).filter_map(of_storage));
    for row in known.clusters {
        let entity = format!("cluster:{}", row.id);
        let troubles = of_cluster(row, known.digests.get(&row.id), now);
        all.extend(troubles.into_iter().map(|each| each.of(entity.as_str(), row.name.as_str())));
    }
    all.extend(known.guests.iter().filter_map(|row| old_backup(row, &known, now)));
    let newest = |each: &Attention| std::cmp::Reverse(each.since);
    all.sort_by(|a, b| (a.level, newest(a), &a.name, &a.what).cmp(&(b.level, newest(b), &b.name, &b.what)));
    all
}

fn of_host(view: &HostView, digest: &HostDigest, now: Timestamp) -> Vec<Trouble> {
    let away = match view.state {
        // Somebody looks after it by hand.
        HostState::Maintenance => return Vec::new(),
        // What else was wrong with it comes after that.
        HostState::Offline => return vec![no_answer().since(view.observed_at)],
        HostState::Unknown => Some(not_seen()),
        HostState::Online => None,
    };
    let online = view.state == HostState::Online;
    let mut all: Vec<Trouble> = away.map(|each| each.since(view.observed_at)).into_iter().collect();
    all.extend(digest.troubles.iter().cloned());
    all.extend(failed_units(digest));
    all.extend(digest.certificates.iter().filter_map(|(name, not_after)| certificate(name, *not_after, now)));
    all.extend(warm(digest));
    all.extend(clock(view, digest));
    if online {
        all.extend(old_facts(digest, now));
    }
    if let Some(count) = digest.updates_security.filter(|count| *count > 0) {
        let words = if count == 1 { "update waits" } else { "updates wait" };
        let what = format!("{count} security {words}");
        all.push(Trouble::new(AttentionKind::Updates, Notice, what).with("count", count));
    }
    if digest.reboot_needed == Some(true) {
        all.push(Trouble::new(AttentionKind::RestartWanted, Notice, "it wants to be restarted"));
    }
    all
}

fn no_answer() -> Trouble {
    Trouble::new(AttentionKind::Offline, Critical, "it does not answer")
}

fn not_seen() -> Trouble {
    Trouble::new(AttentionKind::OldData, Warning, "it has not been seen for a while")
}

fn failed_units(digest: &HostDigest) -> Option<Trouble> {
    let count = digest.failed_units.filter(|count| *count > 0)?;
    let what = format!("{count} {} failed", if count == 1 { "unit" } else { "units" });
    let trouble = Trouble::new(AttentionKind::FailedUnits, Warning, what).with("count", count);
    Some(trouble.with("units", digest.failed_names.join(", ")).since(digest.failed_since))
}

/// A certificate that is near its end.
fn certificate(name: &str, not_after: Timestamp, now: Timestamp) -> Option<Trouble> {
    (days_left(not_after, now) <= EXPIRES_SOON_DAYS).then(|| certificate_ends(name, not_after, now))
}

/// By the day, rounded down: one that holds for 29.9 days more holds for 29.
fn days_left(not_after: Timestamp, now: Timestamp) -> i64 {
    not_after.duration_since(now).as_secs().div_euclid(DAY.as_secs())
}

/// What is to be said of a certificate's end, however far ahead it is.
pub(super) fn certificate_ends(name: &str, not_after: Timestamp, now: Timestamp) -> Trouble {
    let days = days_left(not_after, now);
    let level = if days <= EXPIRES_NOW_DAYS { Critical } else { Warning };
    let what = match days {
        ..0 => format!("the certificate {name} has expired"),
        0 => format!("the certificate {name} expires within a day"),
        1 => format!("the certificate {name} expires in 1 day"),
        _ => format!("the certificate {name} expires in {days} days"),
    };
    let trouble = Trouble::new(AttentionKind::Certificate, level, what).with("certificate", name).with("days", days);
    trouble.since((days < 0).then_some(not_after))
}

/// A sensor without a limit of its own; those that have one are among the troubles.
fn warm(digest: &HostDigest) -> Option<Trouble> {
    let (celsius, _) = digest.temperature.filter(|(celsius, _)| *celsius >= WARM_CELSIUS)?;
    let told = digest.troubles.iter().any(|each| each.kind == AttentionKind::Temperature);
    (!told).then(|| {
        Trouble::new(AttentionKind::Temperature, Warning, format!("a sensor reads {celsius:.0} °C"))
            .with("celsius", format!("{celsius:.0}"))
    })
}

fn clock(view: &HostView, digest: &HostDigest) -> Option<Trouble> {
    let off = view.clock_skew_seconds.or(digest.clock_skew_seconds)?;
    if off.unsigned_abs() <= CLOCK_OFF_SECONDS {
        return None;
    }
    let way = if off > 0 { "ahead" } else { "behind" };
    let what = format!("its clock is {} s {way}", off.unsigned_abs());
    Some(Trouble::new(AttentionKind::Clock, Warning, what).with("seconds", off))
}

fn old_facts(digest: &HostDigest, now: Timestamp) -> Option<Trouble> {
    let (section, at) = digest.oldest.filter(|(_, at)| now.duration_since(*at) > FACTS_OLD)?;
    let section = section.as_str();
    let what = format!("what is known of its {section} is old");
    Some(Trouble::new(AttentionKind::OldData, Notice, what).with("section", section).since(Some(at)))
}

fn of_storage(storage: &StorageRow) -> Option<Attention> {
    let trouble = match storage {
        _ if !storage.active && storage.content.is_some() => {
            Trouble::new(AttentionKind::StorageUnusable, Critical, "it cannot be used")
        }
        _ => {
            let percent = fullness(storage).filter(|percent| *percent >= FILLING)?;
            let level = if percent >= FULL { Critical } else { Warning };
            Trouble::new(AttentionKind::DiskFull, level, format!("{percent:.0} % of it is full"))
                .with("percent", format!("{percent:.0}"))
        }
    };
    Some(trouble.of(format!("storage:{}", storage.id), format!("{} on {}", storage.name, storage.node)))
}

/// As `df` counts: what a file system keeps back for root is no room for anybody else.
fn fullness(storage: &StorageRow) -> Option<f64> {
    match storage.used_gb.zip(storage.available_gb) {
        Some((used, available)) if used + available > 0.0 => Some(used / (used + available) * 100.0),
        _ => storage.used_percent,
    }
}

fn of_cluster(row: &ClusterRow, digest: Option<&ClusterDigest>, now: Timestamp) -> Vec<Trouble> {
    let away = match row.state {
        HostState::Offline => Some(no_answer()),
        HostState::Unknown if row.observed_at.is_some() => Some(not_seen()),
        HostState::Unknown | HostState::Online | HostState::Maintenance => None,
    };
    let mut all: Vec<Trouble> = away.map(|each| each.since(row.observed_at)).into_iter().collect();
    let Some(digest) = digest else { return all };
    all.extend(digest.troubles.iter().cloned());
    let failed = digest.backups.failed.iter().filter(|failed| now.duration_since(failed.at) < DAY);
    all.extend(failed.map(|failed| {
        let what = format!("the backup of {} failed", failed.guest);
        let trouble = Trouble::new(AttentionKind::BackupFailed, Warning, what).with("guest", &failed.guest);
        trouble.with("error", &failed.error).since(Some(failed.at))
    }));
    let bare = digest.backups.bare.as_ref().filter(|bare| bare.count > 0);
    all.extend(bare.map(|bare| {
        let verb = if bare.count == 1 { "guest is" } else { "guests are" };
        let what = format!("{} {verb} in no backup job", bare.count);
        let trouble = Trouble::new(AttentionKind::BackupMissing, Notice, what);
        trouble.with("count", bare.count).with("guests", bare.names.join(", "))
    }));
    all
}

fn old_backup(row: &VmRow, known: &Known<'_>, now: Timestamp) -> Option<Attention> {
    let trouble = standing(row, known, now).trouble(now)?;
    let name = row.name.clone().unwrap_or_else(|| row.vmid.clone());
    Some(trouble.of(format!("guest:{}", row.id), name))
}

fn standing<'a>(row: &VmRow, known: &Known<'a>, now: Timestamp) -> Standing<'a> {
    let cluster = row.id.0.rsplit_once(':').map(|(connection, _)| ConnectionId::from(connection));
    let Some(cluster) = cluster else { return Standing::Unseen };
    let Some(digest) = known.digests.get(&cluster) else { return Standing::Unseen };
    let away = known.away.nodes.contains(&(cluster, row.node.clone()));
    backup_age::standing(&digest.backups, &row.vmid, known.looked.get(&row.id).copied(), away, now)
}

/// Guests of which nobody knows now whether their backups are too old.
pub(super) fn unseen_backups(known: &Known<'_>, now: Timestamp) -> BTreeSet<GuestId> {
    let unseen = known.guests.iter().filter(|row| standing(row, known, now) == Standing::Unseen);
    unseen.map(|row| row.id.clone()).collect()
}
