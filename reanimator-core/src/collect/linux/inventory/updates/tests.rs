//! Against recorded answers of each package manager, this machine, and things that no machine should say.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use proptest::prelude::*;

use super::super::{Answer, ask::answers, script};
use super::*;
use crate::model::facts::updates::{PendingPackage, Repository};

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!("../../../../../tests/recordings/linux/inventory/updates/", $name, ".txt"))
    };
}

fn read(recording: &str) -> Read<Updates> {
    parse(&answers(recording))
}

fn package<'a>(updates: &'a Updates, name: &str) -> &'a PendingPackage {
    updates.packages.iter().find(|package| package.name == name).unwrap()
}

/// From, to, security.
fn versions<'a>(updates: &'a Updates, name: &str) -> (Option<&'a str>, &'a str, Option<bool>) {
    let package = package(updates, name);
    (package.from.as_deref(), &package.to, package.security)
}

#[test]
fn apt_tells_security_updates_apart() {
    let Read { facts, unseen } = read(recording!("debian-12"));
    assert_eq!(unseen, []);
    assert_eq!(facts.manager, Some(PackageManager::Apt));
    assert_eq!((facts.installed, facts.pending, facts.security), (Some(790), Some(40), Some(29)));
    assert_eq!(versions(&facts, "bash"), (Some("5.2.15-2+b8"), "5.2.15-2+b13", Some(false)));
    assert_eq!(versions(&facts, "perl"), (Some("5.36.0-7+deb12u2"), "5.36.0-7+deb12u4", Some(true)));
    let gcrypt = package(&facts, "libgcrypt20");
    let origin = "Debian:12.15/oldstable, Debian-Security:12/oldstable-security";
    assert_eq!((gcrypt.origin.as_deref(), gcrypt.security), (Some(origin), Some(true)));
    assert_eq!(facts.refreshed_at, Timestamp::from_second(1_795_641_930).ok());
    assert_eq!(facts.automatic, Some(false));
    let places: Vec<_> = facts.repositories.iter().map(|place| place.suite.as_deref().unwrap()).collect();
    assert_eq!(places, ["bookworm", "bookworm-updates", "bookworm-security"]);
    assert!(facts.stamp.is_some());
}

#[test]
fn nothing_pending_is_zero_and_what_is_held_is_named() {
    let facts = read(recording!("debian-12-nothing-pending")).facts;
    assert_eq!((facts.pending, facts.security), (Some(0), Some(0)));
    assert_eq!(facts.held, ["openssh-server"]);
}

#[test]
fn a_package_that_an_upgrade_adds_has_no_version_before() {
    let text =
        "manager:apt\n@pending\nInst linux-image-6.1.0-28-amd64 (6.1.119-1 Debian:12.8/stable [amd64])\n@status 0";
    let facts = parse(&Answers::of(true, [("updates-packages", text)])).facts;
    assert_eq!(versions(&facts, "linux-image-6.1.0-28-amd64"), (None, "6.1.119-1", Some(false)));
}

#[test]
fn dnf_4_is_read() {
    let facts = read(recording!("rhel-9")).facts;
    assert_eq!((facts.installed, facts.pending, facts.security), (Some(7), Some(6), Some(4)));
    assert_eq!(versions(&facts, "grub2-common"), (Some("1:2.06-46.el9"), "1:2.06-46.el9_1.5", Some(true)));
    assert_eq!(versions(&facts, "kernel").0, Some("5.14.0-162.6.1.el9_1"), "the newest that is installed");
    assert_eq!(versions(&facts, "python3-setuptools-wheel-of-a-very-long-name").1, "53.0.0-10.el9_1.1");
    assert_eq!(facts.automatic, Some(true));
    assert_eq!(facts.refreshed_at, Timestamp::from_second(1_680_000_000).ok());
    let private = &facts.repositories[1];
    assert_eq!((private.uri.as_str(), private.enabled), ("https://packages.example.org/el9", false));
}

#[test]
fn dnf_5_is_read() {
    let facts = read(recording!("fedora-41-dnf5")).facts;
    assert_eq!((facts.pending, facts.security), (Some(2), Some(1)));
    assert_eq!(versions(&facts, "openssl-libs"), (Some("1:3.2.2-7.fc41"), "1:3.2.2-9.fc41", Some(false)));
    assert_eq!(versions(&facts, "kernel").2, Some(true));
}

