//! The program is killed at random instants and between the steps while it carries out operations of ten steps, and started again, until each is
//! over. Some act on one guest of each of ten nodes, the others move ten guests. The cluster counts: every effect began once, none is missing,
//! nothing is stuck; no guest is lost on its way to another node, or is left locked.
//!
//! `REANIMATOR_KILLS` says how often (20 without it, 200 by `make kill-test`), `REANIMATOR_SEED` repeats a run.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![allow(clippy::print_stdout, reason = "its counts are what people read")]

use std::{
    cmp::Ordering,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use pve_sim::{Options, Order, Sim};
use reanimator_core::{
    Fleet, FleetOptions,
    host::pve::{PveApi as _, PveHttps},
    model::{OperationFilter, StepState},
    operation::Operations,
    transport::http::Request,
};
use reanimator_tests::{
    cluster,
    program::{Home, built},
};
use serde_json::Value;

/// Guests that each operation acts upon.
const GUESTS: usize = 10;
/// What is asked for, round by round: each leaves the guests as the next one needs them.
const ROUNDS: [&str; 7] = ["migrate", "stop", "start", "migrate", "reboot", "shutdown", "start"];
/// Where all of them go, one migration after the other.
const TARGETS: [&str; 3] = ["pve2", "pve3", "pve1"];
/// Their cluster's nodes.
const NODES: [&str; GUESTS] = ["pve1", "pve2", "pve3", "pve4", "pve5", "pve6", "pve7", "pve8", "pve9", "pve10"];
/// The guest that high availability moves: a VM on shared storage.
const MANAGED: &str = "vm:100";
/// As many guests are there: those that are moved, one more on each node, and some that cannot be taken.
const THERE: u32 = 32;
/// Kills of one operation at most; then it is let go to its end.
const KILLS_EACH: u32 = 5;
/// A kill comes within this after a start. An operation that nobody kills takes about as long.
const WITHIN: Duration = Duration::from_millis(2_500);
/// An operation that is not over after so long, while nobody kills anything, is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_instant_nothing_is_lost_or_doubled_or_stuck() {
    let kills = number("REANIMATOR_KILLS").unwrap_or(20);
    let seed = number("REANIMATOR_SEED").unwrap_or_else(|| u64::from(std::process::id()) << 20 | u64::from(now()));
    println!("kill-test: seed {seed}");
    let mut trial = Trial::open(seed).await;
    let mut round = 0;
    while trial.kills < kills {
        trial.round(ROUNDS[round % ROUNDS.len()], round % 2 == 1).await;
        round += 1;
    }
    let Trial { kills, lost, doubled, stuck, .. } = trial;
    println!("kill-test: {kills} kills, {lost} lost, {doubled} doubled, {stuck} stuck");
    assert_eq!((lost, doubled, stuck), (0, 0, 0), "seed {seed}");
}

/// Its number and kind.
type Guest = (String, String);

struct Trial {
    sim: Sim,
    home: Home,
    /// Those that are moved.
    movers: Vec<Guest>,
    /// Those that stay: one on each node.
    spread: Vec<Guest>,
    /// The same journal, read from here.
    journal: Operations,
    dice: Dice,
    /// How many migrations there were.
    moves: usize,
    kills: u64,
    lost: usize,
    doubled: usize,
    stuck: usize,
}

impl Trial {
    async fn open(seed: u64) -> Self {
        let task_time = Duration::from_millis(300);
        let sim = Sim::start(Options { nodes: 10, guests: THERE, task_time, ..Options::default() }).await.unwrap();
        let home = Home::new();
        let info = sim.info();
        home.connect(&info.url, &info.token, &info.fingerprint);
        let items = home.json(["guest", "list"])["items"].take();
        // High availability copies no disks of a node: what it looks after by itself here cannot be moved.
        let managed = api(&sim).call(Request::get(["cluster", "ha", "resources"])).await.unwrap().to_string();
        let moves = |guest: &&Value| {
            guest["template"] == false && !managed.contains(&format!("vm:{}\"", guest["vmid"].as_str().unwrap()))
        };
        let all: Vec<&Value> = items.as_array().unwrap().iter().filter(moves).collect();
        let text = |guest: &Value, name: &str| guest[name].as_str().unwrap().to_owned();
        let known = |guest: &&Value| (text(guest, "vmid"), text(guest, "kind"));
        let (movers, rest) = all.split_at(GUESTS);
        let movers: Vec<Guest> = movers.iter().map(known).collect();
        let stays = |node: &&str| rest.iter().find(|guest| guest["node"] == **node).map(known);
        let spread: Vec<Guest> = NODES.iter().filter_map(stays).collect();
        assert_eq!((movers.len(), spread.len()), (GUESTS, NODES.len()), "one on each node");
        let journal = Operations::new(Fleet::open(FleetOptions::new(home.data_dir())).await.unwrap());
        // One of each group is looked after by high availability.
        let (vmid, _) = spread.iter().find(|(_, kind)| kind == "qemu").unwrap();
        for sid in [MANAGED, &format!("vm:{vmid}")] {
            let managed = Request::post(["cluster", "ha", "resources"]).param("sid", sid);
            api(&sim).call(managed).await.unwrap();
        }
        let (moves, kills, lost, doubled, stuck) = (0, 0, 0, 0, 0);
        let trial = Self { sim, home, movers, spread, journal, dice: Dice(seed), moves, kills, lost, doubled, stuck };
        for guests in [&trial.movers, &trial.spread] {
            let numbers = guests.iter().map(|(vmid, _)| vmid.as_str());
            let words: Vec<&str> = ["guest", "start"].into_iter().chain(numbers).collect();
            assert!(trial.start(&words).wait().unwrap().success(), "all of them run at the beginning");
        }
        trial
    }

