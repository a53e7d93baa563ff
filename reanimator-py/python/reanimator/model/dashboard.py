"""The fleet in tables. `_gb` is GiB and `_mb` is MiB, as Proxmox counts."""

from __future__ import annotations

from typing import Literal, TypedDict

from .fleet import HostCounts


class GuestSums(TypedDict):
    """Guests by state."""

    total: int
    running: int
    stopped: int


class CpuSum(TypedDict):
    """CPU over many hosts."""

    threads: int
    used_percent: float | None


class RoomSum(TypedDict):
    """Room over many things."""

    total_gb: float
    used_gb: float
    used_percent: float | None


class UpdateCounts(TypedDict):
    """Packages that could be newer."""

    pending: int
    security: int


class Attention(TypedDict):
    """Something that needs somebody."""

    entity: str
    name: str
    kind: Literal[
        "offline",
        "old-data",
        "no-quorum",
        "disk-health",
        "pool",
        "pool-full",
        "disk-full",
        "storage-unusable",
        "high-availability",
        "ceph",
        "replication",
        "service",
        "temperature",
        "failed-units",
        "certificate",
        "backup-failed",
        "backup-old",
        "backup-missing",
        "clock",
        "subscription",
        "notify",
        "updates",
        "restart-wanted",
    ]
    """What kind of trouble it is; the reference of the HTTP interface says which `values` come with each."""
    level: Literal["critical", "warning", "notice"]
    what: str
    since: str | None
    values: dict[str, str]


class Overview(TypedDict):
    """The whole fleet in a few figures. Shared storage, and the memory of a host that is a guest, are counted once."""

    hosts: HostCounts
    guests: GuestSums
    cpu: CpuSum
    memory: RoomSum
    storage: RoomSum
    updates: UpdateCounts
    attention: list[Attention]
    observed_at: str | None


class NodeRow(TypedDict):
    """One host as a row."""

    id: str
    name: str
    hostname: str | None
    kind: Literal["linux", "proxmox", "both"]
    state: Literal["online", "offline", "unknown", "maintenance"]
    cluster: str | None
    groups: list[str]
    tags: list[str]
    cpu_cores: int | None
    cpu_sockets: int | None
    cpu_threads: int | None
    cpu_percent: float | None
    load_1m: float | None
    ram_total_gb: float | None
    ram_used_gb: float | None
    ram_percent: float | None
    storage_total_gb: float | None
    storage_used_gb: float | None
    storage_percent: float | None
    temperature_highest_c: float | None
    os: str | None
    kernel_version: str | None
    proxmox_version: str | None
    license_status: str | None
    updates_pending: int | None
    updates_security: int | None
    reboot_needed: bool | None
    failed_units: int | None
    containers_running: int | None
    guests_running: int | None
    guests_total: int | None
    uptime_seconds: int | None
    problems: list[str]
    observed_at: str | None


class VmRow(TypedDict):
    """One guest as a row."""

    id: str
    vmid: str
    name: str | None
    kind: Literal["qemu", "lxc"]
    node: str
    node_id: str | None
    cluster: str | None
    status: Literal["running", "stopped", "paused", "unknown"]
    template: bool
    cpu_percent: float | None
    ram_percent: float | None
    ram_total_mb: float | None
    ram_used_mb: float | None
    storage_total_gb: float | None
    storage_used_gb: float | None
    uptime_seconds: int | None
    ip_addresses: list[str]
    tags: list[str]
    observed_at: str | None


class StorageRow(TypedDict):
    """One storage as a row: of a Proxmox cluster, or a file system of any host."""

    id: str
    name: str
    node: str
    cluster: str | None
    type: str
    content: str | None
    shared: bool
    active: bool
    total_gb: float | None
    used_gb: float | None
    available_gb: float | None
    used_percent: float | None
    observed_at: str | None


class InterfaceRow(TypedDict):
    """One network interface as a row."""

    id: str
    node: str
    node_id: str
    interface: str
    type: str
    state: str | None
    mac: str | None
    addresses: list[str]
    master: str | None
    vlan: int | None
    speed_mbps: int | None
    mtu: int | None
    observed_at: str | None


class Votes(TypedDict):
    """Votes of a cluster."""

    present: int
    expected: int


class ClusterRow(TypedDict):
    """One Proxmox cluster, or a node that stands alone, as a row."""

    id: str
    name: str
    cluster: str | None
    state: Literal["online", "offline", "unknown", "maintenance"]
    version: str | None
    nodes_total: int
    nodes_online: int
    quorate: bool | None
    votes: Votes | None
    ha_status: str | None
    ceph_health: str | None
    guests_running: int
    guests_total: int
    problems: list[str]
    observed_at: str | None


class Dashboard(TypedDict):
    """The whole fleet in tables."""

    overview: Overview
    nodes: list[NodeRow]
    vms: list[VmRow]
    storages: list[StorageRow]
    interfaces: list[InterfaceRow]
    clusters: list[ClusterRow]
