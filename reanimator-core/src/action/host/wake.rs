//! A host that is woken by a magic packet, and waited for until it answers.
//!
//! The packet must be sent into the segment that the host is in. There are three ways: this machine, where one of its
//! interfaces is on the host's network; another node of its cluster, which knows the address that it keeps for the host
//! itself; a host with a shell that has an interface there. Each turn goes by the next of them, since who is on one
//! network by its address may be on another by its cable. A packet too many does no harm: it is begun again after a kill.

use std::{net::IpAddr, net::Ipv4Addr, sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    super::{Check, Effect, EffectName, Said},
    answer::ask,
};
use crate::{
    Error, ErrorKind, Result,
    fleet::{Fleet, HostWays, Sleeper},
    host::{LinuxHost as _, linux::LinuxMachine, pve::PveApi},
    model::{Action, HostId, facts::network::Network},
    transport::{
        Command,
        http::Request,
        probe::wake::{self, Mac, Segment},
    },
};

/// How often it is looked whether it answers.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a packet is sent meanwhile.
const SEND_EVERY: Duration = Duration::from_secs(10);
/// How long a server may take to start: its self-test alone takes minutes.
const AWAKE_WITHIN: Duration = Duration::from_secs(8 * 60);
/// How many hosts with a shell are tried.
const MOST_HELPERS: usize = 3;

/// Sends a packet with whatever a host has for it. `$1` is the hardware address, `$2` the broadcast address, `$3` the
/// interface.
const SEND: &str = r#"has() { command -v "$1" >/dev/null 2>&1; }
if has python3; then exec python3 -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
s.sendto(b"\xff" * 6 + bytes.fromhex(sys.argv[1].replace(":", "")) * 16, (sys.argv[2], 9))' "$1" "$2"
elif has perl; then exec perl -MSocket -e '
socket(my $s, PF_INET, SOCK_DGRAM, 0) or die "socket: $!\n";
setsockopt($s, SOL_SOCKET, SO_BROADCAST, 1) or die "setsockopt: $!\n";
(my $mac = $ARGV[0]) =~ tr/://d;
send($s, "\xff" x 6 . pack("H12", $mac) x 16, 0, sockaddr_in(9, inet_aton($ARGV[1]))) or die "send: $!\n";' "$1" "$2"
elif has wakeonlan; then exec wakeonlan -i "$2" -p 9 "$1"
elif has etherwake; then exec etherwake -b -i "$3" "$1"
elif has ether-wake; then exec ether-wake -b -i "$3" "$1"
elif has busybox && busybox --list | grep -qx ether-wake; then exec busybox ether-wake -b -i "$3" "$1"
else echo 'it has neither python3, perl, wakeonlan, etherwake nor ether-wake' >&2; exit 127; fi
"#;

/// The waking of one host.
pub(super) struct WakeEffect {
    fleet: Fleet,
    ways: HostWays,
    through: Option<HostId>,
    name: EffectName,
}

/// A way to have a packet sent.
#[derive(Clone, Debug)]
enum Sender {
    /// From this machine.
    Here(Segment),
    /// By a node of its cluster, which knows its hardware address.
    Node { api: Arc<dyn PveApi>, node: String, target: String },
    /// By a host with a shell.
    Host { name: String, machine: Arc<LinuxMachine>, segment: Segment },
}

/// How a packet can be sent, and why not otherwise.
#[derive(Debug, Default)]
struct Senders {
    macs: Vec<Mac>,
    found: Vec<Sender>,
    why_not: Vec<String>,
}

impl Sender {
    fn words(&self, macs: &[Mac]) -> String {
        let macs: Vec<String> = macs.iter().map(ToString::to_string).collect();
        let packet = format!("magic packet to {}", macs.join(", "));
        match self {
            Self::Here(segment) => format!("{packet} from this machine by {segment}"),
            Self::Node { node, target, .. } => format!("POST /nodes/{target}/wakeonlan (at {node})"),
            Self::Host { name, segment, .. } => format!("{packet} from {name} by {segment}"),
        }
    }