#[test]
fn zypper_counts_security_patches() {
    let facts = read(recording!("opensuse-leap-16")).facts;
    assert_eq!((facts.installed, facts.pending, facts.security), (Some(1024), Some(2), Some(2)));
    assert_eq!(versions(&facts, "qemu-guest-agent"), (Some("10.0.4-160000.1.1"), "10.0.7-160000.1.1", None));
    assert_eq!(facts.held, ["kernel-firmware"]);
    assert_eq!(facts.repositories[0].name.as_deref(), Some("repo-oss"));
}

#[test]
fn pacman_and_apk_do_not_tell_security_updates_apart_and_that_is_said() {
    let arch = read(recording!("arch"));
    assert_eq!((arch.facts.pending, arch.facts.security), (Some(2), None));
    assert_eq!(versions(&arch.facts, "linux"), (Some("6.10.9.arch1-1"), "6.10.10.arch1-1", None));
    assert_eq!(arch.facts.held, ["held"]);
    let names: Vec<_> = arch.facts.repositories.iter().map(|place| place.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["core", "custom"]);
    assert!(arch.unseen.iter().any(|note| note.what == "security updates"));

    let alpine = read(recording!("alpine")).facts;
    assert_eq!((alpine.installed, alpine.pending, alpine.security), (Some(15), Some(4), None));
    assert_eq!(versions(&alpine, "ca-certificates-bundle"), (Some("20240226-r0"), "20240705-r0", None));
    assert_eq!(alpine.held, ["nginx"]);
    let on: Vec<bool> = alpine.repositories.iter().map(|place| place.enabled).collect();
    assert_eq!(on, [true, true, false, true]);
    assert_eq!(alpine.refreshed_at, Timestamp::from_second(1_727_600_000).ok());
}

#[test]
fn proxmox_repositories_are_read_in_both_forms() {
    let read = read(recording!("proxmox-repositories"));
    let place = |uri: &str, suite: &str, components: &[&str], enabled: bool| Repository {
        uri: uri.into(),
        suite: Some(suite.into()),
        components: components.iter().map(|component| (*component).to_owned()).collect(),
        enabled,
        ..Repository::default()
    };
    let seen: Vec<_> =
        read.facts.repositories.into_iter().map(|seen| Repository { file: String::new(), ..seen }).collect();
    let expected = [
        place("http://ftp.debian.org/debian", "bookworm", &["main", "contrib"], true),
        place("http://security.debian.org/debian-security", "bookworm-security", &["main", "contrib"], true),
        place("https://enterprise.proxmox.com/debian/pve", "bookworm", &["pve-enterprise"], false),
        place("http://download.proxmox.com/debian/pve", "trixie", &["pve-no-subscription"], true),
        place("https://enterprise.proxmox.com/debian/ceph-squid", "trixie", &["enterprise"], false),
    ];
    assert_eq!(seen, expected);
    assert!(read.unseen.iter().any(|note| note.what == "pending updates"));
}

#[test]
fn a_manager_that_fails_is_a_note_and_never_nothing_pending() {
    let answer = Answer {
        text: "manager:apt\ninstalled:7\n@held\n@pending\n@status 100".into(),
        status: Some(0),
        complaint: "E: Unmet dependencies.".into(),
    };
    let Read { facts, unseen } = parse(&Answers::default().with("updates-packages", answer));
    assert_eq!((facts.installed, facts.pending, facts.security), (Some(7), None, None));
    assert!(unseen.contains(&Unseen::new("pending updates", "E: Unmet dependencies.")));
    let cut = parse(&Answers::of(true, [("updates-packages", "manager:apt\n@pending\nInst a (1 D [all])")]));
    assert_eq!(cut.facts.pending, None, "the rest may be missing");
}

