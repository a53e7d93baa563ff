//! The fleet in tables, and in a few figures: pure, out of what is known now.

use std::collections::BTreeMap;

use super::digest::{GuestDigest, HostDigest, InterfaceDigest};
use crate::model::{
    Bytes, Guest, GuestId, GuestStatus, HostId, HostState, HostView, Storage, Telemetry, Totals,
    dashboard::{
        Attention, CpuSum, GuestSums, InterfaceRow, NodeRow, Overview, StorageRow, UpdateCounts, VmRow, gib, mib, share,
    },
};

/// One row per host, in the order of `views`.
pub(super) fn nodes(views: &[HostView], digests: &BTreeMap<HostId, HostDigest>) -> Vec<NodeRow> {
    let none = HostDigest::default();
    views.iter().map(|view| node(view, digests.get(&view.id).unwrap_or(&none))).collect()
}

fn node(view: &HostView, digest: &HostDigest) -> NodeRow {
    let memory = view.memory.as_ref();
    NodeRow {
        id: view.id.clone(),
        name: view.name.clone(),
        hostname: digest.hostname.clone(),
        kind: view.kind,
        state: view.state,
        cluster: view.cluster.clone(),
        groups: view.groups.clone(),
        tags: view.tags.clone(),
        cpu_cores: digest.cores,
        cpu_sockets: digest.sockets,
        cpu_threads: view.cpus.or(digest.threads),
        cpu_percent: view.cpu_percent,
        load_1m: view.load.map(|load| load[0]),
        ram_total_gb: memory.map(|memory| gib(memory.total_bytes)),
        ram_used_gb: memory.map(|memory| gib(memory.used_bytes)),
        ram_percent: memory.and_then(|memory| share(memory.used_bytes, memory.total_bytes)),
        storage_total_gb: view.disk.map(|disk| gib(disk.total_bytes)),
        storage_used_gb: view.disk.map(|disk| gib(disk.used_bytes)),
        storage_percent: view.disk.and_then(|disk| share(disk.used_bytes, disk.total_bytes)),
        temperature_highest_c: digest.temperature.map(|(celsius, _)| celsius),
        os: view.os.clone(),
        kernel_version: view.kernel.clone(),
        proxmox_version: view.proxmox_version.clone(),
        license_status: digest.license_status.clone(),
        updates_pending: digest.updates_pending,
        updates_security: digest.updates_security,
        reboot_needed: digest.reboot_needed,
        failed_units: digest.failed_units,
        containers_running: digest.containers_running,
        guests_running: view.guests.map(|guests| guests.running),
        guests_total: view.guests.map(|guests| guests.total),
        uptime_seconds: view.uptime_seconds,
        problems: digest.troubles.iter().map(|trouble| trouble.what.clone()).collect(),
        observed_at: view.observed_at,
    }
}

/// One row per guest.
pub(super) fn vms(guests: &[Guest], digests: &BTreeMap<GuestId, GuestDigest>) -> Vec<VmRow> {
    let none = GuestDigest::default();
    guests.iter().map(|guest| vm(guest, digests.get(&guest.id).unwrap_or(&none))).collect()
}

fn vm(guest: &Guest, digest: &GuestDigest) -> VmRow {
    // What does not run uses nothing, which is no figure of it.
    let runs = matches!(guest.status, GuestStatus::Running | GuestStatus::Paused);
    let used_memory = guest.memory.as_ref().filter(|_| runs);
    let memory = guest.memory.as_ref();
    // A VM's use of its disk is told as zero, which says that nobody knows.
    let used = guest.disk.filter(|disk| disk.used_bytes > Bytes(0)).map(|disk| gib(disk.used_bytes));
    VmRow {
        id: guest.id.clone(),
        vmid: guest.vmid.clone(),
        name: guest.name.clone(),
        kind: guest.kind,
        node: guest.node.clone(),
        node_id: guest.host_id.clone(),
        cluster: guest.cluster.clone(),
        status: guest.status,
        template: guest.template,
        cpu_percent: guest.cpu_percent.filter(|_| runs),
        ram_percent: used_memory.and_then(|memory| share(memory.used_bytes, memory.total_bytes)),
        ram_total_mb: memory.map(|memory| mib(memory.total_bytes)),
        ram_used_mb: used_memory.map(|memory| mib(memory.used_bytes)),
        // A VM's list tells of the disk it boots from alone.
        storage_total_gb: digest.storage_total_gb.or(guest.disk.map(|disk| gib(disk.total_bytes))),
        storage_used_gb: used.or(digest.storage_used_gb),
        uptime_seconds: guest.uptime_seconds,
        ip_addresses: digest.addresses.clone(),
        tags: guest.tags.clone(),
        observed_at: guest.observed_at,
    }
}

