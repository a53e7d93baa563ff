"""Hosts, guests, storages, clusters, and what comes back from adding and trying them."""

from __future__ import annotations

from typing import Any, Literal, TypedDict


class Memory(TypedDict):
    """Main memory."""

    total_bytes: int
    used_bytes: int
    available_bytes: int | None
    source: str
    arc_bytes: int | None


class Space(TypedDict):
    """Room on disks, or swap."""

    total_bytes: int
    used_bytes: int


class Throughput(TypedDict):
    """What goes over the wire."""

    received_bytes_per_second: float
    sent_bytes_per_second: float


class GuestCounts(TypedDict):
    """How many guests."""

    running: int
    total: int


class GuestOf(TypedDict):
    """Which guest a machine is."""

    connection: str
    vmid: str
    name: str | None


class Problem(TypedDict):
    """Why a host does not answer as it should, and what to do."""

    kind: str
    message: str
    next: str | None


class Unseen(TypedDict):
    """Something that could not be seen, and why."""

    what: str
    why: str


class Host(TypedDict):
    """A host and what is known of it now."""

    id: str
    name: str
    kind: Literal["linux", "proxmox", "both"]
    state: Literal["online", "offline", "unknown", "maintenance"]
    address: str | None
    groups: list[str]
    tags: list[str]
    cluster: str | None
    cpu_percent: float | None
    cpus: int | None
    load: list[float] | None
    memory: Memory | None
    swap: Space | None
    disk: Space | None
    network: Throughput | None
    uptime_seconds: int | None
    os: str | None
    kernel: str | None
    proxmox_version: str | None
    guests: GuestCounts | None
    guest_of: GuestOf | None
    observed_at: str | None
    age_seconds: float | None
    via: list[str]
    clock_skew_seconds: int | None
    problem: Problem | None
    unseen: list[Unseen]


class HostDetail(TypedDict):
    """One host in full; `telemetry` and `identity` as the OpenAPI document describes them."""

    host: Host
    telemetry: dict[str, Any] | None
    identity: dict[str, Any] | None
    links: list[dict[str, Any]]
    unseen: list[Unseen]


class HostCounts(TypedDict):
    """Hosts by state."""

    total: int
    online: int
    offline: int
    unknown: int
    maintenance: int


class Totals(TypedDict):
    """The fleet as if it were one computer."""

    hosts: HostCounts
    guests: GuestCounts
    cpus: int
    cpu_percent: float | None
    memory: Space
    swap: Space
    disk: Space
    network: Throughput
    observed_at: str | None


class Status(TypedDict):
    """The whole fleet."""

    hosts: list[Host]
    totals: Totals
    at: str


class GuestCounters(TypedDict):
    """What a guest has read, written, received and sent since it started."""

    disk_read_bytes: int
    disk_written_bytes: int
    network_received_bytes: int
    network_sent_bytes: int


class GuestRates(TypedDict):
    """What a guest reads, writes, receives and sends."""

    disk_read_bytes_per_second: float
    disk_written_bytes_per_second: float
    network_received_bytes_per_second: float
    network_sent_bytes_per_second: float


class Guest(TypedDict):
    """A VM or container on a Proxmox host, as it was last seen."""

    id: str
    connection: str
    vmid: str
    name: str | None
    kind: Literal["qemu", "lxc"]
    node: str
    host_id: str | None
    cluster: str | None
    status: Literal["running", "stopped", "paused", "unknown"]
    cpu_percent: float | None
    cpus: float | None
    memory: Memory | None
    disk: Space | None
    counters: GuestCounters | None
    rates: GuestRates | None
    uptime_seconds: int | None
    tags: list[str]
    template: bool
    linked_host: str | None
    observed_at: str | None


class Room(TypedDict, total=False):
    """Room on a storage; absent where it is not known."""

    total_bytes: int
    used_bytes: int


class Storage(Room):
    """A storage of a Proxmox cluster. A shared one is one, however many nodes see it."""

    id: str
    connection: str
    name: str
    cluster: str | None
    nodes: list[str]
    type: str
    content: list[str]
    shared: bool
    active: bool
    observed_at: str | None


class ConnectedNode(TypedDict):
    """A node that came in with a cluster."""

    name: str
    online: bool
    ip: str | None
    fingerprint: str | None


class ConnectReport(TypedDict):
    """What came in with a cluster."""

    id: str
    name: str
    cluster: str | None
    nodes: list[ConnectedNode]
    guests: int
    storages: int
    unseen: list[Unseen]


class TestStep(TypedDict):
    """One step of trying to reach something."""

    what: str
    ok: bool
    detail: str


class TestReport(TypedDict):
    """How far it went, up to the first step that failed."""

    ok: bool
    steps: list[TestStep]


class Fingerprint(TypedDict):
    """An identity that was shown: an SSH host key."""

    sha256: str
    key_type: str
    public_key: str | None


class ImportedHost(TypedDict):
    """One host that a text names."""

    name: str
    address: str
    port: int
    user: str
    groups: list[str]
    state: Literal["new", "known", "invalid"]
    why: str | None


class ImportReport(TypedDict):
    """What an import found, and how many hosts were added."""

    found: list[ImportedHost]
    added: int


class MatchSide(TypedDict):
    """One of two records that may be one machine: `host:ID` or `guest:ID`."""

    id: str
    name: str


class Match(TypedDict):
    """A question whether two records are one machine."""

    id: str
    a: MatchSide
    b: MatchSide
    evidence: list[str]
    against: list[str]


class Endpoint(TypedDict):
    """One node's API address; without a fingerprint the system's trust decides."""

    url: str
    fingerprint: str | None


class Proxmox(TypedDict):
    """A connected Proxmox VE cluster, or a node that stands alone."""

    id: str
    name: str
    cluster: str | None
    endpoints: list[Endpoint]
    auth: Literal["token", "ticket"]
    state: Literal["online", "offline", "unknown", "maintenance"]
    quorate: bool | None
    nodes: list[str]
    problem: Problem | None
