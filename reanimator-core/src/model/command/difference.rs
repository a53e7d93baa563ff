//! How one output differs from another, line by line: pure, and bounded whatever hosts write.
//!
//! What both begin and end with is set aside; of the rest, the longest common subsequence stays and all else is taken away
//! or added. Where the rest is too large for that, all of it is taken away and added.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::OutputStream;

/// Pairs of lines that are compared at most: a table of a megabyte or four.
const MOST_PAIRS: usize = 1 << 20;
/// Lines that are shown before and after each that differs.
const AROUND: usize = 3;
/// Lines of one difference that are shown.
const MOST_LINES: usize = 400;
/// Characters of one line that are shown.
const LONGEST_LINE: usize = 500;

/// What a group says otherwise than the largest one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Difference {
    /// Lines that differ, with some around them.
    pub lines: Vec<DifferenceLine>,
    /// How many lines only this group has.
    pub added: u32,
    /// How many lines only the largest group has.
    pub removed: u32,
    /// Whether there are more lines than are shown.
    pub cut: bool,
}

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DifferenceLine {
    /// Who has it.
    pub kind: DifferenceKind,
    /// On which stream.
    pub stream: OutputStream,
    /// The line, without its end; up to 500 characters of it.
    pub text: String,
    /// How many lines it stands for: one, or as many as are left out.
    pub count: u32,
}

/// Who has a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// Both.
    Same,
    /// This group only.
    Added,
    /// The largest group only.
    Removed,
    /// Both; such lines are left out here.
    Skipped,
}

impl Difference {
    /// How `ours` differs from `theirs`, each with stdout and stderr.
    pub(super) fn between(theirs: [&[u8]; 2], ours: [&[u8]; 2]) -> Self {
        let mut difference = Self::default();
        for (place, stream) in [OutputStream::Stdout, OutputStream::Stderr].into_iter().enumerate() {
            difference.add(stream, theirs[place], ours[place]);
        }
        difference
    }

    fn add(&mut self, stream: OutputStream, theirs: &[u8], ours: &[u8]) {
        if theirs == ours {
            return;
        }
        let steps = steps(&lines(theirs), &lines(ours));
        let of = |wanted| count(steps.iter().filter(|(kind, _)| *kind == wanted).count());
        self.added = self.added.saturating_add(of(DifferenceKind::Added));
        self.removed = self.removed.saturating_add(of(DifferenceKind::Removed));
        let near = near(&steps);
        let mut skipped = 0;
        for (place, (kind, line)) in steps.iter().enumerate() {
            if near[place] {
                self.skip(stream, std::mem::take(&mut skipped));
                self.push(DifferenceLine { kind: *kind, stream, text: shown(line), count: 1 });
            } else {
                skipped += 1;
            }
        }
        self.skip(stream, skipped);
    }

    fn skip(&mut self, stream: OutputStream, lines: usize) {
        if lines > 0 {
            self.push(DifferenceLine {
                kind: DifferenceKind::Skipped,
                stream,
                text: String::new(),
                count: count(lines),
            });
        }
    }

    fn push(&mut self, line: DifferenceLine) {
        if self.lines.len() < MOST_LINES {
            self.lines.push(line);
        } else {
            self.cut = true;
        }
    }
}

fn count(lines: usize) -> u32 {
    u32::try_from(lines).unwrap_or(u32::MAX)
}

/// The lines, each with its end: a last line without one is another line.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// A line fit to be shown. One without its end says so, or it would look like the one with it.
fn shown(line: &[u8]) -> String {
    let (line, whole) = line.strip_suffix(b"\n").map_or((line, false), |line| (line, true));
    // Four bytes are one character at most.
    let head = String::from_utf8_lossy(&line[..line.len().min(LONGEST_LINE * 4)]);
    let mut text: String = head.chars().take(LONGEST_LINE).collect();
    if text.len() < head.len() || head.len() < line.len() {
        text.push('…');
    }
    if !whole {
        text.push_str(" ⏎̸");
    }
    text
}

/// Which steps are shown: those that differ, and some around each.
fn near(steps: &[(DifferenceKind, &[u8])]) -> Vec<bool> {
    let mut near = vec![false; steps.len()];
    for (place, _) in steps.iter().enumerate().filter(|(_, (kind, _))| *kind != DifferenceKind::Same) {
        let end = (place + AROUND + 1).min(steps.len());
        near[place.saturating_sub(AROUND)..end].fill(true);
    }
    near
}

