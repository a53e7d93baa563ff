//! By which firmware a machine boots, and when it did.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::super::{
    Answers,
    words::{clip, values},
};
use crate::model::{
    Unseen,
    facts::{
        Read,
        system::{Boot, BootMode, PastBoot, System},
    },
};

/// What a note about the firmware is called.
pub(super) const WHAT: &str = "boot mode";
/// What a note about past boots is called.
pub(super) const PAST: &str = "past boots";

/// The most boots that are told about.
const BOOTS_LIMIT: usize = 12;

/// What stands for an answer of the journal that would be the same as last time.
const SAME: &str = "@same";

/// The variable `SecureBoot` is four bytes of attributes and one that is 1 or 0.
pub(super) const QUESTION: &str = "grep -Hs . /proc/sys/kernel/random/boot_id /sys/class/dmi/id/bios_vendor; \
    if [ -d /sys/firmware/efi ]; then echo efi:yes; else echo efi:no; fi; \
    for f in /sys/firmware/efi/efivars/SecureBoot-8be4df61-*; do if [ -r $f ]; then echo secure:$(od -An -tu1 $f); fi; done; \
    for f in /.dockerenv /run/.containerenv /run/systemd/container /dev/lxc; do if [ -e $f ]; then echo container:$f; fi; done";

/// The journal's list of boots, as text in UTC: as JSON it may be long, and before systemd 254 there is none.
pub(super) fn past_boots(last: Option<&Boot>) -> String {
    let list = "$T10 journalctl --list-boots --utc --quiet --no-pager | tail -n 12";
    let known = last.filter(|last| !last.recent.is_empty()).and_then(|last| last.id.as_deref());
    // It goes back into a script: nothing but what such an id is made of.
    match known.filter(|id| id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')) {
        Some(id) => {
            format!("if [ \"$(cat /proc/sys/kernel/random/boot_id)\" = {id} ]; then echo {SAME}; else {list}; fi")
        }
        None => list.to_owned(),
    }
}

/// Whether the machine has not been started anew since it was asked last.
pub(super) fn is_the_same(answers: &Answers) -> bool {
    answers.text("system-boots").trim() == SAME
}

pub(super) fn parse(answers: &Answers, read: &mut Read<System>) {
    let text = match answers.said("system-boot", WHAT) {
        Ok(text) => text,
        Err(note) => return read.unseen.push(note),
    };
    let efi = values(text, "efi").any(|efi| efi.trim() == "yes");
    let contained = values(text, "container").next().is_some();
    let bios = values(text, "/sys/class/dmi/id/bios_vendor").next().is_some();
    let mode = match (contained, efi, bios) {
        (true, ..) | (_, false, false) => None,
        (_, true, _) => Some(BootMode::Uefi),
        (_, false, true) => Some(BootMode::Bios),
    };
    if contained {
        read.unseen.push(Unseen::new(WHAT, "a container is started by its host"));
    }
    let secure = values(text, "secure").find_map(|bytes| match bytes.split_whitespace().collect::<Vec<_>>()[..] {
        [_, _, _, _, "1"] => Some(true),
        [_, _, _, _, "0"] => Some(false),
        _ => None,
    });
    let recent = match answers.said("system-boots", PAST) {
        Ok(text) => text.lines().filter_map(past_boot).collect::<Vec<_>>(),
        Err(note) => {
            let why = if answers.root || note.why.contains("not installed") { note.why } else { "needs root".into() };
            read.unseen.push(Unseen::new(PAST, why));
            Vec::new()
        }
    };
    let recent = recent.split_at(recent.len().saturating_sub(BOOTS_LIMIT)).1.to_vec();
    read.facts.boot = Some(Boot {
        mode,
        secure_boot: secure.filter(|_| mode == Some(BootMode::Uefi)),
        id: values(text, "/proc/sys/kernel/random/boot_id").find_map(clip),
        recent,
    });
}

/// `-1 <id> Mon 2026-11-23 10:00:00 UTC—Tue 2026-11-24 10:00:00 UTC`, with a blank for the dash since systemd 252.
fn past_boot(line: &str) -> Option<PastBoot> {
    let bytes = line.as_bytes();
    let shape = |at: &[u8]| {
        let places = b"dddd-dd-dd dd:dd:dd";
        at.iter().zip(places).all(|(byte, place)| if *place == b'd' { byte.is_ascii_digit() } else { byte == place })
    };
    let mut times = bytes.windows(19).filter(|at| shape(at)).filter_map(|at| {
        let text = std::str::from_utf8(at).ok()?.replacen(' ', "T", 1);
        Some(text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp())
    });
    let (from, to): (Timestamp, Timestamp) = (times.next()?, times.next()?);
    (from <= to).then_some(PastBoot { from, to })
}
