//! A run as every frontend shows it: equal answers together, the odd ones with how they differ from the largest group.

use serde::{Deserialize, Serialize};

use super::{
    AnswerState, CommandAnswer, CommandRun, CommandTrouble, Difference,
    groups::{Said, together},
};
use crate::model::HostId;

/// As much of each stream of a group as the view holds; an answer by itself holds all.
const SHOWN_BYTES: usize = 64 * 1024;
/// Groups whose output the view holds. Of more than these, hosts and endings only.
const SHOWN_GROUPS: usize = 50;
/// As much output as the view holds in all.
const SHOWN_IN_ALL: usize = 2 * 1024 * 1024;

/// A run with its answers, equal ones together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandView {
    /// The run.
    #[serde(flatten)]
    pub run: CommandRun,
    /// Groups of equal answers: the largest first, then by size; those without an answer last.
    pub groups: Vec<CommandGroup>,
    /// Hosts that have said nothing yet, or were not asked; by name.
    pub waiting: Vec<CommandHost>,
}

/// Hosts that answered alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandGroup {
    /// Which ones, by name. Where a host still runs, it has said the same as the others so far.
    pub hosts: Vec<CommandHost>,
    /// Whether it is the largest group that answered, which the others are compared with.
    pub majority: bool,
    /// Whether it runs on every host of this group still.
    pub running: bool,
    /// The exit status; null where there is none.
    pub status: Option<u32>,
    /// The signal that ended it, without `SIG`.
    pub signal: Option<String>,
    /// What they wrote to stdout, up to 64 KiB of it.
    pub stdout: String,
    /// What they wrote to stderr, up to 64 KiB of it.
    pub stderr: String,
    /// Where stdout was cut, in bytes: here, or when it came.
    pub stdout_cut_at: Option<u64>,
    /// Where stderr was cut, in bytes: here, or when it came.
    pub stderr_cut_at: Option<u64>,
    /// Why there is no answer.
    pub error: Option<CommandTrouble>,
    /// How it differs from the largest group; none of that one itself, of those without an answer, and of too many groups.
    pub difference: Option<Difference>,
}

/// A host of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CommandHost {
    /// Its id.
    pub id: HostId,
    /// Its name.
    pub name: String,
    /// How far it got.
    pub state: AnswerState,
    /// How long it took.
    pub milliseconds: u64,
}

/// A group before it is shown; the first of its hosts speaks for all.
struct Group<'a> {
    hosts: Vec<&'a CommandAnswer>,
    says: &'a CommandAnswer,
}

impl CommandView {
    /// The view of a run and its answers.
    pub fn of(run: CommandRun, answers: &[CommandAnswer]) -> Self {
        let waits = |answer: &&CommandAnswer| {
            answer.state == AnswerState::Waiting
                || (answer.state == AnswerState::Running && answer.stdout.is_empty() && answer.stderr.is_empty())
        };
        let mut waiting: Vec<CommandHost> = answers.iter().filter(waits).map(CommandHost::of).collect();
        waiting.sort_by(|a, b| a.name.cmp(&b.name));
        let mut groups = over(answers);
        for answer in running(answers, waits) {
            join(&mut groups, answer);
        }
        groups.sort_by(|a, b| {
            let rank = |group: &Group<'_>| (group.says.error.is_some(), std::cmp::Reverse(group.hosts.len()));
            rank(a).cmp(&rank(b)).then_with(|| a.says.host.cmp(&b.says.host))
        });
        Self { run, groups: shown(&groups), waiting }
    }
}

fn over(answers: &[CommandAnswer]) -> Vec<Group<'_>> {
    let over = answers.iter().filter(|answer| answer.state == AnswerState::Over);
    let groups = together(over, Said::of, |answer| answer.host.as_str());
    groups.into_iter().filter_map(|hosts| Some(Group { says: hosts.first()?, hosts })).collect()
}

/// Those that have said something and go on, who said most first.
fn running(answers: &[CommandAnswer], waits: impl Fn(&&CommandAnswer) -> bool) -> Vec<&CommandAnswer> {
    let mut running: Vec<&CommandAnswer> =
        answers.iter().filter(|answer| answer.state == AnswerState::Running && !waits(answer)).collect();
    running.sort_by(|a, b| {
        let length = |answer: &CommandAnswer| answer.stdout.len() + answer.stderr.len();
        length(b).cmp(&length(a)).then_with(|| a.host.cmp(&b.host))
    });
    running
}

/// Puts one that goes on with those that have said the same so far: whether it is like them is not known yet, that it is
/// otherwise neither.
fn join<'a>(groups: &mut Vec<Group<'a>>, answer: &'a CommandAnswer) {
    let alike = |group: &&mut Group<'_>| {
        group.says.error.is_none()
            && group.says.stdout.starts_with(&answer.stdout)
            && group.says.stderr.starts_with(&answer.stderr)
    };
    match groups.iter_mut().find(alike) {
        Some(group) => group.hosts.push(answer),
        None => groups.push(Group { hosts: vec![answer], says: answer }),
    }
}

