//! What a look at a machine's packages said.

use jiff::Timestamp;

use super::{
    super::inventory::{
        updates::packages::held,
        words::{clip, seconds},
    },
    apk, apt, dnf, pacman,
    sections::Sections,
    zypper,
};
use crate::{
    Error, ErrorKind, Result,
    model::{
        Bytes, PackageRoom, PackageSurvey, Unseen,
        facts::updates::{PackageManager, PendingPackage},
        packages::NAMED_LIMIT,
    },
};

/// What a manager writes beside packages: its lists of what is installed, logs, the cache of a linker.
const MARGIN: u64 = 16 << 20;

/// The most sentences about what is broken.
const BROKEN_LIMIT: usize = 20;

/// Reads what the script of [`survey_script`](super::survey_script) said at a time.
///
/// # Errors
/// `Protocol` for an answer that stops half-way, `Invalid` where no package manager was found that we know of.
pub fn survey(text: &str, at: Timestamp) -> Result<PackageSurvey> {
    let sections = Sections::of(text);
    let attempt = "look at the packages";
    let Some(manager) = sections.manager() else {
        return Err(match sections.first("manager") {
            Some(_) => Error::new(ErrorKind::Invalid, attempt)
                .because("no package manager that we know of was found")
                .next("apt, dnf, zypper, pacman and apk are known"),
            None => Error::new(ErrorKind::Protocol, attempt).because("nothing was answered"),
        });
    };
    if !sections.has("end") {
        return Err(Error::new(ErrorKind::Protocol, attempt).because("the answer stops half-way"));
    }
    let mut unseen = Vec::new();
    let mut pending = pending(&sections, manager, &mut unseen);
    let security_count = security(&sections, manager, &mut pending, &mut unseen);
    let pending_count = pending.len() as u64;
    let (broken, mend) = broken(&sections, manager);
    let (download, rooms) = rooms(&sections, manager, &pending, &mut unseen);
    let reboot = sections.reboot();
    let reboot_due_for = reboot_due(manager, &pending);
    pending.truncate(NAMED_LIMIT);
    Ok(PackageSurvey {
        manager,
        is_root: sections.first("user") == Some("0"),
        at,
        refreshed_at: sections.lines("refreshed").into_iter().filter_map(seconds).max(),
        pending_count,
        security_count,
        removed: if manager == PackageManager::Apt { apt::removed(&sections) } else { Vec::new() },
        held: held(manager, &sections.lines("held"), &sections.lines("pending")),
        broken,
        mend,
        busy: sections.first("busy").and_then(clip),
        download: download.map(Bytes),
        rooms,
        reboot_wanted: reboot.needed,
        reboot_reasons: reboot.reasons,
        reboot_due: !reboot_due_for.is_empty(),
        reboot_due_for,
        services: sections.lines("services").into_iter().filter_map(clip).collect(),
        pending,
        rolls: sections.has("rolls"),
        unseen,
    })
}

fn pending(sections: &Sections<'_>, manager: PackageManager, unseen: &mut Vec<Unseen>) -> Vec<PendingPackage> {
    // dnf leaves with 100 where there is something to upgrade, `pacman -Qu` with 1 where there is nothing. apt's own
    // complaint tells what is broken.
    let done: &[&str] = match manager {
        PackageManager::Apt => &[],
        PackageManager::Dnf => &["0", "100"],
        PackageManager::Pacman => &["0", "1"],
        PackageManager::Zypper | PackageManager::Apk => &["0"],
    };
    let status = sections.first("status").unwrap_or("none");
    if !done.is_empty() && !done.contains(&status) {
        let why = match status {
            "124" => "no answer in time".to_owned(),
            "no lists" => "it has no package lists: fetch them first".to_owned(),
            status => format!("{} left with exit status {status}: its lists may have to be fetched", manager.as_str()),
        };
        unseen.push(Unseen::new("pending packages", why));
        return Vec::new();
    }
    let lines = sections.lines("pending");
    let mut packages = match manager {
        PackageManager::Apt => lines.iter().filter_map(|line| apt::pending(line)).collect(),
        PackageManager::Dnf => dnf::pending(&lines, &sections.lines("security"), &sections.lines("rpm")),
        PackageManager::Zypper => zypper::pending(&lines),
        PackageManager::Pacman => lines.iter().filter_map(|line| pacman::pending(line)).collect(),
        PackageManager::Apk => lines.iter().filter_map(|line| apk::pending(line)).collect::<Vec<_>>(),
    };
    packages.sort_by(|a, b| (&a.name, &a.to).cmp(&(&b.name, &b.to)));
    packages
}

