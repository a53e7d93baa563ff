"""Alerts, and the rules that say when somebody is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict


class Threshold(TypedDict):
    """A figure is at `enter` or beyond, until it is back at `leave`."""

    kind: Literal["threshold"]
    metric: str
    enter: float
    leave: float
    for_seconds: NotRequired[int]
    direction: NotRequired[Literal["above", "below"]]


class Offline(TypedDict):
    """It does not answer."""

    kind: Literal["offline"]
    for_seconds: NotRequired[int]


class Filling(TypedDict):
    """It will be full soon, by its trend."""

    kind: Literal["filling"]
    within_hours: NotRequired[int]
    from_percent: NotRequired[float]


class NeedsAttention(TypedDict):
    """It needs somebody, as the dashboard tells."""

    kind: Literal["attention"]
    kinds: Sequence[Literal["offline", "old-data", "no-quorum", "disk-health", "pool", "pool-full", "disk-full", "storage-unusable", "high-availability", "ceph", "replication", "service", "temperature", "failed-units", "certificate", "backup-failed", "backup-old", "backup-missing", "clock", "subscription", "updates", "restart-wanted"]]
    least: NotRequired[Literal["critical", "warning", "notice"]]
    for_seconds: NotRequired[int]


class CertificateEnds(TypedDict):
    """A certificate is near its end."""

    kind: Literal["certificate"]
    within_days: NotRequired[int]


#: When a rule is met.
AlertCondition = Threshold | Offline | Filling | NeedsAttention | CertificateEnds


class AlertRule(TypedDict):
    """When somebody is told, and of what. `hosts`, `guests`, `storages` and `clusters` are selectors."""

    name: str
    condition: AlertCondition
    enabled: NotRequired[bool]
    level: NotRequired[Literal["critical", "warning", "notice"]]
    hosts: NotRequired[str]
    guests: NotRequired[str]
    storages: NotRequired[str]
    clusters: NotRequired[str]
    comment: NotRequired[str]
    built_in: NotRequired[bool]
    revision: NotRequired[int]


class AlertRuleChange(TypedDict, total=False):
    """What to change of a rule; what is absent stays. An empty text takes a selector away."""

    enabled: bool
    level: Literal["critical", "warning", "notice"]
    hosts: str
    guests: str
    storages: str
    clusters: str
    condition: AlertCondition
    comment: str


class AlertRuleView(TypedDict):
    """A rule, when it is met in words, and how many alerts of it go on."""

    rule: AlertRule
    words: str
    open: int


class Alert(TypedDict):
    """One matter that met a rule."""

    id: str
    rule: str
    revision: int
    kind: Literal["threshold", "offline", "filling", "attention", "certificate"]
    level: Literal["critical", "warning", "notice"]
    entity: str
    name: str
    item: str
    text: str
    values: dict[str, str]
    state: Literal["active", "acknowledged", "resolved"]
    since: str
    raised_at: str
    at: str
    value: float | None
    times: int
    acknowledged_by: str | None
    acknowledged_at: str | None
    comment: str
    resolved_at: str | None
    resolution: Literal["well", "rule-changed", "rule-removed", "not-covered", "gone"] | None


class Ring(TypedDict):
    """A time at which a rule would have rung."""

    entity: str
    name: str
    text: str
    at: str
    until: str | None


class RuleTrial(TypedDict):
    """What a rule would say now, and would have said over the last week."""

    words: str
    covers: int
    now: list[Ring]
    played: int
    rang: int
    rings: list[Ring]
