"""Terminals, and what was recorded of them."""

from __future__ import annotations

from typing import Literal, TypedDict


class TerminalSize(TypedDict):
    """How large a terminal is, in characters."""

    cols: int
    rows: int


class TerminalEnd(TypedDict):
    """How a terminal ended: why in words, whether it broke off, and the status or signal of its shell."""

    at: str
    why: str
    failed: bool
    status: int | None
    signal: str | None


# `from` is a word of Python, so this one is written as a call.
Terminal = TypedDict(
    "Terminal",
    {
        "id": str,
        "machine": str,
        "name": str,
        "way": Literal["ssh", "local", "console"],
        "who": str,
        "from": str,
        "opened_at": str,
        "size": TerminalSize,
        "viewers": int,
        "recorded": bool,
        "bytes_in": int,
        "bytes_out": int,
        "ended": TerminalEnd | None,
    },
)
"""A terminal that is open, or was: of which machine, who opened it, and how it is."""

Recording = TypedDict(
    "Recording",
    {
        "id": str,
        "machine": str,
        "name": str,
        "who": str,
        "from": str,
        "started_at": str,
        "bytes": int,
        "cut": bool,
    },
)
"""What was shown in a terminal, kept in a file (asciicast, version 2): whose it is, who opened it, and from where; `cut` where it is full."""
