//! Reanimator reaches hosts, sees their state, decides on a plan and acts on it.
//!
//! Start at [`Fleet`]: it opens a data directory, knows hosts and Proxmox clusters, observes them and runs commands on
//! them. This machine is the first host of a new fleet:
//!
//! ```
//! use reanimator_core::{Fleet, FleetOptions};
//! # async fn example() -> reanimator_core::Result<()> {
//! # let directory = tempfile::tempdir().unwrap();
//! let fleet = Fleet::open(FleetOptions::new(directory.path())).await?;
//! let this_machine = fleet.status().await?.hosts.remove(0);
//! let seen = fleet.observe(&this_machine.name).await?;
//! println!("{} uses {:?} of its memory", seen.host.name, seen.host.memory_used());
//! # Ok(()) }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```
//!
//! | room | what is there |
//! |---|---|
//! | [`model`] | the nouns: hosts, guests, figures, events. Plain data |
//! | [`transport`] | the only room that opens a socket or a process towards a host |
//! | [`collect`] | what to ask, and pure parsers of the answers |
//! | [`host`] | machines that can be asked |
//! | [`alert`] | pure: rules, what is known and the time in; what is raised and what is over out |
//! | [`decide`] | pure: the world and what is wished in; what speaks against it out |
//! | [`store`] | what is remembered: SQLite, encrypted secrets, history |
//! | [`access`] | people, roles, tokens, the audit trail |
//! | [`fleet`] | who is looked after; the door for frontends |
//! | [`action`] | carrying out one change of the world |
//! | [`notify`] | sending what alerts and operations have to say |
//! | [`operation`] | changes as journaled steps: carried out, cancelled, undone, resumed |
//! | [`workflows`] | what people want done: the [live loop](workflows::live), and [operations](workflows::operations) while serving |
//!
//! Arrows between rooms go down only; a test holds them to it.

pub mod access;
pub mod action;
pub mod alert;
pub mod clock;
pub mod collect;
pub mod decide;
pub mod error;
pub mod fleet;
pub mod host;
pub mod model;
pub mod notify;
pub mod operation;
pub mod store;
#[cfg(feature = "testkit")]
pub mod testkit;
pub mod transport;
pub mod workflows;

pub use error::{Error, ErrorKind, Fingerprint, Result, message, report};
pub use fleet::{Fleet, FleetOptions};
