"""Who may do what, and who did."""

from __future__ import annotations

from typing import Literal, TypedDict


class User(TypedDict):
    """A person who may log in."""

    name: str
    role: Literal["viewer", "operator", "admin"]
    created_at: str


class Token(TypedDict):
    """A token of a program, without itself."""

    name: str
    role: Literal["viewer", "operator", "admin"]
    created_at: str
    last_used_at: str | None


class CreatedToken(TypedDict):
    """A token that was just made. `token` is not shown again."""

    token: str
    name: str
    role: Literal["viewer", "operator", "admin"]


#: Something that somebody did or tried; `outcome` is `ok` or the kind of failure.
AuditEntry = TypedDict(
    "AuditEntry",
    {"at": str, "who": str, "from": str, "what": str, "on": str, "outcome": str},
)
