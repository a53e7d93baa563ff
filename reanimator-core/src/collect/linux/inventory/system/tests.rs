//! Against a recorded machine, this machine, and things that no machine should say.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::{Answer, ask::answers, script};
use super::*;
use crate::model::facts::system::{Boot, BootMode, PastBoot};

const DEBIAN: &str = include_str!("../../../../../tests/recordings/linux/inventory/system/debian-12.txt");

fn of(name: &str, text: &str) -> Answers {
    Answers::of(true, [(name, text)])
}

/// The answers to the slow questions, each empty but for one.
fn slow(name: &str, text: &str) -> System {
    let all = ["system-boot", "system-boots", "system-reboot", "system-time"].map(|known| (known, "@"));
    parse(&Answers::of(true, all).with(name, Answer { text: text.to_owned(), status: Some(0), ..Answer::default() }))
        .facts
}

#[test]
fn a_recorded_machine_is_read() {
    let Read { facts, unseen } = parse(&answers(DEBIAN));
    assert_eq!((facts.init.as_deref(), facts.state.as_deref()), (Some("systemd"), Some("degraded")));
    assert_eq!(facts.init_version.as_deref(), Some("252.39-1~deb12u2"));
    assert_eq!((facts.units, facts.processes), (Some(162), Some(13)));
    assert_eq!(facts.booted_at, Some("2026-11-25T21:19:55Z".parse().unwrap()));
    let [unit] = &facts.failed.unwrap()[..] else { panic!("one unit failed") };
    assert_eq!(unit.name, "broken-backup.service");
    assert_eq!(unit.description.as_deref(), Some("Nightly backup of the books"));
    assert_eq!(unit.result.as_deref(), Some("exit-code"));
    assert_eq!(unit.since, Some("2026-11-25T21:35:26Z".parse().unwrap()));
    let [session] = &facts.sessions.unwrap()[..] else { panic!("one is logged in") };
    assert_eq!((session.user.as_str(), session.terminal.as_str()), ("lab", "pts/0"));
    assert_eq!(session.from.as_deref(), Some("192.0.2.7"));
    assert_eq!(session.since, Some("2026-11-25T21:46:00Z".parse().unwrap()));
    let boot = facts.boot.unwrap();
    assert_eq!((boot.mode, boot.secure_boot), (None, None));
    assert_eq!(boot.recent.len(), 1);
    assert_eq!(boot.recent[0].from, "2026-11-25T21:35:05Z".parse().unwrap());
    let reboot = facts.reboot.unwrap();
    assert_eq!(reboot.reasons, ["updated packages ask for it: linux-image-amd64"]);
    assert!(reboot.needed);
    let time = facts.time.unwrap();
    assert_eq!((time.zone.as_deref(), time.synchronized, time.ntp), (Some("Etc/UTC"), Some(false), Some(false)));
    assert_eq!(unseen, [Unseen::new("boot mode", "a container is started by its host")]);
}

#[test]
fn this_machine_answers() {
    let mut questions = questions();
    questions.extend(slow_questions(None));
    let output = std::process::Command::new("sh").arg("-c").arg(script(&questions)).output().unwrap();
    let facts = parse(&answers(&String::from_utf8_lossy(&output.stdout))).facts;
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let btime: i64 = stat.lines().find_map(|line| line.strip_prefix("btime ")).unwrap().parse().unwrap();
    assert!((facts.booted_at.unwrap().as_second() - btime).abs() <= 1);
    assert!(facts.processes.unwrap() > 1);
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(facts.reboot.unwrap().kernel_running.as_deref(), Some(release.trim()));
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert_eq!(facts.boot.unwrap().id.as_deref(), Some(id.trim()));
}

