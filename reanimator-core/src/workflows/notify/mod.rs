//! Telling people: notices are handed over, given to the targets that want them, and sent.
//!
//! [`hand_over`] writes a notice into the store and returns; whatever happens then, it is not lost.
//!
//! ```no_run
//! # async fn example(fleet: reanimator_core::Fleet) -> Result<(), reanimator_core::Error> {
//! use reanimator_core::{model::{Notice, NoticeKind, NoticeLevel}, workflows::notify};
//! let notice = Notice::new(NoticeKind::AlertRaised, NoticeLevel::Critical, "pve1 does not answer", fleet.now());
//! notify::hand_over(&fleet, &notice.about("host:h1").keyed("alert:offline:h1")).await?;
//! # Ok(()) }
//! ```

use crate::{Result, fleet::Fleet, model::Notice};

/// Takes a notice, to be sent to whoever wants it. When this returns, it is written down: the loop in a server sends it,
/// however often that is killed before.
///
/// # Errors
/// `Storage` when it could not be written down.
pub async fn hand_over(fleet: &Fleet, notice: &Notice) -> Result<()> {
    fleet.store().append_notices(&[notice.clone().bounded()], None).await
}
