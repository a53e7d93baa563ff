//! What people are told of updates: that one has ended, and that one could not be made.

use std::collections::BTreeSet;

use super::{UpdateRun, UpdateState, UpdateTarget};
use crate::model::{Notice, NoticeKind, NoticeLevel};

/// As many machines that failed or were passed over are told of.
const MOST_MACHINES: usize = 10;
/// Bytes of the names of what it is about: what a field of a notice holds.
const LONGEST_THINGS: usize = 480;

impl UpdateRun {
    /// What people are told of its end; none while it goes on.
    pub fn end_notice(&self) -> Option<Notice> {
        let end = match self.state {
            UpdateState::Waiting | UpdateState::Running => return None,
            UpdateState::Done => "is done",
            UpdateState::Failed => "failed",
            UpdateState::Cancelled => "was stopped",
        };
        let line = self.line();
        let is_bad = self.state == UpdateState::Failed || line.failed > 0;
        let level = match self.state {
            _ if is_bad => NoticeLevel::Warning,
            UpdateState::Done if line.skipped > 0 => NoticeLevel::Warning,
            // They were never a part of it: stopped guests, templates.
            UpdateState::Done if !self.passed_over.is_empty() => NoticeLevel::Notice,
            _ => NoticeLevel::Ok,
        };
        let notice = Notice::new(NoticeKind::UpdateEnded, level, format!("{}: {end}", self.title), self.ended_at?)
            .saying(self.end_lines().join("\n"))
            .keyed(format!("update:{}", self.id))
            .with("update", &self.id)
            .with("state", self.state.as_str())
            .with("requested_by", &self.requested_by)
            .with("machines", line.machines)
            .with("failed", line.failed)
            .with("skipped", line.skipped)
            .with("packages", line.packages);
        let notice = match &self.schedule {
            Some(schedule) => notice.with("schedule", schedule),
            None => notice,
        };
        Some(match self.targets.as_slice() {
            [only] => notice.about(only.machine.to_string()),
            several => notice.with("things", things(several)),
        })
    }

    fn end_lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.note.iter().cloned().collect();
        let troubled = self.troubled();
        lines.extend(troubled.iter().take(MOST_MACHINES).map(|each| format!("{}: {}", each.name, each.outcome())));
        lines.extend(more(troubled.len()));
        let never = self.passed_over.iter().take(MOST_MACHINES);
        lines.extend(never.map(|each| format!("{} is not updated: {}", each.name, each.why)));
        lines.extend(more(self.passed_over.len()));
        lines.push(format!("Asked for by {}.", self.requested_by));
        lines
    }

    /// Those that failed, then those that were passed over.
    fn troubled(&self) -> Vec<&UpdateTarget> {
        let bad = self.targets.iter().filter(|target| target.state.is_bad());
        let skipped = self.targets.iter().filter(|target| target.state == super::TargetState::Skipped);
        bad.chain(skipped).collect()
    }
}

fn more(count: usize) -> Option<String> {
    (count > MOST_MACHINES).then(|| format!("and {} more", count - MOST_MACHINES))
}

/// The machines that it is about, those that failed first, as many as there is room for.
fn things(targets: &[UpdateTarget]) -> String {
    let mut sorted: Vec<&UpdateTarget> = targets.iter().collect();
    sorted.sort_by_key(|target| !target.state.is_bad());
    let (mut known, mut text) = (BTreeSet::new(), String::new());
    for thing in sorted.iter().map(|target| target.machine.to_string()) {
        if text.len() + thing.len() + 1 > LONGEST_THINGS {
            break;
        }
        if known.insert(thing.clone()) {
            text.push_str(if text.is_empty() { "" } else { "," });
            text.push_str(&thing);
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{Machine, TargetKind, TargetState, UpdateWish};

    fn run(state: UpdateState, targets: &[TargetState]) -> UpdateRun {
        let target = |(number, state): (u32, &TargetState)| {
            let name = format!("web{number}");
            let new = UpdateTarget::new(number, Machine::Host(name.as_str().into()), name, TargetKind::Host);
            UpdateTarget { state: *state, failure: Some("no room".into()), ..new }
        };
        UpdateRun {
            title: "update web".into(),
            state,
            ended_at: Some(Timestamp::UNIX_EPOCH),
            targets: (0..).zip(targets).map(target).collect(),
            ..UpdateRun::new(UpdateWish::default(), "ada", "local", Timestamp::UNIX_EPOCH)
        }
    }

    #[test]
    fn an_end_is_told_as_loudly_as_it_is_bad() {
        use TargetState::{Current, Failed, Pending, Skipped, Updated};
        let level = |state, targets: &[TargetState]| run(state, targets).end_notice().map(|notice| notice.level);
        assert_eq!(level(UpdateState::Running, &[Updated, Pending]), None);
        assert_eq!(level(UpdateState::Done, &[Updated, Current]), Some(NoticeLevel::Ok));
        assert_eq!(level(UpdateState::Done, &[Updated, Skipped]), Some(NoticeLevel::Warning));
        assert_eq!(level(UpdateState::Failed, &[Updated, Failed]), Some(NoticeLevel::Warning));
        assert_eq!(level(UpdateState::Cancelled, &[Updated, Skipped]), Some(NoticeLevel::Ok));
        assert_eq!(level(UpdateState::Cancelled, &[Failed, Skipped]), Some(NoticeLevel::Warning));
    }

    #[test]
    fn it_says_who_failed_and_why_and_stays_short() {
        let notice = run(UpdateState::Failed, &[TargetState::Updated, TargetState::Failed]).end_notice().unwrap();
        assert_eq!(
            (notice.title.as_str(), notice.text.as_str()),
            ("update web: failed", "web1: no room\nAsked for by ada.")
        );
        assert_eq!(notice.things().collect::<Vec<_>>(), ["host:web1", "host:web0"]);
        let many = run(UpdateState::Failed, &[TargetState::Failed; 900]).end_notice().unwrap();
        assert!(many.text.contains("and 890 more"), "{}", many.text);
        assert!(many.fields["things"].len() <= LONGEST_THINGS && many.fields["things"].ends_with(char::is_numeric));
        let one = run(UpdateState::Done, &[TargetState::Updated]).end_notice().unwrap();
        assert_eq!(one.entity.as_deref(), Some("host:web0"));
    }
}
