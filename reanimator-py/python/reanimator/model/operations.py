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


class MigrateAction(TypedDict):
    """Moves a guest to another node of its cluster; `to` is the host's id."""

    on: Literal["guest"]
    id: str
    do: Literal["migrate"]
    to: str
    mode: NotRequired[Literal["auto", "live", "restart", "offline"]]
    local_disks: NotRequired[bool]
    storage: NotRequired[str | None]


class RemoteMigrateAction(TypedDict):
    """Moves a guest to a node of another cluster; `to` is the host's id."""

    on: Literal["guest"]
    id: str
    do: Literal["remote-migrate"]
    to: str
    storage: str
    bridge: str
    vmid: NotRequired[int | None]
    keep: NotRequired[bool]
    online: NotRequired[bool]


class ScaleAction(TypedDict):
    """Gives a guest more or fewer cores, or more or less memory."""

    on: Literal["guest"]
    id: str
    do: Literal["scale"]
    cores: NotRequired[int | None]
    memory_mib: NotRequired[int | None]
    balloon_mib: NotRequired[int | None]


class GrowDiskAction(TypedDict):
    """Makes a disk of a guest as large as `to_gib`."""

    on: Literal["guest"]
    id: str
    do: Literal["grow-disk"]
    disk: str
    to_gib: int


class CloneAction(TypedDict):
    """Makes another of a guest."""

    on: Literal["guest"]
    id: str
    do: Literal["clone"]
    name: str
    vmid: NotRequired[int | None]
    to: NotRequired[str | None]
    storage: NotRequired[str | None]
    snapshot: NotRequired[str | None]
    full: NotRequired[bool]


class BackUpAction(TypedDict):
    """Backs a guest up now."""

    on: Literal["guest"]
    id: str
    do: Literal["back-up"]
    storage: str
    mode: NotRequired[Literal["snapshot", "suspend", "stop"]]
    notes: NotRequired[str]


class TagAction(TypedDict):
    """Gives a guest tags, and takes some away."""

    on: Literal["guest"]
    id: str
    do: Literal["tag"]
    add: NotRequired[list[str]]
    remove: NotRequired[list[str]]


class DeleteAction(TypedDict):
    """Deletes a guest with all its disks; `confirm` must be its name."""

    on: Literal["guest"]
    id: str
    do: Literal["delete"]
    confirm: str
    purge: NotRequired[bool]


class SnapshotAction(TypedDict):
    """A change of a snapshot of a VM or container, by the guest's id."""

    on: Literal["snapshot"]
    guest: str
    name: str
    do: Literal["create", "delete", "roll-back"]
    memory: NotRequired[bool]
    description: NotRequired[str]


class HostAction(TypedDict):
    """A change of a host, by its id. `through` is for `wake`."""

    on: Literal["host"]
    id: str
    do: Literal["shutdown", "reboot", "suspend", "wake", "enter-maintenance", "leave-maintenance"]
    through: NotRequired[str | None]


class UnitAction(TypedDict):
    """A change of a systemd unit of a host, by the host's id."""

    on: Literal["unit"]
    host: str
    unit: str
    do: Literal["start", "stop", "restart", "enable", "disable"]


class ContainerAction(TypedDict):
    """A change of a container of Docker or Podman on a host, by the host's id."""

    on: Literal["container"]
    host: str
    name: str
    do: Literal["start", "stop", "restart", "update"]


class ComposeAction(TypedDict):
    """A change of a project of Compose on a host, by the host's id."""

    on: Literal["compose"]
    host: str
    project: str
    do: Literal["start", "stop", "restart", "update"]


class ScriptAction(TypedDict):
    """Runs a prepared script on a host, by the host's id."""

    on: Literal["script"]
    host: str
    script: str
    parameters: NotRequired[dict[str, str]]
    version: NotRequired[str | None]


