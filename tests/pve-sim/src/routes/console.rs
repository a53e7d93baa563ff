//! Consoles of guests and nodes: `termproxy` gives a ticket and a port, `vncwebsocket` lets in who has them.
//!
//! The answer of a container's `termproxy` is recorded; a VM's and a node's are unrecorded and have the same shape, as
//! the description says. What a console says of a guest that does not run, or of a VM without a serial port, are the words
//! of `qm terminal` and of `lxc-console` in their published sources. That a token's console is closed before it says `OK`
//! was seen on 9.1.8.

use serde_json::{Value, json};

use super::{Call, Handler};
use crate::consoles::{Console, FIRST_PORT, LAST_PORT};
use crate::refusal::{Answer, Refusal};
use crate::state::Kind;
use crate::tasks::Ending;

/// How long a ticket waits for who has asked for it, in seconds.
const TICKET_LIFE: f64 = 10.0;

/// The handler for a path below `/nodes/{node}` or `/nodes/{node}/{qemu,lxc}/{vmid}`.
pub(super) fn find(method: &str, room: &str, below: &str) -> Option<Handler> {
    Some(match (method, room, below) {
        ("POST", "qemu", "termproxy") => |call: &mut Call<'_>| start(call, Some(Kind::Qemu)),
        ("POST", "lxc", "termproxy") => |call: &mut Call<'_>| start(call, Some(Kind::Lxc)),
        ("POST", "", "termproxy") => |call: &mut Call<'_>| start(call, None),
        ("GET", "qemu" | "lxc" | "", "vncwebsocket") => enter,
        _ => return None,
    })
}

fn start(call: &mut Call<'_>, kind: Option<Kind>) -> Answer {
    let refused = match kind {
        Some(kind) => {
            let guest = call.guest(kind)?;
            let serial = |name: &&str| guest.effective().get(*name).and_then(Value::as_str) == Some("socket");
            let wanted = call.params.text("serial");
            let port = wanted.into_iter().chain(["serial0", "serial1", "serial2", "serial3"]).find(serial);
            match (kind, guest.running.is_some(), port) {
                (Kind::Qemu, _, None) => Some("unable to find a serial interface".to_owned()),
                (Kind::Qemu, false, _) => Some(format!("VM {} not running", guest.vmid)),
                (Kind::Lxc, false, _) => Some(format!("{} is not running", guest.vmid)),
                (_, true, _) => None,
            }
        }
        None => None,
    };
    let now = call.now;
    call.cluster.consoles.retain(|_, console| console.until > now);
    let mut ports = FIRST_PORT..=LAST_PORT;
    let port = ports.find(|port| !call.cluster.consoles.contains_key(port));
    let port = port.ok_or_else(|| Refusal::died("unable to find free port (5900-5999)"))?;
    let ticket = format!("PVEVNC:{:08X}::{}", now as i64, uuid::Uuid::new_v4().simple());
    let (title, id) = match kind {
        Some(_) => ("vncproxy", call.params.vmid().to_string()),
        None => ("vncshell", String::new()),
    };
    let user = call.caller.full_name();
    let console = Console {
        name: kind.map_or_else(|| call.cluster.nodes[call.node].name.clone(), |_| id.clone()),
        user: user.clone(),
        is_token: call.caller.token.is_some(),
        ticket: ticket.clone(),
        until: now + TICKET_LIFE,
        refused,
    };
    call.cluster.consoles.insert(port, console);
    let upid = call.start_task(title, id, 1.0, Vec::new(), Box::new(|_, _| Ok(Ending::default())))?.data;
    Ok(json!({"port": port.to_string(), "ticket": ticket, "upid": upid, "user": user}).into())
}

/// Whether somebody may go in; the WebSocket itself is opened by who answers the request.
fn enter(call: &mut Call<'_>) -> Answer {
    let port = call.params.string("port").parse::<u16>().unwrap_or_default();
    let shown = call.params.text("vncticket").unwrap_or_default();
    let now = call.now;
    let known = call.cluster.consoles.get(&port).filter(|console| console.until > now);
    if known.is_none_or(|console| console.ticket != shown) {
        return Err(Refusal::unauthorized("permission denied - invalid PVEVNC ticket"));
    }
    Ok(json!({"port": port.to_string()}).into())
}
