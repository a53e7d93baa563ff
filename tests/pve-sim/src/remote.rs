//! Guests on their way to another simulated cluster.
//!
//! Unrecorded; the order of the steps and the refusals are those of the API's description and its source. The endpoint is
//! looked at when the task is asked for. Whether the guest is let in there is found when the task ends: as with the real
//! one, whose tunnel asks for it.

use serde_json::{Value, json};

use crate::access::Caller;
use crate::login::{Credentials, authenticate};
use crate::refusal::Refusal;
use crate::routes::{aborted, put_disk, start_guest, takes_disks};
use crate::state::{Cluster, Guest, Kind};
use crate::tasks::{Ending, Outcome};
use crate::world::{Request, World};

/// A node of another cluster, logged in to.
#[derive(Clone)]
pub(crate) struct Far {
    pub(crate) cluster: usize,
    pub(crate) node: usize,
    pub(crate) node_name: String,
    pub(crate) address: String,
    caller: Caller,
}

/// A guest that is to go there.
pub(crate) struct Departure {
    pub(crate) far: Far,
    /// Its number here, and there.
    pub(crate) vmid: u32,
    pub(crate) far_vmid: u32,
    pub(crate) storage: String,
    pub(crate) bridge: String,
    /// Whether it is deleted here.
    pub(crate) delete: bool,
    /// Whether a container is started again.
    pub(crate) restart: bool,
}

/// Looks at the endpoint of a request for a remote migration; None where it is another request.
pub(crate) fn endpoint(world: &World, request: &Request, now: f64) -> Option<Result<Far, Refusal>> {
    let is_it = request.method == "POST" && request.segments.last().is_some_and(|last| last == "remote_migrate");
    let text = is_it.then(|| request.params.text("target-endpoint")).flatten()?;
    Some(log_in(world, text, now))
}

fn log_in(world: &World, text: &str, now: f64) -> Result<Far, Refusal> {
    let part = |name: &str| {
        let parts = text.split(',').filter_map(|part| part.split_once('='));
        parts.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).next()
    };
    for name in ["apitoken", "host"] {
        if part(name).is_none() {
            let why = format!("invalid format - format error\n{name}: property is missing and it is not optional\n");
            return Err(Refusal::parameter("target-endpoint", why));
        }
    }
    let host = part("host").unwrap_or_default();
    let port = part("port").unwrap_or_else(|| "8006".to_owned());
    let address = format!("{host}:{port}");
    let unreachable = || Refusal::died(format!("500 Can't connect to {address} (Connection refused)"));
    let door = world.doors.iter().find(|door| door.address == address).ok_or_else(unreachable)?;
    let cluster = world.cluster(door.cluster);
    let node = &cluster.nodes[door.node];
    if !node.up() {
        return Err(unreachable());
    }
    // Nobody's own authority is known to the other cluster.
    if part("fingerprint").is_none_or(|shown| !shown.eq_ignore_ascii_case(&node.fingerprint)) {
        return Err(Refusal::died(format!("500 Can't connect to {address} (certificate verify failed)")));
    }
    let credentials = Credentials { authorization: part("apitoken"), ..Credentials::default() };
    let caller = authenticate(&cluster.access, &credentials, "GET", now)
        .map_err(|refusal| Refusal::died(format!("401 {}", refusal.reason)))?;
    Ok(Far { cluster: door.cluster, node: door.node, node_name: node.name.clone(), address, caller })
}

