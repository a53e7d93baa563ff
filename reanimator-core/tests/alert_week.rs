//! A week of simulated telemetry: every planted incident is found once, none is invented, and noise raises nothing.
//!
//! The rules are those that a new fleet begins with. Hosts have daily waves, noise, logs that are rotated, backups that are
//! staged and cleaned away, gaps in what is seen, reboots, maintenance; the watching process itself dies now and then.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use reanimator_core::{
    alert::{Bound, Forecast, Past, Presence, Subject, Transition, Watch, forecast},
    model::{
        Alert, AlertRule,
        attention::{Attention, AttentionKind, AttentionLevel, Trouble},
        default_rules,
    },
};

const HOSTS: usize = 30;
/// Minutes that are played, a day of quiet before the first incident among them.
const MINUTES: i64 = 7 * 24 * 60;
const DAY: f64 = 24.0;

/// A figure that looks random and is the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Between -1 and 1, mostly near 0.
    fn noise(&mut self) -> f64 {
        (self.roll() + self.roll() + self.roll()) / 1.5 - 1.0
    }
}

/// What is planted in which host.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Plant {
    Nothing,
    Offline,
    Flapping,
    OfflineInMaintenance,
    FillsSlowly,
    FillsFast,
    FillsBelowTeeth,
    Jump,
    MemoryLeak,
    MemoryNoise,
    Smart,
    Temperature,
    FailedUnit,
    Certificate,
}

const PLANTS: [Plant; 14] = [
    Plant::Offline,
    Plant::Flapping,
    Plant::OfflineInMaintenance,
    Plant::FillsSlowly,
    Plant::FillsFast,
    Plant::FillsBelowTeeth,
    Plant::Jump,
    Plant::MemoryLeak,
    Plant::MemoryNoise,
    Plant::Smart,
    Plant::Temperature,
    Plant::FailedUnit,
    Plant::Certificate,
    Plant::Nothing,
];

impl Plant {
    /// The rules that have to say it, each once.
    fn rings(self) -> &'static [&'static str] {
        match self {
            Self::Nothing | Self::OfflineInMaintenance | Self::Jump | Self::MemoryNoise => &[],
            Self::Offline | Self::Flapping => &["offline"],
            Self::FillsSlowly | Self::FillsFast | Self::FillsBelowTeeth => &["disk-filling", "disk-full"],
            Self::MemoryLeak => &["memory"],
            Self::Smart => &["smart"],
            Self::Temperature => &["temperature"],
            Self::FailedUnit => &["failed-unit"],
            Self::Certificate => &["certificate"],
        }
    }
}

struct Machine {
    number: usize,
    plant: Plant,
    /// When its incident begins, in hours.
    at: f64,
    /// How its disk usually goes: 0 grows a little, 1 has a log that is rotated, 2 stages backups at night.
    habit: usize,
    level: f64,
    size: f64,
    past: Past,
    /// What the history keeps of it.
    kept: Vec<(Timestamp, f64)>,
    forecast: Option<Forecast>,
}

impl Machine {
    fn new(number: usize, dice: &mut Dice) -> Self {
        Self {
            number,
            plant: PLANTS.get(number).copied().unwrap_or(Plant::Nothing),
            at: 50.0 + 40.0 * dice.roll(),
            habit: number % 3,
            level: 45.0 + 15.0 * dice.roll(),
            size: 6.0 + 8.0 * dice.roll(),
            past: Past::default(),
            kept: Vec::new(),
            forecast: None,
        }
    }

    fn since(&self, hour: f64) -> Option<f64> {
        (hour >= self.at).then_some(hour - self.at)
    }

    fn disk(&self, hour: f64, dice: &mut Dice) -> f64 {
        let time = hour % DAY;
        let usual = match self.habit {
            0 => 0.01 * hour,
            1 => self.size * time / DAY,
            _ if (1.0..4.0).contains(&time) => self.size * 1.5 * (time - 1.0).min(1.5) / 1.5,
            _ => 0.0,
        };
        let since = self.since(hour).unwrap_or(0.0);
        let planted = match self.plant {
            Plant::FillsSlowly => 0.9 * since,
            Plant::FillsFast => 25.0 * since,
            Plant::FillsBelowTeeth => 0.8 * since,
            Plant::Jump if since > 0.0 => 22.0,
            _ => 0.0,
        };
        (self.level + usual + planted + 0.15 * dice.noise()).clamp(0.0, 100.0)
    }

    fn memory(&self, hour: f64, dice: &mut Dice) -> f64 {
        match (self.plant, self.since(hour)) {
            (Plant::MemoryLeak, Some(since)) if since < 9.0 => (60.0 + 6.0 * since + dice.noise()).min(98.0),
            (Plant::MemoryNoise, _) => 93.5 + 1.4 * dice.noise(),
            _ => 60.0 + 15.0 * (hour / DAY * std::f64::consts::TAU).sin() + 8.0 * dice.noise(),
        }
    }

