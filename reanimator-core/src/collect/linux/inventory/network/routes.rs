//! Routes and name servers.

use super::{Answers, Question, plain};
use crate::model::{
    Unseen,
    facts::network::{Network, Route},
};

const ROUTES: &str = "network.routes";
const NAMES: &str = "network.names";

/// The most routes of each family that are kept.
const ROUTES_LIMIT: usize = 256;

/// The most name servers, and the most search domains, that are kept.
const NAMES_LIMIT: usize = 16;

pub(super) fn question() -> Question {
    let lines = ROUTES_LIMIT + 1;
    Question::with_tool(
        ROUTES,
        "ip",
        format!("$T5 ip route show | head -n {lines}; echo @ipv6; $T5 ip -6 route show 2>/dev/null | head -n {lines}"),
    )
}

pub(super) fn names_question() -> Question {
    Question::new(NAMES, "grep -Hs . /etc/resolv.conf /run/systemd/resolve/resolv.conf; true")
}

pub(super) fn parse(answers: &Answers, unseen: &mut Vec<Unseen>) -> Vec<Route> {
    let text = answers.said(ROUTES, "routes").unwrap_or_else(|note| {
        unseen.push(note);
        ""
    });
    let (four, six) = text.split_once("@ipv6").unwrap_or((text, ""));
    let mut routes = Vec::new();
    for (text, ipv6) in [(four, false), (six, true)] {
        let mut family = of_text(text, ipv6);
        if family.len() > ROUTES_LIMIT {
            let what = if ipv6 { "IPv6 routes" } else { "routes" };
            unseen.push(Unseen::new(what, format!("only the first {ROUTES_LIMIT} are kept")));
            family.truncate(ROUTES_LIMIT);
        }
        routes.append(&mut family);
    }
    routes
}

/// `default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.2 metric 100`. A route over several ways has a line for each
/// below its own, with `nexthop`: it becomes as many routes.
fn of_text(text: &str, ipv6: bool) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    let mut whole: Option<Route> = None;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.first() {
            Some(&"nexthop") => {
                if whole.is_none() {
                    whole = routes.pop();
                }
                if let Some(whole) = &whole {
                    routes.push(with_words(whole.clone(), &words));
                }
            }
            Some(&first) => {
                whole = None;
                // What is thrown away has the kind before the destination.
                let dropped = ["blackhole", "unreachable", "prohibit", "throw"].contains(&first);
                let destination = if dropped { words.get(1).copied().unwrap_or_default() } else { first };
                let Some(destination) = plain::clip(destination) else { continue };
                routes.push(with_words(Route { destination, ipv6, ..Route::default() }, &words));
            }
            None => {}
        }
    }
    routes
}

fn with_words(route: Route, words: &[&str]) -> Route {
    let after = |name: &str| words.windows(2).find(|pair| pair[0] == name).and_then(|pair| plain::clip(pair[1]));
    Route {
        // IPv4 over a gateway of IPv6 says `via inet6 fe80::1`.
        gateway: after("via").and_then(|word| if word == "inet6" { after("inet6") } else { Some(word) }),
        interface: after("dev"),
        metric: after("metric").and_then(|metric| metric.parse().ok()).or(route.metric),
        protocol: after("proto").or(route.protocol),
        source: after("src").or(route.source),
        ..route
    }
}

/// The servers of `/etc/resolv.conf`; where that names only a stub of systemd-resolved, those that it asks in turn.
pub(super) fn parse_names(answers: &Answers, facts: &mut Network, unseen: &mut Vec<Unseen>) {
    let text = answers.said(NAMES, "name servers").unwrap_or_else(|note| {
        unseen.push(note);
        ""
    });
    let (servers, domains) = of_file(text, "/etc/resolv.conf:");
    let (behind, domains_behind) = of_file(text, "/run/systemd/resolve/resolv.conf:");
    let stub = servers.iter().find(|server| matches!(server.as_str(), "127.0.0.53" | "127.0.0.54"));
    facts.local_resolver = servers.iter().find(|server| is_local(server)).cloned();
    if stub.is_some() && !behind.is_empty() {
        facts.dns_servers = behind;
        facts.search_domains = if domains.is_empty() { domains_behind } else { domains };
    } else {
        facts.dns_servers = servers;
        facts.search_domains = domains;
    }
}

fn is_local(server: &str) -> bool {
    server.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn of_file(text: &str, path: &str) -> (Vec<String>, Vec<String>) {
    let (mut servers, mut domains) = (Vec::new(), Vec::new());
    for line in text.lines().filter_map(|line| line.strip_prefix(path)) {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => servers.extend(words.next().and_then(plain::clip)),
            // The last of these lines counts.
            Some("search" | "domain") => {
                domains = words.filter_map(plain::clip).filter(|domain| domain != ".").take(NAMES_LIMIT).collect();
            }
            _ => {}
        }
    }
    servers.truncate(NAMES_LIMIT);
    (servers, domains)
}
