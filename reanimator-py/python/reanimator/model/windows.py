"""Maintenance windows, and what is protected by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

#: A time of the week in which what it covers may be disturbed. `hosts` and `guests` are selectors; times are `22:00`.
Window = TypedDict(
    "Window",
    {
        "name": str,
        "hosts": NotRequired[str],
        "guests": NotRequired[str],
        "days": NotRequired[Sequence[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]]],
        "from": str,
        "to": str,
        "zone": NotRequired[str],
        "first_day": NotRequired[str],
        "last_day": NotRequired[str],
        "enabled": NotRequired[bool],
        "comment": NotRequired[str],
    },
)

#: What to change of a window; what is absent stays. An empty text takes hosts, guests or a date away.
WindowChange = TypedDict(
    "WindowChange",
    {
        "hosts": str,
        "guests": str,
        "days": Sequence[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]],
        "from": str,
        "to": str,
        "zone": str,
        "first_day": str,
        "last_day": str,
        "enabled": bool,
        "comment": str,
    },
    total=False,
)


class WindowView(TypedDict):
    """A window, and what it comes to now."""

    window: Window
    times: str
    open: bool
    opens_at: str | None
    closes_at: str | None
    covers_hosts: list[str]
    covers_guests: list[str]


class Protection(TypedDict):
    """A guest or host that is protected by hand: `guest:ID`, `host:ID`."""

    thing: str
    reason: str
    by: str
    since: str | None


class ProtectionView(TypedDict):
    """The same, with the name of what is protected; `None` where it is not in the fleet now."""

    protection: Protection
    name: str | None
