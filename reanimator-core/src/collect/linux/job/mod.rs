//! Work that goes on by itself on a host: what is sent to start it, look at it, stop it and forget it, and how the answer
//! is read.
//!
//! A job has a name, and a directory of that name on the host: its body, what it said, and how it ended. It runs under
//! systemd where we are root there (a transient unit, with limits), else under `setsid`. In both cases `run.sh` carries
//! it out, which claims the name by a hard link first: however often a job is started, it runs once.
//!
//! What it says goes to a file through a `cat` whose files are limited (`ulimit -f`), not to the journal: the limit is
//! exact and the job's own, other programs lose nothing by it, and a place in it can be gone back to. What comes after is
//! thrown away, and a job that writes without end is ended by a closed pipe.
//!
//! `REANIMATOR_JOBS` in the environment of a shell names another directory for them than `/var/lib/reanimator-jobs`; the
//! look-alike of a cluster has its machines so.
//!
//! Nothing of a job but its interpreter stands on a command line: body and environment come over standard input.

use std::{collections::BTreeMap, time::Duration};

use crate::{Error, ErrorKind, Result, transport::quote};

const START: &str = include_str!("start.sh");
const RUN: &str = include_str!("run.sh");
const LOOK: &str = include_str!("look.sh");
const STOP: &str = include_str!("stop.sh");
const FORGET: &str = include_str!("forget.sh");

/// Asks whether limits can be kept: `yes`, or what is missing.
pub const LIMITS: &str = "if [ \"$(id -u)\" != 0 ]; then echo account; \
     elif [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then echo yes; else echo systemd; fi";

/// How much of what a job wrote one look brings along.
pub const CHUNK: u64 = 64 * 1024;

/// How much a job may write beyond what is kept before it is ended.
const ENDLESS: u64 = 64 << 20;

/// How long a body may be.
const LONGEST_BODY: usize = 256 * 1024;

/// How much the environment may hold: Linux takes no string beyond 128 KiB.
const LONGEST_VALUE: usize = 100 * 1024;

/// Processes that carry a job out, beside its own.
const OWN_TASKS: u32 = 10;

/// How long systemd waits beyond the limit: the job is ended by its own watchdog, with a word of why.
const GRACE: Duration = Duration::from_secs(30);

/// Variables that a shell does not let be set.
const READ_ONLY: [&str; 8] =
    ["UID", "EUID", "PPID", "GROUPS", "SHELLOPTS", "BASHOPTS", "BASH_VERSINFO", "REANIMATOR_BODY"];

/// What a job is: what runs, as whom, with which limits.
///
/// ```
/// use reanimator_core::collect::linux::job::JobSpec;
/// let spec = JobSpec::new("reanimator-o1-0", "echo \"hello $WHOM\"").variable("WHOM", "$(reboot); it's me");
/// assert!(spec.start(None).is_ok());
/// assert!(JobSpec::new("../etc", "true").start(None).is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct JobSpec {
    /// What it is called: a letter, then letters, digits, `-` and `_`, up to 100. It is found again by this.
    pub name: String,
    /// The text that the interpreter runs.
    pub body: String,
    /// The program that runs the body, with its arguments. Defaults to `/bin/sh`.
    pub interpreter: Vec<String>,
    /// Its environment, beside `PATH` and `HOME`. It stands on no command line, and is gone from the host once it runs.
    pub environment: BTreeMap<String, String>,
    /// After how long it is ended. Defaults to an hour.
    pub time_limit: Duration,
    /// How much of what it writes is kept. Defaults to 1 MiB; the rest is thrown away.
    pub output_limit: u64,
    /// How many bytes of memory it may take. Defaults to no limit; takes systemd and root.
    pub memory_limit: Option<u64>,
    /// How many processes and threads it may have. Defaults to no limit; takes systemd and root.
    pub tasks_limit: Option<u32>,
    /// As which user it runs. Defaults to root, or whoever we are there; another takes root.
    pub user: Option<String>,
    /// Whether `/usr`, `/boot` and `/etc` are read-only to it. Takes systemd and root.
    pub protect_system: bool,
}

/// The values of an environment may be secret.
impl std::fmt::Debug for JobSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&String> = self.environment.keys().collect();
        f.debug_struct("JobSpec").field("name", &self.name).field("environment", &names).finish_non_exhaustive()
    }
}

