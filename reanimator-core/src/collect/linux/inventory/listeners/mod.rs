//! Collector of [`Listeners`].
//!
//! `ss` names sockets and, to root, their programs; where there is none the kernel's own tables are read, and the programs
//! are found by the numbers of their sockets. What a program belongs to is told by its control group.

mod groups;
mod kernel;
mod ss;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests;

use std::net::IpAddr;

use super::{Answers, Question};
use crate::model::{
    Unseen,
    facts::{
        Read,
        listeners::{Listener, Listeners, Protocol},
    },
};

const SOCKETS: &str = "listeners.sockets";

/// The most sockets that are kept.
const SOCKETS_LIMIT: usize = 512;

/// The most lines that a host sends of one table, and the most programs that are looked at.
const LINES_LIMIT: usize = 4096;
const PROGRAMS_LIMIT: usize = 256;

/// What is asked.
pub fn questions() -> Vec<Question> {
    // The fifth word of a line of `ss` and the second of the kernel's tables is where a socket waits. Sockets of the
    // kernel's tables have their state in the fourth word and their number in the tenth.
    let text = format!(
        "p=; if command -v ss >/dev/null 2>&1 && o=$($T5 ss -H -lntup 2>/dev/null); then echo @ss; \
         o=$(echo \"$o\" | head -n {LINES_LIMIT}); echo \"$o\"; \
         p=$(echo \"$o\" | grep -oE \"pid=[0-9]+\" | sort -u | head -n {PROGRAMS_LIMIT}); \
         else i=; for t in tcp udp tcp6 udp6; do [ -r /proc/net/$t ] || continue; echo @$t; \
         o=$(grep -E \"^ *[0-9]+: [0-9A-F]+:[0-9A-F]{{4}} [0-9A-F]+:0000 (0A|07) \" /proc/net/$t | head -n {LINES_LIMIT}); \
         echo \"$o\"; for n in $(echo \"$o\" | while read -r a b c d e f g h j n r; do echo $n; done | head -n {PROGRAMS_LIMIT}); \
         do [ \"$n\" = 0 ] || i=\"$i|$n\"; done; done; \
         [ -r /proc/net/tcp ] || {{ echo there is neither ss nor /proc/net/tcp >&2; exit 1; }}; \
         if [ -n \"$i\" ]; then echo @files; \
         o=$(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -E \"^/proc/|socket:.(${{i#|}}).$\" | grep -B 1 socket: | head -n {LINES_LIMIT}); \
         echo \"$o\"; p=$(echo \"$o\" | grep -oE \"^/proc/[0-9]+\" | sort -u | head -n {PROGRAMS_LIMIT}); fi; fi; \
         echo @groups; f=; n=; for q in $p; do q=/proc/${{q##*[=/]}}; f=\"$f $q/cgroup\"; n=\"$n $q/comm\"; done; \
         [ -z \"$f\" ] || grep -Hs -E \"^0::|:(name=systemd|memory|pids):\" $f; [ -z \"$n\" ] || grep -Hs . $n; exit 0"
    );
    vec![Question::new(SOCKETS, text)]
}

/// A socket as it was read, with the programs that hold it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Socket {
    listener: Listener,
    /// Numbers of processes.
    pids: Vec<u32>,
}

/// Reads the answers.
pub fn parse(answers: &Answers) -> Read<Listeners> {
    let mut read = Read::<Listeners>::default();
    let whole = answers.get(SOCKETS).filter(|answer| answer.status == Some(0));
    let text = answers.text(SOCKETS);
    let (tables, groups) = text.split_once("@groups").unwrap_or((text, ""));
    let programs = groups::read(groups);
    let (sockets, cut) = match tables.strip_prefix("@ss") {
        Some(table) => (ss::read(table), table.lines().count() > LINES_LIMIT),
        None => kernel::read(tables),
    };
    if whole.is_none() || !text.contains("@groups") {
        let why = answers.get(SOCKETS).map_or_else(|| "it was not asked".to_owned(), |answer| answer.why(answers.root));
        read.unseen.push(Unseen::new("listening sockets", why));
    }
    let hidden = sockets.iter().any(|socket| socket.pids.is_empty());
    if hidden && !answers.root {
        read.unseen.push(Unseen::new("programs of listening sockets", "needs root"));
    }
    let mut sockets: Vec<Listener> = sockets.into_iter().map(|socket| programs.name(socket)).collect();
    sockets.sort();
    sockets.dedup();
    if cut || sockets.len() > SOCKETS_LIMIT {
        read.unseen.push(Unseen::new("listening sockets", format!("only the lowest {SOCKETS_LIMIT} ports are kept")));
        sockets.truncate(SOCKETS_LIMIT);
    }
    read.facts.sockets = sockets;
    read
}

/// A socket that waits there.
fn listener(protocol: Protocol, address: IpAddr, port: u16, interface: Option<String>) -> Listener {
    let loopback = address.to_canonical().is_loopback() || interface.as_deref() == Some("lo");
    Listener { port, protocol, address: address.to_string(), interface, loopback, ..Listener::default() }
}
