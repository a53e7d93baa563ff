//! Everything that is simulated, and the way of one request through it.
//!
//! A request is identified, found in the facts, checked for permission, sent
//! on to the node it is for, checked for its parameters and then handled: in
//! that order, which is the real one and decides which refusal comes first.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use crate::access::Caller;
use crate::check::check;
use crate::facts::{Found, facts};
use crate::faults::Faults;
use crate::login::{Credentials, authenticate};
use crate::params::Params;
use crate::refusal::{Answer, Refusal};
use crate::remote::{self, Far};
use crate::routes::{self, Call};
use crate::state::Cluster;
use crate::tasks::release;
use crate::tls::Identity;

/// Calls that need no log-in.
const OPEN: [(&str, &str); 3] = [("POST", "/access/ticket"), ("GET", "/access/ticket"), ("GET", "/access/domains")];

/// All clusters, their listeners and the faults that were ordered.
pub(crate) struct World {
    clusters: Vec<Mutex<Cluster>>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) doors: Vec<Door>,
    /// How long a failed log-in is held back.
    pub(crate) login_delay: Duration,
    /// Whether a guest was ever sent to another cluster.
    departed: AtomicBool,
}

/// Where one node answers.
pub(crate) struct Door {
    pub(crate) cluster: usize,
    pub(crate) node: usize,
    pub(crate) name: String,
    pub(crate) ip: String,
    /// Where its API answers: address and port.
    pub(crate) address: String,
    pub(crate) identity: Identity,
    /// Whether it is to answer.
    pub(crate) wanted: watch::Sender<bool>,
    /// Whether its addresses do: the API's, then SSH's where there is one.
    pub(crate) open: Vec<watch::Sender<bool>>,
    /// Requests that it took at its own address.
    pub(crate) taken: AtomicU64,
    /// Requests that another node of its cluster passed on to it.
    pub(crate) passed_on: AtomicU64,
    /// The boot that its shells tell of.
    pub(crate) boot: Mutex<Boot>,
}

/// A node's boot, as its shells see it.
#[derive(Default)]
pub(crate) struct Boot {
    /// When it was.
    pub(crate) noted: Option<f64>,
    /// The file with its id, where the node has shells.
    pub(crate) file: Option<PathBuf>,
}

impl Door {
    /// Gives each boot an id of its own, for who reads it in a shell.
    pub(crate) fn note_boot(&self, booted: f64) {
        let mut boot = self.boot.lock().unwrap_or_else(PoisonError::into_inner);
        let is_another = boot.noted.replace(booted).is_some_and(|noted| noted != booted);
        if let Some(file) = boot.file.as_ref().filter(|_| is_another)
            && let Err(error) = std::fs::write(file, format!("{}\n", uuid::Uuid::new_v4()))
        {
            tracing::error!(node = %self.name, %error, "its shells do not see that it has started anew");
        }
    }
}

/// One request, taken apart.
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path below `/api2/json`, as it was sent.
    pub(crate) path: String,
    /// Its segments, percent-decoded.
    pub(crate) segments: Vec<String>,
    pub(crate) params: Params,
    pub(crate) credentials: Credentials,
    /// Whether a body came with it.
    pub(crate) has_body: bool,
    /// The other cluster's node that it names, where it moves a guest there.
    pub(crate) far: Option<Result<Far, Refusal>>,
}

impl Request {
    /// Splits and decodes a path.
    pub(crate) fn segments_of(path: &str) -> Vec<String> {
        path.split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| {
                let text = segment.replace('+', "%2B");
                let pair = format!("={text}");
                url::form_urlencoded::parse(pair.as_bytes())
                    .next()
                    .map(|(_, value)| value.into_owned())
                    .unwrap_or_default()
            })
            .collect()
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

impl World {
    pub(crate) fn new(clusters: Vec<Cluster>, doors: Vec<Door>, login_delay: Duration) -> Self {
        let clusters = clusters.into_iter().map(Mutex::new).collect();
        let (faults, departed) = (Mutex::default(), AtomicBool::new(false));
        Self { clusters, faults, doors, login_delay, departed }
    }

    /// A cluster, with everything done that is due.
    pub(crate) fn cluster(&self, index: usize) -> MutexGuard<'_, Cluster> {
        if self.departed.load(Ordering::Relaxed) {
            (0..self.clusters.len()).for_each(|from| self.let_depart(from));
        }
        self.settled(index)
    }

