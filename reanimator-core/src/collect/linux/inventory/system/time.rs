//! How the clock is kept right.

use super::super::{
    Answers,
    words::{clip, flag, values},
};
use crate::model::{
    Unseen,
    facts::{
        Read,
        system::{System, Time},
    },
};

/// What a note about it is called.
pub(super) const WHAT: &str = "time synchronisation";

/// `timedatectl` wakes a service of its own, which is why this is not asked every minute.
pub(super) const QUESTION: &str = "if [ -d /run/systemd/system ] && command -v timedatectl >/dev/null 2>&1; then $T5 timedatectl show 2>/dev/null; fi; \
    echo link:$(readlink /etc/localtime); grep -Hs . /etc/timezone; \
    grep -HsE \"^(chronyd|ntpd|systemd-timesyn|openntpd|ptp4l)\" /proc/[0-9]*/comm; \
    if [ -e /run/systemd/timesync/synchronized ]; then echo timesync:yes; fi; \
    if command -v chronyc >/dev/null 2>&1; then echo chrony:$($T5 chronyc -c -n tracking 2>/dev/null); fi; exit 0";

pub(super) fn parse(answers: &Answers, read: &mut Read<System>) {
    let text = match answers.said("system-time", WHAT) {
        Ok(text) => text,
        Err(note) => return read.unseen.push(note),
    };
    let property = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let link = values(text, "link").find_map(|link| Some(link.trim().split_once("/zoneinfo/")?.1));
    let zone = property("Timezone").or(link).or_else(|| values(text, "/etc/timezone").next()).and_then(clip);
    let chrony = values(text, "chrony").find_map(Tracking::read);
    let timesync = values(text, "timesync").next().map(|_| true);
    let synchronized = property("NTPSynchronized").and_then(flag);
    let time = Time {
        zone,
        synchronized: chrony.as_ref().map(|chrony| chrony.synchronized).or(synchronized).or(timesync),
        ntp: property("NTP").and_then(flag),
        service: service(text),
        offset_seconds: chrony.as_ref().map(|chrony| chrony.offset),
        stratum: chrony.filter(|chrony| chrony.synchronized).map(|chrony| chrony.stratum),
    };
    if time.synchronized.is_none() {
        read.unseen.push(Unseen::new(WHAT, "neither timedatectl nor chronyc tells"));
    }
    read.facts.time = Some(time);
}

/// The first that runs, by the name of its process (of which the kernel keeps 15 letters).
fn service(text: &str) -> Option<String> {
    let names = [
        ("chronyd", "chrony"),
        ("systemd-timesyn", "systemd-timesyncd"),
        ("openntpd", "openntpd"),
        ("ntpd", "ntpd"),
        ("ptp4l", "ptp4l"),
    ];
    let runs = |process: &str| {
        text.lines().any(|line| {
            line.starts_with("/proc/") && line.split_once("/comm:").is_some_and(|(_, name)| name == process)
        })
    };
    names.iter().find(|(process, _)| runs(process)).map(|(_, name)| (*name).to_owned())
}

/// What `chronyc -c tracking` says.
struct Tracking {
    stratum: u64,
    /// In seconds, in either direction.
    offset: f64,
    synchronized: bool,
}

impl Tracking {
    /// Reference id, its name, stratum, reference time, system time, ten more, leap status.
    fn read(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.trim().split(',').collect();
        let [_, _, stratum, _, system_time, .., leap] = fields[..] else { return None };
        let distance: f64 = system_time.parse().ok().filter(|seconds: &f64| seconds.is_finite())?;
        Some(Self {
            stratum: stratum.parse().ok()?,
            offset: distance.abs(),
            synchronized: !leap.trim().eq_ignore_ascii_case("Not synchronised"),
        })
    }
}
