//! Questions to a shell, framed so that the answers can be told apart.

use std::collections::BTreeMap;

use crate::model::Unseen;

/// The word that marks the script, for test doubles.
pub const MARKER: &str = "reanimator-inventory-1";

/// One question: a few commands for a POSIX shell.
///
/// In its text `$T5`, `$T10` and `$T20` before a command limit its time in seconds, where the host has `timeout`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What the answer is found under: letters, digits, `-` and `.`.
    pub name: &'static str,
    /// The tool without which there is no answer.
    pub tool: Option<&'static str>,
    /// The commands.
    pub text: String,
}

impl Question {
    /// A question that any host can answer.
    pub fn new(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, tool: None, text: text.into() }
    }

    /// A question that takes a tool.
    pub fn with_tool(name: &'static str, tool: &'static str, text: impl Into<String>) -> Self {
        Self { name, tool: Some(tool), text: text.into() }
    }
}

/// The text for `sh -c`: all questions one after the other, each answer framed.
///
/// Standard error of a question is taken apart from its answer: the reason, where it gave none. Only its first line is
/// told; the shell cuts it by itself, as a `head` for each question would cost the host more than the question.
pub fn script(questions: &[Question]) -> String {
    let mut script = format!(
        ": {MARKER}; LC_ALL=C; LANG=C; PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; LVM_SUPPRESS_FD_WARNINGS=1; export LC_ALL LANG PATH LVM_SUPPRESS_FD_WARNINGS; T5=; T10=; T20=; \
         if timeout 1 true 2>/dev/null; then T5=\"timeout 5\"; T10=\"timeout 10\"; T20=\"timeout 20\"; fi; exec 4>&1; \
         nl=$(echo; echo _); nl=${{nl%_}}; echo \"@uid $(id -u)\"; "
    );
    for Question { name, tool, text } in questions {
        let text = match tool {
            Some(tool) => {
                format!("if command -v {tool} >/dev/null 2>&1; then {text}; else echo @lacks {tool} >&2; exit 127; fi")
            }
            None => text.clone(),
        };
        script.push_str(&format!(
            "echo \"@ask {name}\"; e=$( ( {text} ) 2>&1 1>&4 </dev/null 4>&- ); s=$?; echo; echo \"@end {name} $s ${{e%%$nl*}}\"; "
        ));
    }
    script.push_str("exit 0");
    script
}

/// What a question got.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Standard output.
    pub text: String,
    /// The exit status of its last command; `None` where the answer stops half-way.
    pub status: Option<i32>,
    /// The first line of standard error.
    pub complaint: String,
}

impl Answer {
    /// The tool that the host lacks.
    pub fn lacks(&self) -> Option<&str> {
        self.complaint.strip_prefix("@lacks ")
    }

    /// Why there is nothing in it, in words: `smartctl is not installed`, `needs root`, what the tool said.
    pub fn why(&self, root: bool) -> String {
        let denied = ["ermission denied", "peration not permitted", "ust be root", "oot privileges", "access denied"];
        match (self.lacks(), self.status) {
            (Some(tool), _) => format!("{tool} is not installed"),
            _ if !root && denied.iter().any(|word| self.complaint.contains(word)) => "needs root".to_owned(),
            (_, None) => "the answer stops half-way".to_owned(),
            (_, Some(124)) => "no answer in time".to_owned(),
            _ if !self.complaint.is_empty() => self.complaint.clone(),
            (_, Some(0)) => "nothing was answered".to_owned(),
            (_, Some(status)) => format!("exit status {status}"),
        }
    }
}

/// The answers to one script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// Whether we are root there.
    pub root: bool,
    by_name: BTreeMap<String, Answer>,
}

/// Reads what the script said. Never fails: an answer that is missing is [`Answer::default`].
pub fn answers(text: &str) -> Answers {
    let mut answers = Answers::default();
    let mut open: Option<(String, Vec<&str>)> = None;
    for line in text.lines() {
        let ended = open
            .as_ref()
            .and_then(|(name, _)| line.strip_prefix("@end ")?.strip_prefix(name.as_str())?.strip_prefix(' '));
        if let Some(rest) = ended {
            if let Some((name, mut lines)) = open.take() {
                // The line break that the script adds before the frame ends.
                if lines.last() == Some(&"") {
                    lines.pop();
                }
                let (status, complaint) = rest.split_once(' ').unwrap_or((rest, ""));
                let answer = Answer {
                    text: lines.join("\n"),
                    status: status.parse().ok(),
                    complaint: complaint.trim().chars().filter(|c| !c.is_control()).take(300).collect(),
                };
                answers.by_name.insert(name, answer);
            }
        } else if let Some((_, lines)) = &mut open {
            lines.push(line);
        } else if let Some(name) = line.strip_prefix("@ask ") {
            open = Some((name.to_owned(), Vec::new()));
        } else if let Some(uid) = line.strip_prefix("@uid ") {
            answers.root = uid.trim() == "0";
        }
    }
    if let Some((name, lines)) = open {
        answers.by_name.insert(name, Answer { text: lines.join("\n"), ..Answer::default() });
    }
    answers
}

