"""What was recorded of terminals."""

from __future__ import annotations

from typing import TypedDict


# `from` is a word of Python, so this one is written as a call.
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
    },
)
"""What was shown in a terminal, kept in a file (asciicast, version 2): whose it is, who opened it, and from where."""
