//! Faults that are told to happen, for tests of what a client does then.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An order for a fault, as the control address takes it as JSON.
///
/// Without `node`, `path` or `vmid` it holds for every request; without
/// `times` until it is cleared.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// `595`, `596`, `401`, `403`, `half-json`, `html`, `slow`, `late`,
    /// `locked`,
    /// `task-fails`, `task-idle` (it ends well, and nothing was done), `slow-task`, `slow-manager`, `node-down`, `node-up`, `quorum-lost`,
    /// `quorum-back`, `old-backups` (made so much longer ago), `new-certificate` or `clear`; `requests` only asks.
    pub fault: String,
    /// The cluster's name. Defaults to the first one where no node is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The node's name: the one in the path, else the one that is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// How the path begins, without `/api2/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The guest's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vmid: Option<u32>,
    /// How often. Defaults to ever, for tasks to once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How long `slow` (1000), `late` (1000: it is done at once, and the answer
    /// held back), `slow-task` and a round of high availability (`slow-manager`, both
    /// 10000) take; how long `596`
    /// waits before it answers (0); how much older `old-backups` get (0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
}

impl Order {
    /// An order for one kind of fault.
    pub fn new(fault: &str) -> Self {
        Self { fault: fault.to_owned(), ..Self::default() }
    }

    /// Only for one node.
    #[must_use]
    pub fn node(mut self, name: &str) -> Self {
        self.node = Some(name.to_owned());
        self
    }

    /// Only for paths that begin so.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// Only for one guest.
    #[must_use]
    pub fn vmid(mut self, vmid: u32) -> Self {
        self.vmid = Some(vmid);
        self
    }

    /// Only so often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// With this much time.
    #[must_use]
    pub fn milliseconds(mut self, milliseconds: u64) -> Self {
        self.milliseconds = Some(milliseconds);
        self
    }
}

/// What a request meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Unreachable,
    TimedOut,
    Unauthorized,
    Forbidden,
    HalfJson,
    Html,
    Slow,
    Late,
}

impl Fault {
    /// The fault of a name, where it is one that requests meet.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "595" => Self::Unreachable,
            "596" => Self::TimedOut,
            "401" => Self::Unauthorized,
            "403" => Self::Forbidden,
            "half-json" => Self::HalfJson,
            "html" => Self::Html,
            "slow" => Self::Slow,
            "late" => Self::Late,
            _ => return None,
        })
    }
}

struct Armed {
    fault: Fault,
    order: Order,
    left: Option<u32>,
}

/// The faults that wait for requests.
#[derive(Default)]
pub(crate) struct Faults(Vec<Armed>);

impl Faults {
    /// Arms a fault.
    pub(crate) fn add(&mut self, fault: Fault, order: Order) {
        self.0.push(Armed { fault, left: order.times, order });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first fault that a request meets, and how long it takes.
    pub(crate) fn meet(
        &mut self,
        cluster: &str,
        asked: &str,
        path: &str,
        segments: &[String],
    ) -> Option<(Fault, Duration)> {
        let segment = |index: usize| segments.get(index).map(String::as_str);
        let node = match segment(0) {
            Some("nodes") => segment(1).unwrap_or(asked),
            _ => asked,
        };
        let index = self.0.iter().position(|armed| {
            let order = &armed.order;
            let vmid = order.vmid.map(|vmid| vmid.to_string());
            order.cluster.as_deref().is_none_or(|name| name == cluster)
                && order.node.as_deref().is_none_or(|name| name == node)
                && order.path.as_deref().is_none_or(|start| path.starts_with(start))
                && vmid.is_none_or(|vmid| segments.contains(&vmid))
        })?;
        let armed = &mut self.0[index];
        let default = if matches!(armed.fault, Fault::Slow | Fault::Late) { 1000 } else { 0 };
        let delay = Duration::from_millis(armed.order.milliseconds.unwrap_or(default));
        let met = (armed.fault, delay);
        if let Some(left) = &mut armed.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.0.remove(index);
            }
        }
        Some(met)
    }
}
