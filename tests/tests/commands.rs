//! One command on many hosts as a job: over real SSH to a hundred simulated hosts and to a real sshd, and across the death of
//! the server that carries it out.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{
    collections::BTreeSet,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use linux_sim::{Fault, Options, Sim};
use reanimator_core::{
    Fleet, FleetOptions,
    fleet::By,
    model::{
        CommandId, CommandState, CommandView, Connection, ConnectionId, Host, HostId, Link, NewCommand, Reach,
        SshReach, Sudo,
    },
    workflows::commands::Commands,
};
use reanimator_tests::program::{Home, Server};
use serde_json::{Value, json};

/// Nothing takes so long when all is well.
const PATIENCE: Duration = Duration::from_secs(60);

fn ada() -> By {
    By { who: "ada".into(), from: "local".into() }
}

fn new(command: &str) -> NewCommand {
    NewCommand { command: command.into(), on: "all".into(), ..NewCommand::default() }
}

/// A fleet of simulated hosts, with this very machine where that is wanted.
async fn fleet_of(sim: &Sim, directory: &Path, with_this_machine: bool) -> Fleet {
    let fleet = Fleet::open(FleetOptions { with_this_machine, ..FleetOptions::new(directory) }).await.unwrap();
    for host in sim.hosts() {
        let reach = Reach::Ssh(SshReach {
            address: host.address.clone(),
            port: host.port,
            user: host.user.clone(),
            jumps: Vec::new(),
            use_agent: false,
            key_files: vec![host.key.display().to_string()],
            sudo: Sudo::None,
            host_key: Some(host.host_key.clone()),
        });
        let (id, name) = (ConnectionId::generate(), host.name.clone());
        let connection = Connection { id: id.clone(), name: name.clone(), reach, credentials_changed_at: None };
        let (groups, tags) = (BTreeSet::new(), BTreeSet::new());
        let links = vec![Link::Ssh { connection: id }];
        let host = Host { id: HostId::generate(), name, groups, tags, maintenance: false, links };
        fleet.store().save_host_with_connection(&host, &connection, &[]).await.unwrap();
    }
    fleet
}

