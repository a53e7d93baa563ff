//! What goes out to one target now, what waits, and what is not needed any more: pure.
//!
//! - While it is quiet only what is critical goes through; what came meanwhile goes out as one message when it is over.
//! - What comes within the time of gathering goes out as one message, counted from the first of it.
//! - Of several about the same matter the newest is told; trouble that was over before anybody heard of it is not told.
//! - What could not be sent is tried again, later each time, for a day.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::{
    Result,
    model::{Delivery, DeliveryState, NoticeKind, NoticeLevel, NotifyTarget},
};

/// The first pause after a failure; it doubles with each one more.
const FIRST_PAUSE: Duration = Duration::from_secs(15);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// After so long it is given up.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// So many that are due at once are a flood, and go out together, whatever is set.
const FLOOD: usize = 20;
/// As many notices are in one message at most, and as much text, in bytes.
const MOST_IN_ONE: usize = 100;
const MOST_TEXT_IN_ONE: usize = 256 * 1024;

/// What is to be done for one target.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Messages to be sent, in this order, each of these deliveries.
    pub(super) send: Vec<Vec<Delivery>>,
    /// What is over without having been sent.
    pub(super) dropped: Vec<Delivery>,
}

/// What to do with what waits for a target, oldest first.
pub(super) fn plan(target: &NotifyTarget, waiting: Vec<Delivery>, now: Timestamp) -> Result<Plan> {
    let (kept, dropped) = newest_of_each(waiting, now);
    let quiet = target.quiet_until(now)?.is_some();
    let mut ready = Vec::new();
    for delivery in kept {
        let waits = quiet && !goes_through(target, &delivery);
        let later = delivery.next_try_at.is_some_and(|at| at > now);
        if !waits && !later {
            ready.push(delivery);
        }
    }
    Ok(Plan { send: messages(target, ready, now)?, dropped })
}

/// Of each matter the newest; those that it replaces are over.
fn newest_of_each(waiting: Vec<Delivery>, now: Timestamp) -> (Vec<Delivery>, Vec<Delivery>) {
    let mut matters: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
    for delivery in waiting {
        matters.entry(delivery.notice.key.clone()).or_default().push(delivery);
    }
    let (mut kept, mut dropped) = (Vec::new(), Vec::new());
    let over = |delivery: Delivery, why: &str| delivery.ended(DeliveryState::Dropped, Some(why.to_owned()), now);
    for mut matter in matters.into_values() {
        let Some(newest) = matter.pop() else { continue };
        // What was tried may have arrived, so its end has to be told.
        let unheard = matter.first().is_some_and(|oldest| {
            oldest.notice.kind == NoticeKind::AlertRaised && matter.iter().all(|each| each.tries == 0)
        });
        dropped.extend(matter.into_iter().map(|each| over(each, "something newer about it took its place")));
        if unheard && newest.tries == 0 && newest.notice.kind == NoticeKind::AlertResolved {
            dropped.push(over(newest, "it was over before it was told"));
        } else {
            kept.push(newest);
        }
    }
    kept.sort_by_key(|delivery| delivery.number);
    (kept, dropped)
}

/// Whether it goes out although it is quiet.
fn goes_through(target: &NotifyTarget, delivery: &Delivery) -> bool {
    let critical = delivery.notice.level == NoticeLevel::Critical;
    critical && target.quiet.as_ref().is_none_or(|quiet| !quiet.critical_waits)
}

/// What is ready, gathered into messages.
fn messages(target: &NotifyTarget, ready: Vec<Delivery>, now: Timestamp) -> Result<Vec<Vec<Delivery>>> {
    let Some(oldest) = ready.iter().map(|delivery| delivery.queued_at).min() else { return Ok(Vec::new()) };
    if target.group_seconds > 0 {
        let gathered = oldest.saturating_add(SignedDuration::from_secs(i64::from(target.group_seconds)));
        let due = gathered.map_or(true, |gathered| gathered <= now);
        return Ok(if due { parts(ready) } else { Vec::new() });
    }
    if ready.len() > FLOOD {
        return Ok(parts(ready));
    }
    let (mut digest, mut alone) = (Vec::new(), Vec::new());
    for delivery in ready {
        match target.quiet_until(delivery.queued_at)?.is_some() && !goes_through(target, &delivery) {
            true => digest.push(delivery),
            false => alone.push(vec![delivery]),
        }
    }
    let mut messages = parts(digest);
    messages.extend(alone);
    Ok(messages)
}