/// How many of them close a security hole, where the repositories there tell.
fn security(
    sections: &Sections<'_>,
    manager: PackageManager,
    pending: &mut [PendingPackage],
    unseen: &mut Vec<Unseen>,
) -> Option<u64> {
    let told = sections.has("advisories") && !sections.has("nosecurity");
    let marked = |pending: &[PendingPackage]| pending.iter().filter(|each| each.security == Some(true)).count() as u64;
    let count = match manager {
        PackageManager::Apt => Some(marked(pending)),
        PackageManager::Dnf if told => Some(marked(pending)),
        PackageManager::Zypper if told => Some(zypper::needed_patches(&sections.lines("security"))),
        PackageManager::Dnf | PackageManager::Zypper | PackageManager::Pacman | PackageManager::Apk => None,
    };
    if count.is_none() {
        pending.iter_mut().for_each(|package| package.security = None);
        unseen.push(Unseen::new("security updates", "the repositories there do not tell them apart"));
    }
    count
}

fn broken(sections: &Sections<'_>, manager: PackageManager) -> (Vec<String>, Option<String>) {
    let (mut broken, mut mend) = match manager {
        PackageManager::Apt => apt::broken(sections),
        PackageManager::Dnf | PackageManager::Zypper | PackageManager::Pacman | PackageManager::Apk => {
            let lines = sections.lines("broken");
            let mend = (!lines.is_empty()).then(|| mend(manager).to_owned());
            (lines.into_iter().filter_map(clip).collect(), mend)
        }
    };
    if manager == PackageManager::Pacman && sections.first("interrupted").is_some() {
        broken.push("/var/lib/pacman/db.lck was left by a pacman that was ended".to_owned());
        mend = Some("rm /var/lib/pacman/db.lck".to_owned());
    }
    broken.truncate(BROKEN_LIMIT);
    (broken, mend)
}

const fn mend(manager: PackageManager) -> &'static str {
    match manager {
        PackageManager::Apt => "apt-get --fix-broken install",
        PackageManager::Dnf => "dnf distro-sync",
        PackageManager::Zypper => "zypper verify",
        PackageManager::Pacman => "pacman -Dk",
        PackageManager::Apk => "apk fix",
    }
}

/// A line of `room` in the script.
struct Place<'a> {
    needed: u64,
    path: &'a str,
    free: u64,
    mount: &'a str,
}

fn place(line: &str) -> Option<Place<'_>> {
    // `0 /var/cache/apt/archives/ /dev/sda1 41152736 9023288 30006616 24% /`
    let words: Vec<&str> = line.split_whitespace().collect();
    let [needed, path, .., free, _share, mount] = words[..] else { return None };
    Some(Place { needed: needed.parse().ok()?, path, free: free.parse::<u64>().ok()?.saturating_mul(1024), mount })
}

