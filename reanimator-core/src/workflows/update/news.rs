//! What is new about updates since the last look: pure.

use std::collections::BTreeMap;

use crate::model::{EventKind, UpdateId, UpdateLine};

/// What was told already.
#[derive(Debug, Default)]
pub(super) struct News {
    /// Those that went on at the last look, as they were.
    open: BTreeMap<UpdateId, UpdateLine>,
    /// The newest that was ever seen.
    newest: Option<UpdateId>,
    looked: bool,
}

impl News {
    /// Those that went on at the last look.
    pub(super) fn going_on(&self) -> Vec<UpdateId> {
        self.open.keys().cloned().collect()
    }

    /// Whether it came after all that were seen. Ids are in the order of creation.
    pub(super) fn is_new(&self, id: &UpdateId) -> bool {
        self.newest.as_ref().is_none_or(|newest| id > newest)
    }

    /// What is to be told of what is seen now: those that are open, those that were, and the newest. What was over before
    /// the first look is no news.
    pub(super) fn of(&mut self, seen: Vec<UpdateLine>) -> Vec<(EventKind, UpdateLine)> {
        let mut all: BTreeMap<UpdateId, UpdateLine> = BTreeMap::new();
        all.extend(seen.into_iter().map(|line| (line.id.clone(), line)));
        let mut news = Vec::new();
        for (id, line) in &all {
            let is_new = self.is_new(id);
            match self.open.get(id) {
                Some(before) if before == line => {}
                Some(_) if line.state.is_over() => news.push((EventKind::UpdateEnded, line.clone())),
                Some(_) => news.push((EventKind::UpdateUpdated, line.clone())),
                None if line.state.is_over() && !(self.looked && is_new) => {}
                None => {
                    let kind = if is_new { EventKind::UpdateStarted } else { EventKind::UpdateUpdated };
                    news.push((kind, line.clone()));
                    if line.state.is_over() {
                        news.push((EventKind::UpdateEnded, line.clone()));
                    }
                }
            }
        }
        self.newest = all.keys().next_back().cloned().max(self.newest.take());
        self.looked = true;
        all.retain(|_, line| !line.state.is_over());
        self.open = all;
        news
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{UpdateRun, UpdateState, UpdateWish};

    fn line(id: &str, state: UpdateState) -> UpdateLine {
        let run = UpdateRun::new(UpdateWish::default(), "ada", "local", Timestamp::UNIX_EPOCH);
        UpdateRun { id: id.into(), state, ..run }.line()
    }

    fn kinds(news: Vec<(EventKind, UpdateLine)>) -> Vec<String> {
        news.into_iter().map(|(kind, line)| format!("{} {}", kind.as_str(), line.id)).collect()
    }

    #[test]
    fn each_update_is_told_from_its_start_to_its_end() {
        let mut news = News::default();
        let (old, one) = (line("1", UpdateState::Done), line("2", UpdateState::Waiting));
        assert_eq!(kinds(news.of(vec![old, one.clone()])), ["update:started 2"]);
        assert_eq!(kinds(news.of(vec![one.clone()])), [""; 0]);
        let further = UpdateLine { state: UpdateState::Running, ..one.clone() };
        assert_eq!(kinds(news.of(vec![further])), ["update:updated 2"]);
        let short = line("3", UpdateState::Failed);
        let told = kinds(news.of(vec![UpdateLine { state: UpdateState::Done, ..one }, short]));
        assert_eq!(told, ["update:ended 2", "update:started 3", "update:ended 3"]);
        assert!(news.going_on().is_empty());
    }
}
