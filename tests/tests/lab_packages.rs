//! Packages of real hosts that a test made out of date: upgraded, held, broken, changed by hand, without room, and with a
//! restart due.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::process::Command as Program;

use reanimator_core::{
    Fleet, FleetOptions,
    access::Principal,
    action::packages,
    fleet::NewHost,
    model::{
        Action, Machine, NewOperation, NewStep, Operation, OperationState, PackageReport, PackageSurvey,
        PackagesChange, StepState,
    },
    operation::Operations,
    transport::{Command, ssh::fingerprint_of},
};
use reanimator_tests::lab::{self, LabHost};

/// Lines for root's shell that build packages: `package NAME VERSION [POSTINST]`, and `index`.
const BUILD: &str = r#"
set -e
repository=/srv/reanimator-repository
mkdir -p "$repository"
package() {
    tree=$(mktemp -d)
    mkdir -p "$tree/DEBIAN" "$tree/etc" "$tree/usr/share/$1"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: A test <test@example.org>\nInstalled-Size: 10\nDescription: %s\n' \
        "$1" "$2" "a package of a test" >"$tree/DEBIAN/control"
    echo "version = $2" >"$tree/etc/$1.conf"
    echo "/etc/$1.conf" >"$tree/DEBIAN/conffiles"
    echo "$2" >"$tree/usr/share/$1/version"
    [ -z "$3" ] || { printf '#!/bin/sh\nset -e\n%s\n' "$3" >"$tree/DEBIAN/postinst"; chmod 755 "$tree/DEBIAN/postinst"; }
    chmod 755 "$tree"
    dpkg-deb --root-owner-group --build "$tree" "$repository/$1_$2_all.deb" >/dev/null
    rm -rf "$tree"
}
index() {
    cd "$repository"
    : >Packages
    for file in *.deb; do
        dpkg-deb --field "$file" >>Packages
        printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d ' ' -f 1)" >>Packages
    done
    printf 'Origin: Test\nLabel: Debian-Security\nSuite: stable-security\nVersion: 12\nSHA256:\n %s %s Packages\n' \
        "$(sha256sum Packages | cut -d ' ' -f 1)" "$(stat -c %s Packages)" >Release
    apt-get -qq update
}
"#;

/// A host with nothing but the test's repository, and a fleet that knows it.
struct Ward {
    fleet: Fleet,
    operations: Operations,
    machine: Machine,
    _directory: tempfile::TempDir,
    _mend: Mend,
}

/// Puts a host's sources back, and removes what the test installed, also where it failed.
struct Mend(LabHost);

impl Drop for Mend {
    fn drop(&mut self) {
        let line = "umount /var/cache/apt/archives 2>/dev/null; \
                    apt-mark unhold alpha beta >/dev/null 2>&1; rm -f /run/reboot-required* /etc/*.conf.dpkg-dist; \
                    dpkg --purge --force-all alpha beta gamma >/dev/null 2>&1; rm -rf /srv/reanimator-repository; \
                    if [ -d /etc/apt/away ]; then rm -f /etc/apt/sources.list; mv /etc/apt/away/* /etc/apt/ 2>/dev/null; rmdir /etc/apt/away; fi; \
                    rm -rf /var/lib/apt/lists/*reanimator-repository*; true";
        root(&self.0, line);
    }
}

/// Runs a line there as root, by the lab's own way.
fn root(host: &LabHost, line: &str) -> String {
    let mut ssh = Program::new("ssh");
    ssh.args([
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
        "-o",
        "LogLevel=ERROR",
    ]);
    ssh.arg("-i").arg(&host.key).arg("-p").arg(host.port.to_string()).arg(format!("root@{}", host.address)).arg(line);
    let done = ssh.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).trim().to_owned();
    assert!(done.status.success(), "{line}: {said} {}", String::from_utf8_lossy(&done.stderr));
    said
}