    /// Whom a verb is done to.
    fn guests(&self, verb: &str) -> &[Guest] {
        if verb == "migrate" { &self.movers } else { &self.spread }
    }

    /// One operation, killed again and again and taken up by `op resume`, or by a server.
    async fn round(&mut self, verb: &'static str, by_server: bool) {
        self.moves += usize::from(verb == "migrate");
        let before = self.begun(verb).await;
        let wanted = self.wanted(verb).await;
        self.hold_answers_back(verb).await;
        let known = self.operations().len();
        let mut child = self.start(&self.words(verb));
        let mut left = KILLS_EACH;
        let began = loop {
            match self.kills % 2 {
                0 => tokio::time::sleep(Duration::from_micros(self.dice.below(WITHIN.as_micros() as u64))).await,
                _ => self.wait_for_a_boundary(&mut child).await,
            }
            let ended = child.try_wait().unwrap().is_some();
            if !ended {
                child.kill().unwrap();
                child.wait().unwrap();
                self.kills += 1;
                left = left.saturating_sub(1);
            }
            let there = self.operations();
            if there.len() == known {
                // It was killed before it had said what it wants.
                left = KILLS_EACH;
                child = self.start(&self.words(verb));
            } else if is_over(&there[0]) || left == 0 {
                break Instant::now();
            } else if by_server {
                child = self.start(&["serve", "--listen", "127.0.0.1:0"]);
            } else {
                child = self.start(&["op", "resume"]);
            }
        };
        self.end(by_server, began).await;
        let after = self.begun(verb).await;
        let operation = self.operations().swap_remove(0);
        println!(
            "kill-test: {verb} by {}: {} after {} kills",
            if by_server { "a server" } else { "op resume" },
            operation["state"],
            KILLS_EACH - left
        );
        if operation["state"] != "done" {
            println!("{operation:#}");
        }
        self.stuck += usize::from(!is_over(&operation));
        for ((before, after), wanted) in before.iter().zip(&after).zip(wanted) {
            match (after - before).cmp(&wanted) {
                Ordering::Less => self.lost += 1,
                Ordering::Equal => {}
                Ordering::Greater => self.doubled += 1,
            }
        }
        self.lost += usize::from(operation["state"] != "done");
        let nodes = self.nodes(verb).await;
        self.lost += nodes.iter().filter(|node| node.is_none()).count();
        if verb == "migrate" {
            self.lost += nodes.iter().flatten().filter(|node| *node != self.target()).count();
        }
        self.count_locks(verb, &nodes).await;
    }

    /// How often each guest's effect is to begin: those that are where they are to be stay there.
    async fn wanted(&self, verb: &str) -> Vec<usize> {
        let moves = |node: Option<String>| verb != "migrate" || node.is_none_or(|node| node != self.target());
        self.nodes(verb).await.into_iter().map(|node| usize::from(moves(node))).collect()
    }

