//! What shows that a machine is well: services that run, units that failed, ports that are listened on.
//!
//! Asked of hosts, and of guests through their nodes. Services count that systemd starts by itself: what somebody's log-in or
//! a call over its bus has started may end at any time. Ports count below those that are given out by chance.

use std::collections::BTreeSet;

use crate::model::Vitals;

/// Ports from this one on are given out by chance.
const BY_CHANCE: u32 = 32_768;
/// Ports of UDP from this one on may be those of who asks, not of who answers.
const ASKERS: u32 = 1_024;
/// The most of one kind that is taken in.
const MOST: usize = 2_000;

/// What to ask, for a POSIX shell.
pub const QUESTION: &str = r#"if systemctl list-units --state=failed --plain --no-legend --no-pager >/dev/null 2>&1; then
echo @running; systemctl list-units --type=service --state=running --plain --no-legend --no-pager 2>/dev/null
echo @enabled; systemctl list-unit-files --type=service --state=enabled,enabled-runtime --no-legend --no-pager 2>/dev/null
echo @failed; systemctl list-units --state=failed --plain --no-legend --no-pager 2>/dev/null
fi
if [ -r /proc/net/tcp ]; then
echo @tcp; cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep " 0A "
echo @udp; cat /proc/net/udp /proc/net/udp6 2>/dev/null | grep " 07 "
fi
echo @end"#;

/// Reads the answer; none where it has no end.
pub fn parse(text: &str) -> Option<Vitals> {
    let (mut running, mut enabled, mut failed, mut listeners) = (None, BTreeSet::new(), None, None);
    let mut section = "";
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('@') {
            section = name.trim();
            match section {
                "running" => running = Some(BTreeSet::new()),
                "failed" => failed = Some(BTreeSet::new()),
                "tcp" => listeners = Some(BTreeSet::new()),
                "end" => {
                    let starts_by_itself = |unit: &String| enabled.contains(unit) || enabled.contains(&template(unit));
                    let running =
                        running.map(|units: BTreeSet<String>| units.into_iter().filter(starts_by_itself).collect());
                    return Some(Vitals { running, failed, listeners });
                }
                _ => {}
            }
            continue;
        }
        match section {
            "running" => take(running.as_mut(), unit(line).filter(|_| is_running(line))),
            "enabled" => take(Some(&mut enabled), unit(line)),
            "failed" => take(failed.as_mut(), unit(line).filter(|unit| !is_of_somebody(unit))),
            "tcp" => {
                take(listeners.as_mut(), port(line).filter(|port| *port < BY_CHANCE).map(|port| format!("tcp/{port}")))
            }
            "udp" => {
                take(listeners.as_mut(), port(line).filter(|port| *port < ASKERS).map(|port| format!("udp/{port}")))
            }
            _ => {}
        }
    }
    None
}

fn take(set: Option<&mut BTreeSet<String>>, found: Option<String>) {
    if let (Some(set), Some(found)) = (set, found)
        && set.len() < MOST
    {
        set.insert(found);
    }
}

/// The unit that a line begins with; a mark before it is passed over.
fn unit(line: &str) -> Option<String> {
    let name = line.split_ascii_whitespace().find(|word| word.contains('.'))?;
    (name.len() <= 256).then(|| name.to_owned())
}

/// Whether a line says so of its unit: its name, `loaded`, `active`, `running`.
fn is_running(line: &str) -> bool {
    line.split_ascii_whitespace().nth(3) == Some("running")
}

/// `getty@.service` of `getty@tty1.service`.
fn template(unit: &str) -> String {
    match (unit.split_once('@'), unit.rsplit_once('.')) {
        (Some((name, _)), Some((_, kind))) => format!("{name}@.{kind}"),
        _ => unit.to_owned(),
    }
}

/// Units of log-ins and of our own jobs come and go.
fn is_of_somebody(unit: &str) -> bool {
    ["session-", "user@", "run-", "reanimator-"].iter().any(|start| unit.starts_with(start))
}

/// The port of the local address in a line of `/proc/net`: `0: 00000000:0016 ...`.
fn port(line: &str) -> Option<u32> {
    let address = line.split_ascii_whitespace().nth(1)?;
    u32::from_str_radix(address.rsplit_once(':')?.1, 16).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    const ANSWER: &str = "\
@running
cron.service          loaded active running Regular background program processing daemon
getty@tty1.service    loaded active running Getty on tty1
polkit.service        loaded active running Authorization Manager
nginx.service         loaded failed failed A web server
ssh.service           loaded active running OpenBSD Secure Shell server
user@0.service        loaded active running User Manager for UID 0
@enabled
cron.service   enabled enabled
getty@.service enabled enabled
nginx.service  enabled enabled
ssh.service    enabled enabled
@failed
\u{25cf} old.service    loaded failed failed Something that failed
run-u17.service   loaded failed failed /bin/false
@tcp
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20563 1 0 100 0 0 10 0
   1: 0100007F:A0B5 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20564 1 0 100 0 0 10 0
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
@udp
  82: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 20561 2 0 0
  83: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 20561 2 0 0
@end
";

    #[test]
    fn what_starts_by_itself_and_ports_that_are_not_by_chance_count() {
        let vitals = parse(ANSWER).unwrap();
        let words = |set: Option<BTreeSet<String>>| set.unwrap().into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(words(vitals.running), "cron.service getty@tty1.service ssh.service");
        assert_eq!(words(vitals.failed), "old.service");
        assert_eq!(words(vitals.listeners), "tcp/22 tcp/80 udp/53");
    }

    #[test]
    fn what_is_cut_is_no_answer_and_what_is_not_asked_is_not_seen() {
        assert_eq!(parse(&ANSWER[..ANSWER.len() - 6]), None);
        assert_eq!(parse(""), None);
        assert_eq!(parse("@end\n"), Some(Vitals::default()));
    }

    #[test]
    fn this_machine_answers_it() {
        let said = std::process::Command::new("sh").args(["-c", QUESTION]).output().unwrap();
        let vitals = parse(&String::from_utf8_lossy(&said.stdout)).unwrap();
        assert!(vitals.listeners.is_some(), "{vitals:?}");
    }
}
