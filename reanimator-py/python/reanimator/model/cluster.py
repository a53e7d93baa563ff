"""What a Proxmox cluster is. A list that was not seen is `None`, which is not an empty one."""

from __future__ import annotations

from typing import TypedDict

from .fleet import Unseen


class HaNode(TypedDict):
    """A node as high availability sees it."""

    name: str
    status: str | None
    state: str | None


class HaResource(TypedDict):
    """A guest that high availability looks after."""

    id: str
    node: str | None
    state: str | None
    wanted: str | None
    group: str | None
    max_restart: int | None
    max_relocate: int | None
    comment: str | None


class HaRule(TypedDict):
    """A rule of high availability, or a group before Proxmox VE 9."""

    name: str
    kind: str
    resources: list[str]
    nodes: list[str]
    affinity: str | None
    strict: bool
    disabled: bool
    comment: str | None
    errors: list[str]


class HaFacts(TypedDict):
    """High availability of a cluster."""

    master: str | None
    quorate: bool | None
    fencing: str | None
    nodes: list[HaNode]
    resources: list[HaResource]
    rules: list[HaRule] | None


class CephCheck(TypedDict):
    """Something that Ceph warns of."""

    name: str
    severity: str | None
    message: str | None


class CephFacts(TypedDict):
    """Ceph."""

    health: str | None
    checks: list[CephCheck]
    monitors: int | None
    monitors_in_quorum: int | None
    osds: int | None
    osds_up: int | None
    osds_in: int | None
    total_bytes: int | None
    used_bytes: int | None
    placement_groups: int | None
    misplaced_percent: float | None


class ReplicationJob(TypedDict):
    """A replication job."""

    id: str
    vmid: str | None
    source: str | None
    target: str | None
    schedule: str | None
    disabled: bool
    rate_mb_per_second: float | None
    comment: str | None
    last_sync: str | None
    last_try: str | None
    next_sync: str | None
    duration_seconds: float | None
    fail_count: int | None
    error: str | None


class BackupSelection(TypedDict):
    """Which guests a backup job takes along."""

    all: bool
    vmids: list[str]
    pool: str | None
    pool_members: list[str] | None
    excluded: list[str]
    node: str | None


class BackupJob(TypedDict):
    """A backup job."""

    id: str
    enabled: bool
    schedule: str | None
    storage: str | None
    mode: str | None
    guests: str | None
    excluded: str | None
    selection: BackupSelection
    next_run: str | None
    comment: str | None


class NewestBackup(TypedDict):
    """The newest of a guest's backups in one place."""

    made_at: str | None
    count: int


class BackupPlace(TypedDict):
    """A storage for backups."""

    storage: str
    node: str | None
    asked_at: str | None
    read_at: str | None
    problem: str | None
    guests: dict[str, NewestBackup]


class BackupDuty(TypedDict):
    """That a job takes a guest along."""

    job: str
    schedule: str | None
    storage: str | None
    since: str
    began: bool


class ClusterBackups(TypedDict):
    """The backups there are of a cluster's guests, by the places where they may lie."""

    places: list[BackupPlace]
    covered: dict[str, BackupDuty] | None


class NotBackedUp(TypedDict):
    """A guest that no backup job takes along."""

    vmid: str
    name: str | None
    kind: str | None


class TaskFailure(TypedDict):
    """A task that failed."""

    upid: str
    node: str | None
    kind: str | None
    subject: str | None
    user: str | None
    started_at: str | None
    ended_at: str | None
    error: str


class ClusterNode(TypedDict):
    """A node as its cluster knows it."""

    name: str
    node_id: str | None
    address: str | None
    online: bool | None
    votes: int | None
    rings: dict[str, str]


class SdnZone(TypedDict):
    """A zone of software-defined networks."""

    name: str
    kind: str | None
    bridge: str | None
    nodes: list[str]
    mtu_bytes: int | None
    status: dict[str, str]


class SdnVnet(TypedDict):
    """A network in a zone."""

    name: str
    zone: str | None
    tag: int | None
    alias: str | None
    vlan_aware: bool


class ClusterFacts(TypedDict):
    """What a Proxmox cluster is, when that was seen, and what of it could not be."""

    at: str
    unseen: list[Unseen]
    name: str | None
    config_version: int | None
    quorate: bool | None
    expected_votes: int | None
    quorum_votes: int | None
    online_votes: int | None
    nodes: list[ClusterNode]
    ha: HaFacts | None
    ceph: CephFacts | None
    replication: list[ReplicationJob] | None
    backup_jobs: list[BackupJob] | None
    not_backed_up: list[NotBackedUp] | None
    backups: ClusterBackups | None
    zones: list[SdnZone] | None
    vnets: list[SdnVnet] | None
    scheduling: str | None
    migration: str | None
    failed_tasks: list[TaskFailure] | None
