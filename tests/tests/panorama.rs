//! Facts of real hosts: they agree with what the hosts' own tools say when a person runs them, and they are the same
//! in every frontend; what changes on a host becomes an entry in its timeline.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, Instant};

use pve_sim::{Options, Sim};
use reanimator_tests::lab;
use reanimator_tests::program::{Home, Server, document, python};
use serde_json::Value;

/// Sections of a host with a shell.
const SECTIONS: [&str; 8] =
    ["hardware", "disks", "network_facts", "sensors", "system", "updates", "containers", "listeners"];

/// What the host's own tools say, run through a shell there.
struct Tools<'a> {
    home: &'a Home,
    host: &'a str,
}

impl Tools<'_> {
    fn text(&self, command: &str) -> String {
        let answers = self.home.json(["exec", command, "--on", self.host]);
        let answer = answers["answers"][0].clone();
        assert_eq!(answer["status"], 0, "{command} on {}: {answer}", self.host);
        answer["stdout"].as_str().unwrap().to_owned()
    }

    fn json(&self, command: &str) -> Value {
        let text = self.text(command);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command} on {}: {error}: {text}", self.host))
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab"]
async fn lab_facts_agree_with_the_tools_of_the_same_host() {
    let home = Home::new();
    let lab = lab::hosts();
    lab[..3].iter().for_each(|host| host.add_to(&home));
    let this =
        home.json(["host", "list"])["items"].as_array().unwrap().iter().find(|host| host["address"].is_null()).unwrap()
            ["name"]
            .as_str()
            .unwrap()
            .to_owned();
    for name in lab[..3].iter().map(|host| host.name.as_str()).chain([this.as_str()]) {
        let shown = home.json(["host", "show", name, "--observe"]);
        let (details, tools) = (&shown["details"], Tools { home: &home, host: name });
        for section in SECTIONS {
            assert!(details[section]["at"].is_string(), "{name} has no {section}: {details:#}");
        }
        processors(details, &tools);
        memory(details, &tools);
        room(details, &tools);
        interfaces(details, &tools);
        block_devices(details, &tools);
        packages(details, &tools);
        services(details, &tools);
        every_gap_has_a_reason(name, details);
    }
    containers(&home, &this);
    units(&home, &lab[0].name);
}

/// `lscpu`.
fn processors(details: &Value, tools: &Tools<'_>) {
    let said = tools.json("lscpu -J");
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    collect(&said["lscpu"], &mut fields);
    let number = |name: &str| fields.get(name).map(|text| text.parse::<u64>().unwrap());
    assert_eq!(details["cpu"]["threads"].as_u64(), number("CPU(s):"), "{}", tools.host);
    assert_eq!(details["cpu"]["sockets"].as_u64(), number("Socket(s):"), "{}", tools.host);
    assert_eq!(details["cpu"]["cores"].as_u64(), number("Core(s) per socket:"), "{}", tools.host);
    assert_eq!(details["cpu"]["model"].as_str(), fields.get("Model name:").map(String::as_str), "{}", tools.host);
}

fn collect(list: &Value, fields: &mut BTreeMap<String, String>) {
    for field in list.as_array().into_iter().flatten() {
        let name = field["field"].as_str().unwrap().to_owned();
        if let Some(data) = field["data"].as_str() {
            fields.insert(name, data.to_owned());
        }
        collect(&field["children"], fields);
    }
}

/// `free`: the total to the byte, use within what changes in a moment.
fn memory(details: &Value, tools: &Tools<'_>) {
    let said = tools.text("free -b");
    let line = said.lines().find(|line| line.starts_with("Mem:")).unwrap();
    let words: Vec<f64> = line.split_whitespace().skip(1).map(|word| word.parse().unwrap()).collect();
    let gib = |bytes: f64| bytes / f64::from(1 << 30);
    close(&details["memory"]["total_gb"], gib(words[0]), 0.01, "total memory");
    close(&details["memory"]["available_gb"], gib(words[5]), gib(words[0]) * 0.1, "available memory");
}

/// `df`.
fn room(details: &Value, tools: &Tools<'_>) {
    let said = tools.text("df -P -B1 /");
    let words: Vec<f64> =
        said.lines().nth(1).unwrap().split_whitespace().skip(1).take(3).map(|word| word.parse().unwrap()).collect();
    let root = details["storage"].as_array().unwrap().iter().find(|each| each["name"] == "/").unwrap();
    let gib = |bytes: f64| bytes / f64::from(1 << 30);
    close(&root["total_gb"], gib(words[0]), 0.01, "size of /");
    close(&root["used_gb"], gib(words[1]), 2.0, "use of /");
}

