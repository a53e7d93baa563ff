//! Who carries an operation out: a process, named so that others on the same machine can tell whether it still lives.
//!
//! A lease ends by itself; but when a process was killed, those on its machine need not wait for that. Whoever cannot see the
//! process (another machine, another namespace of processes) believes the lease.

use std::fs;

/// This process, for the store: `process 4711 on attic, BOOT/NAMESPACE/START`.
pub(crate) fn this_process() -> String {
    let machine = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let pid = std::process::id();
    format!("process {pid} on {}, {}", machine.trim(), mark(pid).unwrap_or_else(|| uuid::Uuid::now_v7().to_string()))
}

/// Whether a process that we would see is not there any more.
pub(crate) fn is_gone(owner: &str) -> bool {
    let Some((words, its_mark)) = owner.rsplit_once(", ") else { return false };
    let pid = words.strip_prefix("process ").and_then(|rest| rest.split(' ').next()?.parse::<u32>().ok());
    let (Some(pid), Some(ours)) = (pid, mark(std::process::id())) else { return false };
    same_sight(its_mark, &ours) && mark(pid).as_deref() != Some(its_mark)
}

/// Whether two marks are of one run of one machine and of one namespace.
fn same_sight(one: &str, other: &str) -> bool {
    matches!((one.rsplit_once('/'), other.rsplit_once('/')), (Some((one, _)), Some((other, _))) if one == other)
}

/// What tells a process from all others: the run of the machine, the namespace, and when the process started.
fn mark(pid: u32) -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(format!("{}/{}/{}", boot.trim(), namespace.display(), started(&stat)?))
}

/// When a process started, in ticks since boot: the 22nd field, counted behind the name, which may hold anything.
fn started(stat: &str) -> Option<&str> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_ascii_whitespace();
    let state = fields.next()?;
    // A zombie has ended, and waits for its parent only.
    if matches!(state, "Z" | "X") { None } else { fields.nth(18) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_lives_is_not_gone_and_one_that_ended_is() {
        assert!(!is_gone(&this_process()));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        let of_child = mark(pid);
        child.wait().unwrap();
        let Some(of_child) = of_child else { return };
        assert!(is_gone(&format!("process {pid} on {}, {of_child}", "attic")));
    }

    #[test]
    fn what_cannot_be_seen_from_here_is_not_called_gone() {
        for owner in ["", "process 1 on attic, elsewhere/pid:[1]/5", "somebody", "process x on attic, a/b/c"] {
            assert!(!is_gone(owner), "{owner}");
        }
    }

    #[test]
    fn a_name_with_blanks_and_brackets_hides_no_field() {
        let stat = "42 (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20";
        assert_eq!(started(stat), Some("777"));
        assert_eq!(started(&stat.replace(" S ", " Z ")), None);
        assert_eq!(started("42"), None);
    }
}
