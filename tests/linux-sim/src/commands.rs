//! The plain commands that a host knows, without any shell behind them.
//!
//! `uptime`, `hostname`, `uname`, `whoami`, `id`, `nproc`, `date +%s`, `cat` of three files, `df`, `echo`, `printf %s`,
//! `true`, `false`, `sleep` and `exit`, one after another with `;`. Words are quoted as in a shell; there are no
//! variables, pipes or redirections. Whatever else is asked is `not found`, with status 127.

use std::time::Duration;

use crate::{
    answers,
    machine::{Figures, Machine},
};

/// What a command says, how it ends, and how long it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The exit status.
    pub status: u32,
    /// How long it runs before it ends: what `sleep` was asked for.
    pub takes: Duration,
}

/// Answers one command line.
pub(crate) fn answer(text: &str, machine: &Machine, figures: &Figures, clock: i64) -> Answer {
    let mut answer = Answer::default();
    for words in lines(text) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some((name, arguments)) = words.split_first() else { continue };
        answer.status = 0;
        match (*name, arguments) {
            ("true" | ":", _) => {}
            ("false", _) => answer.status = 1,
            ("exit", arguments) => {
                answer.status = arguments.first().and_then(|status| status.parse().ok()).unwrap_or_default();
                return answer;
            }
            ("sleep", [seconds]) => match seconds.parse::<f64>().ok().and_then(|s| Duration::try_from_secs_f64(s).ok())
            {
                Some(time) => answer.takes = answer.takes.saturating_add(time),
                None => fail(&mut answer, 1, format!("sleep: invalid time interval '{seconds}'")),
            },
            ("cat", [file]) => match file_text(file, machine, figures) {
                Some(text) => answer.stdout += &text,
                None => fail(&mut answer, 1, format!("cat: {file}: No such file or directory")),
            },
            _ => match plain(name, arguments, machine, figures, clock) {
                Some(text) => answer.stdout += &text,
                None => fail(&mut answer, 127, format!("sh: 1: {name}: not found")),
            },
        }
    }
    answer
}

fn fail(answer: &mut Answer, status: u32, why: String) {
    answer.status = status;
    answer.stderr += &why;
    answer.stderr.push('\n');
}

fn plain(name: &str, arguments: &[&str], machine: &Machine, figures: &Figures, clock: i64) -> Option<String> {
    Some(match (name, arguments) {
        ("uptime", []) => answers::uptime(figures, clock),
        ("hostname", _) | ("uname", ["-n"]) => format!("{}\n", machine.name()),
        ("uname", [] | ["-s"]) => "Linux\n".to_owned(),
        ("uname", ["-r"]) => format!("{}\n", machine.system.kernel),
        ("uname", ["-m"]) => format!("{}\n", machine.system.architecture),
        ("uname", ["-a"]) => {
            let system = machine.system;
            format!("Linux {} {} #1 SMP {} GNU/Linux\n", machine.name(), system.kernel, system.architecture)
        }
        ("whoami", []) | ("id", ["-un"]) => format!("{}\n", crate::USER),
        ("id", ["-u"]) => "0\n".to_owned(),
        ("id", []) => "uid=0(root) gid=0(root) groups=0(root)\n".to_owned(),
        ("nproc", []) => format!("{}\n", machine.cpus),
        ("date", ["+%s"]) => format!("{clock}\n"),
        ("df", arguments) if arguments.contains(&"-i") => answers::df_inodes(machine, figures),
        ("df", _) => answers::df(machine, figures),
        ("echo", ["-n", rest @ ..]) => rest.join(" "),
        ("echo", words) => format!("{}\n", words.join(" ")),
        ("printf", ["%s", word]) => (*word).to_owned(),
        _ => return None,
    })
}

fn file_text(file: &str, machine: &Machine, figures: &Figures) -> Option<String> {
    match file {
        "/etc/os-release" => Some(answers::os_release(machine)),
        "/etc/hostname" => Some(format!("{}\n", machine.name())),
        "/etc/machine-id" => Some(format!("{}\n", machine.machine_id)),
        "/proc/self/mounts" => Some(answers::mounts(machine)),
        "/proc/uptime" => Some(format!("{:.2} {:.2}\n", figures.uptime, figures.ticks[2] as f64 / 100.0)),
        _ => None,
    }
}

/// Commands between `;` and newlines, each as words with their quotes taken off.
fn lines(text: &str) -> Vec<Vec<String>> {
    let (mut lines, mut words, mut word) = (Vec::new(), Vec::new(), None::<String>);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            ';' | '\n' => {
                words.extend(word.take());
                lines.push(std::mem::take(&mut words));
            }
            '\'' => word.get_or_insert_default().extend(chars.by_ref().take_while(|c| *c != '\'')),
            '"' => word.get_or_insert_default().extend(chars.by_ref().take_while(|c| *c != '"')),
            '\\' => word.get_or_insert_default().extend(chars.next()),
            plain => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    lines.push(words);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str) -> Answer {
        let machine = Machine::generate(1, 0);
        answer(text, &machine, &machine.figures(1.0, None), 1_795_233_767)
    }

    #[test]
    fn words_lose_their_quotes_and_keep_their_blanks() {
        assert_eq!(ask("echo 'a  b' \"c;d\" e\\ f; false").stdout, "a  b c;d e f\n");
        assert_eq!(ask("echo a; false").status, 1);
        assert_eq!(ask("true; exit 7; echo no"), Answer { status: 7, ..Answer::default() });
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let answer = ask("frobnicate --now");
        assert_eq!((answer.status, answer.stderr.as_str()), (127, "sh: 1: frobnicate: not found\n"));
        assert_eq!(ask("cat /nowhere").status, 1);
    }

    #[test]
    fn sleep_takes_its_time() {
        assert_eq!(ask("sleep 1.5; echo done").takes, Duration::from_millis(1500));
        assert_eq!(ask("sleep long").status, 1);
    }

    #[test]
    fn uptime_looks_like_uptime() {
        let text = ask("uptime").stdout;
        assert!(text.starts_with(" 04:02:47 up ") && text.contains("load average: "), "{text}");
    }
}
