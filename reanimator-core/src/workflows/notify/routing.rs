//! Who hears of what: pure.

use std::collections::BTreeSet;

use crate::model::{Notice, NoticeKind, NoticeLevel, NotifyTarget};

/// Whether a target wants a notice. `chosen` are the things that its selection means, as notices name them; none where it
/// has no selection.
pub(super) fn wants(target: &NotifyTarget, chosen: Option<&BTreeSet<String>>, notice: &Notice) -> bool {
    let which = &target.which;
    target.enabled
        && which.kinds.contains(&notice.kind)
        && wants_level(target, notice)
        && chosen.is_none_or(|chosen| notice.things().any(|thing| chosen.contains(thing)))
}

/// What is well again goes where the trouble went; what went well, to those who want to hear of it.
fn wants_level(target: &NotifyTarget, notice: &Notice) -> bool {
    let which = &target.which;
    match notice.kind {
        NoticeKind::AlertResolved => {
            which.resolved && level_before(notice).is_none_or(|level| which.levels.contains(&level))
        }
        NoticeKind::OperationEnded | NoticeKind::UpdateEnded if notice.level == NoticeLevel::Ok => which.done,
        _ if notice.level == NoticeLevel::Ok => true,
        _ => which.levels.contains(&notice.level),
    }
}

/// How bad it was, where the field `level` says so.
fn level_before(notice: &Notice) -> Option<NoticeLevel> {
    let was = notice.fields.get("level")?;
    NoticeLevel::ALL.into_iter().find(|level| level.as_str() == was)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn target(which: serde_json::Value) -> NotifyTarget {
        serde_json::from_value(json!({ "name": "t", "way": { "kind": "apprise" }, "which": which })).unwrap()
    }

    fn notice(kind: NoticeKind, level: NoticeLevel) -> Notice {
        Notice::new(kind, level, "t", Timestamp::UNIX_EPOCH).about("host:a")
    }

    #[test]
    fn by_default_trouble_and_its_end_are_told_and_what_went_well_is_not() {
        let all = target(json!({}));
        for (kind, level, wanted) in [
            (NoticeKind::AlertRaised, NoticeLevel::Critical, true),
            (NoticeKind::AlertRaised, NoticeLevel::Notice, true),
            (NoticeKind::AlertResolved, NoticeLevel::Ok, true),
            (NoticeKind::OperationEnded, NoticeLevel::Warning, true),
            (NoticeKind::OperationEnded, NoticeLevel::Ok, false),
            (NoticeKind::UpdateEnded, NoticeLevel::Ok, false),
        ] {
            assert_eq!(wants(&all, None, &notice(kind, level)), wanted, "{kind:?} {level:?}");
        }
        assert!(wants(&target(json!({ "done": true })), None, &notice(NoticeKind::OperationEnded, NoticeLevel::Ok)));
        let off = NotifyTarget { enabled: false, ..all };
        assert!(!wants(&off, None, &notice(NoticeKind::AlertRaised, NoticeLevel::Critical)));
    }

    #[test]
    fn levels_and_kinds_are_kept_to_and_an_end_follows_its_trouble() {
        let critical = target(json!({ "levels": ["critical"], "kinds": ["alert-raised", "alert-resolved"] }));
        let told = |notice: &Notice| wants(&critical, None, notice);
        assert!(told(&notice(NoticeKind::AlertRaised, NoticeLevel::Critical)));
        assert!(!told(&notice(NoticeKind::AlertRaised, NoticeLevel::Warning)));
        assert!(!told(&notice(NoticeKind::OperationEnded, NoticeLevel::Critical)));
        let resolved = notice(NoticeKind::AlertResolved, NoticeLevel::Ok);
        assert!(told(&resolved.clone().with("level", "critical")));
        assert!(!told(&resolved.clone().with("level", "warning")));
        assert!(told(&resolved), "where nothing says how bad it was, its end is told");
        assert!(!wants(&target(json!({ "resolved": false })), None, &resolved));
    }

    #[test]
    fn a_selection_takes_what_is_about_its_things_alone() {
        let all = target(json!({}));
        let chosen = BTreeSet::from(["host:b".to_owned()]);
        let one = notice(NoticeKind::AlertRaised, NoticeLevel::Critical);
        assert!(!wants(&all, Some(&chosen), &one));
        assert!(wants(&all, Some(&chosen), &one.clone().with("things", "host:c, host:b")));
        let nothing = Notice { entity: None, ..one };
        assert!(!wants(&all, Some(&chosen), &nothing));
        assert!(wants(&all, None, &nothing));
    }
}
