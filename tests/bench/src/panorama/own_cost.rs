//! What being watched costs a Linux host: this machine's own shell is asked just what a host is asked.
//!
//! The SSH server's part is not in it: see `tick_sshd_cpu`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use reanimator_core::{
    collect::linux::{
        inventory::{
            Question, ask::answers, containers, disks, hardware, listeners, network, script, sensors, system, updates,
        },
        watch,
    },
    model::facts::Section,
};

use crate::{
    Result, processes,
    report::{Report, milliseconds, say},
};

/// Looks at figures, as many as two hours have, in one go.
const TICKS: u64 = 720;
const TICKS_PER_MINUTE: f64 = 6.0;
const SAMPLES: usize = 5;
const LIMIT: Duration = Duration::from_secs(120);

/// What somebody would have who wants the same figures from a timer.
const PEER: &str = "`free; df; ps aux` from a shell each 10 s";

/// Asks this machine, and shares the CPU time out over the hour.
pub(crate) fn measure(report: &mut Report) -> Result<()> {
    let tick = tick()?;
    let (mut each_minute, mut each_quarter, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    let (first, recount) = ask(&updates::questions())?;
    let (first, now) = (answers(&first), Timestamp::now());
    let mut known = updates::parse(&first);
    updates::carry_over(&first, &mut known, None, now);
    let quarter = || {
        let after = updates::questions_after(Some(&known.facts), now);
        let all = [hardware::questions(), disks::questions(), network::questions(), after];
        let slow = [sensors::slow_questions(), system::slow_questions(None)];
        all.into_iter().chain(slow).flatten().collect::<Vec<Question>>()
    };
    // What is asked but every six hours, and packages counted anew.
    let rarely = recount + ask(&containers::slow_questions())?.1;
    let per_minute = rarely.div_f64(updates::RECOUNT_AFTER.as_secs_f64() / 60.0);
    let minute =
        || [sensors::questions(), system::questions(), containers::questions(), listeners::questions()].concat();
    for _ in 0..SAMPLES {
        each_minute.push(ask(&minute())?.1);
        each_quarter.push(ask(&quarter())?.1);
        peer.push(spent("free; df; ps aux")?);
    }
    let minutes = Section::Hardware.every().as_secs_f64() / Section::Sensors.every().as_secs_f64();
    let share = |per_minute: Duration| per_minute.as_secs_f64() / 60.0 * 100.0;
    let whole = each_minute.iter().zip(&each_quarter);
    let shares: Vec<f64> = whole
        .map(|(minute, quarter)| {
            share(tick.mul_f64(TICKS_PER_MINUTE) + *minute + quarter.div_f64(minutes) + per_minute)
        })
        .collect();
    let peers: Vec<f64> = peer.iter().map(|spent| share(spent.mul_f64(TICKS_PER_MINUTE))).collect();
    report.add("panorama_host_cpu", "%", &shares, Some((PEER, &peers)))?;
    report.aim("panorama_host_cpu", 0.1);
    let all = |times: &[Duration]| times.iter().copied().map(milliseconds).collect::<Vec<_>>();
    report.add("panorama_host_tick", "ms", &[milliseconds(tick)], Some((PEER, &all(&peer))))?;
    report.add("panorama_host_minute", "ms", &all(&each_minute), None)?;
    report.add("panorama_host_quarter", "ms", &all(&each_quarter), None)?;
    report.add("panorama_host_six_hours", "ms", &[milliseconds(rarely)], None)
}

/// CPU time of one look at the figures, by a shell that is kept.
fn tick() -> Result<Duration> {
    let mut shell =
        Command::new("sh").arg("-c").arg(watch::script()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (Some(mut input), Some(output)) = (shell.stdin.take(), shell.stdout.take()) else {
        return Err("the shell has no pipes".into());
    };
    let mut lines = BufReader::new(output).lines();
    let (pid, began) = (shell.id().to_string(), Instant::now());
    let before = processes::times(&pid);
    for number in 0..TICKS {
        input.write_all(watch::request(number).as_bytes())?;
        let end = watch::end(number);
        while lines.next().ok_or("the shell ended")?? != end {}
        if began.elapsed() > LIMIT {
            return Err("the shell is too slow".into());
        }
    }
    let used = (processes::times(&pid) - before).all();
    drop(input);
    shell.wait()?;
    say(&format!("{TICKS} ticks took {:.1} s", began.elapsed().as_secs_f64()))?;
    Ok(used.div_f64(TICKS as f64))
}

/// The answers of this machine's shell, and what they cost it. They go into a file: a pipe would not hold them.
fn ask(questions: &[Question]) -> Result<(String, Duration)> {
    let file = tempfile::NamedTempFile::new()?;
    let mut command = Command::new("sh");
    command.args(["-c", "exec sh -c \"$1\" >\"$2\"", "sh"]).arg(script(questions)).arg(file.path());
    let spent = processes::run(&mut command, LIMIT)?;
    Ok((String::from_utf8_lossy(&std::fs::read(file.path())?).into_owned(), spent.cpu))
}

fn spent(text: &str) -> Result<Duration> {
    let text = format!("{{ {text}; }} >/dev/null");
    Ok(processes::run(Command::new("sh").arg("-c").arg(text), LIMIT)?.cpu)
}
