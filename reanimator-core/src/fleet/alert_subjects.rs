//! What alert rules look at, out of what is known now: nobody is asked for it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use jiff::Timestamp;

use super::{
    Fleet, GuestSelector, NamedSelector, Selector, Tables, attention::certificate_ends, named_selector::Named,
    view::STALE_AFTER, world::World,
};
use crate::{
    Result,
    alert::{Bound, Presence, Subject, derived_percent},
    model::{
        AlertRule, ConnectionId, Entity, Guest, GuestId, GuestKind, GuestStatus, HostId, HostState, HostView,
        Telemetry,
        attention::{Attention, AttentionKind},
        dashboard::{ClusterRow, StorageRow},
    },
    store::MetricRow,
};

/// Figures of clusters older than this are not those of now: three turns of a node that is asked by `pvesh`.
const STALE_CLUSTER: Duration = Duration::from_secs(180);
const GIB: f64 = (1_u64 << 30) as f64;

/// Everything that rules look at, at one time.
#[derive(Clone, Debug)]
pub struct AlertScene {
    /// When.
    pub at: Timestamp,
    /// The things.
    pub subjects: Vec<Subject>,
    /// For each rule, in their order, which of the things it covers.
    pub covers: Vec<Vec<usize>>,
    /// Of things that may fill: how many bytes are used, by their places.
    pub used: BTreeMap<usize, f64>,
    /// Which of them are file systems of hosts, whose history nobody else keeps, and their size in bytes.
    pub file_systems: BTreeMap<usize, f64>,
}

impl AlertScene {
    /// The rules with what they cover. They have to be those that the scene was made for.
    pub fn bound<'a>(&self, rules: &'a [AlertRule]) -> Vec<Bound<'a>> {
        let covers = self.covers.iter().cloned();
        rules.iter().zip(covers).map(|(rule, covers)| Bound { rule, covers }).collect()
    }
}

/// The figures that rules name, each with what it is made of where it is no figure of the history.
#[derive(Debug, Default)]
struct Wanted {
    plain: BTreeSet<String>,
    derived: BTreeMap<String, (&'static str, &'static str)>,
}

/// What the things are made of.
struct Known<'a> {
    now: Timestamp,
    wanted: Wanted,
    states: HashMap<&'a HostId, HostState>,
    places: HashMap<(ConnectionId, String), HostState>,
    troubles: BTreeMap<String, Vec<Attention>>,
    unseen_backups: BTreeSet<GuestId>,
    /// Of hosts, by name, and until when they hold.
    certificates: BTreeMap<HostId, Vec<(String, Timestamp)>>,
}

impl Fleet {
    /// What these rules look at now: out of memory while a live loop runs in this process, else as last stored.
    ///
    /// # Errors
    /// `Storage` when the store cannot be read.
    pub async fn alert_scene(&self, rules: &[AlertRule]) -> Result<AlertScene> {
        let (mut tables, unseen_backups) = self.tables_and_unseen_backups().await?;
        let telemetry = self.telemetry_of_hosts().await?;
        let now = self.now();
        let (views, guests, places) = self.read(|world| (world.views(now), world.guests(), World::node_places(world)));
        let states: HashMap<&HostId, HostState> = views.iter().map(|view| (&view.id, view.state)).collect();
        let places = places.into_iter().filter_map(|(id, place)| Some((place, *states.get(&id)?))).collect();
        let mut troubles: BTreeMap<String, Vec<Attention>> = BTreeMap::new();
        for each in std::mem::take(&mut tables.overview.attention) {
            troubles.entry(each.entity.clone()).or_default().push(each);
        }
        let certificates = self.read(|world| world.certificates());
        let wanted = Wanted::of(rules);
        let mut known = Known { now, wanted, states, places, troubles, unseen_backups, certificates };
        Ok(known.scene(rules, &views, &telemetry, &guests, &tables))
    }
}

impl Wanted {
    fn of(rules: &[AlertRule]) -> Self {
        let mut wanted = Self::default();
        for metric in rules.iter().filter_map(|rule| rule.condition.metric()).chain(["disk_percent"]) {
            match derived_percent(metric) {
                Some(parts) => drop(wanted.derived.insert(metric.to_owned(), parts)),
                None => drop(wanted.plain.insert(metric.to_owned())),
            }
        }
        wanted
    }

    /// Those of the row, put into a subject.
    fn put(&self, row: &MetricRow, subject: &mut Subject) {
        for metric in &self.plain {
            if let Some(value) = row.get(metric) {
                subject.figures.insert(metric.clone(), value);
            }
        }
        for (metric, (part, whole)) in &self.derived {
            let share = row.get(part).zip(row.get(whole)).filter(|(_, whole)| *whole > 0.0);
            if let Some((part, whole)) = share {
                subject.figures.insert(metric.clone(), (part / whole * 100.0).clamp(0.0, 100.0));
            }
        }
    }
}