/// What must be fetched, and what is needed where: each file system once.
fn rooms(
    sections: &Sections<'_>,
    manager: PackageManager,
    pending: &[PendingPackage],
    unseen: &mut Vec<Unseen>,
) -> (Option<u64>, Vec<PackageRoom>) {
    let (fetch, grow) = match manager {
        PackageManager::Apt => apt::sizes(sections),
        PackageManager::Dnf => dnf::sizes(sections),
        PackageManager::Zypper => zypper::sizes(sections),
        PackageManager::Pacman => pacman::sizes(sections),
        PackageManager::Apk => (None, None),
    };
    if pending.is_empty() {
        return (Some(0), merged(sections.lines("rooms").into_iter().filter_map(place)));
    }
    if fetch.is_none() {
        unseen.push(Unseen::new("room needed", format!("{} does not say how much it fetches", manager.as_str())));
    }
    let fetch_needed = fetch.unwrap_or(0);
    // A package is laid out beside its predecessor: what it takes itself is not said, and is no less than what is fetched.
    let unpack_needed = grow.unwrap_or(0).saturating_add(fetch_needed).saturating_add(MARGIN);
    let mut places: Vec<Place<'_>> = sections.lines("rooms").into_iter().filter_map(place).collect();
    for (place, needed) in places.iter_mut().zip([fetch_needed, unpack_needed]) {
        place.needed = needed;
    }
    if pending.iter().any(|package| is_kernel(manager, &package.name)) {
        // On a file system of its own; else it is counted with the rest.
        places.extend(sections.lines("kernels").into_iter().filter_map(place));
    }
    (fetch, merged(places.into_iter()))
}

fn merged<'a>(places: impl Iterator<Item = Place<'a>>) -> Vec<PackageRoom> {
    let mut mounts: Vec<&str> = Vec::new();
    let mut rooms: Vec<PackageRoom> = Vec::new();
    for place in places {
        match mounts.iter().position(|mount| *mount == place.mount) {
            Some(at) => {
                rooms[at].needed = rooms[at].needed + Bytes(place.needed);
                rooms[at].path = place.mount.to_owned();
            }
            None => {
                mounts.push(place.mount);
                let (free, needed) = (Bytes(place.free), Bytes(place.needed));
                rooms.push(PackageRoom { path: place.path.to_owned(), free, needed });
            }
        }
    }
    rooms
}

/// Whether a package is an image of a kernel.
fn is_kernel(manager: PackageManager, name: &str) -> bool {
    let starts = |stems: &[&str]| stems.iter().any(|stem| name.starts_with(stem));
    match manager {
        PackageManager::Apt => {
            starts(&["linux-image-", "pve-kernel-", "proxmox-kernel-", "raspberrypi-kernel"])
                && !name.ends_with("-dbg")
                && !name.ends_with("-dbgsym")
        }
        PackageManager::Dnf | PackageManager::Zypper => {
            ["kernel", "kernel-core", "kernel-rt", "kernel-default", "kernel-uek"].contains(&name)
        }
        PackageManager::Pacman => ["linux", "linux-lts", "linux-zen", "linux-hardened", "linux-rt"].contains(&name),
        PackageManager::Apk => ["linux-lts", "linux-virt", "linux-edge", "linux-rpi", "linux-stable"].contains(&name),
    }
}

/// Libraries and daemons that everything has open, and that nobody starts anew while the system runs.
const DEEP: [&str; 15] = [
    "libc6",
    "glibc",
    "musl",
    "systemd",
    "libsystemd0",
    "libsystemd-shared",
    "dbus",
    "dbus-daemon",
    "dbus-broker",
    "linux-firmware",
    "intel-microcode",
    "amd64-microcode",
    "microcode_ctl",
    "ucode-intel",
    "ucode-amd",
];

