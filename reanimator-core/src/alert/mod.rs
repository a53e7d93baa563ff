//! When somebody is to be told: rules, what is known, and the time in; what was raised and what is over out. Pure.
//!
//! [`Watch`] holds what goes on. [`Watch::step`] takes the [rules](Bound) with what they cover, the [things](Subject) as they
//! are now, and the time, and gives the next watch and the [transitions](Transition) on the way to it. Whoever calls writes
//! those down first and goes on with the next watch then; where writing fails, the same step is taken again later. The loop
//! that does so is `workflows::alerts`.
//!
//! What holds for every rule:
//!
//! - **For how long.** What meets a rule is raised after it has been so for the rule's time. Only time in which it was seen
//!   counts: a gap neither raises nor resolves, and two looks more than a minute apart are a gap.
//! - **Two levels.** A threshold is left at another level than it is entered; between the two nothing goes on.
//! - **Calm.** It resolves when it has been well for a while. What comes back soon is the same alert again, and each time it
//!   has to be calm for twice as long: what flaps rings a few times, not all night.
//! - **Maintenance.** What is looked after by hand neither raises nor resolves; afterwards it goes on.
//! - **Rules that change.** A rule that is changed or removed resolves what it had raised and says so.
//!
//! [`Past`] and [`forecast`] tell by the trend when a disk will be full.
//!
//! ```
//! use reanimator_core::{alert::{Bound, Presence, Subject, Transition, Watch}, model::AlertRule};
//! let rule: AlertRule = serde_json::from_str(
//!     r#"{"name":"away","hosts":"all","condition":{"kind":"offline","for_seconds":60}}"#,
//! )?;
//! let subject = |presence| [Subject { presence, ..Subject::new("host:h1", "web1") }];
//! let (rules, start) = ([Bound { rule: &rule, covers: vec![0] }], jiff::Timestamp::UNIX_EPOCH);
//! let at = |second| start + jiff::SignedDuration::from_secs(second);
//! let mut watch = Watch::default();
//! let mut told = Vec::new();
//! for second in (0..=120).step_by(10) {
//!     let presence = if second == 0 { Presence::Here } else { Presence::Away { since: None } };
//!     let (next, transitions) = watch.step(&rules, &subject(presence), at(second));
//!     told.extend(transitions.into_iter().map(|each| (second, each.alert().text.clone())));
//!     watch = next;
//! }
//! assert_eq!(told, [(70, "it does not answer".to_owned())]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod judge;
mod past;
mod subject;
mod trend;
mod watch;
mod words;

#[cfg(test)]
mod tests;

pub use judge::derived_percent;
pub use past::Past;
pub use subject::{Bound, Presence, Subject};
pub use trend::{Forecast, Outlook, forecast};
pub use watch::{Transition, Watch};
pub use words::said_of;