impl Ward {
    /// A host on which version 1.0 of some packages is installed, and `newer` is what builds the newer ones.
    async fn open(host: &LabHost, newer: &str) -> Self {
        let mend = Mend(host.clone());
        let away = "[ -d /etc/apt/away ] || { mkdir /etc/apt/away; mv /etc/apt/sources.list* /etc/apt/away/ 2>/dev/null; }; \
                    mkdir -p /etc/apt/sources.list.d; echo 'deb [trusted=yes] file:/srv/reanimator-repository ./' >/etc/apt/sources.list";
        let old =
            "package alpha 1.0; package beta 1.0; package gamma 1.0; dpkg --install \"$repository\"/*.deb >/dev/null";
        root(host, &format!("{BUILD}\n{away}\n{old}\n{newer}\nindex"));
        let directory = tempfile::tempdir().unwrap();
        let mut options = FleetOptions::new(directory.path());
        options.with_this_machine = false;
        let fleet = Fleet::open(options).await.unwrap();
        let mut new = NewHost::new(&host.address);
        (new.port, new.user) = (host.port, host.user.clone());
        new.auth.agent = false;
        new.auth.key = Some(std::fs::read_to_string(&host.key).unwrap().into());
        new.sudo = reanimator_core::fleet::SudoChoice::NoPassword;
        new.accept_host_key = fingerprint_of(&host.host_key);
        let id = fleet.add_host(new).await.unwrap().id;
        let operations = Operations::new(fleet.clone());
        Self { fleet, operations, machine: Machine::Host(id), _directory: directory, _mend: mend }
    }
}

impl Ward {
    async fn survey(&self) -> PackageSurvey {
        packages::survey(&self.fleet, &self.machine).await.unwrap()
    }

    async fn upgrade(&self) -> Operation {
        let change = PackagesChange::Upgrade { security_only: false, exclude: Vec::new() };
        let action = Action::Packages { machine: self.machine.clone(), change };
        let new = NewOperation { steps: vec![NewStep::from(action)], ..NewOperation::default() };
        let asked = self.operations.ask(new, &Principal::local(), "local").await.unwrap();
        self.operations.carry_out(&asked.id).await.unwrap()
    }

    async fn inside(&self, line: &str) -> String {
        let output = packages::inside(&self.fleet, &self.machine, Command::shell(line)).await.unwrap();
        output.stdout.text().trim().to_owned()
    }
}

fn report(operation: &Operation) -> PackageReport {
    serde_json::from_value(operation.steps[0].result.clone().unwrap()).unwrap()
}

fn changes(operation: &Operation) -> Vec<String> {
    report(operation).changes.iter().map(ToString::to_string).collect()
}