impl Known<'_> {
    fn scene(
        &mut self,
        rules: &[AlertRule],
        views: &[HostView],
        telemetry: &BTreeMap<HostId, Telemetry>,
        guests: &[Guest],
        tables: &Tables,
    ) -> AlertScene {
        let mut scene = AlertScene {
            at: self.now,
            subjects: Vec::new(),
            covers: Vec::new(),
            used: BTreeMap::new(),
            file_systems: BTreeMap::new(),
        };
        let warm: HashMap<&HostId, f64> =
            tables.nodes.iter().filter_map(|row| Some((&row.id, row.temperature_highest_c?))).collect();
        let hosts = self.all(&mut scene, views, |known, view, place, scene| {
            let warmest = warm.get(&view.id).copied();
            let (subject, used) = known.host(view, telemetry.get(&view.id), warmest);
            used.map(|used| scene.used.insert(place, used));
            Some(subject)
        });
        let guests = self.all(&mut scene, guests, |known, guest, place, scene| {
            let (subject, used) = known.guest(guest)?;
            used.map(|used| scene.used.insert(place, used));
            Some(subject)
        });
        let storages = self.all(&mut scene, &tables.storages, |known, row, place, scene| {
            let subject = known.storage(row)?;
            let bytes = |gib: Option<f64>| gib.map(|gib| gib * GIB);
            if subject.figures.contains_key("disk_percent") {
                bytes(row.used_gb).map(|used| scene.used.insert(place, used));
                let size = bytes(row.total_gb).filter(|_| row.content.is_none());
                size.map(|size| scene.file_systems.insert(place, size));
            }
            Some(subject)
        });
        let clusters = self.all(&mut scene, &tables.clusters, |known, row, _, _| Some(known.cluster(row)));
        for rule in rules {
            let mut covers = Vec::new();
            covered::<Selector, _>(rule, rule.hosts.as_deref(), &hosts, &mut covers, |all, view| all.covers(view));
            covered::<GuestSelector, _>(rule, rule.guests.as_deref(), &guests, &mut covers, |all, guest| {
                all.covers(guest)
            });
            covered::<NamedSelector, _>(rule, rule.storages.as_deref(), &storages, &mut covers, |all, row| {
                let (id, name, node) = (row.id.as_str(), row.name.as_str(), row.node.as_str());
                all.covers(Named { id, name, node, cluster: row.cluster.as_deref() })
            });
            covered::<NamedSelector, _>(rule, rule.clusters.as_deref(), &clusters, &mut covers, |all, row| {
                let (id, name) = (row.id.as_str(), row.name.as_str());
                all.covers(Named { id, name, node: "", cluster: row.cluster.as_deref() })
            });
            scene.covers.push(covers);
        }
        scene
    }

    /// Makes a subject of each; gives those of which there is one, with their places.
    fn all<'t, T>(
        &mut self,
        scene: &mut AlertScene,
        things: &'t [T],
        subject: impl Fn(&mut Self, &'t T, usize, &mut AlertScene) -> Option<Subject>,
    ) -> Vec<(&'t T, usize)> {
        let mut made = Vec::with_capacity(things.len());
        for thing in things {
            let place = scene.subjects.len();
            if let Some(mut subject) = subject(self, thing, place, scene) {
                subject.troubles = self.troubles.remove(&subject.entity).unwrap_or_default();
                scene.subjects.push(subject);
                made.push((thing, place));
            }
        }
        made
    }

    fn is_fresh(&self, at: Option<Timestamp>, limit: Duration) -> bool {
        at.is_some_and(|at| self.now.duration_since(at).unsigned_abs() <= limit)
    }

    fn host(&self, view: &HostView, telemetry: Option<&Telemetry>, warmest: Option<f64>) -> (Subject, Option<f64>) {
        let mut subject = Subject::new(Entity::Host(view.id.clone()).to_string(), view.name.as_str());
        subject.presence = presence(view.state, view.observed_at);
        if matches!(subject.presence, Presence::Here | Presence::Unknown) {
            let ends = |(name, not_after): &(String, Timestamp)| {
                let end = certificate_ends(name, *not_after, self.now);
                end.of(subject.entity.as_str(), view.name.as_str())
            };
            subject.certificates = self.certificates.get(&view.id).into_iter().flatten().map(ends).collect();
        }
        if subject.presence != Presence::Here || !self.is_fresh(view.observed_at, STALE_AFTER) {
            return (subject, None);
        }
        let mut row = MetricRow::of(view, telemetry);
        row.put("temperature_highest", warmest);
        self.wanted.put(&row, &mut subject);
        // That sensors are read is told by this one.
        if let Some(celsius) = warmest {
            subject.figures.insert("temperature_highest".to_owned(), celsius);
        }
        (subject, row.get("disk_used"))
    }

    /// A template is nothing that rules look at.
    fn guest(&self, guest: &Guest) -> Option<(Subject, Option<f64>)> {
        if guest.template {
            return None;
        }
        let name = guest.name.clone().unwrap_or_else(|| guest.vmid.clone());
        let mut subject = Subject::new(Entity::Guest(guest.id.clone()).to_string(), name);
        let node = guest.host_id.as_ref().and_then(|id| self.states.get(id));
        if self.unseen_backups.contains(&guest.id) {
            subject.unseen.insert(AttentionKind::BackupOld);
        }
        let fresh = self.is_fresh(guest.observed_at, STALE_CLUSTER);
        subject.presence = match (node, guest.status) {
            (Some(HostState::Maintenance), _) => Presence::Maintenance,
            (Some(HostState::Offline | HostState::Unknown), _) | (_, GuestStatus::Unknown) => Presence::Unknown,
            _ if !fresh => Presence::Unknown,
            (_, GuestStatus::Running) => Presence::Here,
            _ => Presence::Away { since: None },
        };
        if subject.presence != Presence::Here {
            return Some((subject, None));
        }
        let mut row = MetricRow::of_guest(guest);
        if let Some(rates) = guest.rates {
            row.put("disk_read", Some(rates.disk_read_bytes_per_second));
            row.put("disk_written", Some(rates.disk_written_bytes_per_second));
            row.put("network_received", Some(rates.network_received_bytes_per_second));
            row.put("network_sent", Some(rates.network_sent_bytes_per_second));
        }
        self.wanted.put(&row, &mut subject);
        let used = row.get("disk_used").filter(|_| guest.kind == GuestKind::Lxc);
        Some((subject, used))
    }

    /// What lies on another machine is that machine's matter, and each of its clients would tell of it.
    fn storage(&self, row: &StorageRow) -> Option<Subject> {
        let file_system = row.content.is_none();
        if file_system && row.shared {
            return None;
        }
        let mut subject = Subject::new(format!("storage:{}", row.id), format!("{} on {}", row.name, row.node));
        let owner = row.id.split_once(':').map_or("", |(owner, _)| owner);
        let states: Vec<HostState> = match file_system {
            true => self.states.get(&HostId::from(owner)).copied().into_iter().collect(),
            false => {
                let state = |node: &str| self.places.get(&(ConnectionId::from(owner), node.to_owned())).copied();
                row.node.split(',').filter_map(state).collect()
            }
        };
        let limit = if file_system { STALE_AFTER } else { STALE_CLUSTER };
        let any = |state: HostState| states.contains(&state);
        subject.presence = match () {
            () if any(HostState::Online) => Presence::Here,
            () if any(HostState::Maintenance) => Presence::Maintenance,
            () => Presence::Unknown,
        };
        if subject.presence == Presence::Here && row.active && self.is_fresh(row.observed_at, limit) {
            let bytes = |gib: Option<f64>| gib.map(|gib| gib * GIB);
            let figures =
                [("used", bytes(row.used_gb)), ("total", bytes(row.total_gb)), ("disk_percent", fullness(row))];
            subject.figures.extend(figures.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        Some(subject)
    }

    fn cluster(&self, row: &ClusterRow) -> Subject {
        let mut subject = Subject::new(format!("cluster:{}", row.id), row.name.as_str());
        subject.presence = presence(row.state, row.observed_at);
        subject
    }
}

fn presence(state: HostState, observed_at: Option<Timestamp>) -> Presence {
    match state {
        HostState::Online => Presence::Here,
        HostState::Offline => Presence::Away { since: observed_at },
        HostState::Unknown => Presence::Unknown,
        HostState::Maintenance => Presence::Maintenance,
    }
}

/// As `df` counts: what a file system keeps back for root is no room for anybody else.
fn fullness(row: &StorageRow) -> Option<f64> {
    match row.used_gb.zip(row.available_gb) {
        Some((used, available)) if used + available > 0.0 => Some(used / (used + available) * 100.0),
        _ => row.used_percent,
    }
}

/// The places of things that a rule's selector means. One that cannot be read means nothing.
fn covered<S: std::str::FromStr<Err = crate::Error>, T>(
    rule: &AlertRule,
    selector: Option<&str>,
    things: &[(&T, usize)],
    covers: &mut Vec<usize>,
    means: impl Fn(&S, &T) -> bool,
) {
    match selector.map(str::parse::<S>) {
        None => {}
        Some(Ok(selector)) => {
            covers.extend(things.iter().filter(|(thing, _)| means(&selector, thing)).map(|(_, place)| *place));
        }
        Some(Err(error)) => {
            tracing::warn!(rule = %rule.name, error = %crate::report(&error), "an alert rule covers nothing");
        }
    }
}
