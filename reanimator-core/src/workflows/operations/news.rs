//! What is new about operations since the last look: pure.

use std::collections::BTreeMap;

use crate::model::{EventKind, Operation, OperationId};

/// What was told already.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Those that went on at the last look, as they were.
    open: BTreeMap<OperationId, Operation>,
    /// The newest that was ever seen; none before the first look.
    newest: Option<OperationId>,
    looked: bool,
}

impl News {
    /// Those that went on at the last look.
    pub(super) fn going_on(&self) -> impl Iterator<Item = &OperationId> {
        self.open.keys()
    }

    /// Whether it came after all that were seen. Ids are in the order of creation.
    pub(super) fn is_new(&self, id: &OperationId) -> bool {
        self.newest.as_ref().is_none_or(|newest| id > newest)
    }

    /// What is to be told of what is seen now. What was over before the first look is no news.
    pub(super) fn of(&mut self, seen: Vec<Operation>) -> Vec<(EventKind, Operation)> {
        let mut all: BTreeMap<OperationId, Operation> = BTreeMap::new();
        all.extend(seen.into_iter().map(|operation| (operation.id.clone(), operation)));
        let mut news = Vec::new();
        for operation in all.values() {
            let is_over = operation.state.is_over() && !operation.is_wished();
            match self.open.get(&operation.id) {
                Some(before) if before == operation => {}
                Some(_) if is_over => news.push((EventKind::OperationEnded, operation.clone())),
                Some(_) => news.push((EventKind::OperationUpdated, operation.clone())),
                None if is_over && !(self.looked && self.is_new(&operation.id)) => {}
                None => {
                    let kind = match self.is_new(&operation.id) {
                        true => EventKind::OperationStarted,
                        false => EventKind::OperationUpdated,
                    };
                    news.push((kind, operation.clone()));
                    if is_over {
                        news.push((EventKind::OperationEnded, operation.clone()));
                    }
                }
            }
        }
        self.newest = all.keys().next_back().cloned().max(self.newest.take());
        self.looked = true;
        all.retain(|_, operation| !operation.state.is_over() || operation.is_wished());
        self.open = all;
        news
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{NewOperation, OperationState};

    fn operation(id: &str, state: OperationState) -> Operation {
        let new = NewOperation { title: id.into(), ..NewOperation::default() };
        Operation { id: id.into(), state, ..Operation::new(new, "ada", Timestamp::UNIX_EPOCH) }
    }

    fn kinds(news: Vec<(EventKind, Operation)>) -> Vec<String> {
        news.into_iter().map(|(kind, operation)| format!("{} {}", kind.as_str(), operation.id)).collect()
    }

    #[test]
    fn each_operation_is_told_from_its_start_to_its_end() {
        let mut news = News::default();
        let (old, one) = (operation("1", OperationState::Done), operation("2", OperationState::Running));
        assert_eq!(kinds(news.of(vec![old, one.clone()])), ["operation:started 2"]);
        assert_eq!(kinds(news.of(vec![one.clone()])), [""; 0]);
        let further = Operation { percent: 50.0, ..one.clone() };
        assert_eq!(kinds(news.of(vec![further])), ["operation:updated 2"]);
        let short = operation("3", OperationState::Failed);
        let told = kinds(news.of(vec![Operation { state: OperationState::Done, ..one }, short]));
        assert_eq!(told, ["operation:ended 2", "operation:started 3", "operation:ended 3"]);
        assert_eq!(news.going_on().count(), 0);
        assert!(!news.is_new(&"3".into()) && news.is_new(&"4".into()));
    }

    #[test]
    fn one_that_is_to_be_undone_goes_on() {
        let mut news = News::default();
        assert_eq!(kinds(news.of(vec![operation("1", OperationState::Done)])), [""; 0]);
        let wished = Operation { undo: true, ..operation("1", OperationState::Done) };
        assert_eq!(kinds(news.of(vec![wished])), ["operation:updated 1"]);
        let undone = Operation { undo: true, ..operation("1", OperationState::Undone) };
        assert_eq!(kinds(news.of(vec![undone])), ["operation:ended 1"]);
    }
}