class PackagesAction(TypedDict):
    """Fetches the package lists of a machine (`host:ID` or `guest:CONNECTION:VMID`), or upgrades its packages.

    `security_only` and `exclude` are for `upgrade`.
    """

    on: Literal["packages"]
    machine: str
    do: Literal["refresh", "upgrade"]
    security_only: NotRequired[bool]
    exclude: NotRequired[list[str]]


class StorageAction(TypedDict):
    """Puts a file on a storage of a node: one handed over before (`file`), or one that the node fetches (`url`)."""

    on: Literal["storage"]
    host: str
    storage: str
    content: Literal["iso", "vztmpl", "import"]
    name: str
    do: Literal["upload", "download"]
    file: NotRequired[str]
    url: NotRequired[str]
    sha256: NotRequired[str | None]


Action = (
    GuestAction
    | MigrateAction
    | RemoteMigrateAction
    | ScaleAction
    | GrowDiskAction
    | CloneAction
    | BackUpAction
    | TagAction
    | DeleteAction
    | SnapshotAction
    | HostAction
    | UnitAction
    | ContainerAction
    | ComposeAction
    | ScriptAction
    | PackagesAction
    | StorageAction
)


class NewStep(TypedDict):
    """An action with its terms: numbers of the steps it waits for, counted from 0, and how long it may take."""

    action: Action
    after: NotRequired[list[int]]
    limit_seconds: NotRequired[int | None]


class Objection(TypedDict):
    """What a rule says against an action."""

    rule: str
    why: str
    can_override: bool


class Step(TypedDict):
    """A step of an operation, with its journal."""

    number: int
    action: Action
    after: list[int]
    limit_seconds: int | None
    undoes: int | None
    state: Literal["pending", "intended", "begun", "done", "already", "failed", "skipped"]
    before: Any
    handle: str | None
    started_at: str | None
    ended_at: str | None
    outcome: str | None
    result: NotRequired[dict[str, Any]]


class Operation(TypedDict):
    """Actions being carried out, journaled."""

    id: str
    title: str
    state: Literal["waiting", "running", "done", "failed", "cancelled", "undoing", "undone"]
    note: str | None
    requested_by: str
    requested_from: str
    overrides: list[str]
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
    objections: list[Objection]


class EnterMaintenance(TypedDict):
    """Moves a host's guests away, and has nothing new put on it; `targets` are hosts' ids."""

    do: Literal["enter"]
    targets: NotRequired[list[str]]
    stopped: NotRequired[bool]
    local_disks: NotRequired[bool]
    leave_behind: NotRequired[bool]
    shutdown: NotRequired[bool]
    overrides: NotRequired[list[str]]


class LeaveMaintenance(TypedDict):
    """Uses a host again."""

    do: Literal["leave"]
    wake: NotRequired[bool]
    bring_back: NotRequired[bool]
    overrides: NotRequired[list[str]]


class Move(TypedDict):
    """A guest that is moved."""

    guest: str
    name: str
    to: str
    to_name: str
    why: str


class RefusedTarget(TypedDict):
    """A host that a guest cannot go to."""

    host: str
    name: str
    objections: list[Objection]


class Stay(TypedDict):
    """A guest that stays where it is."""

    guest: str
    name: str
    is_well: bool
    why: str
    refused: list[RefusedTarget]


class DryRun(TypedDict):
    """What would be done, had it not been a dry run."""

    title: str
    risk: Literal["none", "low", "disruptive", "destructive"]
    steps: list[DryStep]


class RuleView(TypedDict):
    """A rule by which nothing is harmed."""

    id: str
    sentence: str


class GuestTarget(TypedDict):
    """A node that a guest could go to."""

    host: str
    name: str
    current: bool
    fits: bool
    objections: list[Objection]
    memory_free_after_bytes: int | None
    mode: Literal["auto", "live", "restart", "offline"]


class GuestTargets(TypedDict):
    """Where a guest could go, those that fit first."""

    guest: str
    name: str
    local_disks: list[str]
    targets: list[GuestTarget]


class MaintenanceDryRun(DryRun):
    """What a wish about a host would come to."""

    moves: list[Move]
    stays: list[Stay]