/// One row per Proxmox storage, and one per file system of hosts with a shell.
pub(super) fn storages(
    storages: &[Storage],
    views: &[HostView],
    telemetry: &BTreeMap<HostId, Telemetry>,
) -> Vec<StorageRow> {
    let file_systems = views.iter().filter_map(|view| Some((view, telemetry.get(&view.id)?)));
    storages.iter().map(storage).chain(file_systems.flat_map(|(view, known)| of_host(view, known))).collect()
}

fn storage(storage: &Storage) -> StorageRow {
    let space = storage.space;
    StorageRow {
        id: storage.id.clone(),
        name: storage.name.clone(),
        node: storage.nodes.join(","),
        cluster: storage.cluster.clone(),
        storage_type: storage.storage_type.clone(),
        content: Some(storage.content.join(",")),
        shared: storage.shared,
        active: storage.active,
        total_gb: space.map(|space| gib(space.total_bytes)),
        used_gb: space.map(|space| gib(space.used_bytes)),
        available_gb: space.map(|space| gib(Bytes(space.total_bytes.0.saturating_sub(space.used_bytes.0)))),
        used_percent: space.and_then(|space| share(space.used_bytes, space.total_bytes)),
        observed_at: storage.observed_at,
    }
}

fn of_host<'a>(view: &'a HostView, telemetry: &'a Telemetry) -> impl Iterator<Item = StorageRow> + 'a {
    // A node that is seen by its API alone tells of one file system, its root, which `local` lies on.
    let seen_by_shell = telemetry.file_systems.iter().filter(|system| !system.fs_type.is_empty());
    seen_by_shell.map(|system| StorageRow {
        id: format!("{}:{}", view.id, system.mount_point),
        name: system.mount_point.clone(),
        node: view.name.clone(),
        cluster: view.cluster.clone(),
        storage_type: system.fs_type.clone(),
        content: None,
        shared: system.network,
        active: view.state == HostState::Online,
        total_gb: Some(gib(system.total_bytes)),
        used_gb: Some(gib(system.used_bytes)),
        available_gb: Some(gib(system.available_bytes)),
        used_percent: share(system.used_bytes, system.total_bytes),
        observed_at: telemetry.at,
    })
}

/// One row per interface.
pub(super) fn interfaces(views: &[HostView], digests: &BTreeMap<HostId, HostDigest>) -> Vec<InterfaceRow> {
    let of_host = |view: &HostView| {
        let digest = digests.get(&view.id);
        digest
            .into_iter()
            .flat_map(|digest| &digest.interfaces)
            .map(|interface| row(view, interface))
            .collect::<Vec<_>>()
    };
    views.iter().flat_map(of_host).collect()
}

fn row(view: &HostView, interface: &InterfaceDigest) -> InterfaceRow {
    InterfaceRow {
        id: format!("{}:{}", view.id, interface.name),
        node: view.name.clone(),
        node_id: view.id.clone(),
        interface: interface.name.clone(),
        interface_type: interface.kind.clone(),
        state: interface.state.clone(),
        mac: interface.mac.clone(),
        addresses: interface.addresses.clone(),
        master: interface.master.clone(),
        vlan: interface.vlan,
        speed_mbps: interface.speed_mbps,
        mtu: interface.mtu,
        observed_at: interface.at,
    }
}

/// The whole fleet in a few figures.
pub(super) fn overview(totals: &Totals, nodes: &[NodeRow], guests: &[VmRow], attention: Vec<Attention>) -> Overview {
    let stopped = |guest: &&VmRow| !guest.template && guest.status != GuestStatus::Running;
    let updates = nodes.iter().fold(UpdateCounts::default(), |sum, node| UpdateCounts {
        pending: sum.pending.saturating_add(node.updates_pending.unwrap_or(0)),
        security: sum.security.saturating_add(node.updates_security.unwrap_or(0)),
    });
    let running = totals.guests.running;
    let stopped = u32::try_from(guests.iter().filter(stopped).count()).unwrap_or(u32::MAX);
    Overview {
        hosts: totals.hosts,
        guests: GuestSums {
            total: totals.guests.total,
            running,
            stopped: stopped.max(totals.guests.total.saturating_sub(running)),
        },
        cpu: CpuSum { threads: totals.cpus, used_percent: totals.cpu_percent },
        memory: totals.memory.into(),
        storage: totals.disk.into(),
        updates,
        attention,
        observed_at: totals.observed_at,
    }
}