    async fn send(&self, macs: &[Mac]) -> Result<()> {
        match self {
            Self::Here(segment) => {
                for mac in macs {
                    wake::send(*mac, segment).await?;
                }
                Ok(())
            }
            Self::Node { api, node, target } => {
                let request = Request::post(["nodes", target, "wakeonlan"]).ask_at(node);
                api.call(request).await.map(drop).map_err(|error| match error.kind() {
                    ErrorKind::Invalid => error.next(format!(
                        "give {target} its address on its page in Proxmox, under Options, while it is up; or wake it through a host"
                    )),
                    _ => error,
                })
            }
            Self::Host { name, machine, segment } => {
                for mac in macs {
                    let (mac, to) = (mac.to_string(), segment.broadcast().to_string());
                    let words = ["sh", "-c", SEND, "sh", &mac, &to, &segment.interface];
                    let output = machine.run(Command::argv(words).become_root(machine.root())).await?;
                    if !output.success() {
                        return Err(Error::new(ErrorKind::Conflict, format!("send a magic packet to {mac}"))
                            .on(name.clone())
                            .because(output.stderr.text().trim().to_owned())
                            .next("install one of them there, or wake it through another host"));
                    }
                }
                Ok(())
            }
        }
    }
}

impl WakeEffect {
    pub(super) async fn new(fleet: &Fleet, id: &HostId, through: Option<&HostId>, name: &EffectName) -> Result<Self> {
        let ways = fleet.host_ways(id).await?;
        Ok(Self { fleet: fleet.clone(), ways, through: through.cloned(), name: name.clone() })
    }

    /// All ways to send a packet to it, the shortest first.
    async fn senders(&self) -> Result<Senders> {
        let sleeper = self.fleet.sleeper(&self.ways.id).await?;
        let addresses = addresses(&sleeper).await;
        let mut senders =
            Senders { macs: sleeper.macs.iter().filter_map(|mac| mac.parse().ok()).collect(), ..Senders::default() };
        let all = self.fleet.all_ways().await?;
        let chosen: Vec<&HostWays> = match &self.through {
            None => all.iter().filter(|other| other.id != self.ways.id && !other.is_silent).collect(),
            Some(id) => all.iter().filter(|other| other.id == *id && other.id != self.ways.id).collect(),
        };
        let here = self.through.is_none() || chosen.iter().any(|host| host.is_this_machine);
        if senders.macs.is_empty() {
            senders.why_not.push("its hardware address is not known, as it is once it was seen while it was up".into());
        } else if here {
            self.send_from_here(&addresses, &mut senders).await?;
        }
        self.by_node(&chosen, &mut senders);
        if !senders.macs.is_empty() {
            self.by_hosts(&chosen, &addresses, &mut senders).await?;
        }
        Ok(senders)
    }

    async fn send_from_here(&self, addresses: &[Ipv4Addr], senders: &mut Senders) -> Result<()> {
        let segments = wake::segments().await?;
        match segments.into_iter().find(|segment| addresses.iter().any(|address| segment.holds(*address))) {
            Some(segment) => senders.found.push(Sender::Here(segment)),
            None => senders.why_not.push("this machine has no interface on its network".into()),
        }
        Ok(())
    }

    /// A node of its cluster, where it is one itself.
    fn by_node(&self, chosen: &[&HostWays], senders: &mut Senders) {
        let Some(own) = &self.ways.node else { return };
        let other =
            chosen.iter().filter_map(|host| host.node.as_ref()).find(|other| other.connection == own.connection);
        match other {
            Some(other) => senders.found.push(Sender::Node {
                api: other.api.clone(),
                node: other.name.clone(),
                target: own.name.clone(),
            }),
            None => senders.why_not.push("no other node of its cluster answers".into()),
        }
    }

    async fn by_hosts(&self, chosen: &[&HostWays], addresses: &[Ipv4Addr], senders: &mut Senders) -> Result<()> {
        let mut found = Vec::new();
        for host in chosen.iter().filter(|host| !host.is_this_machine) {
            let Some(machine) = host.machine.clone().filter(|_| found.len() < MOST_HELPERS) else { continue };
            let mut facts = self.fleet.facts(host.id.as_str()).await?;
            if facts.network.is_none() && self.through.is_some() {
                // Who was chosen may be new in the fleet.
                facts = self.fleet.refresh_facts(host.id.as_str()).await?;
            }
            let network = facts.network.map(|dated| dated.facts).unwrap_or_default();
            if let Some(segment) = segment_of(&network, addresses) {
                found.push(Sender::Host { name: host.name.clone(), machine, segment });
            }
        }
        if found.is_empty() {
            senders.why_not.push("no host with a shell is known to have an interface on its network".into());
        }
        senders.found.append(&mut found);
        Ok(())
    }

