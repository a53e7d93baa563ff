//! The units that failed.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::super::{Answers, words::clip};
use crate::model::{
    Unseen,
    facts::{
        Read,
        system::{FailedUnit, System},
    },
};

/// The most units that are told about.
const UNITS_LIMIT: usize = 100;

/// The manager's properties, then, where units failed, theirs: blocks of `Name=value` with blank lines between, in no
/// set order. Names of units go back to `systemctl` as words; `set -f` keeps the shell from reading them as patterns.
pub(super) const QUESTION: &str = "if [ -d /run/systemd/system ]; then \
    s=$($T5 systemctl show -p Version -p SystemState -p NFailedUnits -p NNames); r=$?; echo manager:systemd; echo \"$s\"; \
    case \"$s\" in (*NFailedUnits=0*) ;; (*NFailedUnits=*) set -f; \
    n=$($T5 systemctl list-units --failed --plain --no-legend --no-pager --full | cut -d \" \" -f 1 | head -n 100); \
    if [ -n \"$n\" ]; then echo; $T5 systemctl show -p Id -p Description -p ActiveState -p Result -p StateChangeTimestampMonotonic -- $n; r=$?; fi;; esac; \
    exit $r; \
    elif command -v rc-status >/dev/null 2>&1; then echo manager:openrc; $T5 rc-status --crashed; exit 0; \
    else echo manager:none; fi";

pub(super) fn parse(answers: &Answers, read: &mut Read<System>) {
    const WHAT: &str = "failed units";
    let text = match answers.said("system-units", WHAT) {
        Ok(text) => text,
        Err(note) => return read.unseen.push(note),
    };
    let (manager, rest) = text.split_once('\n').unwrap_or((text, ""));
    match manager.trim() {
        "manager:systemd" => {
            let mut blocks = blocks(rest).into_iter();
            let whole = blocks.next().unwrap_or_default();
            let number = |name: &str| whole.get(name).and_then(|count| count.parse::<u64>().ok());
            let facts = &mut read.facts;
            facts.state = whole.get("SystemState").and_then(|state| clip(state));
            facts.init_version = whole.get("Version").and_then(|version| clip(version));
            facts.units = number("NNames");
            let failed: Vec<FailedUnit> =
                blocks.filter_map(|block| unit(&block, facts.booted_at)).take(UNITS_LIMIT).collect();
            let told = failed.len() as u64;
            match number("NFailedUnits") {
                Some(count) => {
                    // None told of those there are is not the same as none.
                    facts.failed = (told > 0 || count == 0).then_some(failed);
                    // Several may have recovered or failed between the two commands; too few is worth a note.
                    if told < count {
                        read.unseen.push(Unseen::new(WHAT, format!("{count} failed, {told} were told")));
                    }
                }
                None => {
                    let why = answers.get("system-units").map(|answer| answer.why(answers.root)).unwrap_or_default();
                    read.unseen.push(Unseen::new(WHAT, why));
                }
            }
        }
        "manager:openrc" => {
            let crashed = rest.lines().filter_map(clip).take(UNITS_LIMIT);
            let crashed =
                crashed.map(|name| FailedUnit { name, result: Some("crashed".into()), ..FailedUnit::default() });
            read.facts.failed = Some(crashed.collect());
        }
        _ => read.unseen.push(Unseen::new(WHAT, "neither systemd nor OpenRC runs there")),
    }
}

/// Blocks of `Name=value`, parted by blank lines.
fn blocks(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut blocks = vec![BTreeMap::new()];
    for line in text.lines().take(100 * UNITS_LIMIT) {
        match (line.split_once('='), blocks.last_mut()) {
            (Some((name, value)), Some(block)) => {
                block.insert(name, value);
            }
            (None, Some(block)) if !block.is_empty() => blocks.push(BTreeMap::new()),
            _ => {}
        }
    }
    blocks
}

fn unit(block: &BTreeMap<&str, &str>, booted_at: Option<Timestamp>) -> Option<FailedUnit> {
    let word = |name: &str| block.get(name).and_then(|value| clip(value));
    // One that has been started again since it was listed.
    if word("ActiveState").is_some_and(|state| state != "failed") {
        return None;
    }
    let name = word("Id")?;
    let since =
        block.get("StateChangeTimestampMonotonic").and_then(|text| text.parse().ok()).filter(|since| *since > 0);
    let since = since.and_then(|since| booted_at?.checked_add(SignedDuration::from_micros(since)).ok());
    let since = since.and_then(|since| Timestamp::from_second(since.as_second()).ok());
    let description = word("Description").filter(|description| *description != name);
    Some(FailedUnit { description, result: word("Result"), since, name })
}
