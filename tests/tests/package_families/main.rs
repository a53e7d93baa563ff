//! dnf, zypper and pacman for real, in a root that is this machine's with everything that is written thrown away afterwards.
//! apt has the lab's hosts, and apk what its documentation says.
//!
//! They take root, for mounting, and the programs themselves, which `tests/setup` brings.
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::{fs, path::Path, process::Command};

use reanimator_core::{
    collect::linux::packages::{self, Changed},
    model::{PackageSurvey, PackagesChange, facts::updates::PackageManager},
};

/// Mounts a root over this machine's, and runs what is in a folder there.
const ROOT: &str = r#"
set -e
folder=$1
mount -t tmpfs tmpfs "$folder/mount"
mkdir "$folder/mount/upper" "$folder/mount/work" "$folder/mount/root"
root=$folder/mount/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/mount/upper,workdir=$folder/mount/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mkdir -p "$root/steps"
mount --bind "$folder/steps" "$root/steps"
exec chroot "$root" /bin/sh /steps/all
"#;

/// Something that is run in the root, and what it said.
struct Step {
    name: &'static str,
    text: String,
}

fn survey(name: &'static str) -> Step {
    Step { name, text: packages::survey_script() }
}

fn refresh(manager: PackageManager) -> Step {
    Step { name: "refresh", text: packages::change_script("refresh", manager, &PackagesChange::Refresh).unwrap() }
}

/// An upgrade, and its report.
fn upgrade(
    name: &'static str,
    report: &'static str,
    manager: PackageManager,
    security_only: bool,
    but: &[&str],
) -> [Step; 2] {
    let exclude = but.iter().map(|&pattern| pattern.to_owned()).collect();
    let change = PackagesChange::Upgrade { security_only, exclude };
    let text = packages::change_script(name, manager, &change).unwrap();
    [Step { name, text }, Step { name: report, text: packages::report_script(name, manager) }]
}

/// What the steps said.
struct Said(tempfile::TempDir);

impl Said {
    fn of(setup: &str, steps: Vec<Step>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("mount")).unwrap();
        fs::create_dir(at("steps")).unwrap();
        let mut all = setup.to_owned();
        for Step { name, text } in steps {
            fs::write(at("steps").join(name), text).unwrap();
            all.push_str(&format!(
                "sh /steps/{name} >/steps/{name}.out 2>/steps/{name}.err; echo $? >/steps/{name}.status\n"
            ));
        }
        fs::write(at("steps/all"), all).unwrap();
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "/bin/sh", "-c", ROOT, "root"]).arg(folder.path());
        let done = unshare.output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "it takes root: {said} {}", String::from_utf8_lossy(&done.stdout));
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        let path = self.0.path().join("steps").join(name);
        String::from_utf8_lossy(&fs::read(Path::new(&path)).unwrap()).into_owned()
    }

    /// What a step said that must have ended well.
    fn well(&self, name: &str) -> String {
        let (said, complaint) = (self.file(&format!("{name}.out")), self.file(&format!("{name}.err")));
        assert_eq!(self.file(&format!("{name}.status")).trim(), "0", "{name}: {said} {complaint}");
        said
    }

    fn survey(&self, name: &str) -> PackageSurvey {
        packages::survey(&self.well(name), jiff::Timestamp::now()).unwrap()
    }

    fn report(&self, name: &str) -> Changed {
        packages::report(&self.well(name)).unwrap()
    }
}

fn pending(survey: &PackageSurvey) -> Vec<String> {
    let words = survey.pending.iter().map(|package| {
        let security = if package.security == Some(true) { "!" } else { "" };
        format!("{} {} {}{security}", package.name, package.from.as_deref().unwrap_or("-"), package.to)
    });
    words.collect()
}

fn changes(changed: &Changed) -> Vec<String> {
    changed.packages.as_ref().unwrap().iter().map(ToString::to_string).collect()
}

#[test]
#[ignore = "needs the lab"]
fn lab_dnf_upgrades_what_is_for_security_then_all_but_what_is_left_out() {
    let repository = "printf '[test]\\nname=test\\nbaseurl=file:///srv/repo\\nenabled=1\\ngpgcheck=0\\n' >/etc/yum.repos.d/test.repo";
    let setup = format!(
        "{}rm -rf /usr/bin/zypper /usr/bin/pacman /var/cache/dnf /etc/yum.repos.d; mkdir -p /etc/yum.repos.d\n{repository}\n",
        include_str!("rpm.sh")
    );
    let dnf = PackageManager::Dnf;
    let mut steps = vec![refresh(dnf), survey("survey")];
    steps.extend(upgrade("secure", "secured", dnf, true, &[]));
    steps.extend(upgrade("most", "mostly", dnf, false, &["gam*"]));
    steps.push(survey("after"));
    let said = Said::of(&setup, steps);
    said.well("refresh");
    let before = said.survey("survey");
    assert_eq!(pending(&before), ["alpha 1.0-1 1.1-1", "beta 1.0-1 1.1-1!", "gamma 1.0-1 1.1-1"]);
    assert_eq!((before.security_count, before.broken.len(), before.is_root), (Some(1), 0, true), "{before:#?}");
    assert!(before.download.is_some() && before.refreshed_at.is_some() && before.too_little_room().is_none());
    said.well("secure");
    assert_eq!(changes(&said.report("secured")), ["beta 1.0-1 -> 1.1-1"]);
    said.well("most");
    let most = said.report("mostly");
    assert_eq!(
        (changes(&most), most.kept_files),
        (vec!["alpha 1.0-1 -> 1.1-1".to_owned()], vec!["/etc/alpha.conf.rpmnew".to_owned()])
    );
    assert_eq!(pending(&said.survey("after")), ["gamma 1.0-1 1.1-1"]);
}