#[test]
fn no_failed_unit_is_none_and_no_answer_is_a_note() {
    let healthy = "manager:systemd\nVersion=257\nNNames=300\nNFailedUnits=0\nSystemState=running";
    assert_eq!(parse(&of("system", "@").with("system-units", said(healthy))).facts.failed, Some(vec![]));
    let mute =
        Answer { text: "manager:systemd\n".into(), status: Some(1), complaint: "Failed to connect to bus".into() };
    let read = parse(&of("system", "@").with("system-units", mute));
    assert_eq!(read.facts.failed, None);
    assert!(read.unseen.contains(&Unseen::new("failed units", "Failed to connect to bus")));
}

#[test]
fn failed_units_that_nobody_names_are_not_none() {
    let text = "manager:systemd\nVersion=257\nNNames=300\nNFailedUnits=2\nSystemState=degraded";
    let read = parse(&of("system", "@").with("system-units", said(text)));
    assert_eq!(read.facts.failed, None);
    assert!(read.unseen.iter().any(|note| note.why.contains("2 failed")), "{:?}", read.unseen);
}

#[test]
fn a_crashed_service_of_openrc_is_a_failed_unit() {
    let read = parse(&of("system", "dir:/run/openrc").with("system-units", said("manager:openrc\nnginx\n")));
    let failed = read.facts.failed.unwrap();
    assert_eq!((failed[0].name.as_str(), failed[0].result.as_deref()), ("nginx", Some("crashed")));
    assert_eq!(read.facts.init.as_deref(), Some("openrc"));
}

#[test]
fn sessions_are_read_as_coreutils_and_busybox_write_them() {
    let who = "root     tty1         2026-11-24 09:10\n\
               anna     :0           2026-11-24 09:10 (:0)\n\
               root     pts/0        Dec 31 23:59 (host.example.org)\n\
               USER\t\tTTY\t\tIDLE\tTIME\t\t HOST\n\
               ash             pts/1           00:03   Jan  2 03:04:05  192.0.2.9\n";
    // The second of January 2027.
    let answers = of("system", "clock:1798858800").with("system-sessions", said(who));
    let sessions = parse(&answers).facts.sessions.unwrap();
    let seen: Vec<_> = sessions
        .iter()
        .map(|session| (session.user.as_str(), session.from.as_deref(), session.since.unwrap().to_string()))
        .collect();
    let expected = [
        ("root", None, "2026-11-24T09:10:00Z"),
        ("anna", None, "2026-11-24T09:10:00Z"),
        ("root", Some("host.example.org"), "2026-12-31T23:59:00Z"),
        ("ash", Some("192.0.2.9"), "2027-01-02T03:04:00Z"),
    ];
    assert_eq!(seen, expected.map(|(user, from, since)| (user, from, since.to_owned())));
}

#[test]
fn firmware_and_secure_boot_are_told() {
    let uefi = "efi:yes\nsecure:   6   0   0   0   1\n/sys/class/dmi/id/bios_vendor:Dell Inc.";
    let boot = slow("system-boot", uefi).boot.unwrap();
    assert_eq!((boot.mode, boot.secure_boot), (Some(BootMode::Uefi), Some(true)));
    let boot = slow("system-boot", "efi:no\n/sys/class/dmi/id/bios_vendor:SeaBIOS").boot.unwrap();
    assert_eq!((boot.mode, boot.secure_boot), (Some(BootMode::Bios), None));
    let boot = slow("system-boot", "efi:no").boot.unwrap();
    assert_eq!(boot.mode, None, "a Raspberry Pi has neither");
}

#[test]
fn past_boots_are_read_as_old_and_new_systemd_write_them() {
    let text = "IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY\n\
                -1 3cb8eb4aa9d84ac4b3ac5e8b3b1f6a2d Mon 2026-11-23 10:00:00 UTC—Tue 2026-11-24 10:00:00 UTC\n \
                0 44d0dbd1c4a0472886fe851e95d49caf Wed 2026-11-25 21:35:05 UTC Wed 2026-11-25 21:35:27 UTC\n\
                1 x 2026-99-99 10:00:00 2026-11-24 10:00:00\n";
    let boots = slow("system-boots", text).boot.unwrap().recent;
    assert_eq!(boots.len(), 2);
    assert_eq!(boots[0].to, "2026-11-24T10:00:00Z".parse().unwrap());
}

