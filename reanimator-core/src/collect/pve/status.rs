//! Who belongs to the cluster, and whether it has its quorum: `/cluster/status`.

use serde_json::Value;

use super::lenient;
use crate::{Result, transport::http::Request};

/// What to ask for. Needs `Sys.Audit` on `/`.
pub fn request() -> Request {
    Request::get(["cluster", "status"])
}

/// A cluster and its members; a node that stands alone is its only member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterStatus {
    /// Its name; none for a node that stands alone.
    pub name: Option<String>,
    /// Whether enough members see each other; none for a node that stands alone.
    pub quorate: Option<bool>,
    /// The nodes, by name.
    pub members: Vec<Member>,
}

/// One node as the cluster sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Whether the cluster sees it.
    pub online: Option<bool>,
    /// Its address in the cluster's network.
    pub ip: Option<String>,
    /// Whether it is the node that answered.
    pub local: bool,
}

/// Reads the answer.
///
/// # Errors
/// When it is no list.
pub fn cluster_status(data: &Value) -> Result<ClusterStatus> {
    let mut status = ClusterStatus::default();
    for row in lenient::rows(data, "the cluster's status")? {
        match row.text("type").as_deref() {
            Some("cluster") => {
                status.name = row.text("name");
                status.quorate = row.flag("quorate");
            }
            Some("node") => status.members.extend(row.text("name").map(|name| Member {
                name,
                online: row.flag("online"),
                ip: row.text("ip"),
                local: row.flag("local").unwrap_or(false),
            })),
            _ => {}
        }
    }
    status.members.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(status)
}