    fn presence(&self, hour: f64) -> Presence {
        let away = |since: f64| Presence::Away { since: Timestamp::from_second((since * 3600.0) as i64).ok() };
        match (self.plant, self.since(hour)) {
            (Plant::Offline, Some(since)) if since < 2.0 => away(self.at),
            // Four minutes away, four minutes there, for three hours.
            (Plant::Flapping, Some(since)) if since < 3.0 && (since * 60.0) % 8.0 < 4.0 => {
                away(self.at + ((since * 60.0 / 8.0).floor() * 8.0) / 60.0)
            }
            (Plant::OfflineInMaintenance, Some(since)) if since < 3.0 => Presence::Maintenance,
            // Everybody is restarted once, and is away for a minute and a half.
            _ if (hour - 30.0 - self.number as f64).abs() < 0.0125 => away(hour - 0.025),
            _ => Presence::Here,
        }
    }

    fn troubles(&self, hour: f64) -> Vec<Attention> {
        let Some(since) = self.since(hour) else { return Vec::new() };
        let at = Timestamp::from_second((self.at * 3600.0) as i64).ok();
        let trouble = |kind, what: &str| Trouble::new(kind, AttentionLevel::Warning, what);
        let found = match self.plant {
            Plant::Smart => Some(trouble(AttentionKind::DiskHealth, "sda expects to die").with("disk", "sda")),
            Plant::Temperature if since < 0.7 => {
                Some(trouble(AttentionKind::Temperature, "a sensor reads 92 °C").with("sensor", "nvme"))
            }
            // Its count changes; the matter is the same.
            Plant::FailedUnit if since < 6.0 => Some(
                trouble(AttentionKind::FailedUnits, "units failed").with("count", 1 + (since as u32) % 2).since(at),
            ),
            Plant::Certificate => {
                let days = 16 - (since / 24.0) as i64;
                Some(trouble(AttentionKind::Certificate, "it ends").with("certificate", "pveproxy").with("days", days))
            }
            _ => None,
        };
        found
            .map(|trouble| trouble.of(format!("host:h{}", self.number), format!("h{}", self.number)))
            .into_iter()
            .collect()
    }

    /// What is not seen: an hour once in the week, and single looks now and then.
    fn unseen(&self, hour: f64, dice: &mut Dice) -> bool {
        (hour - 100.0 - self.number as f64 / 2.0).abs() < 0.5 && self.plant == Plant::Nothing || dice.roll() < 0.01
    }

    fn subjects(&mut self, minute: i64, dice: &mut Dice) -> [Subject; 2] {
        let hour = minute as f64 / 60.0;
        let at = Timestamp::from_second(minute * 60).unwrap();
        let (host, disk) = (format!("host:h{}", self.number), format!("storage:h{}:/", self.number));
        let mut host = Subject::new(host, format!("h{}", self.number));
        let mut disk = Subject::new(disk, format!("/ on h{}", self.number));
        host.presence = self.presence(hour);
        disk.presence = match host.presence {
            Presence::Away { .. } => Presence::Unknown,
            other => other,
        };
        let (percent, memory) = (self.disk(hour, dice), self.memory(hour, dice));
        let unseen = self.unseen(hour, dice);
        if host.presence == Presence::Here && !unseen {
            host = host
                .with("memory_percent", memory)
                .with("cpu_percent", 100.0 * dice.roll())
                .with("temperature_highest", 60.0);
            host.troubles = self.troubles(hour);
            let certificates = host.troubles.iter().filter(|trouble| trouble.kind == AttentionKind::Certificate);
            host.certificates = certificates.cloned().collect();
            disk = disk.with("disk_percent", percent);
            self.past.push(at, percent);
            if minute % 30 == 0 {
                self.kept.push((at, percent));
            }
        } else if unseen {
            host.presence = Presence::Unknown;
        }
        if minute % 10 == 0 {
            self.forecast = forecast(&self.past);
        }
        disk.forecast = self.forecast.filter(|_| disk.presence == Presence::Here && !unseen);
        [host, disk]
    }
}

/// What was told over a week: raised, returned, resolved.
#[derive(Default)]
struct Told {
    raised: BTreeMap<(String, String), Vec<(i64, Alert)>>,
    returned: BTreeMap<(String, String), usize>,
    stored: BTreeMap<String, Alert>,
}

impl Told {
    fn take(&mut self, minute: i64, transition: &Transition) {
        let alert = transition.alert();
        let key = (alert.rule.clone(), alert.entity.clone());
        match transition {
            Transition::Raised(_) => self.raised.entry(key).or_default().push((minute, alert.clone())),
            Transition::Returned(_) => *self.returned.entry(key).or_default() += 1,
            Transition::Renewed(_) | Transition::Resolved(_) => {}
        }
        self.stored.insert(alert.id.clone(), alert.clone());
    }