#[test]
fn the_journal_is_asked_for_boots_only_when_there_was_a_new_one() {
    let id = "44d0dbd1-c4a0-4728-86fe-851e95d49caf";
    let boot = Boot { id: Some(id.into()), recent: vec![PastBoot::default()], ..Boot::default() };
    let last = System { boot: Some(boot), processes: Some(7), ..System::default() };
    let text = |last: &System| slow_questions(Some(last))[1].text.clone();
    assert!(text(&last).contains(id));
    let hostile = Boot { id: Some("$(reboot)-xxxxxxxxxxxxxxxxxxxxxxxxxx".into()), ..last.boot.clone().unwrap() };
    assert!(!text(&System { boot: Some(hostile), ..System::default() }).contains("reboot"));

    let answers = of("system-boot", "efi:no").with("system-boots", said("@same"));
    let mut read = parse(&answers);
    carry_over(&answers, &mut read, &Read { facts: last, unseen: vec![] }.at(Timestamp::UNIX_EPOCH));
    assert_eq!(read.facts.boot.unwrap().recent, [PastBoot::default()]);
    assert_eq!(read.facts.processes, Some(7));
    assert!(!read.unseen.iter().any(|note| note.what == boot::PAST));
}

#[test]
fn what_was_not_asked_stays_as_it_was_with_its_notes() {
    let everything = answers(DEBIAN);
    let mut last = parse(&everything);
    last.unseen.push(Unseen::new("sessions", "who is not installed"));
    let last = last.at(Timestamp::UNIX_EPOCH);
    let fast = of("system", "processes:5\n/proc/1/comm:systemd\n/proc/stat:btime 5").with("system-sessions", said(""));
    let mut read = parse(&fast);
    carry_over(&fast, &mut read, &last);
    assert_eq!((read.facts.processes, &read.facts.boot), (Some(5), &last.facts.boot));
    assert_eq!(read.facts.reboot, last.facts.reboot);
    let notes: Vec<&str> = read.unseen.iter().map(|note| note.what.as_str()).collect();
    assert_eq!(notes, ["failed units", "boot mode"]);
}

#[test]
fn a_newer_kernel_of_the_same_kind_is_a_reason_to_restart() {
    let reboot = |text: &str| slow("system-reboot", text).reboot.unwrap();
    let debian = "/proc/sys/kernel/osrelease:6.1.0-9-amd64\nhas:/boot/vmlinuz-6.1.0-9-amd64\nhas:/boot/vmlinuz-6.1.0-27-amd64\n\
                  has:/lib/modules/6.1.0-9-amd64\nhas:/lib/modules/6.1.0-27-amd64\nhas:/boot/vmlinuz-6.9.0-1-rt-amd64\n";
    assert_eq!(reboot(debian).reasons, ["kernel 6.1.0-27-amd64 is installed, 6.1.0-9-amd64 runs"]);
    assert!(!reboot(&debian.replace("osrelease:6.1.0-9", "osrelease:6.1.0-27")).needed);
    assert!(!reboot(&format!("{debian}/etc/kernel/proxmox-boot-pin:6.1.0-9-amd64")).needed, "it is pinned");
    assert!(!reboot(&format!("{debian}has:/.dockerenv")).needed, "a container has its host's kernel");
    let fedora = "/proc/sys/kernel/osrelease:6.11.4-301.fc41.x86_64\nhas:/lib/modules/6.11.4-301.fc41.x86_64\n\
                  has:/lib/modules/6.11.4-301.fc41.x86_64/vmlinuz\nhas:/lib/modules/6.11.5-300.fc41.x86_64/vmlinuz\n\
                  has:/boot/vmlinuz-0-rescue-0123456789abcdef0123456789abcdef\n";
    assert_eq!(reboot(fedora).kernel_installed.as_deref(), Some("6.11.5-300.fc41.x86_64"));
    let alpine = "/proc/sys/kernel/osrelease:6.6.58-0-lts\nhas:/boot/vmlinuz-lts\nhas:/lib/modules/6.6.60-0-lts\n";
    assert_eq!(reboot(alpine).reasons, ["the modules of the running kernel 6.6.58-0-lts are gone"]);
}

