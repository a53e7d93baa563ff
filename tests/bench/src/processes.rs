//! What processes cost, as the kernel counts it.

use std::{
    io::Read as _,
    ops::{Add, Sub},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::Result;

/// The kernel tells CPU times in hundredths of a second on every architecture that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// How often a running client is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// CPU time, user and system together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    /// Of the process itself.
    pub(crate) own: Duration,
    /// Of children that it has waited for, and theirs.
    pub(crate) children: Duration,
}

impl Times {
    pub(crate) fn all(self) -> Duration {
        self.own + self.children
    }
}

impl Add for Times {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { own: self.own + other.own, children: self.children + other.children }
    }
}

impl Sub for Times {
    type Output = Self;
    /// What was spent since `other`; nothing where a process went meanwhile.
    fn sub(self, other: Self) -> Self {
        Self { own: self.own.saturating_sub(other.own), children: self.children.saturating_sub(other.children) }
    }
}

/// What a process has used so far; nothing when it is gone. `self` is ours.
pub(crate) fn times(pid: &str) -> Times {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return Times::default() };
    // The name in parentheses may hold anything; after it the fields are plain.
    let fields: Vec<&str> = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|word| word.parse::<f64>().ok()).unwrap_or_default();
    let time = |user: usize| Duration::from_secs_f64((ticks(user) + ticks(user + 1)) / TICKS_PER_SECOND);
    Times { own: time(11), children: time(13) }
}

/// What several processes have used together.
pub(crate) fn times_of(pids: &[u32]) -> Times {
    pids.iter().map(|pid| times(&pid.to_string())).fold(Times::default(), Add::add)
}

/// A process and everything below it.
pub(crate) fn tree(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        found.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        next += 1;
    }
    found
}

/// The processes whose command line holds this text.
pub(crate) fn called(text: &str) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| command_line(*pid).contains(text)).collect()
}

/// A process's arguments, with blanks between them.
pub(crate) fn command_line(pid: u32) -> String {
    let bytes = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// Resident memory in KB.
pub(crate) fn resident_kb(pid: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the kernel tells no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? * 1.024)
}

/// What a client said and cost.
#[derive(Debug)]
pub(crate) struct Spent {
    pub(crate) stdout: String,
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

/// Runs a client and all its children to their end. What it prints must fit into a pipe.
///
/// # Errors
/// When it fails, or is not done in time and therefore ended.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Result<Spent> {
    let name = command.get_program().to_string_lossy().into_owned();
    let (before, began) = (times("self").children, Instant::now());
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if began.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Err(format!("{name} was not done within {limit:?}").into());
        }
        std::thread::sleep(LOOK);
    };
    let wall = began.elapsed();
    let (mut stdout, mut stderr) = (String::new(), String::new());
    if !status.success() {
        child.stderr.take().map(|mut stream| stream.read_to_string(&mut stderr)).transpose()?;
        let last = stderr.lines().last().unwrap_or_default();
        return Err(format!("{name} failed ({status}): {last}").into());
    }
    child.stdout.take().map(|mut stream| stream.read_to_string(&mut stdout)).transpose()?;
    Ok(Spent { stdout, cpu: times("self").children.saturating_sub(before), wall })
}