    fn failed(&self, cause: impl Into<String>, next: &str) -> Error {
        Error::new(ErrorKind::Conflict, format!("wake host {}", self.ways.name)).because(cause).next(next)
    }

    /// Sends by the first way that takes it, from `from` on; gives the way's place.
    async fn send(&self, senders: &Senders, from: usize) -> Result<usize> {
        let mut errors = Vec::new();
        for turn in 0..senders.found.len() {
            let place = (from + turn) % senders.found.len();
            match senders.found[place].send(&senders.macs).await {
                Ok(()) => return Ok(place),
                Err(error) => errors.push(error),
            }
        }
        let next = errors.first().and_then(Error::next_step).unwrap_or("wake it by hand").to_owned();
        let causes: Vec<String> = errors.iter().map(crate::message).chain(senders.why_not.iter().cloned()).collect();
        Err(self.failed(causes.join("; "), &next))
    }
}

#[async_trait]
impl Effect for WakeEffect {
    async fn check(&self) -> Result<Check> {
        if ask(&self.ways, &self.name).await.is_up() {
            return Ok(Check::Already("it answers already".to_owned()));
        }
        let senders = self.senders().await?;
        let Some(first) = senders.found.first() else {
            return Ok(Check::Refused(vec![format!(
                "{} cannot be woken: {}. Next: name a host on its network (`--through`), or wake it by hand",
                self.ways.name,
                senders.why_not.join("; ")
            )]));
        };
        Ok(Check::Ready { before: json!({}), calls: vec![first.words(&senders.macs)] })
    }

    async fn begin(&self, _before: &Value) -> Result<String> {
        let senders = self.senders().await?;
        let place = self.send(&senders, 0).await?;
        Ok(senders.found[place].words(&senders.macs))
    }

    async fn find(&self, _before: &Value) -> Result<Option<String>> {
        Ok(None)
    }

    async fn follow(&self, handle: &str, said: &(dyn Said + Sync)) -> Result<()> {
        said.line(handle).await;
        let (began, mut sent, mut next) = (Instant::now(), Instant::now(), 1);
        loop {
            if ask(&self.ways, &self.name).await.is_up() {
                said.line("it answers").await;
                return Ok(());
            }
            if began.elapsed() > AWAKE_WITHIN {
                return Err(self.failed(
                    format!("it does not answer after {} minutes", AWAKE_WITHIN.as_secs() / 60),
                    "check that wake-on-LAN is switched on in its firmware and for its network card (`ethtool`)",
                ));
            }
            if sent.elapsed() > SEND_EVERY {
                let senders = self.senders().await?;
                match self.send(&senders, next).await {
                    Ok(place) => {
                        said.line(&senders.found[place].words(&senders.macs)).await;
                        next = place + 1;
                    }
                    Err(error) => said.line(&crate::message(&error)).await,
                }
                sent = Instant::now();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn confirm(&self, _before: &Value) -> Result<String> {
        let answer = ask(&self.ways, &self.name).await;
        if answer.is_up() {
            return Ok("it answers".to_owned());
        }
        let silence = || self.failed("it does not answer", "look at its console");
        Err(answer.error().unwrap_or_else(silence).renamed(self.ways.name.clone()))
    }

    fn undo(&self, _before: &Value) -> Option<Action> {
        None
    }
}

/// The IPv4 addresses that lead to a host that sleeps.
async fn addresses(sleeper: &Sleeper) -> Vec<Ipv4Addr> {
    let known = sleeper.addresses.iter().filter_map(|each| if let IpAddr::V4(ip) = each { Some(*ip) } else { None });
    let mut all: Vec<Ipv4Addr> = known.collect();
    if let Some(name) = &sleeper.dns_name {
        all.extend(wake::addresses_of(name).await);
    }
    all
}

/// The first network of a host that one of some addresses is in.
fn segment_of(network: &Network, addresses: &[Ipv4Addr]) -> Option<Segment> {
    // In a container its only one is the end of a cable to the machine below.
    let own = network.interfaces.iter().flat_map(|interface| {
        interface.ipv4().filter_map(|each| match each.address {
            IpAddr::V4(ip) => Segment::of(&interface.name, ip, each.prefix),
            IpAddr::V6(_) => None,
        })
    });
    let mut all: Vec<Segment> = own.collect();
    all.sort_by_key(|segment| std::cmp::Reverse(segment.prefix));
    all.into_iter().find(|segment| addresses.iter().any(|address| segment.holds(*address)))
}
