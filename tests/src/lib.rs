//! What tests that cross rooms share.
//!
//! The tests themselves are in `tests/tests/`. Those that need real hosts are named `lab_...`, are ignored by default,
//! and find their hosts through [`lab`]. A look-alike's cluster is reached through [`cluster`]. Those that run the built program do so through [`program`].

pub mod cluster;
pub mod lab;
pub mod program;