impl Departure {
    /// Ends it: the guest is there, or where it was.
    pub(crate) fn carry_out(self, here: &mut Cluster, there: &mut Cluster, now: f64) -> Outcome {
        let guest = here.guests.get(&self.vmid).ok_or_else(|| aborted("it is gone"))?;
        let arrival = self.let_in(guest, there).map_err(|why| {
            // Here it is as it was.
            aborted(&why)
        });
        let arrival = match arrival {
            Ok(arrival) => arrival,
            Err(text) => {
                unlock(here, self.vmid);
                return Err(text);
            }
        };
        let log = vec![
            format!("remote: started tunnel worker on {}", self.far.node_name),
            format!("guest {} arrived as {}", self.vmid, self.far_vmid),
            "migration finished successfully (duration 00:00:06)".to_owned(),
        ];
        there.guests.insert(self.far_vmid, arrival);
        if self.restart
            && let Some(guest) = there.guests.get_mut(&self.far_vmid)
        {
            let pid = there.tasks.new_pid();
            start_guest(guest, pid, now);
        }
        if self.delete {
            here.guests.remove(&self.vmid);
        } else if let Some(guest) = here.guests.get_mut(&self.vmid) {
            // It stays locked, so that nobody starts it beside the other by mistake.
            guest.running = None;
        }
        Ok(Ending { log, warnings: 0 })
    }

    /// The guest as it is there; else why it is not let in.
    fn let_in(&self, guest: &Guest, there: &Cluster) -> Result<Guest, String> {
        let (vmid, far) = (self.far_vmid, &self.far);
        if !there.nodes[far.node].up() {
            return Err(format!("500 Can't connect to {} (No route to host)", far.address));
        }
        if !there.quorate() {
            return Err("cluster not ready - no quorum?".to_owned());
        }
        for (path, privilege) in [
            (format!("/vms/{vmid}"), "VM.Allocate"),
            ("/".to_owned(), "Sys.Incoming"),
            (format!("/storage/{}", self.storage), "Datastore.AllocateSpace"),
            (format!("/sdn/zones/localnetwork/{}", self.bridge), "SDN.Use"),
        ] {
            if !far.caller.is_root() && !there.access.has_any(&far.caller, &path, &[privilege]) {
                return Err(format!("403 Permission check failed ({path}, {privilege})"));
            }
        }
        if there.guests.contains_key(&vmid) {
            return Err(format!("VM {vmid} already exists"));
        }
        takes_disks(there, &self.storage, far.node, guest.kind)?;
        if self.bridge != "vmbr0" {
            return Err(format!("bridge '{}' does not exist", self.bridge));
        }
        Ok(self.as_it_is_there(guest))
    }

    fn as_it_is_there(&self, guest: &Guest) -> Guest {
        let mut arrival = guest.clone();
        arrival.vmid = self.far_vmid;
        arrival.node = self.far.node;
        arrival.lock = None;
        arrival.pool = None;
        // For now it comes without them.
        arrival.snapshots.clear();
        let (old, new) = (format!("-{}-disk", guest.vmid), format!("-{}-disk", self.far_vmid));
        for (key, volume, _) in guest.disks() {
            put_disk(&mut arrival, &key, &volume, &self.storage);
        }
        let change = |config: &mut serde_json::Map<String, Value>| {
            for (key, value) in config.iter_mut() {
                let Some(text) = value.as_str() else { continue };
                let changed =
                    if key.starts_with("net") { bridged(text, &self.bridge) } else { text.replace(&old, &new) };
                *value = json!(changed);
            }
        };
        change(&mut arrival.config);
        if let Some(running) = &mut arrival.running {
            change(&mut running.live);
        }
        arrival
    }
}

/// A network card on another bridge.
fn bridged(card: &str, bridge: &str) -> String {
    let part = |part: &str| if part.starts_with("bridge=") { format!("bridge={bridge}") } else { part.to_owned() };
    card.split(',').map(part).collect::<Vec<_>>().join(",")
}

fn unlock(cluster: &mut Cluster, vmid: u32) {
    if let Some(guest) = cluster.guests.get_mut(&vmid) {
        guest.lock = None;
    }
}

/// With what the log of one begins.
pub(crate) fn first_line(kind: Kind, vmid: u32, far: &Far) -> String {
    format!("starting migration of {} {vmid} to node '{}' ({})", kind.title(), far.node_name, far.address)
}
