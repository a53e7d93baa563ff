//! Real hosts that are out of date, updated in one run: the server that does it is killed on the way, one host needs a
//! restart and gets it, one does not come back.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    collections::BTreeMap,
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use reanimator_tests::{
    lab::{self, LabHost, PowerSupply},
    program::{Home, Server},
};
use serde_json::{Value, json};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is looked.
const EVERY: Duration = Duration::from_millis(200);

/// Makes a repository of packages in version 2 on a host that has version 1 of them. `$1` is what the script of the second
/// package does when it is installed.
const OUT_OF_DATE: &str = r#"set -e
rm -rf /srv/updates; mkdir -p /srv/updates; cd /srv/updates
make() {
  folder=$(mktemp -d); mkdir -p "$folder/DEBIAN" "$folder/usr/share/$1"
  printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: test\n' "$1" "$2" >"$folder/DEBIAN/control"
  echo "$2" >"$folder/usr/share/$1/version"
  if [ -n "$3" ]; then printf '#!/bin/sh\n%s\n' "$3" >"$folder/DEBIAN/postinst"; chmod 755 "$folder/DEBIAN/postinst"; fi
  chmod 755 "$folder"; dpkg-deb --build --root-owner-group "$folder" "$1_$2_all.deb" >/dev/null; rm -rf "$folder"
}
make updates-one 1; make updates-two 1
dpkg -i --force-downgrade ./*.deb >/dev/null; rm -f ./*.deb
make updates-one 2 'sleep 2'; make updates-two 2 "$1"
for file in *.deb; do
  dpkg-deb -f "$file"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
done >Packages
rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*; rm -f /run/reboot-required
echo 'deb [trusted=yes] file:/srv/updates ./' >/etc/apt/sources.list
apt-get -qq update
"#;

/// The command line of SSH to a host, as root there.
fn on(host: &LabHost, script: &str, argument: &str) -> String {
    let done = Command::new("ssh")
        .args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-i"])
        .arg(&host.key)
        .args(["-p", &host.port.to_string(), &format!("root@{}", host.address)])
        .arg(format!("sh -s -- '{argument}'"))
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .and_then(|mut child| {
            use std::io::Write as _;
            child.stdin.take().unwrap().write_all(script.as_bytes())?;
            child.wait_with_output()
        })
        .unwrap();
    assert!(done.status.success(), "{}: {}", host.name, String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// All packages of a host with their versions, as dpkg itself says.
fn packages(host: &LabHost) -> BTreeMap<String, String> {
    let said = on(host, "dpkg-query -W -f '${Package} ${Version}\\n'", "");
    said.lines().filter_map(|line| line.split_once(' ')).map(|(name, version)| (name.into(), version.into())).collect()
}

fn until(server: &Server, id: &str, is: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let run = server.get(&format!("/api/v1/updates/{id}"));
        if is(&run) {
            return run;
        }
        assert!(began.elapsed() < PATIENCE, "it stays: {run:#}");
        std::thread::sleep(EVERY);
    }
}

fn target<'a>(run: &'a Value, host: &LabHost) -> &'a Value {
    run["targets"].as_array().unwrap().iter().find(|target| target["name"] == host.name.as_str()).unwrap()
}

/// The hosts in the fleet of a home, out of date.
fn prepared(scripts: [&str; 3]) -> (Vec<LabHost>, Home) {
    let (hosts, home) = (lab::hosts(), Home::new());
    assert!(hosts.len() >= 3, "`lab up 3` starts three hosts");
    for (host, script) in hosts.iter().zip(scripts) {
        // Another test may have just started it again.
        let began = Instant::now();
        while TcpStream::connect((host.address.as_str(), host.port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "{} does not answer", host.name);
            std::thread::sleep(EVERY);
        }
        on(host, OUT_OF_DATE, script);
        host.add_to(&home);
    }
    (hosts, home)
}

fn names(hosts: &[LabHost]) -> String {
    hosts.iter().take(3).map(|host| host.name.clone()).collect::<Vec<_>>().join(",")
}

#[test]
#[ignore = "needs the lab"]
fn lab_three_hosts_are_updated_though_the_server_is_killed_and_the_report_is_what_dpkg_says() {
    let restart = "touch /run/reboot-required; echo updates-two >/run/reboot-required.pkgs";
    let (hosts, home) = prepared(["", restart, ""]);
    let mut supply = PowerSupply::start();
    let before: Vec<_> = hosts.iter().map(packages).collect();
    let wish = json!({ "hosts": names(&hosts), "wave_size": 1, "health": { "within_seconds": 120 } });

    let server = Server::start_for(&home, "one", "operator");
    let asked = server.post("/api/v1/updates", &wish);
    let id = asked["id"].as_str().unwrap().to_owned();
    // In the middle of the first, and of the restart of the second.
    until(&server, &id, |run| target(run, &hosts[0])["phase"] == "upgrade");
    server.kill();
    let server = Server::start_for(&home, "two", "operator");
    until(&server, &id, |run| target(run, &hosts[1])["phase"] == "restart");
    server.kill();
    let server = Server::start_for(&home, "three", "operator");
    let run = until(&server, &id, |run| run["ended_at"].is_string());

    assert_eq!(run["state"], "done", "{run:#}");
    for ((host, before), restarted) in hosts.iter().zip(&before).zip([false, true, false]) {
        let target = target(&run, host);
        assert_eq!((&target["state"], &target["restarted"]), (&json!("updated"), &json!(restarted)), "{target:#}");
        let after = packages(host);
        let changed = after.iter().filter(|(name, version)| before.get(*name) != Some(version));
        let changed: BTreeMap<&str, (&str, &str)> =
            changed.map(|(name, version)| (name.as_str(), (before[name].as_str(), version.as_str()))).collect();
        let told: BTreeMap<&str, (&str, &str)> = target["report"]["changes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|change| {
                let text = |name: &str| change[name].as_str().unwrap();
                (text("name"), (text("from"), text("to")))
            })
            .collect();
        assert_eq!(told, changed, "{}", host.name);
        assert_eq!(told.keys().copied().collect::<Vec<_>>(), ["updates-one", "updates-two"]);
        // Each operation was asked for once.
        let phases: Vec<&str> =
            target["steps"].as_array().unwrap().iter().map(|step| step["phase"].as_str().unwrap()).collect();
        let expected = if restarted { vec!["refresh", "upgrade", "restart"] } else { vec!["refresh", "upgrade"] };
        assert_eq!(phases, expected, "{target:#}");
    }
    assert_eq!(supply.next(), json!({ "rebooted": hosts[1].name }), "it was started anew once");
    let operations = home.json(["op", "list", "--limit", "100"]);
    assert_eq!(operations["items"].as_array().unwrap().len(), 7, "none was asked for twice");
    let again = home.json(["update", "run", "--on", &names(&hosts)]);
    assert!(again["targets"].as_array().unwrap().iter().all(|target| target["state"] == "current"), "{again:#}");
}

#[test]
#[ignore = "needs the lab"]
fn lab_a_canary_that_does_not_come_back_stops_the_update_and_the_others_are_untouched() {
    let (hosts, home) = prepared(["touch /run/reboot-required", "", ""]);
    let before: Vec<_> = hosts.iter().skip(1).map(packages).collect();
    let plan = home.json(["update", "plan", "--on", &names(&hosts)]);
    assert_eq!((&plan["machines"], &plan["refused"]), (&json!(3), &json!(0)), "{plan:#}");
    assert_eq!(hosts.iter().skip(1).map(packages).collect::<Vec<_>>(), before, "a plan does nothing");

    // Nobody switches it on again.
    let words = ["update", "run", "--on", &names(&hosts), "--restart-within", "20", "--canary-on", &hosts[0].name];
    let run = home.json_of_failure(words);
    let first = target(&run, &hosts[0]);
    assert_eq!((&run["state"], &first["state"]), (&json!("failed"), &json!("failed")), "{run:#}");
    let why = first["failure"].as_str().unwrap();
    assert!(why.contains("longer than 20 s"), "{why}");
    for (host, before) in hosts.iter().skip(1).zip(before) {
        let target = target(&run, host);
        assert_eq!((&target["state"], &target["steps"]), (&json!("skipped"), &json!([])), "{target:#}");
        assert_eq!(packages(host), before, "{} is untouched", host.name);
    }
    // Dropped, it switches on whatever is off.
    drop(PowerSupply::start());
}