fn outcome(operation: &Operation) -> String {
    operation.steps[0].outcome.clone().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab"]
async fn lab_a_host_out_of_date_is_upgraded_and_a_changed_file_and_a_held_package_are_kept() {
    let host = &lab::hosts()[0];
    let newer = "echo 'changed by hand' >>/etc/alpha.conf; package alpha 1.1; package beta 1.1; package gamma 1.1; apt-mark hold beta >/dev/null";
    let ward = Ward::open(host, newer).await;
    let survey = ward.survey().await;
    let pending: Vec<&str> = survey.pending.iter().map(|package| package.name.as_str()).collect();
    assert_eq!((pending, survey.security_count), (vec!["alpha", "gamma"], Some(2)), "{survey:#?}");
    assert_eq!((survey.held.as_slice(), survey.broken.as_slice()), (&["beta".to_owned()][..], &[][..]));
    assert!(survey.is_root && survey.busy.is_none() && survey.refreshed_at.is_some());

    let operation = ward.upgrade().await;
    assert_eq!(operation.state, OperationState::Done, "{operation:#?}");
    assert_eq!(changes(&operation), ["alpha 1.0 -> 1.1", "gamma 1.0 -> 1.1"]);
    assert_eq!(report(&operation).kept_files, ["/etc/alpha.conf.dpkg-dist"]);
    assert!(!report(&operation).reboot_wanted);
    assert_eq!(
        ward.inside("cat /etc/alpha.conf; dpkg-query -W -f '${Version} ' alpha beta gamma").await,
        "version = 1.0\nchanged by hand\n1.1 1.0 1.1"
    );
    assert_eq!(ward.upgrade().await.steps[0].state, StepState::Already);
    assert_eq!(ward.inside("ls /var/lib/reanimator-packages 2>/dev/null").await, "");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab"]
async fn lab_packages_that_are_half_installed_are_refused_with_the_next_step() {
    let host = &lab::hosts()[0];
    // The new one's script fails, which leaves it half set up.
    let newer = "package alpha 1.0.1 'exit 3'; dpkg --install \"$repository/alpha_1.0.1_all.deb\" >/dev/null 2>&1 || true; package gamma 1.1";
    let ward = Ward::open(host, newer).await;
    let survey = ward.survey().await;
    assert_eq!(
        (survey.broken, survey.mend.as_deref()),
        (vec!["alpha is half set up".to_owned()], Some("dpkg --configure -a"))
    );
    let operation = ward.upgrade().await;
    assert_eq!(operation.state, OperationState::Failed);
    assert!(
        outcome(&operation).contains("alpha is half set up: run `dpkg --configure -a` there first"),
        "{}",
        outcome(&operation)
    );
    assert_eq!(ward.inside("dpkg-query -W -f '${Version}' gamma").await, "1.0", "nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab"]
async fn lab_an_upgrade_that_fails_tells_the_last_words_and_what_changed_all_the_same() {
    let host = &lab::hosts()[0];
    let ward = Ward::open(host, "package alpha 1.1 'echo the sky fell >&2; exit 3'; package gamma 1.1").await;
    let operation = ward.upgrade().await;
    assert_eq!(operation.state, OperationState::Failed, "{operation:#?}");
    assert!(
        outcome(&operation).contains("its last words: ") && outcome(&operation).contains("alpha"),
        "{}",
        outcome(&operation)
    );
    assert!(changes(&operation).contains(&"gamma 1.0 -> 1.1".to_owned()), "{:?}", changes(&operation));
    assert_eq!(report(&operation).failures.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab"]
async fn lab_a_full_disk_is_refused_before_anything_is_done() {
    let host = &lab::hosts()[0];
    let ward = Ward::open(host, "package alpha 1.1").await;
    // What is fetched from a file is not copied; from elsewhere it would be.
    let full = "head -c 3000000 /dev/urandom >/srv/reanimator-repository/noise; package() { :; }; cd /srv && \
                mount -t tmpfs -o size=64k tmpfs /var/cache/apt/archives && mkdir -p /var/cache/apt/archives/partial && \
                head -c 70000 /dev/zero >/var/cache/apt/archives/full; sed -i 's|deb \\[trusted=yes\\] file:|deb [trusted=yes] copy:|' /etc/apt/sources.list; apt-get -qq update";
    root(host, full);
    let survey = ward.survey().await;
    let tight = survey.too_little_room();
    assert!(tight.as_ref().is_some_and(|tight| tight.contains("/var/cache/apt/archives")), "{survey:#?}");
    let operation = ward.upgrade().await;
    assert_eq!(operation.state, OperationState::Failed);
    assert!(outcome(&operation).contains("make room first"), "{}", outcome(&operation));
    assert_eq!(
        ward.inside("dpkg-query -W -f '${Version}' alpha; ls /var/lib/reanimator-packages 2>/dev/null").await,
        "1.0"
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab"]
async fn lab_a_package_that_asks_for_a_restart_is_heard_and_another_manager_at_work_is_waited_for() {
    let host = &lab::hosts()[0];
    let asks = "touch /run/reboot-required; echo alpha >>/run/reboot-required.pkgs";
    let ward = Ward::open(host, &format!("package alpha 1.1 {}", reanimator_core::transport::quote::word(asks))).await;
    let hold = "setsid perl -e 'use Fcntl; open(my $f, \">>\", \"/var/lib/dpkg/lock-frontend\"); \
                my $l = pack(\"s s x4 q q l x4\", F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLK, $l) or die; open(my $r, \">\", \"/run/holds\"); close $r; sleep 600' \
                </dev/null >/dev/null 2>&1 & timeout 20 sh -c 'until [ -e /run/holds ]; do sleep 0.05; done'; rm /run/holds; echo $!";
    let holder = ward.inside(hold).await;
    let operation = ward.upgrade().await;
    assert_eq!(operation.state, OperationState::Failed);
    assert!(outcome(&operation).contains("perl (process"), "{}", outcome(&operation));
    ward.inside(&format!("kill {holder}; while [ -d /proc/{holder} ]; do sleep 0.05; done")).await;

    assert!(!ward.survey().await.reboot_wanted);
    let operation = ward.upgrade().await;
    assert_eq!(operation.state, OperationState::Done, "{operation:#?}");
    let told = report(&operation);
    assert_eq!(
        (told.reboot_wanted, told.reboot_reasons.as_slice()),
        (true, &["updated packages ask for it: alpha".to_owned()][..])
    );
    assert!(outcome(&operation).contains("a restart is due"), "{}", outcome(&operation));
    assert!(ward.survey().await.reboot_wanted);
}
