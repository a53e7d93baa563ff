"""Prepared scripts: what admins let others run on hosts."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Parameter(TypedDict):
    """What a script may be given. The bounds go with the type: `max_length` and `pattern` with `text`, and so on."""

    name: str
    type: Literal["text", "integer", "choice", "boolean"]
    description: NotRequired[str]
    secret: NotRequired[bool]
    required: NotRequired[bool]
    default: NotRequired[str]
    variable: NotRequired[str]
    max_length: NotRequired[int]
    pattern: NotRequired[str]
    min: NotRequired[int]
    max: NotRequired[int]
    values: NotRequired[list[str]]


class Script(TypedDict):
    """A prepared script, as an admin defines it."""

    name: str
    body: str
    description: NotRequired[str]
    interpreter: NotRequired[list[str]]
    parameters: NotRequired[list[Parameter]]
    hosts: NotRequired[str]
    role: NotRequired[Literal["viewer", "operator", "admin"]]
    users: NotRequired[list[str]]
    risk: NotRequired[Literal["none", "low", "disruptive", "destructive"]]
    limit_seconds: NotRequired[int]
    output_bytes: NotRequired[int]
    memory_mb: NotRequired[int]
    tasks: NotRequired[int]
    user: NotRequired[str]
    protect_system: NotRequired[bool]


class StoredScript(Script):
    """A prepared script as it is kept."""

    version: str
    changed_at: str
    changed_by: str
