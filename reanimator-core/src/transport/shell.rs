//! What is handed to a shell, and what that shell says of itself before the command speaks.
//!
//! A command must be endable: the whole process group, for every account, also behind `sudo`. So the shell first writes
//! one line on stderr, `[reanimator 4711]`, with its process group, by builtins alone (no fork). `Scanner` takes that
//! line, and sudo's prompt, out of stderr again. The account's login shell may be bash, fish or csh: it sees one plain
//! `sh -c '...'`, quoted so that each of them reads the same (`exec_line`).

use super::command::Become;
use super::quote;

/// Linux takes no single argument beyond 128 KiB; quoting and the rest of the line need room too.
pub(crate) const LONGEST_LINE: usize = 120 * 1024;

/// Builtins only. Without `/proc` the shell's own pid stands in: it leads the group then, as a rule.
const ANNOUNCE: &str = "{ read -r _ _ _ _ REANIMATOR_GROUP _ </proc/$$/stat; } 2>/dev/null; \
                        echo \"[reanimator ${REANIMATOR_GROUP:-$$}]\" >&2; ";

/// Turns `printf %b` text back into a script with newlines, which csh cannot take within quotes.
const UNFOLD: &str = "REANIMATOR_TEXT=$(printf %b \"$1\"); shift; eval \"$REANIMATOR_TEXT\"";

/// Runs its first argument after announcing itself; `eval` keeps a syntax error in it from hiding the announcement.
const AS_ROOT: &str = "eval \"$1\"";

const PROMPT: &str = "[reanimator password]";

/// The script for `sh` that runs `text` as asked.
pub(crate) fn script(text: &str, become_root: &Become) -> String {
    let sudo = match become_root {
        Become::No => return format!("{ANNOUNCE}{text}"),
        Become::Sudo => "sudo -n".to_owned(),
        // -k: the password that is given decides, not one that somebody gave a minute ago.
        Become::SudoPassword(_) => format!("sudo -k -S -p {}", quote::word(PROMPT)),
    };
    format!("exec {sudo} -- sh -c {} sh {}", quote::word(&format!("{ANNOUNCE}{AS_ROOT}")), quote::word(text))
}

/// The line for an SSH `exec` request: [`script`] as one argument of `sh -c`, in a spelling that POSIX shells, fish and
/// csh all read alike.
pub(crate) fn exec_line(text: &str, become_root: &Become) -> String {
    let script = script(text, become_root);
    if script.contains('\n') {
        let folded = script.replace('\\', r"\\").replace('\n', r"\n");
        format!("sh -c {} sh {}", anywhere(UNFOLD), anywhere(&folded))
    } else {
        format!("sh -c {}", anywhere(&script))
    }
}

/// Takes an `exec_line` apart again: the command's own text, where it is not run through sudo.
///
/// For simulated hosts, which answer commands without a shell.
///
/// ```
/// use reanimator_core::transport::shell;
/// assert_eq!(shell::text_of("uptime"), None);
/// ```
pub fn text_of(line: &str) -> Option<String> {
    let rest = line.strip_prefix("sh -c ")?;
    let (first, rest) = unquote(rest)?;
    let script = if first == UNFOLD {
        let (folded, _) = unquote(rest.strip_prefix(" sh ")?)?;
        unfold(&folded)
    } else {
        first
    };
    script.strip_prefix(ANNOUNCE).map(str::to_owned)
}

/// What [`text_of`]'s caller writes on stderr first, so that it looks like a real host: a process group.
pub fn announcement(group: u32) -> String {
    format!("[reanimator {group}]\n")
}

/// One word that sh, bash, fish and csh read alike. Holds no newline.
fn anywhere(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' | '\\' | '!' => quoted.extend(['\'', '\\', c, '\'']),
            plain => quoted.push(plain),
        }
    }
    quoted.push('\'');
    quoted
}

/// The inverse of [`anywhere`] at the start of `line`, and what stands behind it.
fn unquote(line: &str) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('\'') {
            let end = quoted.find('\'')?;
            word.push_str(&quoted[..end]);
            rest = &quoted[end + 1..];
        } else if let Some(escaped) = rest.strip_prefix('\\') {
            let c = escaped.chars().next()?;
            word.push(c);
            rest = &escaped[c.len_utf8()..];
        } else {
            return Some((word, rest));
        }
    }
}

fn unfold(folded: &str) -> String {
    let mut text = String::with_capacity(folded.len());
    let mut chars = folded.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(if chars.next() == Some('n') { '\n' } else { '\\' }),
            plain => text.push(plain),
        }
    }
    text
}

/// Ends a process group: asks first, and after two seconds does not ask.
pub(crate) fn end_group(group: u32) -> String {
    format!(
        "kill -s TERM -- -{group} 2>/dev/null || exit 0; \
         for i in 1 2 3 4 5 6 7 8 9 10; do kill -s 0 -- -{group} 2>/dev/null || exit 0; sleep 0.2; done; \
         kill -s KILL -- -{group} 2>/dev/null; exit 0"
    )
}

/// What a shell said of itself on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It runs, in this process group.
    Group(u32),
    /// sudo asks for the password.
    Password,
}

/// How far into stderr the announcement is looked for: login scripts may print something first.
const LOOK_AT_MOST: usize = 64 * 1024;

/// Takes our own lines out of a stream of stderr, and passes on everything else untouched.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    held: Vec<u8>,
    seen: usize,
    done: bool,
}

impl Scanner {
    const OPENING: &'static [u8] = b"[reanimator ";

