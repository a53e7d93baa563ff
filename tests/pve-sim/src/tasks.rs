//! Tasks: work that a call starts and that ends some time later.
//!
//! A task has a UPID, runs for a simulated time, and then takes its effect on
//! the cluster. Nothing runs in the background: [`Cluster::settle`] finishes
//! whatever is due before each call, so the outcome depends on times alone.

use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::access::Caller;
use crate::remote::Departure;
use crate::state::Cluster;

/// How many ended tasks a cluster remembers.
const KEPT: usize = 2000;

/// What a task does at its end.
pub(crate) type Effect = Box<dyn FnOnce(&mut Cluster, f64) -> Outcome + Send>;

/// What became of it: lines for the log and warnings, or an error's text, whose last line is the verdict.
pub(crate) type Outcome = Result<Ending, String>;

/// A task's good end.
#[derive(Default)]
pub(crate) struct Ending {
    pub(crate) log: Vec<String>,
    pub(crate) warnings: u32,
}

impl Ending {
    /// An end with one line in the log.
    pub(crate) fn line(text: impl Into<String>) -> Self {
        Self { log: vec![text.into()], warnings: 0 }
    }
}

/// One task.
pub(crate) struct Task {
    pub(crate) upid: String,
    /// Index of the node it runs on.
    pub(crate) node: usize,
    node_name: String,
    pid: u32,
    pstart: u64,
    pub(crate) start: i64,
    pub(crate) kind: String,
    /// The guest's id, a storage, or "".
    pub(crate) id: String,
    pub(crate) user: String,
    token: Option<String>,
    pub(crate) end: Option<i64>,
    pub(crate) status: Option<String>,
    pub(crate) log: Vec<String>,
    due: f64,
    effect: Option<Effect>,
    /// The guest that it sends to another cluster: its end concerns two.
    departure: Option<Departure>,
    /// Told from outside to fail in the end.
    doomed: Option<String>,
}

/// What a handler asks to be done.
pub(crate) struct Work {
    pub(crate) node: usize,
    pub(crate) kind: String,
    pub(crate) id: String,
    /// How long it takes, in units of the simulated pace.
    pub(crate) units: f64,
    pub(crate) log: Vec<String>,
    pub(crate) effect: Effect,
}

/// All tasks of a cluster, the newest first.
pub(crate) struct Tasks {
    list: VecDeque<Task>,
    next_pid: u32,
    /// Seconds per unit of work.
    pub(crate) pace: f64,
    /// Tasks to fail: for one guest or any, how often.
    pub(crate) to_fail: Vec<(Option<u32>, u32)>,
    /// Tasks that end well and do nothing: for one guest or any, how often.
    pub(crate) to_idle: Vec<(Option<u32>, u32)>,
    /// Tasks to slow down: for one guest, how often, seconds.
    pub(crate) to_slow: Vec<(Option<u32>, u32, f64)>,
}

impl Tasks {
    /// None yet.
    pub(crate) fn new(pace: f64) -> Self {
        Self {
            list: VecDeque::new(),
            next_pid: 1200,
            pace,
            to_fail: Vec::new(),
            to_idle: Vec::new(),
            to_slow: Vec::new(),
        }
    }

    /// A process id that was not used before.
    pub(crate) fn new_pid(&mut self) -> u32 {
        self.next_pid += 7;
        self.next_pid
    }

    /// Starts a task and gives its UPID.
    pub(crate) fn start(&mut self, node_name: &str, booted: f64, caller: &Caller, work: Work, now: f64) -> String {
        let pid = self.new_pid();
        let pstart = ((now - booted).max(0.0) * 100.0) as u64;
        let start = now as i64;
        let upid = format!(
            "UPID:{node_name}:{pid:08X}:{pstart:08X}:{start:08X}:{}:{}:{}:",
            work.kind,
            work.id,
            caller.full_name()
        );
        let guest: Option<u32> = work.id.parse().ok();
        let doomed =
            take(&mut self.to_fail, guest, |entry| (entry.0, &mut entry.1)).map(|_| "simulated failure".to_owned());
        let idle = take(&mut self.to_idle, guest, |entry| (entry.0, &mut entry.1)).is_some();
        let effect: Effect = if idle { Box::new(|_, _| Ok(Ending::default())) } else { work.effect };
        let slow = take(&mut self.to_slow, guest, |entry| (entry.0, &mut entry.1));
        let lasting = slow.map_or(work.units * self.pace, |entry| entry.2);
        self.list.push_front(Task {
            upid: upid.clone(),
            node: work.node,
            node_name: node_name.to_owned(),
            pid,
            pstart,
            start,
            kind: work.kind,
            id: work.id,
            user: caller.user.clone(),
            token: caller.token.clone(),
            end: None,
            status: None,
            log: work.log,
            due: now + lasting,
            effect: Some(effect),
            departure: None,
            doomed,
        });
        self.list.truncate(KEPT);
        upid
    }

    /// The next task whose time has come, and what it does.
    pub(crate) fn next_due(&mut self, now: f64) -> Option<(String, Effect)> {
        let task = self
            .list
            .iter_mut()
            .filter(|task| task.effect.is_some() && task.departure.is_none() && task.due <= now)
            .min_by(|one, other| one.due.total_cmp(&other.due))?;
        let mut effect = task.effect.take()?;
        if let Some(text) = task.doomed.take() {
            let id = task.id.clone();
            effect = Box::new(move |cluster, _| {
                release(cluster, &id);
                Err(text)
            });
        }
        Some((task.upid.clone(), effect))
    }

