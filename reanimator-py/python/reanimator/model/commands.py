"""Commands on many hosts, and how their answers differ."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class CommandRun(TypedDict):
    """One command on many hosts, as it is kept."""

    id: str
    command: str
    on: str
    sudo: bool
    time_limit_seconds: int
    output_limit_bytes: int
    requested_by: str
    requested_from: str
    requested_at: str
    ended_at: str | None
    state: Literal["waiting", "running", "done", "stopped", "interrupted"]
    hosts: int
    ok: int
    failed: int


class CommandTrouble(TypedDict):
    """Why a host gave no answer."""

    kind: str
    message: str
    next: str | None


class CommandAnswer(TypedDict):
    """What one host answered; what is not UTF-8 is U+FFFD."""

    host_id: str
    host: str
    state: Literal["waiting", "running", "over"]
    status: int | None
    signal: str | None
    stdout: str
    stderr: str
    stdout_cut_at: int | None
    stderr_cut_at: int | None
    error: CommandTrouble | None
    milliseconds: int


class CommandHost(TypedDict):
    """A host of a run."""

    id: str
    name: str
    state: Literal["waiting", "running", "over"]
    milliseconds: int


class DifferenceLine(TypedDict):
    """A line of a difference: of both, of the odd group only (`added`), or of the largest group only (`removed`)."""

    kind: Literal["same", "added", "removed", "skipped"]
    stream: Literal["stdout", "stderr"]
    text: str
    count: int


class Difference(TypedDict):
    """What a group says otherwise than the largest one."""

    lines: list[DifferenceLine]
    added: int
    removed: int
    cut: bool


class CommandGroup(TypedDict):
    """Hosts that answered alike."""

    hosts: list[CommandHost]
    majority: bool
    running: bool
    status: int | None
    signal: str | None
    stdout: str
    stderr: str
    stdout_cut_at: int | None
    stderr_cut_at: int | None
    error: CommandTrouble | None
    difference: Difference | None


class CommandView(CommandRun):
    """A run with its answers, equal ones together."""

    groups: list[CommandGroup]
    waiting: list[CommandHost]


class CommandToSave(TypedDict):
    """A command that is to be kept under a name."""

    name: str
    command: str
    on: NotRequired[str]
    sudo: NotRequired[bool]
    time_limit_seconds: NotRequired[int]
    comment: NotRequired[str]


class SavedCommand(TypedDict):
    """A command that is kept under a name."""

    name: str
    command: str
    on: str
    sudo: bool
    time_limit_seconds: int
    comment: str
    saved_by: str
    saved_at: str