/// What has to be done to `theirs` to get `ours`, line by line.
fn steps<'a>(theirs: &[&'a [u8]], ours: &[&'a [u8]]) -> Vec<(DifferenceKind, &'a [u8])> {
    let begin = theirs.iter().zip(ours).take_while(|(one, other)| one == other).count();
    let (theirs_rest, ours_rest) = (&theirs[begin..], &ours[begin..]);
    let end = theirs_rest.iter().rev().zip(ours_rest.iter().rev()).take_while(|(one, other)| one == other).count();
    let middle = (&theirs_rest[..theirs_rest.len() - end], &ours_rest[..ours_rest.len() - end]);
    let same = |lines: &[&'a [u8]]| lines.iter().map(|line| (DifferenceKind::Same, *line)).collect::<Vec<_>>();
    let mut steps = same(&theirs[..begin]);
    steps.extend(changed(middle.0, middle.1));
    steps.extend(same(&theirs[theirs.len() - end..]));
    steps
}

fn changed<'a>(theirs: &[&'a [u8]], ours: &[&'a [u8]]) -> Vec<(DifferenceKind, &'a [u8])> {
    let removed = |line: &&'a [u8]| (DifferenceKind::Removed, *line);
    let added = |line: &&'a [u8]| (DifferenceKind::Added, *line);
    if theirs.len().saturating_mul(ours.len()) > MOST_PAIRS {
        return theirs.iter().map(removed).chain(ours.iter().map(added)).collect();
    }
    let (one, other, table) = table(theirs, ours);
    let width = ours.len() + 1;
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::with_capacity(theirs.len() + ours.len());
    while i < theirs.len() && j < ours.len() {
        if one[i] == other[j] {
            steps.push((DifferenceKind::Same, theirs[i]));
            (i, j) = (i + 1, j + 1);
        } else if table[(i + 1) * width + j] >= table[i * width + j + 1] {
            steps.push(removed(&theirs[i]));
            i += 1;
        } else {
            steps.push(added(&ours[j]));
            j += 1;
        }
    }
    steps.extend(theirs[i..].iter().map(removed));
    steps.extend(ours[j..].iter().map(added));
    steps
}

/// Both as numbers, equal ones of equal lines, and for each pair of places how many lines the rest has in common.
fn table(theirs: &[&[u8]], ours: &[&[u8]]) -> (Vec<usize>, Vec<usize>, Vec<u32>) {
    let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
    let mut numbers = |lines: &[&[u8]]| -> Vec<usize> {
        let mut number = |line: &[u8]| {
            let next = known.len();
            *known.entry(line.to_vec()).or_insert(next)
        };
        lines.iter().map(|line| number(line)).collect()
    };
    let (one, other) = (numbers(theirs), numbers(ours));
    let width = ours.len() + 1;
    let mut table = vec![0_u32; (theirs.len() + 1) * width];
    for i in (0..theirs.len()).rev() {
        for j in (0..ours.len()).rev() {
            table[i * width + j] = match one[i] == other[j] {
                true => table[(i + 1) * width + j + 1] + 1,
                false => table[(i + 1) * width + j].max(table[i * width + j + 1]),
            };
        }
    }
    (one, other, table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(theirs: &str, ours: &str) -> Vec<String> {
        let difference = Difference::between([theirs.as_bytes(), b""], [ours.as_bytes(), b""]);
        let word = |line: &DifferenceLine| match line.kind {
            DifferenceKind::Same => format!(" {}", line.text),
            DifferenceKind::Added => format!("+{}", line.text),
            DifferenceKind::Removed => format!("-{}", line.text),
            DifferenceKind::Skipped => format!("@{}", line.count),
        };
        difference.lines.iter().map(word).collect()
    }

    #[test]
    fn only_what_differs_is_told_with_some_lines_around_it() {
        assert_eq!(words("a\nb\n", "a\nb\n"), [""; 0]);
        assert_eq!(words("a\nb\nc\n", "a\nx\nc\n"), [" a", "-b", "+x", " c"]);
        assert_eq!(words("a\nb\n", "b\n"), ["-a", " b"]);
        let long = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        assert_eq!(
            words(long, &long.replace('5', "five")),
            ["@1", " 2", " 3", " 4", "-5", "+five", " 6", " 7", " 8", "@1"]
        );
    }

    #[test]
    fn lines_that_moved_or_lack_their_end_are_seen() {
        assert_eq!(words("a\nb\nc\nd\n", "c\na\nb\nd\n"), ["+c", " a", " b", "-c", " d"]);
        assert_eq!(words("a\n", "a"), ["-a", "+a ⏎̸"]);
    }

    #[test]
    fn both_streams_are_looked_at_and_counted() {
        let difference = Difference::between([b"a\n", b""], [b"a\nb\n", b"warning\n"]);
        assert_eq!((difference.added, difference.removed), (2, 0));
        assert_eq!(difference.lines.iter().filter(|line| line.stream == OutputStream::Stderr).count(), 1);
    }

    #[test]
    fn what_hosts_write_without_end_is_bounded() {
        let theirs: String = (0..30_000).map(|number| format!("t{number}\n")).collect();
        let ours: String = (0..30_000).map(|number| format!("o{number}\n")).collect();
        let difference = Difference::between([theirs.as_bytes(), b""], [ours.as_bytes(), b""]);
        assert_eq!((difference.added, difference.removed), (30_000, 30_000));
        assert!(difference.cut && difference.lines.len() == MOST_LINES);
        let one = Difference::between([&[b'x'; 1 << 20], b""], [&[0xff; 1 << 20], b""]);
        assert!(one.lines.iter().all(|line| line.text.chars().count() < LONGEST_LINE + 8), "{:?}", one.lines.len());
    }
}