    /// Makes a task one that sends a guest to another cluster.
    pub(crate) fn depart(&mut self, upid: &str, departure: Departure) {
        if let Some(task) = self.list.iter_mut().find(|task| task.upid == upid) {
            task.departure = Some(departure);
        }
    }

    /// The next task whose time has come that sends a guest to another cluster, and why it is to fail.
    pub(crate) fn next_departure(&mut self, now: f64) -> Option<(String, Departure, Option<String>)> {
        let mut due = self.list.iter_mut().filter(|task| task.departure.is_some() && task.due <= now);
        let task = due.next()?;
        task.effect = None;
        Some((task.upid.clone(), task.departure.take()?, task.doomed.take()))
    }

    /// Writes down how a task ended.
    pub(crate) fn finish(&mut self, upid: &str, outcome: Outcome, now: f64) {
        let Some(task) = self.list.iter_mut().find(|task| task.upid == upid) else {
            return;
        };
        task.end = Some((task.due.min(now) as i64).max(task.start));
        task.status = Some(match outcome {
            Ok(ending) => {
                task.log.extend(ending.log);
                match ending.warnings {
                    0 => "OK".to_owned(),
                    many => format!("WARNINGS: {many}"),
                }
            }
            // What comes before the verdict is for the log.
            Err(text) => match text.rsplit_once('\n') {
                Some((log, verdict)) => {
                    task.log.extend(log.lines().map(str::to_owned));
                    verdict.to_owned()
                }
                None => text,
            },
        });
        let last = match task.status.as_deref() {
            Some("OK") => "TASK OK".to_owned(),
            Some(status) if status.starts_with("WARNINGS") => format!("TASK {status}"),
            status => format!("TASK ERROR: {}", status.unwrap_or_default()),
        };
        task.log.push(last);
    }

    /// Ends tasks without their effect: cancelled, or their node went down.
    /// Gives the ids they worked on.
    pub(crate) fn break_off(&mut self, status: &str, now: f64, which: impl Fn(&Task) -> bool) -> Vec<String> {
        let mut ids = Vec::new();
        for task in &mut self.list {
            if task.effect.is_some() && which(task) {
                task.effect = None;
                task.departure = None;
                task.end = Some(now as i64);
                task.status = Some(status.to_owned());
                ids.push(task.id.clone());
            }
        }
        ids
    }

    /// All of them, the newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Task> {
        self.list.iter()
    }

    pub(crate) fn find(&self, upid: &str) -> Option<&Task> {
        self.list.iter().find(|task| task.upid == upid)
    }
}

/// Takes one use of the first entry that fits the guest.
fn take<T: Clone>(
    list: &mut Vec<T>,
    guest: Option<u32>,
    parts: impl Fn(&mut T) -> (Option<u32>, &mut u32),
) -> Option<T> {
    let index = list.iter_mut().position(|entry| {
        let (wanted, _) = parts(entry);
        wanted.is_none() || wanted == guest
    })?;
    let entry = list[index].clone();
    let (_, left) = parts(&mut list[index]);
    *left = left.saturating_sub(1);
    if *left == 0 {
        list.remove(index);
    }
    Some(entry)
}

/// Takes a guest's lock away, after a task on it broke off.
pub(crate) fn release(cluster: &mut Cluster, id: &str) {
    if let Some(guest) = id.parse().ok().and_then(|vmid: u32| cluster.guests.get_mut(&vmid)) {
        guest.lock = None;
    }
}

impl Task {
    pub(crate) fn running(&self) -> bool {
        self.status.is_none()
    }

    /// As `/nodes/{node}/tasks` lists it.
    pub(crate) fn in_node_list(&self) -> Value {
        let mut entry = self.identity();
        if let Some(end) = self.end {
            entry["endtime"] = json!(end);
        }
        if let Some(status) = &self.status {
            entry["status"] = json!(status);
        }
        entry
    }

    /// As `/cluster/tasks` lists it.
    pub(crate) fn in_cluster_list(&self) -> Value {
        let mut entry = self.in_node_list();
        if let Some(fields) = entry.as_object_mut() {
            fields.remove("pid");
            fields.remove("pstart");
            if !self.running() {
                fields.insert("saved".to_owned(), json!("1"));
            }
        }
        entry
    }

    /// As `/tasks/{upid}/status` shows it.
    pub(crate) fn as_status(&self) -> Value {
        let mut entry = self.identity();
        entry["status"] = json!(if self.running() { "running" } else { "stopped" });
        if let Some(status) = &self.status {
            entry["exitstatus"] = json!(status);
        }
        entry
    }

    fn identity(&self) -> Value {
        let mut entry = json!({
            "upid": self.upid,
            "node": self.node_name,
            "pid": self.pid,
            "pstart": self.pstart,
            "starttime": self.start,
            "type": self.kind,
            "id": self.id,
            "user": self.user,
        });
        if let Some(token) = &self.token {
            entry["tokenid"] = json!(token);
        }
        entry
    }
}