    fn settled(&self, index: usize) -> MutexGuard<'_, Cluster> {
        let mut cluster = self.clusters[index].lock().unwrap_or_else(PoisonError::into_inner);
        cluster.settle(now());
        cluster
    }

    /// Ends the tasks of one cluster that send guests to another, as far as they are due.
    fn let_depart(&self, from: usize) {
        loop {
            let Some((upid, departure, doomed)) = self.settled(from).tasks.next_departure(now()) else { return };
            let (vmid, to) = (departure.vmid, departure.far.cluster);
            if from == to {
                let mut here = self.settled(from);
                release(&mut here, &vmid.to_string());
                here.tasks.finish(&upid, Err(routes::aborted(&format!("VM {vmid} already exists"))), now());
                continue;
            }
            // Two locks are always taken in the same order.
            let (mut here, mut there) = if from < to {
                let here = self.settled(from);
                (here, self.settled(to))
            } else {
                let there = self.settled(to);
                (self.settled(from), there)
            };
            let outcome = match doomed {
                Some(text) => {
                    release(&mut here, &vmid.to_string());
                    Err(text)
                }
                None => departure.carry_out(&mut here, &mut there, now()),
            };
            here.tasks.finish(&upid, outcome, now());
        }
    }

    pub(crate) fn cluster_count(&self) -> usize {
        self.clusters.len()
    }

    /// Counts a request at the node that was asked and at the one that it is sent on to.
    pub(crate) fn count(&self, door: usize, segments: &[String]) {
        let here = &self.doors[door];
        here.taken.fetch_add(1, Ordering::Relaxed);
        if let [first, name, ..] = segments
            && first == "nodes"
            && *name != here.name
            && let Some(there) = self.doors.iter().find(|door| door.cluster == here.cluster && door.name == *name)
        {
            there.passed_on.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Answers a request that came in at a door.
    ///
    /// # Errors
    /// The refusal that the real API would give.
    pub(crate) fn answer(&self, door: usize, mut request: Request) -> Answer {
        let door = &self.doors[door];
        request.far = remote::endpoint(self, &request, now());
        if request.far.is_some() {
            self.departed.store(true, Ordering::Relaxed);
        }
        let mut cluster = self.cluster(door.cluster);
        let at = now();
        let open = OPEN.contains(&(request.method.as_str(), request.path.trim_end_matches('/')));
        let caller = if open {
            None
        } else {
            let credentials = &request.credentials;
            Some(authenticate(&cluster.access, credentials, &request.method, at)?)
        };
        if request.has_body && !matches!(request.method.as_str(), "POST" | "PUT") {
            return Err(Refusal::bare(501, format!("Unexpected content for method '{}'", request.method)));
        }
        perform(&mut cluster, door.node, caller, &request, at)
    }
}

/// Carries out a request of someone who is known.
///
/// # Errors
/// The refusal that the real API would give.
pub(crate) fn perform(
    cluster: &mut Cluster,
    here: usize,
    caller: Option<Caller>,
    request: &Request,
    now: f64,
) -> Answer {
    let missing = || Refusal::not_implemented(&request.method, &request.path);
    let found = facts().find(&request.method, &request.segments).ok_or_else(missing)?;
    let params = join(&found, &request.params)?;
    cluster.access.permitted(caller.as_ref(), found.method, &params)?;
    let node = answering_node(cluster, here, &found, &params)?;
    check(found.template, found.method, &params)?;
    let handler = routes::find(&request.method, found.template).ok_or_else(|| {
        Refusal::with_message(
            501,
            format!("'{} {}' is part of the API but not of this look-alike", request.method, found.template),
        )
    })?;
    let (caller, far) = (caller.unwrap_or_else(|| Caller::user("")), request.far.clone());
    handler(&mut Call { cluster, here, node, caller, params, now, far })
}

fn join(found: &Found, sent: &Params) -> Result<Params, Refusal> {
    let mut params = found.params.clone();
    for (name, value) in sent.iter() {
        if found.params.has(name) {
            return Err(Refusal::parameter(name, "duplicate parameter (already defined in URI)"));
        }
        if name != "_dc" {
            params.set(name, value.clone());
        }
    }
    Ok(params)
}

/// The node that a call is for, where it can be reached from here.
fn answering_node(cluster: &Cluster, here: usize, found: &Found, params: &Params) -> Result<usize, Refusal> {
    let Some(name) = params.text("node").filter(|name| *name != "localhost") else {
        return Ok(here);
    };
    if found.params.has("node") || found.method.proxyto.is_some() {
        let index = cluster.node_index(name)?;
        if index != here && found.method.proxyto.is_some() && !cluster.nodes[index].up() {
            return Err(Refusal::no_route());
        }
        return Ok(index);
    }
    Ok(here)
}