/// Together, in as many messages as they need.
fn parts(all: Vec<Delivery>) -> Vec<Vec<Delivery>> {
    let mut parts: Vec<Vec<Delivery>> = Vec::new();
    let mut bytes = 0;
    for delivery in all {
        let notice = &delivery.notice;
        let fields: usize = notice.fields.iter().map(|(name, value)| name.len() + value.len()).sum();
        let size = notice.title.len() + notice.text.len() + fields;
        bytes += size;
        match parts.last_mut() {
            Some(part) if part.len() < MOST_IN_ONE && bytes <= MOST_TEXT_IN_ONE => part.push(delivery),
            _ => {
                bytes = size;
                parts.push(vec![delivery]);
            }
        }
    }
    parts
}

/// How it stands after it could not be sent.
pub(super) fn after_failure(delivery: Delivery, why: &str, now: Timestamp) -> Delivery {
    let first = delivery.first_try_at.unwrap_or(now);
    let tries = delivery.tries.saturating_add(1);
    let failed = Delivery { tries, first_try_at: Some(first), ..delivery };
    if now.duration_since(first) >= GIVEN_UP_AFTER {
        return failed.ended(DeliveryState::Failed, Some(format!("given up after a day: {why}")), now);
    }
    let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries - 1)).min(LONGEST_PAUSE);
    Delivery { next_try_at: Some(now + pause), note: Some(why.to_owned()), ..failed }
}

/// How it stands after it was sent.
pub(super) fn after_success(delivery: Delivery, answer: &str, now: Timestamp) -> Delivery {
    let (tries, first) = (delivery.tries.saturating_add(1), delivery.first_try_at.unwrap_or(now));
    let sent = Delivery { tries, first_try_at: Some(first), ..delivery };
    sent.ended(DeliveryState::Sent, Some(answer.to_owned()), now)
}