    /// What a new process remembers.
    fn remembered(&self, now: Timestamp) -> Watch {
        let late = |alert: &&Alert| alert.resolved_at.is_none_or(|at| at > now - Watch::remembers());
        Watch::remembering(self.stored.values().filter(late).cloned())
    }
}

fn play(seed: u64) -> (Vec<Machine>, Told) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut machines: Vec<Machine> = (0..HOSTS).map(|number| Machine::new(number, &mut dice)).collect();
    let rules: Vec<AlertRule> = default_rules();
    let places = |odd: usize| (0..HOSTS).map(|number| number * 2 + odd).collect::<Vec<usize>>();
    let covers = |rule: &AlertRule| match (&rule.hosts, &rule.storages) {
        (Some(_), _) => places(0),
        (_, Some(_)) => places(1),
        _ => Vec::new(),
    };
    let bound: Vec<Bound<'_>> = rules.iter().map(|rule| Bound { rule, covers: covers(rule) }).collect();
    let (mut watch, mut told, mut away_until) = (Watch::default(), Told::default(), 0);
    for minute in 0..MINUTES {
        let now = Timestamp::from_second(minute * 60).unwrap();
        // The process that watches dies, and is back after three minutes.
        if dice.roll() < 1.0 / 2000.0 {
            away_until = minute + 3;
            watch = told.remembered(now);
            machines.iter_mut().for_each(|machine| machine.past = Past::of(machine.kept.clone()));
        }
        if minute < away_until {
            continue;
        }
        let subjects: Vec<Subject> =
            machines.iter_mut().flat_map(|machine| machine.subjects(minute, &mut dice)).collect();
        let (next, transitions) = watch.step(&bound, &subjects, now);
        watch = next;
        transitions.iter().for_each(|each| told.take(minute, each));
    }
    (machines, told)
}

fn planted(machines: &[Machine]) -> BTreeSet<(String, String)> {
    let of = |machine: &Machine| {
        let number = machine.number;
        let entity = move |rule: &str| match rule.starts_with("disk-") {
            true => format!("storage:h{number}:/"),
            false => format!("host:h{number}"),
        };
        machine.plant.rings().iter().map(move |rule| ((*rule).to_owned(), entity(rule))).collect::<Vec<_>>()
    };
    machines.iter().flat_map(of).collect()
}

#[test]
fn each_incident_of_a_week_is_found_once_and_none_is_invented() {
    for seed in 1..=2 {
        let (machines, told) = play(seed);
        let found: BTreeSet<(String, String)> = told.raised.keys().cloned().collect();
        let said = |key: &(String, String)| {
            let all = told.raised.get(key).into_iter().flatten();
            all.map(|(minute, alert)| format!("{:.1} h {}", *minute as f64 / 60.0, alert.text)).collect::<Vec<_>>()
        };
        let planted = planted(&machines);
        let invented: Vec<_> = found.difference(&planted).map(|key| (key, said(key))).collect();
        let missed: Vec<_> = planted.difference(&found).collect();
        assert!(invented.is_empty() && missed.is_empty(), "seed {seed}: invented {invented:?}, missed {missed:?}");
        for (key, raised) in &told.raised {
            // A disk that fills below backups is full each night until it is full for good.
            let nightly = key.0 == "disk-full";
            assert!(raised.len() == 1 || nightly, "seed {seed}: {key:?} was raised {:?}", said(key));
            let returned = told.returned.get(key).copied().unwrap_or(0);
            let flaps = key.0 == "offline" && returned <= 3;
            assert!(returned == 0 || flaps || nightly, "seed {seed}: {key:?} returned {returned} times");
        }
    }
}

#[test]
fn a_disk_that_fills_is_announced_before_it_is_full() {
    let mut ahead = Vec::new();
    for seed in 3..=4 {
        let (machines, told) = play(seed);
        for machine in machines.iter().filter(|machine| machine.plant.rings().contains(&"disk-filling")) {
            let entity = format!("storage:h{}:/", machine.number);
            let (minute, alert) = &told.raised[&("disk-filling".to_owned(), entity)][0];
            // When it would be full without its habits.
            let a_week = 0..MINUTES;
            let mut dice = Dice(1);
            let full = a_week.into_iter().find(|minute| machine.disk(*minute as f64 / 60.0, &mut dice) >= 99.9);
            let full = full.unwrap_or(MINUTES);
            assert!(*minute < full, "{:?}: {} at minute {minute}, full at {full}", machine.plant, alert.text);
            assert!(alert.value.is_some_and(|percent| percent < 95.0), "{alert:?}");
            ahead.push((machine.plant, (full - minute) as f64 / 60.0));
        }
    }
    assert_eq!(ahead.len(), 6, "{ahead:?}");
    // Those that fill slowly are told of a day ahead and more.
    let slow = ahead.iter().filter(|(plant, _)| *plant == Plant::FillsSlowly);
    assert!(slow.clone().all(|(_, hours)| *hours > 24.0), "{ahead:?}");
}