    fn target(&self) -> &'static str {
        TARGETS[(self.moves + TARGETS.len() - 1) % TARGETS.len()]
    }

    /// Where the guests are; none where the cluster does not know one any more.
    async fn nodes(&self, verb: &str) -> Vec<Option<String>> {
        let rows = api(&self.sim).call(Request::get(["cluster", "resources"]).param("type", "vm")).await.unwrap();
        let rows = rows.as_array().unwrap();
        let node = |vmid: &str| {
            let row = rows.iter().find(|row| row["vmid"].as_u64() == vmid.parse().ok())?;
            Some(row["node"].as_str()?.to_owned())
        };
        self.guests(verb).iter().map(|(vmid, _)| node(vmid)).collect()
    }

    /// Counts guests that were left locked as stuck.
    async fn count_locks(&mut self, verb: &str, nodes: &[Option<String>]) {
        let api = api(&self.sim);
        let guests = self.guests(verb).to_vec();
        for ((vmid, kind), node) in guests.iter().zip(nodes) {
            let Some(node) = node else { continue };
            let path = ["nodes", node, kind, vmid, "status", "current"];
            let status = api.call(Request::get(path)).await.unwrap();
            self.stuck += usize::from(status["lock"].is_string());
        }
    }

    /// Waits until some more lines of the journal are written: an intent, a handle, an outcome; or until nothing goes on.
    async fn wait_for_a_boundary(&mut self, child: &mut Child) {
        let began = Instant::now();
        let seen = async |trial: &Self| {
            let newest = trial.journal.list(&OperationFilter { limit: 1, ..OperationFilter::default() }).await.unwrap();
            let steps = newest.first().map(|newest| newest.steps.iter().map(|step| written(step.state)).sum());
            (newest.first().map(|newest| newest.id.clone()), steps.unwrap_or(0))
        };
        let (before, mut from): (_, u64) = seen(self).await;
        let more = 1 + self.dice.below(5);
        while began.elapsed() < WITHIN * 2 && child.try_wait().unwrap().is_none() {
            let (newest, now) = seen(self).await;
            if newest != before {
                from = 0;
            }
            if now >= from + more {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// What asks a guest to change is heard late, or answered late: the instants in which nobody here knows whether an
    /// effect began are long enough to be hit.
    async fn hold_answers_back(&mut self, verb: &str) {
        let control = self.sim.control();
        control.apply(Order::new("clear")).await.unwrap();
        let fault = ["late", "slow"][self.dice.below(2) as usize];
        let below = if verb == "migrate" { "migrate".to_owned() } else { format!("status/{verb}") };
        for (vmid, kind) in self.guests(verb).to_vec() {
            for node in NODES {
                // What Proxmox is asked of a migration beforehand is held back as well.
                let order = Order::new(fault).path(&format!("/nodes/{node}/{kind}/{vmid}/{below}"));
                control.apply(order.milliseconds(self.dice.below(600))).await.unwrap();
            }
        }
    }

    /// Lets the newest operation come to its end.
    async fn end(&self, by_server: bool, began: Instant) {
        let words: &[&str] = if by_server { &["serve", "--listen", "127.0.0.1:0"] } else { &["op", "resume"] };
        let mut child = self.start(words);
        while began.elapsed() < STUCK_AFTER && !is_over(&self.operations()[0]) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        // What does not end by itself is a server, or stuck.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let _gone = child.kill();
        child.wait().unwrap();
    }

    fn words(&self, verb: &'static str) -> Vec<&str> {
        let how: &[&str] = if verb == "migrate" {
            &["--to", self.target(), "--local-disks", "--override", "memory", "--override", "storage"]
        } else {
            &[]
        };
        let guests = self.guests(verb).iter().map(|(vmid, _)| vmid.as_str());
        ["guest", verb].into_iter().chain(guests).chain(how.iter().copied()).collect()
    }

    fn start(&self, words: &[&str]) -> Child {
        let mut command: Command = self.home.command(&built("reanimator", "reanimator-cli"), words);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn operations(&self) -> Vec<Value> {
        self.home.json(["op", "list", "--limit", "1000"])["items"].as_array().unwrap().clone()
    }

    /// How often each guest's tasks of one kind began, as the cluster knows.
    async fn begun(&self, verb: &str) -> Vec<usize> {
        let api = api(&self.sim);
        let mut tasks = Vec::new();
        for node in NODES {
            let asked = Request::get(["nodes", node, "tasks"]).param("source", "all").param("limit", "5000");
            tasks.extend(api.call(asked).await.unwrap().as_array().unwrap().clone());
        }
        let of_kind = |task: &&Value| {
            let kind = task["type"].as_str().unwrap();
            let kind = if kind == "qmigrate" { "qmmigrate" } else { kind };
            kind.strip_prefix("qm").or(kind.strip_prefix("vz")) == Some(verb)
        };
        let tasks: Vec<&Value> = tasks.iter().filter(of_kind).collect();
        let of = |vmid: &str| tasks.iter().filter(|task| task["id"] == vmid).count();
        self.guests(verb).iter().map(|(vmid, _)| of(vmid)).collect()
    }
}

/// The cluster's own API.
fn api(sim: &Sim) -> PveHttps {
    cluster::api(sim, 0)
}

/// How often the journal was written for a step in that state.
const fn written(state: StepState) -> u64 {
    match state {
        StepState::Pending => 0,
        StepState::Intended => 1,
        StepState::Begun => 2,
        StepState::Done | StepState::Already | StepState::Failed | StepState::Skipped => 3,
    }
}

fn is_over(operation: &Value) -> bool {
    !["waiting", "running", "undoing"].contains(&operation["state"].as_str().unwrap())
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

fn now() -> u32 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().subsec_micros()
}

/// SplitMix64: the same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
