//! What keeps a guest where it is: devices of its node, locks, and Proxmox's own word.

use super::case::{Case, How};
use crate::model::{GuestChange, GuestKind, Objection, Rule};

/// The lock of a VM whose memory is on disk: it is gone when the VM is started.
const HIBERNATED: &str = "suspended";

/// A device is of one node. Of a container Proxmox only finds that out when it starts there.
pub(super) fn passthrough(case: &Case<'_>) -> Vec<Objection> {
    let bound = case.landings.iter().filter(|landing| landing.moves() && !landing.guest.passthrough.is_empty());
    let objection = |landing: &super::case::Landing<'_>| {
        let devices = landing.guest.passthrough.join(", ");
        let node = case.scene.host_name(&landing.guest.host);
        let why = format!("guest {} has devices of {node}: {devices}", landing.guest.name);
        match landing.guest.kind {
            GuestKind::Qemu => Objection::for_good(Rule::Passthrough, why),
            GuestKind::Lxc => Objection::new(Rule::Passthrough, why),
        }
    };
    bound.map(objection).collect()
}

/// Proxmox locks what something is going on with: a backup, a move, a snapshot. Neither the guest is touched then, nor
/// is its node switched off.
pub(super) fn locked(case: &Case<'_>) -> Vec<Objection> {
    let mut objections = Vec::new();
    if let Some((_, guest)) = case.guest()
        && let Some(lock) = &guest.lock
    {
        let wakes = matches!(case.change(), Some(GuestChange::Start | GuestChange::Resume)) && lock == HIBERNATED;
        if !wakes {
            objections.push(Objection::for_good(Rule::Locked, format!("guest {} is locked: {lock}", guest.name)));
        }
    }
    for host in &case.away.hosts {
        for (_, guest) in case.scene.guests_at(host) {
            if let Some(lock) = guest.lock.as_ref().filter(|lock| *lock != HIBERNATED) {
                let why =
                    format!("something goes on with guest {} of {}: {lock}", guest.name, case.scene.host_name(host));
                objections.push(Objection::new(Rule::Locked, why));
            }
        }
    }
    objections
}

/// Proxmox is asked before a guest is moved, and knows best.
pub(super) fn preconditions(case: &Case<'_>) -> Vec<Objection> {
    let asked = case.landings.iter().filter_map(|landing| Some((landing, landing.guest.preconditions.as_ref()?)));
    let mut objections = Vec::new();
    for (landing, said) in asked.filter(|(landing, _)| landing.within()) {
        let (name, to) = (&landing.guest.name, case.scene.host_name(landing.to));
        if !said.local_resources.is_empty() {
            let why = format!("Proxmox says that guest {name} cannot move: {}", said.local_resources.join(", "));
            objections.push(Objection::for_good(Rule::Preconditions, why));
        }
        let why = match (said.refused.get(landing.to), &said.allowed) {
            (Some(why), _) => format!("Proxmox says that guest {name} cannot move to {to}: {why}"),
            (None, Some(allowed)) if !allowed.contains(landing.to) => {
                format!("Proxmox does not name {to} among the nodes that guest {name} may move to")
            }
            (None, _) => continue,
        };
        // What it says of storages is about those that the disks are on now.
        let elsewhere = matches!(landing.how, How::Move { storage: Some(_), .. });
        objections.push(Objection { can_override: elsewhere, ..Objection::for_good(Rule::Preconditions, why) });
    }
    objections
}

#[cfg(test)]
mod tests {
    use super::super::testing::{guest, lab, migrate, shutdown, start, stop, words};
    use crate::model::{GuestStatus, Rule, scene::Preconditions};

    const NONE: [&str; 0] = [];

    #[test]
    fn a_device_of_the_node_keeps_a_guest_there() {
        let mut scene = lab();
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Passthrough), NONE);
        guest(&mut scene, "mail").passthrough.push("hostpci0 (0000:01:00.0)".into());
        let why = "guest mail has devices of pve1: hostpci0 (0000:01:00.0)";
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Passthrough), [why]);
        assert_eq!(words(&scene, &stop("mail"), Rule::Passthrough), NONE);
    }

    #[test]
    fn what_is_locked_is_left_alone_with_its_node() {
        let mut scene = lab();
        assert_eq!(words(&scene, &stop("mail"), Rule::Locked), NONE);
        let mail = guest(&mut scene, "mail");
        (mail.status, mail.lock) = (GuestStatus::Stopped, Some("backup".into()));
        assert_eq!(words(&scene, &start("mail"), Rule::Locked), ["guest mail is locked: backup"]);
        let why = "something goes on with guest mail of pve1: backup";
        assert_eq!(words(&scene, &shutdown("pve1"), Rule::Locked), [why]);
        guest(&mut scene, "mail").lock = Some("suspended".into());
        assert_eq!(words(&scene, &start("mail"), Rule::Locked), NONE, "it goes on from there");
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Locked).len(), 1);
    }

    #[test]
    fn proxmox_is_believed() {
        let mut scene = lab();
        let said = Preconditions { allowed: Some(["pve2".into()].into()), ..Preconditions::default() };
        guest(&mut scene, "mail").preconditions = Some(said.clone());
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Preconditions), NONE);
        assert_eq!(words(&scene, &migrate("mail", "pve3"), Rule::Preconditions).len(), 1);
        let refused = [("pve2".into(), "storage fast is not there".into())].into();
        guest(&mut scene, "mail").preconditions = Some(Preconditions { refused, ..said.clone() });
        let why = "Proxmox says that guest mail cannot move to pve2: storage fast is not there";
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Preconditions), [why]);
        guest(&mut scene, "mail").preconditions = Some(Preconditions { local_resources: vec!["usb0".into()], ..said });
        let why = "Proxmox says that guest mail cannot move: usb0";
        assert_eq!(words(&scene, &migrate("mail", "pve2"), Rule::Preconditions), [why]);
    }
}