impl JobSpec {
    /// A job of a shell script, with the limits that are usual.
    pub fn new(name: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            body: body.into(),
            interpreter: vec!["/bin/sh".into()],
            environment: BTreeMap::new(),
            time_limit: Duration::from_secs(3600),
            output_limit: 1 << 20,
            memory_limit: None,
            tasks_limit: None,
            user: None,
            protect_system: false,
        }
    }

    /// With one more variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Ended after this long.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// What a shell reads over its standard input to start it; `base` in place of the usual directory of jobs.
    ///
    /// # Errors
    /// `Invalid` for what no host could take: a strange name, a NUL, too much.
    pub fn start(&self, base: Option<&str>) -> Result<String> {
        self.check()?;
        let environment: String =
            self.environment.iter().map(|(name, value)| format!("export {name}={}\n", quoted(value))).collect();
        let mut words = vec![
            base.unwrap_or_default().to_owned(),
            self.name.clone(),
            self.time_limit.as_secs().max(1).to_string(),
            // Blocks of 512 bytes, as POSIX has it.
            self.output_limit.div_ceil(512).max(1).to_string(),
            ENDLESS.to_string(),
            self.user.clone().unwrap_or_default(),
            format!("exec {} \"$REANIMATOR_BODY\"", quote::join(&self.interpreter)),
            self.body.clone(),
            environment,
            RUN.to_owned(),
            self.needs().join(" and "),
        ];
        words.extend(self.properties());
        // Whole before anything of it is done: a connection that breaks leaves half a function, which never runs.
        Ok(format!("{START}start {}\n", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")))
    }

    /// What it asks of systemd.
    pub fn properties(&self) -> Vec<String> {
        let seconds = (self.time_limit + GRACE).as_secs();
        let mut properties = vec![format!("RuntimeMaxSec={seconds}"), "TimeoutStopSec=10".to_owned()];
        if let Some(bytes) = self.memory_limit {
            properties.extend([format!("MemoryMax={bytes}"), "MemorySwapMax=0".to_owned()]);
        }
        if let Some(tasks) = self.tasks_limit {
            properties.push(format!("TasksMax={}", tasks.saturating_add(OWN_TASKS)));
        }
        if self.protect_system {
            properties.push("ProtectSystem=full".to_owned());
        }
        properties.into_iter().map(|property| format!("--property={property}")).collect()
    }

    /// Whether it has limits that only systemd keeps.
    pub fn needs_systemd(&self) -> bool {
        !self.needs().is_empty()
    }

    fn needs(&self) -> Vec<&'static str> {
        let wanted = [
            (self.memory_limit.is_some(), "its limit of memory"),
            (self.tasks_limit.is_some(), "its limit of processes"),
            (self.protect_system, "it away from the system's files"),
        ];
        wanted.into_iter().filter(|(wanted, _)| *wanted).map(|(_, what)| what).collect()
    }

    fn check(&self) -> Result<()> {
        let refuse =
            |cause: String| Err(Error::new(ErrorKind::Invalid, format!("start the job {}", self.name)).because(cause));
        if !is_name(&self.name) {
            return refuse("its name may hold letters, digits, - and _, up to 100".into());
        }
        if let Some(user) = self.user.as_ref().filter(|user| !is_user(user)) {
            return refuse(format!("{user:?} is no name of a user"));
        }
        if self.body.len() > LONGEST_BODY {
            return refuse(format!("its text is longer than {LONGEST_BODY} bytes"));
        }
        if self.interpreter.first().is_none_or(String::is_empty) {
            return refuse("no program is named that runs it".into());
        }
        let strange = |name: &&String| !is_variable(name) || READ_ONLY.contains(&name.as_str());
        if let Some(name) = self.environment.keys().find(strange) {
            return refuse(format!("{name:?} cannot be the name of a variable"));
        }
        if self.environment.values().map(String::len).sum::<usize>() > LONGEST_VALUE {
            return refuse(format!("it is given more than {LONGEST_VALUE} bytes"));
        }
        let texts = self.environment.values().chain(&self.interpreter).chain([&self.body]);
        if texts.into_iter().any(|text| text.contains('\0')) {
            return refuse("a NUL is in it, which no shell takes".into());
        }
        Ok(())
    }
}