/// The pending packages after which a restart is due.
fn reboot_due(manager: PackageManager, pending: &[PendingPackage]) -> Vec<String> {
    let is_deep = |package: &&PendingPackage| {
        is_kernel(manager, &package.name) || (package.from.is_some() && DEEP.contains(&package.name.as_str()))
    };
    pending.iter().filter(is_deep).map(|package| package.name.clone()).take(100).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    macro_rules! recording {
        ($name:literal) => {
            include_str!(concat!("../../../../tests/recordings/linux/packages/", $name, ".txt"))
        };
    }

    fn read(text: &str) -> PackageSurvey {
        survey(text, Timestamp::UNIX_EPOCH).unwrap()
    }

    fn names(survey: &PackageSurvey) -> Vec<&str> {
        survey.pending.iter().map(|package| package.name.as_str()).collect()
    }

    #[test]
    fn apt_tells_all_there_is_to_know_before_an_upgrade() {
        let survey = read(recording!("apt"));
        assert_eq!(names(&survey), ["libssl3", "linux-image-6.1.0-28-amd64"]);
        assert_eq!((survey.pending_count, survey.security_count, survey.removed.len()), (2, Some(1), 1));
        assert_eq!(survey.held, ["beta"]);
        assert_eq!(survey.broken, ["dpkg was interrupted", "half is half-installed"]);
        assert_eq!(survey.busy.as_deref(), Some("unattended-upgr (process 812)"));
        assert_eq!(survey.download, Some(Bytes(70_500_000)));
        assert!(survey.reboot_wanted && survey.reboot_reasons[0].contains("libc6"), "{:?}", survey.reboot_reasons);
        assert_eq!(survey.reboot_due_for, ["linux-image-6.1.0-28-amd64"]);
        assert_eq!(survey.services, ["ssh.service", "nginx.service"]);
        assert_eq!(survey.refreshed_at, Timestamp::from_second(1_727_600_000).ok());
    }

    #[test]
    fn each_file_system_is_counted_once_and_that_of_kernels_by_itself() {
        let survey = read(recording!("apt"));
        let rooms: Vec<(&str, u64)> = survey.rooms.iter().map(|room| (room.path.as_str(), room.needed.0)).collect();
        assert_eq!(rooms, [("/", 70_500_000 * 2 + 400_000_000 + MARGIN), ("/boot", 44_040_192)]);
        let tight = survey.too_little_room().unwrap();
        assert_eq!(tight, "/boot has 30.0 MiB left, and 42.0 MiB are needed");
    }

    #[test]
    fn real_programs_of_three_families_are_read() {
        let all = ["alpha", "beta", "gamma"];
        let dnf = read(recording!("dnf-4"));
        assert_eq!((names(&dnf).as_slice(), dnf.security_count), (&all[..], Some(1)));
        assert_eq!(dnf.pending[1].security, Some(true));
        assert_eq!((dnf.download, dnf.pending[0].from.as_deref()), (Some(Bytes(0)), Some("1.0-1")));
        let zypper = read(recording!("zypper-1.14"));
        assert_eq!((names(&zypper).as_slice(), zypper.security_count), (&all[..], Some(1)));
        assert_eq!(zypper.download, Some(Bytes(18_841)));
        let pacman = read(recording!("pacman-6"));
        assert_eq!((names(&pacman).as_slice(), pacman.security_count), (&all[..], None));
        assert!(pacman.unseen.iter().any(|unseen| unseen.what == "security updates"));
        for survey in [dnf, zypper, pacman] {
            assert!(survey.broken.is_empty() && survey.is_root && survey.too_little_room().is_none(), "{survey:?}");
        }
    }

    #[test]
    fn apk_is_read_as_its_documentation_has_it() {
        let survey = read(recording!("apk"));
        assert_eq!(names(&survey), ["busybox", "linux-virt", "musl"]);
        assert_eq!((survey.held.as_slice(), survey.security_count), (&["nginx".to_owned()][..], None));
        assert_eq!(survey.reboot_due_for, ["linux-virt", "musl"]);
        assert!(survey.too_little_room().is_some_and(|tight| tight.starts_with("/boot has 10.0 MiB left")));
    }

    #[test]
    fn what_is_pending_is_not_known_where_the_manager_failed() {
        let text = recording!("dnf-4").replace("@@status\n100", "@@status\n1");
        let survey = read(&text);
        assert_eq!(survey.pending_count, 0);
        assert!(survey.unseen.iter().any(|unseen| unseen.what == "pending packages"));
    }

    #[test]
    fn half_an_answer_and_a_strange_machine_are_errors() {
        let kind = |text: &str| survey(text, Timestamp::UNIX_EPOCH).unwrap_err().kind();
        assert_eq!(kind("@@manager\nnone\n@@user\n0\n"), ErrorKind::Invalid);
        assert_eq!(kind("@@manager\napt\n@@user\n0\n@@pending\n"), ErrorKind::Protocol);
        assert_eq!(kind(""), ErrorKind::Protocol);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s)@@manager\n(apt|dnf|zypper|pacman|apk)\n(@@[a-z]{1,9}\n|Inst |[|] |.){0,80}@@end") {
            let _ = survey(&text, Timestamp::UNIX_EPOCH);
        }
    }
}