#[test]
#[ignore = "needs the lab"]
fn lab_zypper_upgrades_all_but_what_is_left_out_then_the_rest() {
    let repository = "printf '[test]\\nname=test\\nbaseurl=dir:///srv/repo\\nenabled=1\\ngpgcheck=0\\n' >/etc/zypp/repos.d/test.repo";
    let setup = format!(
        "{}rm -f /usr/bin/pacman /etc/os-release; echo ID=opensuse-leap >/etc/os-release; mkdir -p /etc/zypp/repos.d\n{repository}\n",
        include_str!("rpm.sh")
    );
    let zypper = PackageManager::Zypper;
    let mut steps = vec![refresh(zypper), survey("survey")];
    steps.extend(upgrade("secure", "secured", zypper, true, &[]));
    steps.extend(upgrade("most", "mostly", zypper, false, &["gam*"]));
    steps.extend(upgrade("rest", "rested", zypper, false, &[]));
    steps.push(survey("after"));
    steps.push(Step { name: "roll", text: "echo 'ID=\"opensuse-tumbleweed\"' >/etc/os-release".into() });
    steps.push(survey("rolling"));
    let said = Said::of(&setup, steps);
    said.well("refresh");
    let before = said.survey("survey");
    assert_eq!(pending(&before), ["alpha 1.0-1 1.1-1", "beta 1.0-1 1.1-1", "gamma 1.0-1 1.1-1"]);
    assert_eq!((before.security_count, before.broken.len()), (Some(1), 0), "{before:#?}");
    assert_eq!((before.rolls, said.survey("rolling").rolls), (false, true));
    said.well("secure");
    assert_eq!(changes(&said.report("secured")), ["beta 1.0-1 -> 1.1-1"]);
    said.well("most");
    let most = said.report("mostly");
    assert_eq!(
        (changes(&most), most.kept_files),
        (vec!["alpha 1.0-1 -> 1.1-1".to_owned()], vec!["/etc/alpha.conf.rpmnew".to_owned()])
    );
    said.well("rest");
    assert_eq!(changes(&said.report("rested")), ["gamma 1.0-1 -> 1.1-1"]);
    assert_eq!(pending(&said.survey("after")), Vec::<String>::new());
}

#[test]
#[ignore = "needs the lab"]
fn lab_pacman_upgrades_all_but_what_is_left_out_and_says_where_it_was_ended() {
    let pacman = PackageManager::Pacman;
    let mut steps = vec![survey("empty"), refresh(pacman), survey("survey")];
    steps.extend(upgrade("most", "mostly", pacman, false, &["gam*"]));
    steps.push(survey("after"));
    steps.push(Step { name: "end", text: "touch /var/lib/pacman/db.lck".into() });
    steps.push(survey("ended"));
    let said = Said::of(include_str!("pacman.sh"), steps);
    let empty = said.survey("empty");
    assert!(empty.unseen.iter().any(|unseen| unseen.why.contains("no package lists")), "{empty:#?}");
    said.well("refresh");
    let before = said.survey("survey");
    assert_eq!(pending(&before), ["alpha 1.0-1 1.1-1", "beta 1.0-1 1.1-1", "gamma 1.0-1 1.1-1"]);
    assert_eq!((before.security_count, before.broken.len()), (None, 0), "{before:#?}");
    assert!(before.download.is_some_and(|bytes| bytes.0 > 0));
    said.well("most");
    let most = said.report("mostly");
    assert_eq!(changes(&most), ["alpha 1.0-1 -> 1.1-1", "beta 1.0-1 -> 1.1-1"]);
    assert_eq!(most.kept_files, ["/etc/alpha.conf.pacnew"]);
    assert_eq!(pending(&said.survey("after")), ["gamma 1.0-1 1.1-1"]);
    let ended = said.survey("ended");
    assert_eq!(ended.mend.as_deref(), Some("rm /var/lib/pacman/db.lck"));
}