/// In single quotes, whatever it is: also empty.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Whether it can be the name of a job: a letter, then letters, digits, `-` and `_`, up to 100.
fn is_name(name: &str) -> bool {
    name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Whether it can be the name of a variable.
pub fn is_variable(name: &str) -> bool {
    name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether it can be the name of a user of Linux.
pub fn is_user(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// The text that looks at a job, and brings what it wrote from a place on; without one, from where it was last looked.
pub fn look(base: Option<&str>, name: &str, from: Option<u64>) -> Result<String> {
    let from = from.map_or_else(|| "-".to_owned(), |from| from.to_string());
    with(LOOK, &[base.unwrap_or_default(), named(name)?, &from, &CHUNK.to_string()])
}

/// The text that stops a job.
pub fn stop(base: Option<&str>, name: &str) -> Result<String> {
    with(STOP, &[base.unwrap_or_default(), named(name)?])
}

/// The text that forgets a job.
pub fn forget(base: Option<&str>, name: &str) -> Result<String> {
    with(FORGET, &[base.unwrap_or_default(), named(name)?])
}

fn named(name: &str) -> Result<&str> {
    if is_name(name) {
        return Ok(name);
    }
    Err(Error::new(ErrorKind::Invalid, format!("find the job {name:?}")).because("no job can be called that"))
}

fn with(script: &str, words: &[&str]) -> Result<String> {
    Ok(format!("set -- {}\n{script}", quote::join(words)))
}

/// What a start came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// It has begun now.
    Now,
    /// It had begun before; nothing was done.
    Before,
}

/// What starting a job said.
pub fn started(text: &str) -> Option<Started> {
    text.lines().rev().find_map(|line| match line {
        "@begun" => Some(Started::Now),
        "@there" => Some(Started::Before),
        _ => None,
    })
}

/// How a job stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Whether it goes on.
    pub state: JobState,
    /// From which place on what it wrote is in `output`.
    pub from: u64,
    /// What it wrote from there on, up to [`CHUNK`].
    pub output: Vec<u8>,
    /// How much of what it wrote is kept until now.
    pub size: u64,
    /// Whether it wrote more than is kept.
    pub cut: bool,
}

/// Whether a job goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum JobState {
    /// It has not begun, or nobody knows of it any more.
    #[default]
    Absent,
    /// It goes on.
    Running,
    /// It ended.
    Ended(JobEnd),
    /// It is not there any more, and nobody noted how it ended.
    Unknown {
        /// Whether the host was started anew meanwhile.
        rebooted: bool,
    },
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobEnd {
    /// The status that its shell gave: 128 and more for a signal; none where that was ended too.
    pub status: Option<u32>,
    /// What ended it.
    pub why: JobEndReason,
    /// When, in seconds since 1970 by the host's clock.
    pub at: Option<i64>,
}

/// What ended a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEndReason {
    /// It came to its end.
    Itself,
    /// Its limit of time.
    Time,
    /// Its limit of memory.
    Memory,
    /// Somebody stopped it.
    Stopped,
}

impl JobEnd {
    /// Whether it came to its end with status 0.
    pub const fn is_well(&self) -> bool {
        matches!(self, Self { status: Some(0), why: JobEndReason::Itself, .. })
    }

    /// How, for people: `status 3`, `signal 9 (KILL)`, `more memory than it may take`.
    pub fn words(&self) -> String {
        match (self.why, self.status) {
            (JobEndReason::Time, _) => "it took longer than it may, and was ended".to_owned(),
            (JobEndReason::Memory, _) => "it took more memory than it may, and was ended".to_owned(),
            (JobEndReason::Stopped, _) => "it was stopped".to_owned(),
            (JobEndReason::Itself, None) => "it ended, and nobody noted how".to_owned(),
            (JobEndReason::Itself, Some(status @ 129..=192)) => {
                let number = status - 128;
                let name = match number {
                    6 => " (ABRT)",
                    9 => " (KILL)",
                    11 => " (SEGV)",
                    13 => " (PIPE: it wrote without end)",
                    15 => " (TERM)",
                    _ => "",
                };
                format!("it ended by signal {number}{name}")
            }
            (JobEndReason::Itself, Some(status)) => format!("it ended with status {status}"),
        }
    }
}

/// Reads what looking at a job said; none where that stops half-way.
pub fn parse(bytes: &[u8]) -> Option<Look> {
    const MARK: &[u8] = b"@log\n";
    let at = bytes.windows(MARK.len()).position(|window| window == MARK);
    let (head, output) = match at {
        Some(at) => (&bytes[..at], &bytes[at + MARK.len()..]),
        None => (bytes, [].as_slice()),
    };
    let head = String::from_utf8_lossy(head);
    let lines: Vec<&str> = head.lines().collect();
    if lines.contains(&"absent") {
        return Some(Look::default());
    }
    at?;
    let value = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name));
    let number = |name: &str| value(name).and_then(|text| text.trim().parse::<u64>().ok());
    Some(Look {
        state: state(&lines, value("exit "), value("why ")),
        from: number("from ")?,
        output: output.to_vec(),
        size: number("size ").unwrap_or_default(),
        cut: lines.contains(&"cut"),
    })
}

fn state(lines: &[&str], exit: Option<&str>, why: Option<&str>) -> JobState {
    let has = |line: &str| lines.contains(&line);
    let mut exit = exit.unwrap_or_default().split(' ');
    let status = exit.next().and_then(|text| text.parse().ok());
    let at = exit.next().and_then(|text| text.parse().ok());
    let reason = match why {
        Some("timeout") => Some(JobEndReason::Time),
        Some("memory") => Some(JobEndReason::Memory),
        Some("stopped") => Some(JobEndReason::Stopped),
        _ if has("Result=oom-kill") => Some(JobEndReason::Memory),
        _ if has("Result=timeout") => Some(JobEndReason::Time),
        _ => None,
    };
    if !has("claimed") {
        return JobState::Absent;
    }
    if status.is_some() {
        return JobState::Ended(JobEnd { status, why: reason.unwrap_or(JobEndReason::Itself), at });
    }
    if has("rebooted") {
        return JobState::Unknown { rebooted: true };
    }
    if has("lives") || has("ActiveState=deactivating") {
        return JobState::Running;
    }
    match reason {
        Some(why) => JobState::Ended(JobEnd { status: None, why, at: None }),
        None => JobState::Unknown { rebooted: false },
    }
}

#[cfg(test)]
mod tests;
