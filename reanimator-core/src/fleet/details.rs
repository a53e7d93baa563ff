//! One host in full, out of its view, its figures and its facts: pure.

use super::{HostDetail, digest, troubles};
use crate::model::{
    Bytes, FileSystem, HostKind, HostView, Storage, Unseen,
    dashboard::{gib, share},
    details::{
        CpuDetails, HostDetails, Include, InterfaceDetails, LicenseDetails, MemoryDetails, StorageDetails,
        TemperatureDetails, TemperatureReading,
    },
    facts::{Dated, HostFacts, cluster::ClusterFacts, network::Network, pve_node::NodeInventory, sensors::Sensors},
};

/// Puts the parts together. `storages` are those of the node's cluster that it has.
pub(super) fn details(
    detail: HostDetail,
    facts: HostFacts,
    cluster: Option<Dated<ClusterFacts>>,
    storages: &[Storage],
    include: Include,
) -> HostDetails {
    let HostDetail { host, telemetry, identity, unseen, .. } = detail;
    let unseen = all_unseen(unseen, &facts, host.kind, include);
    let file_systems = telemetry.map(|telemetry| telemetry.file_systems).unwrap_or_default();
    let node = facts.proxmox.as_ref().map(|node| &node.facts);
    HostDetails {
        node_id: host.id.clone(),
        name: host.name.clone(),
        hostname: identity.as_ref().and_then(|identity| identity.hostname.clone()),
        kind: host.kind,
        state: host.state,
        os: host.os.clone(),
        kernel_version: host.kernel.clone(),
        proxmox_version: host.proxmox_version.clone(),
        virtualization: identity.as_ref().and_then(|identity| identity.virtualization.clone()),
        uptime_seconds: host.uptime_seconds,
        cpu: cpu(&host, &facts, identity.and_then(|identity| identity.cpu_model)),
        memory: memory(&host),
        storage: include.storage.then(|| storage(storages, &file_systems)),
        network: include.network.then(|| interfaces(facts.network.as_ref(), node)),
        temperature: facts.sensors.as_ref().map(temperature).unwrap_or_default(),
        license: node.and_then(|node| node.license.as_ref()).map(|license| LicenseDetails {
            status: license.status.clone(),
            level: license.level.clone(),
            expires: license.expires.clone(),
        }),
        cluster: host.cluster.clone(),
        problems: troubles::of_host(&facts).into_iter().map(|trouble| trouble.what).collect(),
        hardware: facts.hardware.filter(|_| include.hardware),
        disks: facts.disks.filter(|_| include.storage),
        network_facts: facts.network.filter(|_| include.network),
        sensors: facts.sensors,
        system: facts.system,
        updates: facts.updates,
        containers: facts.containers,
        listeners: facts.listeners.filter(|_| include.network),
        proxmox: facts.proxmox,
        cluster_details: cluster,
        observed_at: host.observed_at,
        unseen,
    }
}

fn cpu(host: &HostView, facts: &HostFacts, model: Option<String>) -> CpuDetails {
    let by_shell = facts.hardware.as_ref().map(|hardware| &hardware.facts.cpu);
    let by_api = facts.proxmox.as_ref().and_then(|node| node.facts.cpu.as_ref());
    CpuDetails {
        model: by_shell.and_then(|cpu| cpu.model.clone()).or(by_api.and_then(|cpu| cpu.model.clone())).or(model),
        cores: by_shell.and_then(|cpu| cpu.cores).or(by_api.and_then(|cpu| cpu.cores)),
        sockets: by_shell.and_then(|cpu| cpu.sockets).or(by_api.and_then(|cpu| cpu.sockets)),
        threads: by_shell.and_then(|cpu| cpu.threads).or(host.cpus),
        used_percent: host.cpu_percent,
        load_1m: host.load.map(|load| load[0]),
        load_5m: host.load.map(|load| load[1]),
        load_15m: host.load.map(|load| load[2]),
    }
}

fn memory(host: &HostView) -> MemoryDetails {
    let memory = host.memory.as_ref();
    MemoryDetails {
        total_gb: memory.map(|memory| gib(memory.total_bytes)),
        used_gb: memory.map(|memory| gib(memory.used_bytes)),
        available_gb: memory.and_then(|memory| memory.available_bytes).map(gib),
        swap_total_gb: host.swap.map(|swap| gib(swap.total_bytes)),
        swap_used_gb: host.swap.map(|swap| gib(swap.used_bytes)),
        arc_gb: memory.and_then(|memory| memory.arc_bytes).map(gib),
        source: memory.map(|memory| memory.source.clone()),
    }
}

fn storage(storages: &[Storage], file_systems: &[FileSystem]) -> Vec<StorageDetails> {
    let of_cluster = storages.iter().map(|storage| {
        let space = storage.space;
        StorageDetails {
            name: storage.name.clone(),
            storage_type: storage.storage_type.clone(),
            total_gb: space.map(|space| gib(space.total_bytes)),
            used_gb: space.map(|space| gib(space.used_bytes)),
            available_gb: space.map(|space| gib(Bytes(space.total_bytes.0.saturating_sub(space.used_bytes.0)))),
            used_percent: space.and_then(|space| share(space.used_bytes, space.total_bytes)),
            content: Some(storage.content.join(",")),
            shared: storage.shared,
            active: storage.active,
        }
    });
    let mounted = file_systems.iter().filter(|system| !system.fs_type.is_empty()).map(|system| StorageDetails {
        name: system.mount_point.clone(),
        storage_type: system.fs_type.clone(),
        total_gb: Some(gib(system.total_bytes)),
        used_gb: Some(gib(system.used_bytes)),
        available_gb: Some(gib(system.available_bytes)),
        used_percent: share(system.used_bytes, system.total_bytes),
        content: None,
        shared: system.network,
        active: true,
    });
    of_cluster.chain(mounted).collect()
}

