//! Debian, Ubuntu, Proxmox, Raspberry Pi OS: apt and dpkg.

use super::{super::inventory::words::clip, sections::Sections};
use crate::model::facts::updates::PendingPackage;

pub(super) const SHELL: &str = include_str!("apt.sh");

/// `Inst zip [3.0-13] (3.0-13+deb12u1 Debian-Security:12/oldstable-security [amd64]) []`; a new package has no `[3.0-13]`.
pub(in crate::collect::linux) fn pending(line: &str) -> Option<PendingPackage> {
    let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
    let (before, rest) = rest.split_once('(')?;
    let (to, origins) = rest.split_once(')')?.0.split_once(' ').unwrap_or((rest.split(')').next()?, ""));
    let from = before.trim().strip_prefix('[').and_then(|from| clip(from.trim_end_matches(']')));
    // The last word is the architecture.
    let origin = origins.rsplit_once('[').map_or(origins, |(origin, _)| origin);
    let security =
        origin.split(", ").any(|origin| origin.contains("-Security:") || origin.trim().ends_with("-security"));
    Some(PendingPackage { name: clip(name)?, from, to: clip(to)?, origin: clip(origin), security: Some(security) })
}

/// Packages that would be removed.
pub(super) fn removed(sections: &Sections<'_>) -> Vec<String> {
    let lines = sections.lines("pending").into_iter().filter_map(|line| line.strip_prefix("Remv "));
    lines.filter_map(|line| clip(line.split(' ').next()?)).collect()
}

/// What does not fit together, and by what it is mended.
pub(super) fn broken(sections: &Sections<'_>) -> (Vec<String>, Option<String>) {
    let mut broken = Vec::new();
    let mut mend = None;
    for line in sections.lines("pending").into_iter().filter_map(|line| line.strip_prefix("E: ")) {
        broken.extend(clip(line));
        mend = Some("apt-get --fix-broken install".to_owned());
    }
    if sections.first("interrupted").is_some() {
        broken.push("dpkg was interrupted".to_owned());
        mend = Some("dpkg --configure -a".to_owned());
    }
    for line in sections.lines("states") {
        let Some((state, package)) = line.split_once('|') else { continue };
        let mut letters = state.chars().skip(1);
        let (status, error) = (letters.next(), letters.next());
        let (what, how) = match (status, error) {
            (_, Some('R')) => ("must be installed anew", format!("apt-get install --reinstall {package}")),
            (Some('H'), _) => ("is half-installed", format!("apt-get install --reinstall {package}")),
            (Some('U'), _) => ("is unpacked and not set up", "dpkg --configure -a".to_owned()),
            _ => ("is half set up", "dpkg --configure -a".to_owned()),
        };
        broken.extend(clip(package).map(|package| format!("{package} {what}")));
        mend = Some(how);
    }
    (broken, mend)
}

/// What must be fetched, and what an upgrade takes beyond that: `Need to get 0 B/1,234 kB of archives.`, `After this
/// operation, 12.3 MB of additional disk space will be used.`
pub(super) fn sizes(sections: &Sections<'_>) -> (Option<u64>, Option<u64>) {
    let lines = sections.lines("sizes");
    let after = |start: &str| lines.iter().find_map(|line| line.strip_prefix(start));
    let fetch = after("Need to get ").and_then(|rest| size(rest.split(['/', 'o']).next()?));
    let grow = after("After this operation, ").and_then(|rest| {
        let bytes = size(rest)?;
        Some(if rest.contains("freed") { 0 } else { bytes })
    });
    (fetch, grow)
}

/// `1,234 kB`, with the steps of a thousand that apt counts in.
fn size(text: &str) -> Option<u64> {
    let mut words = text.split_whitespace();
    let number: f64 = words.next()?.replace(',', "").parse().ok()?;
    let unit = match words.next()?.chars().next()? {
        'k' => 1e3,
        'M' => 1e6,
        'G' => 1e9,
        'T' => 1e12,
        _ => 1.0,
    };
    let bytes = number * unit;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is not negative, and saturates")]
    (bytes >= 0.0).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apt_says_how_much_room_it_needs() {
        let sizes = |text: &str| sizes(&Sections::of(&format!("@@sizes\n{text}")));
        let text = "Need to get 1,234 kB/5,678 kB of archives.\nAfter this operation, 12.5 MB of additional disk space will be used.";
        assert_eq!(sizes(text), (Some(1_234_000), Some(12_500_000)));
        let text = "Need to get 812 B of archives.\nAfter this operation, 1 kB disk space will be freed.";
        assert_eq!(sizes(text), (Some(812), Some(0)));
        assert_eq!(sizes(""), (None, None));
    }

    #[test]
    fn what_is_broken_is_told_with_its_mend() {
        let broken = |text: &str| broken(&Sections::of(text));
        assert_eq!(broken("@@states\n"), (vec![], None));
        let (what, mend) = broken("@@states\niH |alpha\n");
        assert_eq!(
            (what, mend.as_deref()),
            (vec!["alpha is half-installed".into()], Some("apt-get install --reinstall alpha"))
        );
        let (what, mend) = broken("@@states\niU |alpha\niF |beta");
        assert_eq!(what, ["alpha is unpacked and not set up", "beta is half set up"]);
        assert_eq!(mend.as_deref(), Some("dpkg --configure -a"));
        let (what, _) = broken("@@pending\nE: Unmet dependencies. Try 'apt --fix-broken install' with no packages.");
        assert_eq!(what.len(), 1);
    }
}