fn shown(groups: &[Group<'_>]) -> Vec<CommandGroup> {
    let majority = groups.iter().position(|group| group.says.error.is_none());
    let mut room = SHOWN_IN_ALL;
    let mut shown = Vec::with_capacity(groups.len());
    for (place, group) in groups.iter().enumerate() {
        let against = majority.filter(|_| place < SHOWN_GROUPS).map(|place| groups[place].says);
        let limit = if place < SHOWN_GROUPS { SHOWN_BYTES.min(room) } else { 0 };
        let group = group.shown(majority == Some(place), against, limit);
        room = room.saturating_sub(group.stdout.len() + group.stderr.len());
        shown.push(group);
    }
    shown
}

impl Group<'_> {
    fn shown(&self, majority: bool, against: Option<&CommandAnswer>, limit: usize) -> CommandGroup {
        let says = self.says;
        let (stdout, stdout_cut_at) = head(&says.stdout, says.stdout_cut_at, limit);
        let (stderr, stderr_cut_at) = head(&says.stderr, says.stderr_cut_at, limit);
        let mut hosts: Vec<CommandHost> = self.hosts.iter().map(|answer| CommandHost::of(answer)).collect();
        hosts.sort_by(|a, b| a.name.cmp(&b.name));
        let against = against.filter(|_| !majority && says.error.is_none());
        CommandGroup {
            running: hosts.iter().all(|host| host.state == AnswerState::Running),
            hosts,
            majority,
            status: says.status,
            signal: says.signal.clone(),
            stdout,
            stderr,
            stdout_cut_at,
            stderr_cut_at,
            error: says.error.clone(),
            difference: against
                .map(|theirs| Difference::between([&theirs.stdout, &theirs.stderr], [&says.stdout, &says.stderr])),
        }
    }
}

impl CommandHost {
    fn of(answer: &CommandAnswer) -> Self {
        let CommandAnswer { host_id, host, state, milliseconds, .. } = answer;
        Self { id: host_id.clone(), name: host.clone(), state: *state, milliseconds: *milliseconds }
    }
}

fn head(bytes: &[u8], cut_at: Option<u64>, limit: usize) -> (String, Option<u64>) {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(limit)]).into_owned();
    (text, if bytes.len() > limit { Some(limit as u64) } else { cut_at })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::{ErrorKind, model::command::CommandState};

    fn run() -> CommandRun {
        CommandRun {
            id: "1".into(),
            command: "uname -r".into(),
            on: "all".into(),
            sudo: false,
            time_limit_seconds: 60,
            output_limit_bytes: 1024,
            requested_by: "ada".into(),
            requested_from: "local".into(),
            requested_at: Timestamp::UNIX_EPOCH,
            ended_at: None,
            state: CommandState::Running,
            hosts: 0,
            ok: 0,
            failed: 0,
        }
    }

    fn over(host: &str, stdout: &str) -> CommandAnswer {
        CommandAnswer {
            state: AnswerState::Over,
            status: Some(0),
            stdout: stdout.as_bytes().to_vec(),
            ..CommandAnswer::waiting(HostId::from(host), host)
        }
    }

    fn going_on(host: &str, stdout: &str) -> CommandAnswer {
        CommandAnswer { state: AnswerState::Running, status: None, ..over(host, stdout) }
    }

    fn failed(host: &str) -> CommandAnswer {
        let error =
            CommandTrouble { kind: ErrorKind::Unreachable, message: format!("{host}: could not connect"), next: None };
        CommandAnswer { error: Some(error), status: None, ..over(host, "") }
    }

    fn hosts(view: &CommandView) -> Vec<String> {
        let names =
            |group: &CommandGroup| -> Vec<String> { group.hosts.iter().map(|host| host.name.clone()).collect() };
        view.groups.iter().map(|group| names(group).join(" ")).collect()
    }

    #[test]
    fn the_odd_one_stands_apart_with_its_difference() {
        let answers =
            [over("b", "6.1\n"), over("x", "5.4\n"), over("a", "6.1\n"), failed("y"), failed("z"), failed("w")];
        let view = CommandView::of(run(), &answers);
        assert_eq!(hosts(&view), ["a b", "x", "w y z"]);
        assert_eq!(view.groups.iter().map(|group| group.majority).collect::<Vec<_>>(), [true, false, false]);
        let difference = view.groups[1].difference.as_ref();
        assert_eq!(difference.map(|difference| (difference.added, difference.removed)), Some((1, 1)));
        assert!(view.groups[0].difference.is_none() && view.groups[2].difference.is_none());
    }

    #[test]
    fn who_still_runs_stands_with_those_who_said_the_same_so_far() {
        let answers = [
            over("a", "one\ntwo\n"),
            going_on("b", "one\n"),
            going_on("c", "other\n"),
            going_on("d", ""),
            CommandAnswer::waiting("e".into(), "e"),
        ];
        let view = CommandView::of(run(), &answers);
        assert_eq!(hosts(&view), ["a b", "c"]);
        assert!(!view.groups[0].running && view.groups[1].running);
        assert_eq!(view.waiting.iter().map(|host| host.name.as_str()).collect::<Vec<_>>(), ["d", "e"]);
    }

    #[test]
    fn a_view_of_many_large_answers_stays_small() {
        let large = |host: usize| over(&format!("h{host:03}"), &format!("{host}\n").repeat(100_000));
        let view = CommandView::of(run(), &(0..120).map(large).collect::<Vec<_>>());
        assert_eq!(view.groups.len(), 120);
        let bytes: usize = view.groups.iter().map(|group| group.stdout.len()).sum();
        assert!(bytes <= SHOWN_IN_ALL, "{bytes}");
        assert_eq!(view.groups[0].stdout_cut_at, Some(SHOWN_BYTES as u64));
        assert!(view.groups[SHOWN_GROUPS].difference.is_none(), "too many to be compared");
    }
}
