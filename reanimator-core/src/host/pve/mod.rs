//! Proxmox VE: one connection brings in every node, guest and storage of a cluster.
//!
//! [`PveApi`] is the API itself, whichever way it is reached: [`PveHttps`] asks pveproxy, [`Pvesh`] runs `pvesh` over
//! any [`Transport`](crate::transport::Transport), and the same decoders ([`collect::pve`](crate::collect::pve)) read
//! both. [`ProxmoxCluster`] observes a whole cluster over it, [`ProxmoxNode`] one node; [`connect`] looks at a cluster for
//! the first time.
//!
//! - A login that was refused is not tried again by itself: Proxmox delays each by 3 s, and accounts get locked.
//! - What the far side refuses becomes an [`Error`](crate::Error) that names the missing privilege, the wrong
//!   parameter, or the node that is down. One node's trouble is that node's, not the cluster's.
//!
//! ```no_run
//! # async fn example() -> reanimator_core::Result<()> {
//! use std::sync::Arc;
//! use reanimator_core::{host::pve::{Credentials, ProxmoxCluster, PveHttps}, model::{ConnectionId, Endpoint}};
//! let endpoint = Endpoint { url: "https://192.0.2.7:8006".into(), fingerprint: Some("AA:BB:...".into()), node: None };
//! let credentials = Credentials::token("monitor@pve!reanimator", "the token's secret".to_owned().into());
//! let api = Arc::new(PveHttps::new(&[endpoint], credentials)?);
//! let cluster = ProxmoxCluster::new(ConnectionId::from("home"), api);
//! let snapshot = cluster.observe(jiff::Timestamp::now()).await?;
//! println!("{} guests", snapshot.guests.len());
//! # Ok(())
//! # }
//! ```

mod agent;
mod api;
mod asking;
#[cfg(test)]
mod backups_tests;
mod budget;
mod cluster;
mod cluster_backups;
mod cluster_facts;
mod connect;
mod console;
#[cfg(test)]
mod facts_tests;
mod guest_facts;
mod https;
mod login;
mod node;
mod node_facts;
mod pvesh;
mod refusal;
mod snapshot;
#[cfg(test)]
mod tests;

pub use agent::GuestAgent;
pub use api::PveApi;
pub use cluster::ProxmoxCluster;
pub use cluster_backups::BackupsTurn;
pub use cluster_facts::{ClusterQuestions, ClusterRead};
pub use connect::{IntroducedNode, Introduction, connect};
pub(crate) use console::{ConsoleOf, open as open_console};
pub use guest_facts::{Depth, GuestQuestions, GuestRead};
pub use https::PveHttps;
pub use login::Credentials;
pub use node::{ProxmoxHost, ProxmoxNode};
pub use node_facts::NodeRead;
pub use pvesh::Pvesh;