    /// Takes in the next piece; gives what belongs to the command, and what the shell said.
    pub(crate) fn feed(&mut self, piece: &[u8]) -> (Vec<u8>, Vec<Said>) {
        if self.done {
            return (piece.to_vec(), Vec::new());
        }
        self.seen += piece.len();
        self.held.extend_from_slice(piece);
        let (mut passed, mut said) = (Vec::new(), Vec::new());
        while !self.done {
            let Some(at) = find(&self.held, Self::OPENING) else {
                let keep = partial_tail(&self.held, Self::OPENING);
                passed.extend(self.held.drain(..self.held.len() - keep));
                break;
            };
            passed.extend(self.held.drain(..at));
            let Some(end) = self.held.iter().take(PROMPT.len() + 2).position(|byte| *byte == b']') else {
                if self.held.len() < PROMPT.len() + 2 {
                    break;
                }
                passed.extend(self.held.drain(..Self::OPENING.len()));
                continue;
            };
            match self.read(end) {
                Reading::Said(what, length) => {
                    self.held.drain(..length);
                    self.done = matches!(what, Said::Group(_));
                    said.push(what);
                }
                Reading::Unfinished => break,
                Reading::Other => passed.extend(self.held.drain(..Self::OPENING.len())),
            }
        }
        if self.done || self.seen > LOOK_AT_MOST {
            self.done = true;
            passed.append(&mut self.held);
        }
        (passed, said)
    }

    /// What was held back when the stream ended.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    fn read(&self, end: usize) -> Reading {
        let inner = &self.held[Self::OPENING.len()..end];
        if &self.held[..=end] == PROMPT.as_bytes() {
            return Reading::Said(Said::Password, end + 1);
        }
        let group = std::str::from_utf8(inner).ok().and_then(|digits| digits.parse::<u32>().ok());
        // Group 0 is our own and "group 1" would mean every process there is.
        match (group.filter(|group| *group > 1), self.held.get(end + 1)) {
            (Some(group), Some(b'\n')) => Reading::Said(Said::Group(group), end + 2),
            (Some(_), None) => Reading::Unfinished,
            _ => Reading::Other,
        }
    }
}

enum Reading {
    Said(Said, usize),
    Unfinished,
    Other,
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// How many bytes at the end of `text` may be the beginning of `what`.
fn partial_tail(text: &[u8], what: &[u8]) -> usize {
    (1..what.len().min(text.len() + 1)).rev().find(|length| text.ends_with(&what[..*length])).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_group_is_taken_out_and_all_else_stays() {
        let mut scanner = Scanner::default();
        let (passed, said) = scanner.feed(b"motd\n[reanimator 4711]\noops [reanimator 5]\n");
        assert_eq!(passed, b"motd\noops [reanimator 5]\n");
        assert_eq!(said, [Said::Group(4711)]);
    }

    #[test]
    fn a_group_that_would_mean_everything_is_not_believed() {
        let mut scanner = Scanner::default();
        let (passed, said) = scanner.feed(b"[reanimator 1]\n[reanimator 0]\n[reanimator x]\n");
        assert_eq!((passed.as_slice(), said.len()), (&b"[reanimator 1]\n[reanimator 0]\n[reanimator x]\n"[..], 0));
    }

    #[test]
    fn end_group_is_understood_by_the_shell() {
        let status = std::process::Command::new("sh").arg("-c").arg(end_group(4_000_000)).status().unwrap();
        assert!(status.success());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn stderr_is_passed_on_whole_however_it_is_cut(
            before in "[a-z\\[\n]{0,20}", after in "[a-z\\[\n ]{0,40}", cuts in prop::collection::vec(1usize..9, 0..30),
        ) {
            let stream = format!("{before}[reanimator password][reanimator 77]\n{after}");
            let (mut passed, mut said) = (Vec::new(), Vec::new());
            let mut scanner = Scanner::default();
            let mut rest = stream.as_bytes();
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (piece, tail) = rest.split_at(cut.min(rest.len()));
                let (out, what) = scanner.feed(piece);
                passed.extend(out);
                said.extend(what);
                rest = tail;
            }
            passed.extend(scanner.rest());
            prop_assert_eq!(passed, format!("{before}{after}").into_bytes());
            prop_assert_eq!(said, vec![Said::Password, Said::Group(77)]);
        }

        #[test]
        fn a_line_can_be_taken_apart_again(text in "[ -~\n\u{e4}]{0,60}") {
            let line = exec_line(&text, &Become::No);
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(text_of(&line), Some(text));
        }

        #[test]
        fn every_login_shell_reads_back_every_text(text in "[ -~\n\u{e4}\u{1f600}]{0,60}") {
            let line = exec_line(&format!("printf %s {}", quote::word(&text)), &Become::No);
            for shell in ["sh", "dash", "bash", "fish", "tcsh", "ksh", "zsh"] {
                match std::process::Command::new(shell).arg("-c").arg(&line).output() {
                    Ok(output) => prop_assert_eq!(&String::from_utf8_lossy(&output.stdout), &text, "{}", shell),
                    // The others serve where they are installed.
                    Err(error) => prop_assert!(shell != "sh", "{}", error),
                }
            }
        }

        #[test]
        fn the_shell_reads_back_every_word(text in "[^\0]{0,40}") {
            let line = format!("printf %s {}", quote::word(&text));
            let output = std::process::Command::new("sh").arg("-c").arg(&line).output().unwrap();
            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
