//! The update of many machines: in which order, what next, and whether a machine is well afterwards. Pure.
//!
//! [`order`] puts machines into waves; [`next`] says of a run what is to be done now, and [`apply`] what it comes to when
//! that has ended; [`unwell`] compares what showed that a machine was well with what shows it now.
//! [`workflows::update`](crate::workflows::update) looks and asks, writes down and waits.
//!
//! ```
//! use reanimator_core::{decide::update, model::{HealthWish, Vitals}};
//! let before = Vitals { listeners: Some(["tcp/22".into(), "tcp/80".into()].into()), ..Vitals::default() };
//! let now = Vitals { listeners: Some(["tcp/22".into()].into()), ..Vitals::default() };
//! assert_eq!(update::unwell(&before, &now, &HealthWish::default()), ["nobody listens on tcp/80 any more"]);
//! ```

mod health;
mod outcome;
mod step;
#[cfg(test)]
mod tests;
mod waves;

pub use health::unwell;
pub use outcome::{Outcome, Verdict, applies, apply};
pub use step::{Move, next};
pub use waves::{Candidate, Placed, order};