impl Answers {
    /// Answers given by hand, for tests of parsers.
    pub fn of<'a>(root: bool, answers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let answer = |text: &str| Answer { text: text.to_owned(), status: Some(0), complaint: String::new() };
        Self { root, by_name: answers.into_iter().map(|(name, text)| (name.to_owned(), answer(text))).collect() }
    }

    /// With one more answer, of any status.
    #[must_use]
    pub fn with(mut self, name: &str, answer: Answer) -> Self {
        self.by_name.insert(name.to_owned(), answer);
        self
    }

    /// The answer, where the question was asked.
    pub fn get(&self, name: &str) -> Option<&Answer> {
        self.by_name.get(name)
    }

    /// The text of an answer; empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).map_or("", |answer| answer.text.as_str())
    }

    /// The text of an answer that says something, else why it does not: a note that `what` was not seen.
    ///
    /// # Errors
    /// The note.
    pub fn said(&self, name: &str, what: &str) -> Result<&str, Unseen> {
        match self.get(name) {
            Some(answer) if !answer.text.trim().is_empty() => Ok(&answer.text),
            Some(answer) => Err(Unseen::new(what, answer.why(self.root))),
            None => Err(Unseen::new(what, "it was not asked")),
        }
    }

    /// The answer as JSON.
    ///
    /// # Errors
    /// A note that `what` was not seen: nothing was said, or no JSON.
    pub fn json(&self, name: &str, what: &str) -> Result<serde_json::Value, Unseen> {
        let text = self.said(name, what)?;
        serde_json::from_str(text).map_err(|_| match self.get(name) {
            Some(answer) if answer.status != Some(0) => Unseen::new(what, answer.why(self.root)),
            _ => Unseen::new(what, "the answer is no JSON"),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ask(questions: &[Question]) -> Answers {
        let output = std::process::Command::new("sh").arg("-c").arg(script(questions)).output().unwrap();
        answers(&String::from_utf8_lossy(&output.stdout))
    }

    #[test]
    fn a_real_shell_answers_each_question_apart() {
        let answers = ask(&[
            Question::new("one", "echo a; echo b"),
            Question::new("no-newline", "printf c"),
            Question::new("fails", "echo why >&2; echo more >&2; exit 3"),
            Question::with_tool("lacks", "no-such-tool", "no-such-tool -x"),
            Question::new("reads", "cat"),
            Question::new("last", "echo @end one 0; echo z"),
        ]);
        assert_eq!(answers.text("one"), "a\nb");
        assert_eq!(answers.text("no-newline"), "c");
        assert_eq!(answers.said("fails", "it").unwrap_err(), Unseen::new("it", "why"));
        assert_eq!(answers.get("fails").unwrap().status, Some(3));
        assert_eq!(answers.said("lacks", "it").unwrap_err(), Unseen::new("it", "no-such-tool is not installed"));
        assert_eq!(answers.text("reads"), "");
        assert_eq!(answers.text("last"), "@end one 0\nz");
        assert!(answers.said("never", "it").is_err());
    }

    #[test]
    fn an_answer_that_stops_half_way_says_so() {
        let answers = answers("@uid 0\n@ask one\nhalf");
        assert!(answers.root);
        assert_eq!(answers.text("one"), "half");
        assert_eq!(answers.get("one").unwrap().why(true), "the answer stops half-way");
    }

    #[test]
    fn what_needs_root_is_told_from_what_root_may_not_do_either() {
        let answer = Answer { status: Some(1), complaint: "open: Permission denied".into(), ..Answer::default() };
        assert_eq!(answer.why(false), "needs root");
        assert_eq!(answer.why(true), "open: Permission denied");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s)(@ask a\n|@end a |@uid 0|.){0,60}") {
            answers(&text);
        }
    }
}
