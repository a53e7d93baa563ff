//! One machine, one record: which records are the same machine. Pure.
//!
//! A machine can come in twice: a node by API and by SSH, a guest by its cluster and as an SSH host, this machine as
//! somebody's guest. What identifies it is its machine-id, its SMBIOS UUID and its hardware addresses. Each of them
//! can lie alone (cloned images share a machine-id, cloned guests share addresses), so one of them that agrees while
//! another disagrees, or agrees with two records at once, is a question for a person and never an answer.

use crate::model::{GuestIdentity, Identity};

/// Evidence for and against two records being one machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What agrees.
    pub agrees: Vec<String>,
    /// What disagrees.
    pub disagrees: Vec<String>,
}

/// What the evidence says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing agrees: two machines.
    Different,
    /// Something agrees and something disagrees, or what agrees is weak: ask.
    Ask,
    /// One machine.
    Same,
}

impl Evidence {
    /// One machine if something strong agrees and nothing disagrees.
    pub fn judge(&self) -> Judgement {
        match (self.agrees.is_empty(), self.disagrees.is_empty()) {
            (true, _) => Judgement::Different,
            (false, true) => Judgement::Same,
            (false, false) => Judgement::Ask,
        }
    }

    fn compare(&mut self, what: &str, a: Option<&str>, b: Option<&str>) {
        match (a, b) {
            (Some(a), Some(b)) if a == b => self.agrees.push(format!("same {what} {a}")),
            (Some(_), Some(_)) => self.disagrees.push(format!("different {what}")),
            _ => {}
        }
    }

    fn compare_macs(&mut self, a: &[String], b: &[String]) {
        let common: Vec<&String> = a.iter().filter(|mac| b.contains(mac)).collect();
        match common.first() {
            Some(mac) => self.agrees.push(format!("same hardware address {mac}")),
            None if a.is_empty() || b.is_empty() => {}
            None => self.disagrees.push("no hardware address in common".to_owned()),
        }
    }
}

/// Two machines with a shell each.
pub fn hosts(a: &Identity, b: &Identity) -> Evidence {
    let mut evidence = Evidence::default();
    evidence.compare("machine-id", a.machine_id.as_deref(), b.machine_id.as_deref());
    // A container shows the SMBIOS UUID of the machine that it runs on.
    if !is_container(a) && !is_container(b) {
        evidence.compare("SMBIOS UUID", a.smbios_uuid.as_deref(), b.smbios_uuid.as_deref());
    }
    evidence.compare_macs(&a.macs, &b.macs);
    evidence
}

/// A machine with a shell, and a guest by its configuration.
pub fn guest(host: &Identity, guest: &GuestIdentity) -> Evidence {
    let mut evidence = Evidence::default();
    if !is_container(host) {
        evidence.compare("SMBIOS UUID", host.smbios_uuid.as_deref(), guest.smbios_uuid.as_deref());
    }
    evidence.compare_macs(&host.macs, &guest.macs);
    // Addresses of a bare machine and of a guest may be equal by chance of a careless setting.
    if host.virtualization.as_deref() == Some("none") && !evidence.agrees.is_empty() {
        evidence.disagrees.push("the host says that it is not virtual".to_owned());
    }
    evidence
}

/// A machine with a shell, and a node by its cluster: the node's name and address there.
pub fn node(host: &Identity, address: Option<&str>, node: &str, node_ip: Option<&str>) -> Evidence {
    let mut evidence = Evidence::default();
    let Some(own_name) = host.proxmox_node.as_deref() else { return evidence };
    if own_name != node {
        return evidence;
    }
    evidence.agrees.push(format!("same node name {node}"));
    match (address, node_ip) {
        (Some(address), Some(ip)) if address == ip => evidence.agrees.push(format!("same address {ip}")),
        // Nodes called pve are many.
        _ => evidence.disagrees.push("reached at another address than its cluster names".to_owned()),
    }
    evidence
}

fn is_container(identity: &Identity) -> bool {
    matches!(
        identity.virtualization.as_deref(),
        Some("lxc" | "lxc-libvirt" | "docker" | "podman" | "systemd-nspawn" | "openvz")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(id: &str, uuid: Option<&str>, mac: &str) -> Identity {
        Identity {
            machine_id: Some(id.into()),
            smbios_uuid: uuid.map(str::to_owned),
            macs: vec![mac.into()],
            virtualization: Some("kvm".into()),
            ..Identity::default()
        }
    }

    #[test]
    fn the_same_machine_by_two_ways_is_known() {
        assert_eq!(hosts(&machine("m1", Some("u1"), "a"), &machine("m1", None, "a")).judge(), Judgement::Same);
    }

    #[test]
    fn a_cloned_image_is_asked_about() {
        let evidence = hosts(&machine("m1", Some("u1"), "a"), &machine("m1", Some("u2"), "b"));
        assert_eq!(evidence.judge(), Judgement::Ask);
        assert_eq!(evidence.disagrees, ["different SMBIOS UUID", "no hardware address in common"]);
    }

    #[test]
    fn machines_with_nothing_in_common_are_two() {
        assert_eq!(
            hosts(&machine("m1", Some("u1"), "a"), &machine("m2", Some("u2"), "b")).judge(),
            Judgement::Different
        );
    }

    #[test]
    fn containers_on_one_machine_are_not_that_machine() {
        let container =
            |id: &str, mac: &str| Identity { virtualization: Some("docker".into()), ..machine(id, Some("u1"), mac) };
        assert_eq!(hosts(&container("m1", "a"), &container("m2", "b")).judge(), Judgement::Different);
        assert_eq!(hosts(&container("m1", "a"), &machine("m3", Some("u1"), "c")).judge(), Judgement::Different);
    }

    #[test]
    fn a_guest_is_known_by_its_uuid_and_address() {
        let vm = GuestIdentity { macs: vec!["a".into()], smbios_uuid: Some("u1".into()), hostname: None };
        assert_eq!(guest(&machine("m", Some("u1"), "a"), &vm).judge(), Judgement::Same);
        assert_eq!(guest(&machine("m", Some("u2"), "a"), &vm).judge(), Judgement::Ask);
        assert_eq!(guest(&machine("m", None, "b"), &vm).judge(), Judgement::Different);
    }

    #[test]
    fn a_node_is_known_by_name_and_address_and_asked_about_by_name_alone() {
        let pve = Identity { proxmox_node: Some("pve1".into()), ..Identity::default() };
        assert_eq!(node(&pve, Some("192.0.2.1"), "pve1", Some("192.0.2.1")).judge(), Judgement::Same);
        assert_eq!(node(&pve, Some("pve.example.org"), "pve1", Some("192.0.2.1")).judge(), Judgement::Ask);
        assert_eq!(node(&pve, Some("192.0.2.1"), "pve2", Some("192.0.2.1")).judge(), Judgement::Different);
    }
}
