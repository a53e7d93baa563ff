"""Changes to the world: what is asked for, and what came of it."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class GuestAction(TypedDict):
    """A change of a VM or container. The limits are for `shutdown` and `reboot`."""

    on: Literal["guest"]
    id: str
    do: Literal["start", "stop", "shutdown", "reboot", "suspend", "resume"]
    limit_seconds: NotRequired[int]
    then_stop: NotRequired[bool]


class ScaleAction(TypedDict):
    """More processors or memory for a VM or container, or less. What is not named stays."""

    on: Literal["guest"]
    id: str
    do: Literal["scale"]
    cores: NotRequired[int]
    memory_mib: NotRequired[int]
    balloon_mib: NotRequired[int]


class GrowDiskAction(TypedDict):
    """A larger disk of a VM or container."""

    on: Literal["guest"]
    id: str
    do: Literal["grow-disk"]
    disk: str
    to_gib: int


class CloneAction(TypedDict):
    """Another of a VM or container. `to` is a host's id; `full` is true unless told."""

    on: Literal["guest"]
    id: str
    do: Literal["clone"]
    name: str
    vmid: NotRequired[int]
    to: NotRequired[str]
    storage: NotRequired[str]
    snapshot: NotRequired[str]
    full: NotRequired[bool]


class BackUpAction(TypedDict):
    """A backup of a VM or container, made now."""

    on: Literal["guest"]
    id: str
    do: Literal["back-up"]
    storage: str
    mode: NotRequired[Literal["snapshot", "suspend", "stop"]]
    notes: NotRequired[str]


class TagAction(TypedDict):
    """Tags that a VM or container is to have, and to have no more."""

    on: Literal["guest"]
    id: str
    do: Literal["tag"]
    add: NotRequired[list[str]]
    remove: NotRequired[list[str]]


class DeleteAction(TypedDict):
    """The end of a VM or container and all its disks; `confirm` is its name. `purge` is true unless told."""

    on: Literal["guest"]
    id: str
    do: Literal["delete"]
    confirm: str
    purge: NotRequired[bool]


class UnitAction(TypedDict):
    """A change of a systemd unit of a host, by the host's id."""

    on: Literal["unit"]
    host: str
    unit: str
    do: Literal["start", "stop", "restart", "enable", "disable"]


class SnapshotAction(TypedDict):
    """A change of a snapshot of a VM or container, by the guest's id."""

    on: Literal["snapshot"]
    guest: str
    name: str
    do: Literal["create", "delete", "roll-back"]
    memory: NotRequired[bool]
    description: NotRequired[str]


Action = (
    GuestAction
    | ScaleAction
    | GrowDiskAction
    | CloneAction
    | BackUpAction
    | TagAction
    | DeleteAction
    | SnapshotAction
    | UnitAction
)


class NewStep(TypedDict):
    """An action that waits for others: their numbers, counted from 0."""

    action: Action
    after: list[int]


class Step(TypedDict):
    """A step of an operation, with its journal."""

    number: int
    action: Action
    after: list[int]
    undoes: int | None
    state: Literal["pending", "intended", "begun", "done", "already", "failed", "skipped"]
    before: Any
    handle: str | None
    started_at: str | None
    ended_at: str | None
    outcome: str | None


class Operation(TypedDict):
    """Actions being carried out, journaled."""

    id: str
    title: str
    state: Literal["waiting", "running", "done", "failed", "cancelled", "undoing", "undone"]
    note: str | None
    requested_by: str
    requested_from: str
    requested_at: str
    started_at: str | None
    ended_at: str | None
    percent: float
    cancel: bool
    undo: bool
    owner: str | None
    generation: int
    steps: list[Step]


class OperationLine(TypedDict):
    """A line that an operation said."""

    number: int
    at: str
    step: int | None
    text: str


class DryStep(TypedDict):
    """What a step would do, as the world is now."""

    action: Action
    words: str
    risk: Literal["none", "low", "disruptive", "destructive"]
    calls: list[str]
    already: str | None
    refused: list[str]


class DryRun(TypedDict):
    """What would be done, had it not been a dry run."""

    title: str
    risk: Literal["none", "low", "disruptive", "destructive"]
    steps: list[DryStep]