/// Which message it is: the same again when the same deliveries are sent again.
pub(super) fn seed(target: &NotifyTarget, deliveries: &[Delivery]) -> String {
    let each = deliveries.iter().map(|each| format!("{} {}", each.number, each.queued_at));
    format!("{}\n{}", target.name, each.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at once")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Notice;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-26T{text}Z").parse().unwrap()
    }

    fn target(group_seconds: u32, critical_waits: Option<bool>) -> NotifyTarget {
        let quiet = critical_waits.map(|waits| json!({ "from": "22:00", "to": "07:00", "critical_waits": waits }));
        serde_json::from_value(json!({
            "name": "t", "way": { "kind": "apprise" }, "group_seconds": group_seconds, "quiet": quiet,
        }))
        .unwrap()
    }

    fn of(number: i64, key: &str, kind: NoticeKind, level: NoticeLevel, queued: &str) -> Delivery {
        let notice = Notice::new(kind, level, format!("{key} {number}"), at(queued)).keyed(key);
        Delivery { number, ..Delivery::new("t", notice, at(queued)) }
    }

    fn raised(number: i64, key: &str, level: NoticeLevel, queued: &str) -> Delivery {
        of(number, key, NoticeKind::AlertRaised, level, queued)
    }

    fn resolved(number: i64, key: &str, queued: &str) -> Delivery {
        of(number, key, NoticeKind::AlertResolved, NoticeLevel::Ok, queued)
    }

    /// The numbers in each message, and those that are dropped.
    fn numbers(target: &NotifyTarget, waiting: &[Delivery], now: &str) -> (Vec<Vec<i64>>, Vec<i64>) {
        let plan = plan(target, waiting.to_vec(), at(now)).unwrap();
        let of = |each: &Vec<Delivery>| each.iter().map(|each| each.number).collect::<Vec<_>>();
        (plan.send.iter().map(of).collect(), of(&plan.dropped))
    }

    #[test]
    fn what_comes_together_goes_out_together() {
        let target = target(30, None);
        let waiting =
            [raised(1, "a", NoticeLevel::Critical, "12:00:00"), raised(2, "b", NoticeLevel::Warning, "12:00:20")];
        assert_eq!(numbers(&target, &waiting, "12:00:29"), (vec![], vec![]));
        assert_eq!(numbers(&target, &waiting, "12:00:30"), (vec![vec![1, 2]], vec![]));
    }

    #[test]
    fn without_gathering_each_goes_by_itself_but_for_a_flood() {
        let target = target(0, None);
        let many =
            |count| (0..count).map(|n| raised(n, &n.to_string(), NoticeLevel::Notice, "12:00:00")).collect::<Vec<_>>();
        assert_eq!(numbers(&target, &many(3), "12:00:00").0, [[0], [1], [2]]);
        assert_eq!(numbers(&target, &many(21), "12:00:00").0.len(), 1);
        assert_eq!(numbers(&target, &many(250), "12:00:00").0.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
    }

    #[test]
    fn the_newest_state_is_told_and_what_was_over_at_once_is_not() {
        let target = target(30, None);
        let waiting = [
            raised(1, "a", NoticeLevel::Warning, "12:00:00"),
            raised(2, "a", NoticeLevel::Critical, "12:00:01"),
            raised(3, "b", NoticeLevel::Warning, "12:00:02"),
            resolved(4, "b", "12:00:03"),
            resolved(5, "c", "12:00:04"),
            raised(6, "d", NoticeLevel::Warning, "12:00:05"),
            resolved(7, "d", "12:00:06"),
            raised(8, "d", NoticeLevel::Warning, "12:00:07"),
        ];
        assert_eq!(numbers(&target, &waiting, "12:01:00"), (vec![vec![2, 5, 8]], vec![1, 3, 4, 6, 7]));
    }

    #[test]
    fn an_end_is_told_where_the_trouble_may_have_arrived() {
        let target = target(0, None);
        let tried = Delivery { tries: 1, ..raised(1, "a", NoticeLevel::Warning, "12:00:00") };
        assert_eq!(numbers(&target, &[tried, resolved(2, "a", "12:00:10")], "12:01:00"), (vec![vec![2]], vec![1]));
    }

    #[test]
    fn what_waits_over_quiet_hours_is_one_message_at_their_end() {
        let target = target(0, Some(false));
        let waiting = [
            raised(1, "a", NoticeLevel::Warning, "01:00:00"),
            raised(2, "b", NoticeLevel::Critical, "02:00:00"),
            raised(3, "c", NoticeLevel::Notice, "03:00:00"),
        ];
        assert_eq!(numbers(&target, &waiting, "03:00:00"), (vec![vec![2]], vec![]));
        let rest = [waiting[0].clone(), waiting[2].clone()];
        assert_eq!(numbers(&target, &rest, "06:59:59"), (vec![], vec![]));
        assert_eq!(numbers(&target, &rest, "07:00:00"), (vec![vec![1, 3]], vec![]));
        // What comes after is told by itself.
        let with_more = [rest[0].clone(), rest[1].clone(), raised(4, "d", NoticeLevel::Notice, "07:00:01")];
        assert_eq!(numbers(&target, &with_more, "07:00:02"), (vec![vec![1, 3], vec![4]], vec![]));
    }

    #[test]
    fn what_is_critical_waits_too_where_that_is_wished() {
        let target = target(0, Some(true));
        let waiting = [raised(1, "a", NoticeLevel::Critical, "02:00:00")];
        assert_eq!(numbers(&target, &waiting, "02:00:00"), (vec![], vec![]));
        assert_eq!(numbers(&target, &waiting, "07:00:00"), (vec![vec![1]], vec![]));
    }

    #[test]
    fn it_is_tried_again_later_each_time_and_given_up_after_a_day() {
        let mut delivery = raised(1, "a", NoticeLevel::Warning, "12:00:00");
        let (mut now, mut pauses) = (at("12:00:00"), Vec::new());
        while delivery.state == DeliveryState::Waiting {
            delivery = after_failure(delivery, "no route", now);
            let Some(next) = delivery.next_try_at else { break };
            pauses.push(next.duration_since(now).as_secs());
            now = next;
        }
        assert_eq!(pauses[..9], [15, 30, 60, 120, 240, 480, 960, 1920, 3600]);
        assert_eq!(delivery.state, DeliveryState::Failed);
        assert!(delivery.note.as_deref().is_some_and(|note| note.contains("no route")));
        let day = now.duration_since(at("12:00:00"));
        assert!(day >= GIVEN_UP_AFTER && day < GIVEN_UP_AFTER + SignedDuration::from_hours(1), "{day}");
        let later = after_failure(raised(1, "a", NoticeLevel::Warning, "12:00:00"), "x", at("12:00:00"));
        assert_eq!(numbers(&target(0, None), std::slice::from_ref(&later), "12:00:14").0, Vec::<Vec<i64>>::new());
        assert_eq!(numbers(&target(0, None), &[later], "12:00:15").0, [[1]]);
    }
}
