//! Packages that could be newer, as APT says it.

use std::fmt::Write as _;

use super::{Asked, Said};

/// What may be pending: a name, the version that is there and the one that could be, and whether it mends a hole.
const PACKAGES: [(&str, &str, &str, bool); 8] = [
    ("base-files", "12.4+deb12u11", "12.4+deb12u15", false),
    ("bash", "5.2.15-2+b8", "5.2.15-2+b13", false),
    ("liblzma5", "5.4.1-1", "5.4.1-1+deb12u2", true),
    ("dpkg", "1.21.22", "1.21.23", false),
    ("libperl5.36", "5.36.0-7+deb12u2", "5.36.0-7+deb12u4", true),
    ("sed", "4.9-1", "4.9-1+deb12u1", false),
    ("libgnutls30", "3.7.9-2+deb12u6", "3.7.9-2+deb12u7", true),
    ("e2fsprogs", "1.47.0-2", "1.47.0-2+b2", false),
];

pub(super) fn answer(name: &str, question: &str, asked: &Asked<'_>) -> Option<Said> {
    let unchanged = question.contains(&format!("= \"{}\" ]", stamp(asked)));
    Some(match name {
        "updates-stamp" => format!("{}\n", stamp(asked)).into(),
        "updates-repositories" | "updates-packages" if unchanged => "@unchanged\n".into(),
        "updates-repositories" => repositories(asked).into(),
        "updates-packages" => packages(asked).into(),
        _ => return None,
    })
}

/// New lists every day, each host at an hour of its own.
fn day(asked: &Asked<'_>) -> i64 {
    let hour = asked.draw(90, 86_400) as i64;
    (asked.clock - hour).div_euclid(86_400) * 86_400 + hour
}

fn stamp(asked: &Asked<'_>) -> String {
    format!("{} 886", asked.draw(91 ^ day(asked) as u64, 1 << 32))
}

fn repositories(asked: &Asked<'_>) -> String {
    let fetched = day(asked);
    let suite = if asked.machine.system.version == "13" { "trixie" } else { "bookworm" };
    let lists = if asked.machine.system.id == "ubuntu" {
        "/etc/apt/sources.list.d/ubuntu.sources:Types: deb\n\
         /etc/apt/sources.list.d/ubuntu.sources:URIs: http://archive.ubuntu.com/ubuntu/\n\
         /etc/apt/sources.list.d/ubuntu.sources:Suites: noble noble-updates noble-security\n\
         /etc/apt/sources.list.d/ubuntu.sources:Components: main universe\n"
            .to_owned()
    } else {
        format!(
            "/etc/apt/sources.list:deb http://deb.debian.org/debian {suite} main\n\
             /etc/apt/sources.list:deb http://deb.debian.org/debian-security {suite}-security main\n"
        )
    };
    format!(
        "{lists}@end\nfetched:{fetched} {fetched} /var/lib/apt/lists\nfetched:{fetched} {fetched} /var/lib/apt/lists/partial\n"
    )
}

fn packages(asked: &Asked<'_>) -> String {
    let pending = asked.draw(92, 3) * asked.draw(93, 5);
    let mut text = format!("manager:apt\ninstalled:{}\n@held\n@pending\n", 400 + asked.draw(94, 1200));
    for (name, old, new, mends) in PACKAGES.iter().take(usize::try_from(pending).unwrap_or_default()) {
        let origin = match (asked.machine.system.id, mends) {
            ("ubuntu", true) => "Ubuntu:24.04/noble-security",
            ("ubuntu", false) => "Ubuntu:24.04/noble-updates",
            (_, true) => "Debian-Security:12/oldstable-security",
            (_, false) => "Debian:12.15/oldstable",
        };
        let _written = writeln!(text, "Inst {name} [{old}] ({new} {origin} [amd64])");
    }
    text + "@status 0\n"
}
