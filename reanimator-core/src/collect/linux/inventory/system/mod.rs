//! Collector of [`System`].
//!
//! Two lists of questions: [`questions`] every minute, for what may fail or change at any time (units, sessions,
//! processes), and [`slow_questions`] every quarter of an hour, for what changes by a restart or an update (boots,
//! whether a restart is due, the clock). [`parse`] reads either or both; [`carry_over`] takes what was not asked this
//! time from the facts of last time.
//!
//! | file | facts | asks |
//! |---|---|---|
//! | `units` | init, units that failed | `systemctl show`, OpenRC's `rc-status --crashed` |
//! | `sessions` | who is logged in | `who`, in UTC |
//! | `boot` | firmware, past boots | `/sys/firmware`, `journalctl --list-boots` |
//! | `reboot` | whether a restart is due | the flags that packages leave in `/run`, kernels in `/boot` and `/lib/modules`, `rpm -q` |
//! | `time` | zone, synchronisation | `timedatectl show`, `chronyc -c tracking` |

mod boot;
mod reboot;
mod sessions;
mod time;
mod units;

pub(in crate::collect::linux) use reboot::{QUESTION as REBOOT_QUESTION, parse as parse_reboot};

use super::{
    Answers, Question,
    words::{clip, seconds, values},
};
use crate::model::{
    Unseen,
    facts::{Dated, Read, system::System},
};

/// What is asked every minute.
pub fn questions() -> Vec<Question> {
    let basics = "grep -Hs -m 1 ^btime /proc/stat; grep -Hs . /proc/1/comm; \
                  for d in /run/systemd/system /run/openrc /run/runit /run/s6; do if [ -d $d ]; then echo dir:$d; fi; done; \
                  set -- /proc/[0-9]*; echo processes:$#; echo clock:$(date +%s)";
    vec![
        Question::new("system", basics),
        Question::new("system-units", units::QUESTION),
        Question::with_tool("system-sessions", "who", sessions::QUESTION),
    ]
}

/// What is asked every quarter of an hour. The journal is asked for past boots only when the machine was started anew
/// since `last`.
pub fn slow_questions(last: Option<&System>) -> Vec<Question> {
    vec![
        Question::new("system-boot", boot::QUESTION),
        Question::with_tool("system-boots", "journalctl", boot::past_boots(last.and_then(|last| last.boot.as_ref()))),
        Question::new("system-reboot", reboot::QUESTION),
        Question::new("system-time", time::QUESTION),
    ]
}

/// Reads the answers to [`questions`], [`slow_questions`] or both.
pub fn parse(answers: &Answers) -> Read<System> {
    let mut read = Read::default();
    if answers.get("system").is_some() {
        basics(answers, &mut read);
        units::parse(answers, &mut read);
        sessions::parse(answers, &mut read);
    }
    if answers.get("system-boot").is_some() {
        boot::parse(answers, &mut read);
        reboot::parse(answers, &mut read);
        time::parse(answers, &mut read);
    }
    read
}

/// Takes from the facts of last time what was not asked for this time, with what could not be seen of it then.
pub fn carry_over(answers: &Answers, read: &mut Read<System>, last: &Dated<System>) {
    let notes = |slow: bool| last.unseen.iter().filter(move |note| is_slow(note) == slow).cloned();
    let facts = last.facts.clone();
    if answers.get("system").is_none() {
        let new = std::mem::replace(&mut read.facts, facts.clone());
        (read.facts.boot, read.facts.reboot, read.facts.time) = (new.boot, new.reboot, new.time);
        read.unseen.extend(notes(false));
    }
    if answers.get("system-boot").is_none() {
        (read.facts.boot, read.facts.reboot, read.facts.time) = (facts.boot, facts.reboot, facts.time);
        read.unseen.extend(notes(true));
    } else if let (Some(boot), Some(before)) = (&mut read.facts.boot, facts.boot)
        && boot::is_the_same(answers)
    {
        boot.recent = before.recent;
    }
}

/// Whether a note is about what [`slow_questions`] ask.
fn is_slow(note: &Unseen) -> bool {
    [boot::WHAT, boot::PAST, reboot::WHAT, time::WHAT].contains(&note.what.as_str())
}

fn basics(answers: &Answers, read: &mut Read<System>) {
    let text = match answers.said("system", "system") {
        Ok(text) => text,
        Err(note) => return read.unseen.push(note),
    };
    let facts = &mut read.facts;
    let process_1 = values(text, "/proc/1/comm").find_map(clip);
    let dirs: Vec<&str> = values(text, "dir").collect();
    let by_dir = |dir: &str, init: &str| dirs.contains(&dir).then(|| init.to_owned());
    facts.init = by_dir("/run/systemd/system", "systemd")
        .or_else(|| by_dir("/run/openrc", "openrc"))
        .or_else(|| process_1.as_deref().map(|name| if name == "s6-svscan" { "s6" } else { name }.to_owned()));
    facts.booted_at = values(text, "/proc/stat").find_map(|line| seconds(line.strip_prefix("btime ")?));
    // Where `hidepid` hides others' processes, the first of all is hidden too.
    match values(text, "processes").find_map(|count| count.parse().ok()).filter(|count| *count > 0) {
        Some(count) if process_1.is_some() => facts.processes = Some(count),
        Some(_) => read.unseen.push(Unseen::new("processes", "/proc hides those of others (hidepid)")),
        None => read.unseen.push(Unseen::new("processes", "/proc could not be read")),
    }
    if facts.booted_at.is_none() {
        read.unseen.push(Unseen::new("time of boot", "/proc/stat could not be read"));
    }
}

#[cfg(test)]
mod tests;