/// `ip`.
fn interfaces(details: &Value, tools: &Tools<'_>) {
    let said = tools.json("ip -j addr");
    let mine: BTreeMap<&str, &Value> =
        details["network"].as_array().unwrap().iter().map(|each| (each["name"].as_str().unwrap(), each)).collect();
    for interface in said.as_array().unwrap() {
        let name = interface["ifname"].as_str().unwrap();
        // Those of containers come and go with them.
        if name.starts_with("veth") {
            continue;
        }
        let ours = mine.get(name).unwrap_or_else(|| panic!("{}: no {name} in {mine:?}", tools.host));
        let of = |family: &str| -> BTreeSet<&str> {
            let all = interface["addr_info"].as_array().unwrap().iter();
            all.filter(|each| each["family"] == family).map(|each| each["local"].as_str().unwrap()).collect()
        };
        let seen = |field: &str| -> BTreeSet<&str> {
            ours[field].as_array().unwrap().iter().map(|each| each.as_str().unwrap()).collect()
        };
        assert_eq!(seen("ipv4"), of("inet"), "{} {name}", tools.host);
        assert_eq!(seen("ipv6"), of("inet6"), "{} {name}", tools.host);
        assert_eq!(ours["mtu"], interface["mtu"], "{} {name}", tools.host);
        if name != "lo" {
            assert_eq!(ours["mac"], interface["address"], "{} {name}", tools.host);
        }
    }
}

/// `lsblk`.
fn block_devices(details: &Value, tools: &Tools<'_>) {
    let said = tools.json("lsblk -J -b -o NAME,SIZE,TYPE");
    let theirs: BTreeMap<&str, u64> = said["blockdevices"]
        .as_array()
        .unwrap()
        .iter()
        // A drive without a medium is none yet.
        .filter(|device| device["type"] == "disk" && device["size"] != 0)
        .map(|device| (device["name"].as_str().unwrap(), device["size"].as_u64().unwrap()))
        .collect();
    let ours: BTreeMap<&str, u64> = details["disks"]["devices"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|device| device["kind"] == "disk")
        .map(|device| (device["name"].as_str().unwrap(), device["size_bytes"].as_u64().unwrap()))
        .collect();
    assert_eq!(ours, theirs, "{}", tools.host);
}

/// `dpkg-query` and `apt-get -s`.
fn packages(details: &Value, tools: &Tools<'_>) {
    let installed = tools.text("dpkg-query -W -f='${db:Status-Abbrev}\\n' | grep -c '^.i'");
    assert_eq!(details["updates"]["manager"], "apt", "{}", tools.host);
    assert_eq!(details["updates"]["installed"].as_u64(), installed.trim().parse().ok(), "{}", tools.host);
    let pending = tools.text("apt-get -s -o Debug::NoLocking=1 dist-upgrade | grep -c '^Inst .*\\[' || true");
    assert_eq!(details["updates"]["pending"].as_u64(), pending.trim().parse().ok(), "{}", tools.host);
}

/// `ss`, without what is only for the host itself and what may be anybody's for a moment.
fn services(details: &Value, tools: &Tools<'_>) {
    const LAST: u64 = 32_767;
    let said = tools.text("ss -H -lnt");
    let places = said.lines().filter_map(|line| line.split_whitespace().nth(3)?.rsplit_once(':'));
    let theirs: BTreeSet<u64> = places
        .filter(|(address, _)| !address.starts_with("127.") && *address != "[::1]")
        .map(|(_, port)| port.parse().unwrap())
        .filter(|port| *port <= LAST)
        .collect();
    let sockets = details["listeners"]["sockets"].as_array().unwrap().iter();
    let ours: BTreeSet<u64> = sockets
        .filter(|socket| socket["protocol"] == "tcp" && socket["loopback"] == false)
        .map(|socket| socket["port"].as_u64().unwrap())
        .filter(|port| *port <= LAST)
        .collect();
    assert_eq!(ours, theirs, "{}", tools.host);
}

/// What is `null` in the concept paper's names is either told why, or belongs to Proxmox.
fn every_gap_has_a_reason(host: &str, details: &Value) {
    for field in ["hostname", "kernel_version", "uptime_seconds", "os"] {
        assert!(!details[field].is_null(), "{host} has no {field}");
    }
    let unseen: Vec<&str> =
        details["unseen"].as_array().unwrap().iter().map(|note| note["what"].as_str().unwrap()).collect();
    for note in details["unseen"].as_array().unwrap() {
        assert!(!note["why"].as_str().unwrap().trim().is_empty(), "{host}: {note}");
    }
    if details["temperature"]["readings"].as_array().unwrap().is_empty() {
        assert!(unseen.contains(&"temperatures"), "{host} says not why it has no temperature: {unseen:?}");
    }
    if details["hardware"]["memory"]["modules"].as_array().unwrap().is_empty() {
        assert!(unseen.iter().any(|what| what.contains("memory modules")), "{host}: {unseen:?}");
    }
}

