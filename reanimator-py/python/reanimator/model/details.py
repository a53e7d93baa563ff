"""Hosts and guests in full. `_gb` is GiB and `_mb` is MiB, as Proxmox counts.

What lies deeper than here, the OpenAPI document describes.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from .cluster import ClusterFacts
from .fleet import GuestRates, Unseen

#: Facts of one section: `at`, when they were seen; `unseen`, what could not be; and the facts beside these two.
Dated = dict[str, Any]


class CpuDetails(TypedDict):
    """Processors and what they do."""

    model: str | None
    cores: int | None
    sockets: int | None
    threads: int | None
    used_percent: float | None
    load_1m: float | None
    load_5m: float | None
    load_15m: float | None


class MemoryDetails(TypedDict):
    """Main memory and swap."""

    total_gb: float | None
    used_gb: float | None
    available_gb: float | None
    swap_total_gb: float | None
    swap_used_gb: float | None
    arc_gb: float | None
    source: str | None


class StorageDetails(TypedDict):
    """One storage or file system."""

    name: str
    type: str
    total_gb: float | None
    used_gb: float | None
    available_gb: float | None
    used_percent: float | None
    content: str | None
    shared: bool
    active: bool


class InterfaceDetails(TypedDict):
    """One interface."""

    name: str
    type: str
    state: str | None
    mac: str | None
    ipv4: list[str]
    ipv6: list[str]
    speed_mbps: int | None
    mtu: int | None
    master: str | None
    vlan: int | None


class TemperatureReading(TypedDict):
    """One sensor."""

    chip: str
    sensor: str
    temp_c: float
    high_c: float | None
    critical_c: float | None


class TemperatureDetails(TypedDict):
    """Sensors of a host."""

    highest_c: float | None
    readings: list[TemperatureReading]


class LicenseDetails(TypedDict):
    """A Proxmox subscription in short."""

    status: str | None
    level: str | None
    expires: str | None


class HostDetailsParts(TypedDict, total=False):
    """Parts of it that are absent where they were not asked for or not seen."""

    storage: list[StorageDetails]
    network: list[InterfaceDetails]
    hardware: Dated
    disks: Dated
    network_facts: Dated
    listeners: Dated


class HostDetails(HostDetailsParts):
    """One host in full."""

    node_id: str
    name: str
    hostname: str | None
    kind: Literal["linux", "proxmox", "both"]
    state: Literal["online", "offline", "unknown", "maintenance"]
    os: str | None
    kernel_version: str | None
    proxmox_version: str | None
    virtualization: str | None
    uptime_seconds: int | None
    cpu: CpuDetails
    memory: MemoryDetails
    temperature: TemperatureDetails
    license: LicenseDetails | None
    cluster: str | None
    problems: list[str]
    sensors: Dated | None
    system: Dated | None
    updates: Dated | None
    containers: Dated | None
    proxmox: Dated | None
    cluster_details: ClusterFacts | None
    observed_at: str | None
    unseen: list[Unseen]


class GuestAddresses(TypedDict):
    """Addresses of a guest, without those of its loopback and of one link only."""

    ipv4: list[str]
    ipv6: list[str]
    all: list[str]
    source: str | None


class Stall(TypedDict):
    """Shares of time in percent over the last 10 seconds."""

    some_percent: float | None
    full_percent: float | None


class GuestHa(TypedDict):
    """What high availability does with a guest."""

    managed: bool
    state: str | None
    group: str | None


class GuestRuntime(TypedDict):
    """What a guest does right now. Counters run since it started."""

    cpu_percent: float | None
    mem_used_mb: float | None
    mem_total_mb: float | None
    balloon_mb: float | None
    swap_used_mb: float | None
    uptime_seconds: int | None
    diskread_bytes: int | None
    diskwrite_bytes: int | None
    netin_bytes: int | None
    netout_bytes: int | None
    qmp_status: str | None
    running_machine: str | None
    running_qemu: str | None
    lock: str | None
    ha: GuestHa | None
    pressure: dict[str, Stall]


class GuestDisk(TypedDict):
    """A disk, drive or mount point."""

    disk_name: str
    kind: Literal[
        "disk", "cdrom", "cloud-init", "efi", "tpm", "root-fs", "mount-point", "bind-mount", "unused"
    ]
    storage: str | None
    volume: str | None
    dataset: str | None
    size_gb: float | None
    used_gb: float | None
    format: str | None
    mount_point: str | None
    cache: str | None
    ssd: bool | None
    discard: bool | None
    iothread: bool | None
    read_only: bool | None
    backup: bool | None
    replicate: bool | None


class GuestNetwork(TypedDict):
    """A network card."""

    id: str
    name: str | None
    bridge: str | None
    model: str | None
    mac: str | None
    vlan: int | None
    trunks: str | None
    firewall: bool
    link_down: bool
    rate_mb_per_second: float | None
    mtu_bytes: int | None
    ip: str | None
    gateway: str | None
    ip6: str | None
    gateway6: str | None
    ipv4: list[str]
    ipv6: list[str]


class AgentSystem(TypedDict):
    """An operating system as a guest agent tells it."""

    id: str | None
    pretty_name: str | None
    version: str | None
    kernel: str | None
    machine: str | None


class AgentFileSystem(TypedDict):
    """A file system as a guest agent tells it."""

    mount_point: str
    name: str | None
    fs_type: str | None
    total_bytes: int | None
    used_bytes: int | None


class GuestAgent(TypedDict):
    """The guest agent of a VM."""

    enabled: bool
    version: str | None
    answered_at: str | None
    hostname: str | None
    system: AgentSystem | None
    file_systems: list[AgentFileSystem]


class GuestSnapshot(TypedDict):
    """A snapshot of a guest."""

    name: str
    parent: str | None
    description: str | None
    taken_at: str | None
    with_memory: bool
    memory_gb: float | None


_GuestSnapshots = list[GuestSnapshot]


class GuestSnapshots(TypedDict):
    """The snapshots of a guest."""

    count: int
    list: _GuestSnapshots
    current_parent: str | None


class GuestBackup(TypedDict):
    """A backup of a guest."""

    storage: str
    volume: str
    made_at: str | None
    size_gb: float | None
    format: str | None
    notes: str | None
    protected: bool
    verified: bool | None


_GuestBackups = list[GuestBackup]


class GuestBackups(TypedDict):
    """The backups there are of a guest."""

    count: int
    total_gb: float
    newest_at: str | None
    newest_age_seconds: int | None
    list: _GuestBackups


class PendingChange(TypedDict):
    """A setting that changes at the next start."""

    key: str
    value: str | None
    pending: str | None
    delete: bool


class GuestDetails(TypedDict):
    """One guest in full."""

    id: str
    vmid: str
    name: str | None
    kind: Literal["qemu", "lxc"]
    node: str
    node_id: str | None
    cluster: str | None
    status: Literal["running", "stopped", "paused", "unknown"]
    template: bool
    tags: list[str]
    linked_host: str | None
    rates: GuestRates | None
    observed_at: str | None
    at: str
    unseen: list[Unseen]
    config: dict[str, Any]
    pending: list[PendingChange]
    runtime: GuestRuntime | None
    disks: list[GuestDisk]
    networks: list[GuestNetwork]
    ip_addresses: GuestAddresses
    snapshots: GuestSnapshots | None
    agent: GuestAgent | None
    backups: GuestBackups | None
