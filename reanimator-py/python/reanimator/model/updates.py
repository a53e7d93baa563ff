"""Updates of many machines: wishes, plans, runs, schedules, and machines that stand in for each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict


class NoSafety(TypedDict):
    """Nothing is made of a guest before it is updated."""

    by: Literal["none"]


class SnapshotSafety(TypedDict):
    """A snapshot, to which the guest goes back where its update fails."""

    by: Literal["snapshot"]


class BackupSafety(TypedDict):
    """A backup, which stays."""

    by: Literal["backup"]
    storage: str


class HealthWish(TypedDict, total=False):
    """How a machine shows that it is well. A command takes an admin."""

    within_seconds: int
    units: bool
    listeners: bool
    command: str


class UpdateWish(TypedDict, total=False):
    """What is wanted of an update. `hosts` and `guests` are selectors; one of them must be there."""

    hosts: str
    guests: str
    security_only: bool
    exclude: Sequence[str]
    safety: NoSafety | SnapshotSafety | BackupSafety
    order: Literal["guests-first", "guests-last"]
    canary: int
    canaries: Sequence[str]
    wave_size: int
    on_failure: Literal["stop", "go-on"]
    reboot: Literal["if-needed", "never"]
    restart_within_seconds: int
    evacuate: bool
    local_disks: bool
    newest_backup_days: int
    health: HealthWish
    overrides: Sequence[str]


class PassedOver(TypedDict):
    """A machine that was named and is not updated."""

    machine: str
    name: str
    why: str


class PlannedTarget(TypedDict):
    """A machine that would be updated. `machine` is `host:ID` or `guest:CONNECTION:VMID`."""

    machine: str
    name: str
    kind: Literal["host", "node", "container", "vm"]
    why: str
    own: bool
    survey: dict[str, Any] | None
    wanted: int
    security: int
    restart: bool
    steps: list[str]
    refused: list[str]
    objections: list[dict[str, Any]]
    notes: list[str]


class PlannedWave(TypedDict):
    """Machines that are updated at once."""

    number: int
    canary: bool
    targets: list[PlannedTarget]


class UpdatePlan(TypedDict):
    """What an update would come to. Nothing was done but to look."""

    wish: UpdateWish
    waves: list[PlannedWave]
    passed_over: list[PassedOver]
    machines: int
    packages: int
    security: int
    restarts: int
    refused: int


class UpdateStep(TypedDict):
    """An operation that an update asked for."""

    phase: str
    operation: str
    state: str | None
    asked_at: str
    ended_at: str | None


class Vitals(TypedDict):
    """What shows that a machine is well."""

    running: NotRequired[list[str]]
    failed: NotRequired[list[str]]
    listeners: NotRequired[list[str]]


class UpdateTarget(TypedDict):
    """A machine of an update: how far it got, and what was changed, package by package, in `report`."""

    number: int
    machine: str
    name: str
    kind: Literal["host", "node", "container", "vm"]
    wave: int
    canary: bool
    why: str
    own: bool
    guest: str | None
    node: str | None
    in_maintenance: bool
    apart: list[str]
    ground: list[str]
    state: Literal["pending", "running", "updated", "current", "skipped", "failed", "rolled-back"]
    phase: str | None
    steps: list[UpdateStep]
    pending: list[dict[str, Any]]
    pending_count: int
    security_count: int | None
    restart_due: bool
    vitals: Vitals | None
    well_until: str | None
    report: dict[str, Any] | None
    has_snapshot: bool
    evacuated: bool
    restarted: bool
    rolled_back: bool
    failure: str | None
    notes: list[str]
    started_at: str | None
    ended_at: str | None


class UpdateRun(TypedDict):
    """An update of many machines, being carried out or over."""

    id: str
    title: str
    wish: UpdateWish
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    note: str | None
    requested_by: str
    requested_from: str
    requested_at: str
    schedule: str | None
    started_at: str | None
    ended_at: str | None
    cancel: bool
    owner: str | None
    generation: int
    passed_over: list[PassedOver]
    targets: list[UpdateTarget]


class UpdateLine(TypedDict):
    """An update in one line."""

    id: str
    title: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    note: str | None
    requested_by: str
    requested_at: str
    schedule: str | None
    started_at: str | None
    ended_at: str | None
    machines: int
    over: int
    well: int
    failed: int
    skipped: int
    packages: int
    running: list[str]


class ScheduleOutcome(TypedDict):
    """What came of a time of a schedule: `text` is the id of the update that was made, or why none was."""

    at: str
    made: bool
    text: str


class UpdateSchedule(TypedDict):
    """An update that is made again and again: on `days`, `at` a time such as `03:30` by the clock of its `zone`."""

    name: str
    wish: UpdateWish
    days: NotRequired[Sequence[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]]]
    at: str
    zone: NotRequired[str]
    enabled: NotRequired[bool]
    comment: NotRequired[str]
    by: NotRequired[str]
    done_until: NotRequired[str | None]
    last_outcome: NotRequired[ScheduleOutcome]


class ScheduleChange(TypedDict, total=False):
    """What to change of a schedule; what is absent stays."""

    wish: UpdateWish
    days: Sequence[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]]
    at: str
    zone: str
    enabled: bool
    comment: str


class ScheduleView(TypedDict):
    """A schedule, and what it comes to now."""

    schedule: UpdateSchedule
    times: str
    next_at: str | None
    trouble: str | None


class UnreadableSchedule(TypedDict):
    """A schedule that is stored and cannot be read: why, and what to do about it."""

    name: str
    cause: str
    next: str


class RedundantSet(TypedDict):
    """Machines that stand in for each other. `hosts` and `guests` are selectors."""

    name: str
    hosts: NotRequired[str]
    guests: NotRequired[str]
    comment: NotRequired[str]


class RedundantView(TypedDict):
    """A redundant set, and who is in it now."""

    set: RedundantSet
    member_hosts: list[str]
    member_guests: list[str]