/// Waits until a view is as wanted.
async fn until(commands: &Commands, id: &CommandId, wanted: impl Fn(&CommandView) -> bool) -> Arc<CommandView> {
    let began = Instant::now();
    loop {
        let view = commands.view(id).await.unwrap();
        if wanted(&view) {
            return view;
        }
        assert!(began.elapsed() < PATIENCE, "it does not come: {:?}", view.run);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn is_gone(pid: &str) {
    let began = Instant::now();
    while Path::new("/proc").join(pid.trim()).exists() {
        assert!(began.elapsed() < PATIENCE, "the process {pid} goes on");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_odd_one_of_a_hundred_and_twenty_stands_apart() {
    let (sim, directory) =
        (Sim::start(Options { hosts: 120, ..Options::default() }).await.unwrap(), tempfile::tempdir().unwrap());
    let fleet = fleet_of(&sim, directory.path(), true).await;
    let commands = Commands::new(fleet.clone());
    // A simulated host knows no variables; this machine does.
    let run = commands.start(new("echo one; echo home $HOME; echo three"), &ada()).await.unwrap();
    let over = tokio::time::timeout(PATIENCE, commands.wait(&run.id)).await.unwrap().unwrap();
    assert_eq!((over.state, over.hosts, over.ok, over.failed), (CommandState::Done, 121, 121, 0));
    let view = commands.view(&run.id).await.unwrap();
    let sizes: Vec<usize> = view.groups.iter().map(|group| group.hosts.len()).collect();
    assert_eq!(sizes, [120, 1]);
    assert!(view.groups[0].majority && view.groups[0].stdout == "one\nhome $HOME\nthree\n");
    let difference = view.groups[1].difference.as_ref().unwrap();
    assert_eq!((difference.added, difference.removed), (1, 1));
    fleet.close().await;

    let again = Commands::new(Fleet::open(FleetOptions::new(directory.path())).await.unwrap());
    assert_eq!(again.view(&run.id).await.unwrap(), view, "as it is kept, so it was");
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_hosts_write_the_others_are_heard() {
    let (sim, directory) =
        (Sim::start(Options { hosts: 6, ..Options::default() }).await.unwrap(), tempfile::tempdir().unwrap());
    let faults = [Fault::Garbage, Fault::Endless, Fault::Refuse, Fault::HalfFrame];
    for (place, fault) in faults.into_iter().enumerate() {
        sim.fault(place, fault);
    }
    let fleet = fleet_of(&sim, directory.path(), false).await;
    let commands = Commands::new(fleet);
    let limits = NewCommand { time_limit_seconds: Some(5), output_limit_bytes: Some(100_000), ..new("uname -s") };
    let run = commands.start(limits, &ada()).await.unwrap();
    let over = tokio::time::timeout(PATIENCE, commands.wait(&run.id)).await.unwrap().unwrap();
    assert_eq!((over.state, over.ok + over.failed), (CommandState::Done, 6));
    let view = commands.view(&run.id).await.unwrap();
    let well = view.groups.iter().find(|group| group.stdout == "Linux\n").unwrap();
    assert!(well.hosts.len() >= 2, "{:?}", well.hosts);
    assert!(serde_json::to_vec(view.as_ref()).unwrap().len() < 1 << 20);
    for host in view.groups.iter().flat_map(|group| &group.hosts) {
        let answer = commands.answer(&run.id, &host.id).await.unwrap();
        assert!(answer.stdout.len() <= 100_000 && answer.stderr.len() <= 100_000, "{}", host.name);
    }
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_ends_the_command_behind_a_real_sshd() {
    let (sshd, directory) = (support::sshd::Sshd::start(), tempfile::tempdir().unwrap());
    let options = FleetOptions { with_this_machine: false, ..FleetOptions::new(directory.path()) };
    let fleet = Fleet::open(options).await.unwrap();
    fleet.add_host(support::ssh_host("web1", &sshd)).await.unwrap();
    let commands = Commands::new(fleet.clone());
    let mark = directory.path().join("mark");
    let text = format!("echo $$ >{}; printf 'half\\033[2J\\377'; sleep 1000", mark.display());
    let run = commands.start(new(&text), &ada()).await.unwrap();
    let view = until(&commands, &run.id, |view| !view.groups.is_empty()).await;
    assert!(view.groups[0].running && view.groups[0].stdout.starts_with("half"), "{view:?}");
    let stopped = commands.stop(&run.id, &ada()).await.unwrap();
    assert_eq!(stopped.state, CommandState::Stopped);
    is_gone(&std::fs::read_to_string(&mark).unwrap()).await;
    let answer = commands.answer(&run.id, &view.groups[0].hosts[0].id).await.unwrap();
    assert_eq!(answer.stdout, b"half\x1b[2J\xff", "every byte is kept");
    fleet.close().await;
}

fn wait_for(server: &Server, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let seen = server.get(path);
        if wanted(&seen) {
            return seen;
        }
        assert!(began.elapsed() < PATIENCE, "it does not come: {seen}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_server_that_is_killed_leaves_a_run_interrupted_with_what_had_come() {
    let home = Home::new();
    let server = Server::start_for(&home, "ada", "admin");
    let mark = home.path().join("mark");
    let text = format!("echo $$ >{}; echo half; exec sleep 1000", mark.display());
    // Each request has a connection of its own: nothing but the run's id is left of this one.
    let run = server.post("/api/v1/commands", &json!({ "command": text, "on": "all" }));
    let path = format!("/api/v1/commands/{}", run["id"].as_str().unwrap());
    let has_come = |seen: &Value| seen["groups"][0]["stdout"] == "half\n";
    let seen = wait_for(&server, &path, has_come);
    assert_eq!((&seen["state"], &seen["groups"][0]["running"]), (&json!("running"), &json!(true)));
    // What is told is written down soon after.
    let kept = || home.json(["exec", "--show", run["id"].as_str().unwrap()]);
    let began = Instant::now();
    while !has_come(&kept()) {
        assert!(began.elapsed() < PATIENCE, "it is not written down");
        std::thread::sleep(Duration::from_millis(50));
    }
    server.kill();

    let server = Server::start_for(&home, "bob", "admin");
    let seen = wait_for(&server, &path, |seen| seen["state"] == "interrupted");
    assert!(has_come(&seen), "{seen}");
    let listed = server.get("/api/v1/commands");
    assert_eq!(listed["items"][0]["state"], "interrupted");
    let is_noted = |trail: &Value| {
        let entries = trail["items"].as_array().unwrap();
        entries.iter().any(|entry| entry["outcome"] == "interrupted after 0 answers")
    };
    wait_for(&server, "/api/v1/audit", is_noted);
    // What the test has begun it also ends: nobody else does after a kill on this very machine.
    let pid = std::fs::read_to_string(&mark).unwrap();
    drop(std::process::Command::new("kill").arg(pid.trim()).output());
}
