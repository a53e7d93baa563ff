//! `host topology`: hosts, their bridges, and the guests plugged into those, as they were last seen.

use reanimator_core::model::{BridgeKind, Topology, TopologyBridge, TopologyGuest, TopologyHost, TopologyNic};

use crate::{
    context::Context,
    failure::{Done, Failure},
    screen::Screen,
};

/// Shows it as a tree.
pub(crate) async fn run(context: &Context) -> Result<Done, Failure> {
    let topology = context.fleet().await?.topology().await?;
    if context.screen.is_json() {
        context.screen.document(&topology)?;
        return Ok(Done::Whole);
    }
    if topology.hosts.is_empty() {
        context.screen.line("There are no hosts yet. Next: reanimator host add, or reanimator proxmox connect")?;
    }
    for line in tree(&topology, &context.screen) {
        context.screen.line(&line)?;
    }
    Ok(Done::Whole)
}

/// The tree, line by line.
fn tree(topology: &Topology, screen: &Screen) -> Vec<String> {
    topology.hosts.iter().flat_map(|host| of_host(host, screen)).collect()
}

fn of_host(host: &TopologyHost, screen: &Screen) -> Vec<String> {
    let cluster = host.cluster.as_ref().map(|cluster| format!(", cluster {cluster}")).unwrap_or_default();
    let about = format!("{}, {}{cluster}", host.kind.as_str(), host.state.as_str());
    let mut lines = vec![format!("{}  {}", screen.paint.strong(&screen.text(&host.name)), screen.text(&about))];
    for bridge in &host.bridges {
        lines.push(format!("  {}  {}", screen.text(&bridge.name), screen.text(&about_bridge(bridge))));
        lines.extend(bridge.guests.iter().map(|guest| of_guest(guest, screen)));
    }
    if !host.unplaced.is_empty() {
        lines.push("  on no bridge".to_owned());
        lines.extend(host.unplaced.iter().map(|guest| of_guest(guest, screen)));
    }
    lines
}

fn about_bridge(bridge: &TopologyBridge) -> String {
    let kind = match bridge.kind {
        BridgeKind::Linux => "bridge",
        BridgeKind::Ovs => "Open vSwitch",
        BridgeKind::Vnet => "network of a zone",
        BridgeKind::Unknown => "not seen on the host",
    };
    let state = match bridge.active {
        Some(true) => ", up",
        Some(false) => ", down",
        None => "",
    };
    let vlans = if bridge.vlan_aware == Some(true) { ", VLANs" } else { "" };
    let with = |what: &str, names: &[String]| match names {
        [] => String::new(),
        names => format!("  {what}{}", names.join(" ")),
    };
    format!("{kind}{state}{vlans}{}{}", with("", &bridge.addresses), with("ports: ", &bridge.ports))
}

fn of_guest(guest: &TopologyGuest, screen: &Screen) -> String {
    let name = guest.name.as_deref().unwrap_or("(no name)");
    let nics: Vec<String> = guest.nics.iter().map(of_nic).collect();
    let text = format!("{}  {}, {}  {}", name, guest.kind.as_str(), guest.status.as_str(), nics.join("; "));
    format!("    {}  {}", screen.text(&guest.vmid), screen.text(text.trim_end()))
}

fn of_nic(nic: &TopologyNic) -> String {
    let vlan = nic.vlan.map(|vlan| format!(" VLAN {vlan}")).unwrap_or_default();
    let addresses = match nic.addresses.as_slice() {
        [] => String::new(),
        addresses => format!(" {}", addresses.join(" ")),
    };
    format!("{}{vlan}{addresses}", nic.name)
}

#[cfg(test)]
mod tests {
    use reanimator_core::model::{ConnectionId, GuestId, GuestKind, GuestStatus, HostId, HostKind, HostState};

    use super::*;

    #[test]
    fn the_tree_says_what_hangs_on_what_and_what_was_not_seen() {
        let guest = |vmid: u32, nics| TopologyGuest {
            id: GuestId::new(&ConnectionId::from("c"), vmid),
            vmid: vmid.to_string(),
            name: (vmid == 100).then(|| "web".to_owned()),
            kind: GuestKind::Lxc,
            status: GuestStatus::Running,
            nics,
        };
        let nic = TopologyNic { name: "net0".into(), vlan: Some(20), addresses: vec!["192.0.2.7".into()] };
        let bridge = TopologyBridge {
            name: "vmbr0".into(),
            kind: BridgeKind::Linux,
            active: Some(true),
            vlan_aware: Some(true),
            ports: vec!["eno1".into()],
            addresses: vec!["192.0.2.1/24".into()],
            guests: vec![guest(100, vec![nic])],
        };
        let host = TopologyHost {
            id: HostId("a".into()),
            name: "pve1".into(),
            kind: HostKind::Proxmox,
            state: HostState::Online,
            cluster: Some("lab".into()),
            bridges: vec![bridge, TopologyBridge { name: "vmbr9".into(), ..TopologyBridge::default() }],
            unplaced: vec![guest(101, vec![])],
        };
        assert_eq!(
            tree(&Topology { hosts: vec![host] }, &Screen::plain()),
            [
                "pve1  proxmox, online, cluster lab",
                "  vmbr0  bridge, up, VLANs  192.0.2.1/24  ports: eno1",
                "    100  web  lxc, running  net0 VLAN 20 192.0.2.7",
                "  vmbr9  not seen on the host",
                "  on no bridge",
                "    101  (no name)  lxc, running",
            ]
        );
    }
}
