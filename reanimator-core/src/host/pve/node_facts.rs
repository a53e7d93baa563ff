//! All that the API tells of one node beside its figures: one question after the other, so that it feels none of it.

use jiff::Timestamp;

use super::{ProxmoxCluster, asking::Asking};
use crate::{
    collect::pve::{node, node_machine, node_software, subscription},
    model::{
        Unseen,
        facts::{Dated, Read, pve_node::NodeInventory},
    },
};

/// How many ZFS pools of a node are asked about one by one, because something is wrong with them.
const POOLS_ASKED: usize = 4;

/// What was read of one node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeRead {
    /// The facts.
    pub facts: Read<NodeInventory>,
    /// How many requests it was asked.
    pub requests: u32,
}

impl ProxmoxCluster {
    /// Reads one node: 15 requests, and one more for each ZFS pool that is not well. Ask every 15 minutes or less
    /// often: it looks at all its disks for it.
    ///
    /// Each part may fail by itself, and is a note then.
    pub async fn node_facts(&self, node: &str, now: Timestamp) -> NodeRead {
        read_node(&mut Asking::new(self, now), node, now).await
    }

    /// The same, as far as the node may be asked now: `None` until the last question is answered, a few turns later.
    pub async fn node_facts_in_turns(&self, node: &str, now: Timestamp) -> Option<Dated<NodeInventory>> {
        let what = format!("node {node}");
        let row = self.begin(&what, now);
        let since = row.at;
        let mut asking = Asking::in_turns(self, now, row);
        let read = read_node(&mut asking, node, now).await;
        match asking.waiting() {
            Some(row) => {
                self.keep_begun(&what, row);
                None
            }
            None => Some(read.facts.at(since)),
        }
    }
}

async fn read_node(asking: &mut Asking<'_>, node: &str, now: Timestamp) -> NodeRead {
    let mut facts = NodeInventory::default();
    machine(asking, node, &mut facts).await;
    software(asking, node, &mut facts).await;
    names_pressure_and_clock(asking, node, now, &mut facts).await;
    if facts.updates.as_ref().is_some_and(|updates| !updates.is_empty()) {
        asking.unseen.push(Unseen::new(
            "which updates are for security",
            "the API names the origin of a package, and not its archive; a shell on the node tells",
        ));
    }
    let unseen = std::mem::take(&mut asking.unseen);
    NodeRead { facts: Read { facts, unseen }, requests: asking.requests }
}

async fn machine(asking: &mut Asking<'_>, node: &str, facts: &mut NodeInventory) {
    let read = |data: &_| node_machine::status_into(data, facts);
    asking.ask("processors, kernel and version", node::status_request(node), read).await;
    facts.pci = asking.ask("PCI devices", node_machine::pci_request(node), node_machine::pci).await;
    facts.usb = asking.ask("USB devices", node_machine::usb_request(node), node_machine::usb).await;
    facts.disks = asking.ask("disks", node_machine::disks_request(node), node_machine::disks).await;
    facts.zfs = asking.ask("ZFS pools", node_machine::zfs_request(node), node_machine::zfs).await;
    let is_unwell = |health: Option<&str>| health.is_some_and(|health| health != "ONLINE");
    let pools = facts.zfs.iter_mut().flatten().filter(|pool| is_unwell(pool.health.as_deref()));
    for pool in pools.take(POOLS_ASKED) {
        let request = node_machine::zfs_pool_request(node, &pool.name);
        let what = format!("what is wrong with the ZFS pool {}", pool.name);
        asking.ask(&what, request, |data| node_machine::zfs_pool_into(data, pool)).await;
    }
    facts.interfaces = asking.ask("interfaces", node::network_request(node), node_machine::interfaces).await;
}

async fn software(asking: &mut Asking<'_>, node: &str, facts: &mut NodeInventory) {
    facts.services = asking.ask("services", node_software::services_request(node), node_software::services).await;
    facts.license = asking.ask("subscription", subscription::request(node), subscription::license).await;
    let request = node_software::certificates_request(node);
    facts.certificates = asking.ask("certificates", request, node_software::certificates).await;
    facts.updates = asking.ask("pending updates", node_software::updates_request(node), node_software::updates).await;
    facts.packages = asking.ask("packages", node_software::packages_request(node), node_software::packages).await;
    let request = node_software::repositories_request(node);
    facts.repositories = asking.ask("repositories", request, node_software::repositories).await;
}

/// The clock comes last: what it shows is compared with ours at once.
async fn names_pressure_and_clock(asking: &mut Asking<'_>, node: &str, now: Timestamp, facts: &mut NodeInventory) {
    asking.ask("name servers", node_software::dns_request(node), |data| node_software::dns_into(data, facts)).await;
    facts.pressure = asking.ask("pressure", node::history_request(node), node::pressure).await.flatten();
    let read = |data: &_| node_software::time_into(data, now, facts);
    asking.ask("its clock", node_software::time_request(node), read).await;
}