#[test]
fn security_updates_that_could_not_be_asked_for_are_not_none() {
    for (manager, row) in [("zypper", ""), ("dnf", "a.x86_64 1:2-3 updates")] {
        let text = format!(
            "manager:{manager}\ninstalled:7\n@advisories\n@pending\n{row}\n@nosecurity\n@security\n@rpm\n@status 0"
        );
        let Read { facts, unseen } = parse(&Answers::of(true, [("updates-packages", text.as_str())]));
        assert_eq!((facts.pending.is_some(), facts.security), (true, None), "{manager}");
        assert!(unseen.iter().any(|note| note.what == "security updates"), "{manager}: {unseen:?}");
    }
}

#[test]
fn packages_are_counted_anew_when_something_changed_or_time_has_passed() {
    let now: Timestamp = "2026-11-25T12:00:00Z".parse().unwrap();
    let stamp = Some("3922229062 886".to_owned());
    let last = Updates { pending: Some(1), stamp, counted_at: Some(now), ..Updates::default() };
    let gated = |last: &Updates, hours: i64| {
        let later = now + jiff::SignedDuration::from_hours(hours);
        questions_after(Some(last), later)[2].text.contains("\"3922229062 886\"")
    };
    assert!(gated(&last, 1) && gated(&last, 6));
    assert!(!gated(&last, 7), "it is old");
    assert!(!gated(&last, -1), "it is from the future");
    assert!(!gated(&Updates { pending: None, ..last.clone() }, 1), "counting failed");
    let hostile = Updates { stamp: Some("1 2\"; reboot; \"".into()), ..last };
    assert!(questions_after(Some(&hostile), now).iter().all(|question| !question.text.contains("reboot;")));
}

#[test]
fn this_machine_counts_once() {
    let ask = |questions: &[Question]| {
        let output = std::process::Command::new("sh").arg("-c").arg(script(questions)).output().unwrap();
        answers(&String::from_utf8_lossy(&output.stdout))
    };
    let now = Timestamp::now();
    let first = ask(&questions());
    let mut read = parse(&first);
    carry_over(&first, &mut read, None, now);
    if read.facts.manager != Some(PackageManager::Apt) || read.facts.pending.is_none() {
        return;
    }
    assert!(read.facts.installed.unwrap() > 10 && !read.facts.repositories.is_empty());
    let last = read.at(now);
    let second = ask(&questions_after(Some(&last.facts), now));
    assert!(is_unchanged(&second));
    let mut again = parse(&second);
    carry_over(&second, &mut again, Some(&last), now);
    assert_eq!((again.facts, again.unseen), (last.facts, last.unseen));
}

const ALL: [&str; 7] = [
    recording!("debian-12"),
    recording!("rhel-9"),
    recording!("fedora-41-dnf5"),
    recording!("opensuse-leap-16"),
    recording!("arch"),
    recording!("alpine"),
    recording!("proxmox-repositories"),
];

#[test]
fn answers_that_stop_half_way_do_not_panic() {
    for recording in ALL {
        for end in (0..recording.len()).step_by(41).filter(|end| recording.is_char_boundary(*end)) {
            read(&recording[..end]);
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        manager in "apt|dnf|zypper|pacman|apk|none",
        text in "(?s)(@pending\n|@security\n|@rpm\n|@held\n|@advisories\n|@status 0\n|Inst |<update kind=\"package\" name=\"|a-1-r2 |\\[upgradable from: |a.b 1 c\n|.){0,40}",
        files in "(?s)(/etc/apt/a.sources:|/etc/a.list:|/etc/a.repo:|/etc/apk/repositories:|fetched:-?[0-9]{1,20} |@set |Types: deb|URIs: |Suites: |\\[|deb \\[|https://|\n|.){0,40}",
    ) {
        let packages = format!("manager:{manager}\n{text}\n@status 0");
        let answers = Answers::of(true, [("updates-packages", packages.as_str()), ("updates-repositories", files.as_str())]);
        let facts = parse(&answers).facts;
        prop_assert!(facts.packages.len() <= 500 && facts.repositories.len() <= 200);
    }

    #[test]
    fn no_passwords_are_kept(user in "[a-z]{1,5}", password in "[a-zA-Z0-9:@]{4,9}") {
        let line = format!("/etc/apt/sources.list:deb https://{user}:{password}@example.org/debian stable main\n");
        let facts = parse(&Answers::of(true, [("updates-repositories", line.as_str())])).facts;
        prop_assert_eq!(&facts.repositories[0].uri, "https://example.org/debian");
    }
}