/// `docker ps`, on the machine whose containers the lab's hosts are.
fn containers(home: &Home, this: &str) {
    let said = Command::new("docker")
        .args(["ps", "-a", "--no-trunc", "--format", "{{.Names}}\t{{.Image}}\t{{.State}}"])
        .output();
    let said = String::from_utf8(said.unwrap().stdout).unwrap();
    let theirs: BTreeSet<(String, String)> = said
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|words| (words[0].to_owned(), words[2].to_owned()))
        .collect();
    assert!(theirs.len() >= 3, "the lab's hosts are containers: {said}");
    let details = home.json(["host", "show", this])["details"].clone();
    let list = details["containers"]["containers"].as_array().unwrap();
    let docker = list.iter().filter(|each| each["engine"] == "docker");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ours: BTreeSet<_> = docker.map(|each| (text(&each["name"]), text(&each["state"]))).collect();
    assert_eq!(ours, theirs);
}

/// A unit that fails is counted, named, and an entry in the timeline.
fn units(home: &Home, host: &str) {
    let tools = Tools { home, host };
    let before = home.json(["host", "show", host])["details"].clone();
    assert!(before["system"]["failed"].is_array(), "{:#}", before["system"]);
    tools.text("sudo -n systemctl reset-failed; sudo -n systemd-run --unit=panorama-fails -q /bin/false; for i in 1 2 3 4 5 6 7 8 9; do systemctl is-failed -q panorama-fails && exit 0; sleep 0.2; done; exit 1");
    let details = home.json(["host", "show", host, "--observe"])["details"].clone();
    let said = tools.text("systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1");
    let ours: Vec<&str> =
        details["system"]["failed"].as_array().unwrap().iter().map(|unit| unit["name"].as_str().unwrap()).collect();
    assert_eq!(ours, said.lines().collect::<Vec<_>>());
    assert!(ours.contains(&"panorama-fails.service"));
    let timeline = home.json(["host", "timeline", host, "--field", "unit *"]);
    let entry = &timeline["items"][0];
    assert_eq!(entry["field"], "unit panorama-fails.service", "{timeline:#}");
    assert!(entry["old_value"].is_null() && entry["new_value"].as_str().unwrap().starts_with("failed"), "{entry}");
    tools.text("sudo -n systemctl reset-failed");
    home.json(["host", "show", host, "--observe"]);
    let timeline = home.json(["host", "timeline", host, "--field", "unit *"]);
    assert!(timeline["items"][0]["new_value"].is_null(), "{timeline:#}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the lab"]
async fn lab_every_frontend_tells_the_same_facts() {
    let lab = lab::hosts();
    let sim = Sim::start(Options { nodes: 3, ..Options::default() }).await.unwrap();
    let home = Home::new();
    lab[..3].iter().for_each(|host| host.add_to(&home));
    home.connect(&sim.info().url, &sim.info().token, &sim.info().fingerprint);
    let server = Server::start(&home, "panorama");
    let began = Instant::now();
    let names = loop {
        let nodes = server.get("/api/v1/dashboard/nodes");
        let rows = nodes["items"].as_array().unwrap();
        let told =
            |row: &&Value| row["cpu_sockets"].is_u64() && (row["license_status"].is_string() || row["kind"] == "linux");
        if rows.len() == 7 && rows.iter().filter(told).count() == 7 {
            break rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        }
        assert!(began.elapsed() < Duration::from_secs(240), "not all facts were asked for: {nodes:#}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let python = python();
    for name in names {
        alike(&home, &server, python.as_deref(), &name);
    }
}

/// HTTP, the command line and Python say the same of a host, as of one moment.
fn alike(home: &Home, server: &Server, python: Option<&std::path::Path>, name: &str) {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < Duration::from_secs(120), "the frontends never showed one moment of {name}");
        let path = format!("/api/v1/nodes/{name}/host-details");
        let before = server.get(&path);
        let shell = home.json(["host", "show", name])["details"].clone();
        let script = python.map(|python| {
            let program = "import json, sys, reanimator\n\
                           print(json.dumps(reanimator.Fleet.open(sys.argv[1]).host_details(sys.argv[2])))";
            let data_dir = home.data_dir();
            document(&mut home.command(python, ["-c", program, data_dir.to_str().unwrap(), name]))
        });
        if server.get(&path) != before {
            continue;
        }
        assert_eq!(shell, before, "the command line and HTTP, {name}");
        if let Some(script) = script {
            assert_eq!(script, before, "Python and HTTP, {name}");
        }
        return;
    }
}

fn close(value: &Value, wanted: f64, by: f64, what: &str) {
    let value = value.as_f64().unwrap_or_else(|| panic!("{what} was not seen"));
    assert!((value - wanted).abs() <= by, "{what}: {value} is not {wanted}");
}
