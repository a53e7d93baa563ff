//! Choosing, and judging: pure functions of what is there. Nothing here waits, looks anything up or knows the time.
//!
//! [`harm`] says what speaks against an action. [`action::guard`](crate::action::guard) makes the [`Scene`] of what
//! clusters answer, and asks it before every effect; dry runs and targets of guests ask the same.
//!
//! [`evacuation`] chooses where guests of a host go that is to be empty.
//!
//! [`update`] orders the update of many machines and says what comes next.
//!
//! [`Scene`]: crate::model::Scene

pub mod evacuation;
pub mod harm;
pub mod update;
