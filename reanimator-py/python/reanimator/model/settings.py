"""What is decided about the fleet's own data."""

from __future__ import annotations

from typing import Literal, TypedDict


class Retention(TypedDict):
    """How long things are kept. The audit trail is kept for ever."""

    samples_hours: int
    minutes_days: int
    quarters_days: int
    six_hours_days: int
    events_days: int
    changes_days: int


class Caps(TypedDict):
    """How many operations may act on one host or cluster at once."""

    per_host: int
    per_cluster: int


class Uploads(TypedDict):
    """How much room files take that are handed over, before they are on a storage."""

    quota_gib: int
    keep_days: int


class Terminals(TypedDict):
    """How long terminals stay, and whether they are recorded."""

    record: bool
    unseen_minutes: int
    idle_hours: int


class Sizes(TypedDict):
    """How much room the data takes on the disk."""

    database_bytes: int
    history_bytes: int


class Settings(TypedDict):
    """The settings, and what the data takes."""

    retention: Retention
    caps: Caps
    uploads: Uploads
    terminals: Terminals
    sizes: Sizes
    version: str


class BackupReport(TypedDict):
    """What is in a backup."""

    made_at: str
    version: str
    hosts: int
    connections: int
    users: int
    history: bool


class CredentialSubject(TypedDict):
    """A host that is reached over SSH, or a Proxmox connection."""

    kind: Literal["host", "proxmox"]
    id: str
    name: str


class Credentials(TypedDict):
    """Which credentials are stored: `password`, `key`, `passphrase`, `sudo`, `token`. Never what they are."""

    subject: CredentialSubject
    names: list[str]
    user: str
    changed_at: str | None


class LabelCount(TypedDict):
    """A group or tag, and how many hosts bear it."""

    name: str
    hosts: int


class Labels(TypedDict):
    """All groups and tags, by name."""

    groups: list[LabelCount]
    tags: list[LabelCount]