/// What the host's own shell says of its interfaces, else what its API says.
fn interfaces(network: Option<&Dated<Network>>, node: Option<&NodeInventory>) -> Vec<InterfaceDetails> {
    let Some(network) = network else {
        return node.into_iter().flat_map(|node| node.interfaces.iter().flatten()).map(by_api).collect();
    };
    let row = |interface: &crate::model::facts::network::Interface| {
        let (v4, v6): (Vec<_>, Vec<_>) = interface.addresses.iter().partition(|each| each.address.is_ipv4());
        let texts = |addresses: Vec<&crate::model::facts::network::Address>| {
            addresses.into_iter().map(|each| each.address.to_string()).collect()
        };
        InterfaceDetails {
            name: interface.name.clone(),
            interface_type: interface.kind.as_str().to_owned(),
            state: Some(interface.state.as_str().to_owned()),
            mac: interface.mac.clone(),
            ipv4: texts(v4),
            ipv6: texts(v6),
            speed_mbps: interface.speed_mbps,
            mtu: interface.mtu.and_then(|mtu| u32::try_from(mtu).ok()),
            master: interface.master.clone(),
            vlan: interface.vlan.as_ref().and_then(|vlan| vlan.id).map(u32::from),
        }
    };
    network.facts.interfaces.iter().map(row).collect()
}

fn by_api(interface: &crate::model::facts::pve_node::NodeInterface) -> InterfaceDetails {
    let (v6, v4): (Vec<_>, Vec<_>) = interface.addresses.iter().cloned().partition(|address| address.contains(':'));
    let bare = |addresses: Vec<String>| {
        addresses.into_iter().map(|each| each.split('/').next().unwrap_or_default().to_owned()).collect()
    };
    InterfaceDetails {
        name: interface.name.clone(),
        interface_type: digest::kind_by_api(interface.kind.as_deref()),
        state: Some(if interface.active { "up" } else { "down" }.to_owned()),
        ipv4: bare(v4),
        ipv6: bare(v6),
        mtu: interface.mtu_bytes,
        vlan: interface.vlan.map(u32::from),
        ..InterfaceDetails::default()
    }
}

fn temperature(sensors: &Dated<Sensors>) -> TemperatureDetails {
    let reading = |each: &crate::model::facts::sensors::Temperature| TemperatureReading {
        chip: each.chip.clone(),
        sensor: each.label.clone(),
        temp_c: each.celsius,
        high_c: each.high_celsius,
        critical_c: each.critical_celsius,
    };
    TemperatureDetails {
        highest_c: sensors.facts.highest().map(|highest| highest.celsius),
        readings: sensors.facts.temperatures.iter().map(reading).collect(),
    }
}

fn all_unseen(mut unseen: Vec<Unseen>, facts: &HostFacts, kind: HostKind, include: Include) -> Vec<Unseen> {
    fn of<T>(section: Option<&Dated<T>>, wanted: bool) -> impl Iterator<Item = Unseen> + '_ {
        section.filter(|_| wanted).into_iter().flat_map(|section| section.unseen.iter().cloned())
    }
    unseen.extend(of(facts.hardware.as_ref(), include.hardware));
    unseen.extend(of(facts.disks.as_ref(), include.storage));
    unseen.extend(of(facts.network.as_ref(), include.network));
    unseen.extend(of(facts.sensors.as_ref(), true));
    unseen.extend(of(facts.system.as_ref(), true));
    unseen.extend(of(facts.updates.as_ref(), true));
    unseen.extend(of(facts.containers.as_ref(), true));
    unseen.extend(of(facts.listeners.as_ref(), include.network));
    unseen.extend(of(facts.proxmox.as_ref(), true));
    let missing = [
        ("firmware, memory modules and board", facts.hardware.is_none() && include.hardware),
        ("temperatures, fans and power", facts.sensors.is_none()),
        ("block devices, LVM, RAID and mounts", facts.disks.is_none() && include.storage),
        ("hardware addresses, speeds and routes", facts.network.is_none() && include.network),
        ("boots, sessions and failed units", facts.system.is_none()),
        ("security updates", facts.updates.is_none()),
        ("containers of Docker and Podman", facts.containers.is_none()),
        ("listening sockets", facts.listeners.is_none() && include.network),
    ];
    let why = match kind {
        HostKind::Proxmox => "its Proxmox API does not tell: add the node over SSH as well",
        HostKind::Linux | HostKind::Both => "not asked yet",
    };
    unseen.extend(missing.iter().filter(|(_, is_missing)| *is_missing).map(|(what, _)| Unseen::new(*what, why)));
    unseen.sort();
    unseen.dedup();
    unseen
}
