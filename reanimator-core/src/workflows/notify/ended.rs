//! Operations that have ended, as notices: pure.
//!
//! What was told is remembered in the store, so that one which ended while no server ran is told by the next.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::{Notice, NoticeKind, NoticeLevel, Operation, OperationId, OperationState, StepState};

/// As many steps that failed are told of one operation.
const MOST_STEPS: usize = 10;

/// Up to where operations were told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told {
    /// The newest that was seen. Ids are in the order of creation.
    pub(super) newest: Option<OperationId>,
    /// Those that went on when they were last seen.
    pub(super) open: BTreeSet<OperationId>,
}

impl Told {
    /// Whether it came after all that were seen.
    pub(super) fn is_new(&self, id: &OperationId) -> bool {
        self.newest.as_ref().is_none_or(|newest| id > newest)
    }

    /// What is told after these were seen, and the notices of those that ended since.
    pub(super) fn with(&self, seen: &[Operation], now: Timestamp) -> (Self, Vec<Notice>) {
        let is_over = |operation: &&Operation| operation.state.is_over() && !operation.is_wished();
        let ended = seen.iter().filter(is_over).filter(|each| self.open.contains(&each.id) || self.is_new(&each.id));
        let notices = ended.map(|operation| notice(operation, now)).collect();
        let open = seen.iter().filter(|each| !is_over(each)).map(|each| each.id.clone()).collect();
        let newest = seen.iter().map(|each| &each.id).max().cloned().max(self.newest.clone());
        (Self { newest, open }, notices)
    }

    /// The same before anything was ever told: what was over before `since` is no news.
    pub(super) fn first(seen: &[Operation], since: Timestamp, now: Timestamp) -> (Self, Vec<Notice>) {
        let is_news = |operation: &&Operation| operation.ended_at.is_none_or(|ended| ended >= since);
        let news: Vec<Operation> = seen.iter().filter(is_news).cloned().collect();
        (Self::default().with(seen, now).0, Self::default().with(&news, now).1)
    }
}

fn notice(operation: &Operation, now: Timestamp) -> Notice {
    let failed: Vec<String> = operation
        .steps
        .iter()
        .filter(|step| step.state == StepState::Failed)
        .map(|step| format!("{}: {}", step.action.words(), step.outcome.as_deref().unwrap_or("it failed")))
        .collect();
    let undo_failed = operation.steps.iter().any(|step| step.undoes.is_some() && step.state == StepState::Failed);
    let (level, end) = match operation.state {
        OperationState::Failed => (NoticeLevel::Warning, "failed"),
        OperationState::Undone if undo_failed => (NoticeLevel::Warning, "could not be taken back altogether"),
        OperationState::Undone => (NoticeLevel::Ok, "was taken back"),
        OperationState::Cancelled => (NoticeLevel::Ok, "was stopped"),
        OperationState::Done | OperationState::Waiting | OperationState::Running | OperationState::Undoing => {
            (NoticeLevel::Ok, "is done")
        }
    };
    let title = match operation.title.is_empty() {
        false => operation.title.clone(),
        true => operation.steps.first().map(|step| step.action.words()).unwrap_or_default(),
    };
    let mut lines: Vec<String> = operation.note.iter().cloned().collect();
    // The note tells of the only one that failed.
    if failed.len() != 1 || lines.is_empty() {
        lines.extend(failed.iter().take(MOST_STEPS).cloned());
    }
    lines.push(format!("Asked for by {}.", operation.requested_by));
    let at = operation.ended_at.unwrap_or(now);
    let notice = Notice::new(NoticeKind::OperationEnded, level, format!("{title}: {end}"), at)
        .saying(lines.join("\n"))
        .keyed(format!("operation:{}", operation.id))
        .with("operation", &operation.id)
        .with("state", operation.state.as_str())
        .with("requested_by", &operation.requested_by);
    match operation.things().as_slice() {
        [] => notice,
        [only] => notice.about(only),
        several => notice.with("things", several.join(",")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use super::*;
    use crate::model::{Action, HostChange, NewOperation, NewStep};

    fn operation(id: &str, state: OperationState) -> Operation {
        let action = Action::Host { id: "h1".into(), change: HostChange::Shutdown };
        let new = NewOperation { title: id.into(), steps: vec![NewStep::from(action)], ..NewOperation::default() };
        Operation { id: id.into(), state, ..Operation::new(new, "ada", Timestamp::UNIX_EPOCH) }
    }

    fn titles(notices: &[Notice]) -> Vec<&str> {
        notices.iter().map(|notice| notice.title.as_str()).collect()
    }

    #[test]
    fn each_end_is_told_once_also_of_what_began_and_ended_unseen() {
        let now = Timestamp::UNIX_EPOCH;
        let old = Operation { ended_at: Some(now), ..operation("1", OperationState::Done) };
        let since = Timestamp::from_second(1).unwrap();
        let (told, notices) = Told::first(&[old, operation("2", OperationState::Running)], since, now);
        assert_eq!(notices, []);
        assert_eq!(told, Told { newest: Some("2".into()), open: BTreeSet::from(["2".into()]) });
        let seen = [
            operation("1", OperationState::Done),
            operation("2", OperationState::Failed),
            operation("3", OperationState::Done),
        ];
        let (told, notices) = told.with(&seen, now);
        assert_eq!(titles(&notices), ["2: failed", "3: is done"]);
        assert_eq!(notices[0].level, NoticeLevel::Warning);
        assert_eq!(notices[0].entity.as_deref(), Some("host:h1"));
        assert_eq!(told.with(&seen, now).1, []);
    }

    #[test]
    fn what_ended_after_the_start_is_told_at_the_first_look() {
        let (start, now) = (Timestamp::from_second(10).unwrap(), Timestamp::from_second(20).unwrap());
        let ended = |id: &str, second| {
            let at = Timestamp::from_second(second).unwrap();
            Operation { ended_at: Some(at), ..operation(id, OperationState::Failed) }
        };
        let (told, notices) = Told::first(&[ended("1", 9), ended("2", 10)], start, now);
        assert_eq!((titles(&notices), told.newest), (vec!["2: failed"], Some("2".into())));
    }

    #[test]
    fn what_is_taken_back_later_is_told_again_when_it_is() {
        let now = Timestamp::UNIX_EPOCH;
        let told = Told { newest: Some("1".into()), ..Told::default() };
        let wished = Operation { undo: true, ..operation("1", OperationState::Done) };
        let (told, notices) = told.with(&[wished], now);
        assert_eq!(notices, []);
        let undone = Operation { undo: true, ..operation("1", OperationState::Undone) };
        assert_eq!(titles(&told.with(&[undone], now).1), ["1: was taken back"]);
    }
}
