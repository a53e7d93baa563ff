"""Whom notices go to, and what was sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict


#: By mail. The secret `password` goes with `user`.
EmailWay = TypedDict(
    "EmailWay",
    {
        "kind": Literal["email"],
        "server": str,
        "port": NotRequired[int | None],
        "tls": NotRequired[Literal["starttls", "tls", "none"]],
        "user": NotRequired[str | None],
        "from": str,
        "to": Sequence[str],
    },
)


class WebhookWay(TypedDict):
    """By a JSON document. Only the beginning of its address is shown again."""

    kind: Literal["webhook"]
    url: str


class NtfyWay(TypedDict):
    """By ntfy."""

    kind: Literal["ntfy"]
    server: NotRequired[str]
    topic: str
    user: NotRequired[str | None]


class GotifyWay(TypedDict):
    """By a Gotify server."""

    kind: Literal["gotify"]
    server: str


class AppriseWay(TypedDict):
    """By the program apprise."""

    kind: Literal["apprise"]


NotifyWay = EmailWay | WebhookWay | NtfyWay | GotifyWay | AppriseWay


class NotifyWhich(TypedDict, total=False):
    """Which notices a target gets."""

    levels: Sequence[Literal["critical", "warning", "notice", "ok"]]
    kinds: Sequence[Literal["alert-raised", "alert-resolved", "operation-ended", "update-ended", "test"]]
    hosts: str
    guests: str
    resolved: bool
    done: bool


#: When a target is not to be disturbed; times are `22:00`.
QuietHours = TypedDict(
    "QuietHours",
    {
        "from": str,
        "to": str,
        "zone": NotRequired[str],
        "days": NotRequired[Sequence[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]]],
        "critical_waits": NotRequired[bool],
    },
)


class NotifyTarget(TypedDict):
    """Where notices go."""

    name: str
    way: NotifyWay
    which: NotRequired[NotifyWhich]
    quiet: NotRequired[QuietHours | None]
    group_seconds: NotRequired[int]
    allow_inside: NotRequired[bool]
    enabled: NotRequired[bool]


class NotifyTargetChange(TypedDict, total=False):
    """What to change of a target; what is absent stays. `quiet` is taken away by `None`."""

    way: NotifyWay
    which: NotifyWhich
    quiet: QuietHours | None
    group_seconds: int
    allow_inside: bool
    enabled: bool


class NotifySecrets(TypedDict, total=False):
    """Secrets of a target; an empty one is deleted. They are never given out again."""

    password: str
    token: str
    signing_key: str
    headers: str
    urls: str


class NotifyTargetView(TypedDict):
    """A target, and how it is doing."""

    name: str
    kind: Literal["email", "webhook", "ntfy", "gotify", "apprise"]
    enabled: bool
    quiet_until: str | None
    waiting: int
    tries: int
    last_at: str | None
    last_state: Literal["waiting", "sent", "failed", "dropped"] | None
    trouble: str | None
    target: NotifyTarget
    secrets: list[str]


class NotifyTestReport(TypedDict):
    """What came of trying a target."""

    answer: str
    milliseconds: int


class Notice(TypedDict):
    """Something told."""

    at: str
    kind: Literal["alert-raised", "alert-resolved", "operation-ended", "update-ended", "test"]
    level: Literal["critical", "warning", "notice", "ok"]
    title: str
    text: str
    entity: str | None
    key: str
    url: str | None
    fields: dict[str, str]


class Delivery(TypedDict):
    """A notice for one target, and what became of it."""

    number: int
    target: str
    notice: Notice
    state: Literal["waiting", "sent", "failed", "dropped"]
    queued_at: str
    tries: int
    first_try_at: str | None
    next_try_at: str | None
    ended_at: str | None
    note: str | None
