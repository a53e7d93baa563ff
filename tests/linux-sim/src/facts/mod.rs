//! Slow facts: answers to the core's inventory script, framed as a real shell frames them.
//!
//! There is no shell: the names of the questions are read out of the script, and each is answered with a text made for
//! the machine as it is asked. Shapes are those of the recordings of real hosts in `reanimator-core/tests/recordings`.
//! Traits come out of the machine's id, so that nothing is kept: about one host in forty has a failing disk, one in
//! twelve a worn one, one in twenty a unit that failed, and one in three runs Docker. A question that nobody taught the
//! simulation fails as [`UNKNOWN`] and is remembered: see [`Sim::unknown_questions`](crate::Sim::unknown_questions).

mod containers;
mod disks;
mod hardware;
mod network;
mod system;
mod updates;

use std::fmt::Write as _;

use crate::machine::{Figures, Machine};

/// What is complained of a question that has no answer here.
const UNKNOWN: &str = "linux-sim knows no answer to this question";

/// Who is asked, and when.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) figures: &'a Figures,
    /// Its clock, in Unix seconds.
    pub(crate) clock: i64,
    /// When it was started anew since the simulation began, in seconds of the simulation.
    pub(crate) rebooted: Option<f64>,
}

/// What a question gets.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    text: String,
    status: u8,
    complaint: String,
}

impl From<String> for Said {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

impl From<&str> for Said {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

/// A question whose tool is not installed.
fn lacks(tool: &str) -> Said {
    Said { status: 127, complaint: format!("@lacks {tool}"), ..Said::default() }
}

/// A `grep` that found nothing.
fn nothing() -> Said {
    Said { status: 1, ..Said::default() }
}

/// Answers every question of the script; says too which are not known here.
pub(crate) fn answer(script: &str, asked: &Asked<'_>) -> (String, Vec<String>) {
    let (mut text, mut unknown) = (String::from("@uid 0\n"), Vec::new());
    for question in script.split("echo \"@ask ").skip(1) {
        let (name, question) = question.split_once('"').unwrap_or((question, ""));
        let said = of(name, question, asked).unwrap_or_else(|| {
            unknown.push(name.to_owned());
            Said { status: 127, complaint: UNKNOWN.to_owned(), ..Said::default() }
        });
        let Said { text: said, status, complaint } = said;
        // Writing to a string does not fail.
        let _written = write!(text, "@ask {name}\n{said}\n@end {name} {status} {complaint}\n");
    }
    (text, unknown)
}

fn of(name: &str, question: &str, asked: &Asked<'_>) -> Option<Said> {
    hardware::answer(name, asked)
        .or_else(|| disks::answer(name, asked))
        .or_else(|| network::answer(name, asked))
        .or_else(|| system::answer(name, question, asked))
        .or_else(|| updates::answer(name, question, asked))
        .or_else(|| containers::answer(name, asked))
}

impl Asked<'_> {
    fn is_virtual(&self) -> bool {
        self.machine.system.virtualization != "none"
    }

    fn is_raspberry_pi(&self) -> bool {
        self.machine.system.id == "raspbian"
    }

    /// When it was started, in Unix seconds.
    fn started(&self) -> i64 {
        self.clock - self.figures.uptime as i64
    }

    /// A number below `below` that is always the same for this machine and this purpose.
    fn draw(&self, purpose: u64, below: u64) -> u64 {
        let digits = self.machine.machine_id.get(..16).unwrap_or_default();
        let seed = u64::from_str_radix(digits, 16).unwrap_or_default();
        mixed(seed ^ mixed(purpose)) % below.max(1)
    }

    fn one_in(&self, many: u64, purpose: u64) -> bool {
        self.draw(purpose, many) == 0
    }

    /// Letters and digits as makers print them on labels.
    fn serial(&self, purpose: u64) -> String {
        format!("S{:011X}", self.draw(purpose, 1 << 44))
    }

    /// A temperature that follows the load, in millidegrees.
    fn millidegrees(&self, idle: f64, full: f64) -> i64 {
        ((idle + (full - idle) * self.figures.busy) * 1000.0) as i64
    }
}

/// The last steps of `splitmix64`: near numbers become far ones.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(script: &str) -> (String, Vec<String>) {
        let machine = Machine::generate(1, 0);
        let figures = machine.figures(1.0, None);
        answer(script, &Asked { machine: &machine, figures: &figures, clock: 1_795_233_767, rebooted: None })
    }

    #[test]
    fn what_is_asked_is_answered_in_frames() {
        let (said, unknown) =
            ask("exec 4>&1; echo \"@ask network.names\"; e=$(grep); echo; echo \"@ask of-the-future\"; x");
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!((lines[0], lines[1]), ("@uid 0", "@ask network.names"));
        let end = lines.iter().position(|line| *line == "@end network.names 0 ").unwrap_or_default();
        assert_eq!(lines[end - 1], "", "the line break before the frame ends: {said}");
        assert!(said.ends_with(&format!("@ask of-the-future\n\n@end of-the-future 127 {UNKNOWN}\n")), "{said}");
        assert_eq!(unknown, ["of-the-future"]);
    }
}