#[test]
fn packages_that_are_newer_than_the_boot_are_a_reason_to_restart() {
    let text = "/proc/sys/kernel/osrelease:6.11\n/proc/stat:btime 1000\nrpm:yes\npackage kernel-rt is not installed\n\
                @999 kernel;@1001 glibc;package dbus is not installed\n@1500 systemd;@absurd linux-firmware;";
    let reboot = slow("system-reboot", text).reboot.unwrap();
    assert_eq!(reboot.reasons, ["installed since the last boot: glibc, systemd"]);
    assert_eq!(reboot.packages, ["glibc", "systemd"]);
}

#[test]
fn chrony_says_how_far_off_the_clock_is() {
    let text = "Timezone=Europe/Berlin\nNTP=yes\nNTPSynchronized=yes\n/proc/12/comm:chronyd\n\
                chrony:A29FC87B,162.159.200.123,4,1776153600.123456,-0.000012345,0.00001,0.00002,-1.2,0.0,0.1,0.01,0.001,64.2,Normal";
    let time = slow("system-time", text).time.unwrap();
    assert_eq!(time.service.as_deref(), Some("chrony"));
    assert_eq!((time.synchronized, time.stratum, time.offset_seconds), (Some(true), Some(4), Some(0.000_012_345)));
    let lost = "chrony:00000000,,0,0.000000000,0.000000000,0,0,0,0,0,1,1,0.0,Not synchronised";
    assert_eq!(slow("system-time", lost).time.unwrap().synchronized, Some(false));
    let alpine = slow("system-time", "link:/usr/share/zoneinfo/Asia/Tokyo\n/proc/9/comm:ntpd").time.unwrap();
    assert_eq!((alpine.zone.as_deref(), alpine.service.as_deref()), (Some("Asia/Tokyo"), Some("ntpd")));
    assert_eq!(alpine.synchronized, None);
}

fn said(text: &str) -> Answer {
    Answer { text: text.to_owned(), status: Some(0), ..Answer::default() }
}

#[test]
fn answers_that_stop_half_way_or_are_absurd_make_no_facts() {
    for end in (0..DEBIAN.len()).step_by(37).filter(|end| DEBIAN.is_char_boundary(*end)) {
        parse(&answers(&DEBIAN[..end]));
    }
    let absurd = "/proc/stat:btime -5\nprocesses:0\n/proc/1/comm:\nclock:99999999999999999999";
    let facts = parse(&of("system", absurd)).facts;
    assert_eq!((facts.booted_at, facts.processes, facts.init), (None, None, None));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(?s)(manager:systemd\n|NFailedUnits=1\n\n|Id=x\n|StateChangeTimestampMonotonic=[0-9]{1,20}\n|has:/lib/modules/|chrony:|@[0-9]{1,22} a;|[A-Z][a-z]{2} [0-9:]{1,9} |[0-9-]{10} [0-9:]{8} |\n|.){0,40}", clock in "-?[0-9]{1,20}") {
        let names = ["system", "system-units", "system-sessions", "system-boot", "system-boots", "system-reboot", "system-time"];
        let mut all = Answers::of(true, names.map(|name| (name, text.as_str())));
        parse(&all);
        all = all.with("system", said(&format!("clock:{clock}\n/proc/stat:btime {clock}")));
        let read = parse(&all);
        prop_assert!(read.facts.failed.is_none_or(|failed| failed.len() <= 100));
    }
}
