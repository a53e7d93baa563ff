"""Figures over time, and what changed."""

from __future__ import annotations

from typing import Any, TypedDict

#: A history in columns, as data frames take it: `time` holds datetimes in UTC; `cpu_percent_min`, `cpu_percent_mean`
#: and `cpu_percent_max` hold floats, and `None` where it was not seen.
Columns = dict[str, list[Any]]


class Reading(TypedDict):
    """A figure as it was last seen."""

    at: str
    value: float


#: The same figure of many things as short lines with the same times: when the first step begins and the last one ends,
#: of each thing the average over each step, and what was asked for and is not in the fleet.
Recent = TypedDict(
    "Recent",
    {
        "metric": str,
        "from": str,
        "to": str,
        "step_seconds": int,
        "series": "dict[str, list[float | None]]",
        "unknown": "list[str]",
    },
)


class Change(TypedDict):
    """A fact that differs from what was seen before."""

    id: str
    entity: str
    field: str
    old_value: str | None
    new_value: str | None
    created_at: str
