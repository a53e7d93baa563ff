"""Figures over time, in columns."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, get_type_hints

import pytest

import reanimator
from reanimator import Fleet, model


@pytest.fixture
def observed(fleet: Fleet, this_machine: str) -> str:
    """This machine, looked at twice, so that there are rates too."""
    fleet.observe(this_machine)
    time.sleep(1.1)
    fleet.observe(this_machine)
    return this_machine


def test_a_history_is_columns_of_one_length(fleet: Fleet, observed: str) -> None:
    columns = fleet.telemetry(observed, "memory_used", start="10m", step="10s")
    assert list(columns) == ["time", "memory_used_min", "memory_used_mean", "memory_used_max"]
    assert {len(column) for column in columns.values()} == {len(columns["time"])}
    assert 60 <= len(columns["time"]) <= 61
    first, second = columns["time"][:2]
    assert first.tzinfo is timezone.utc
    assert second - first == timedelta(seconds=10)
    seen = [value for value in columns["memory_used_mean"] if value is not None]
    assert seen and all(isinstance(value, float) and value > 0 for value in seen)
    assert None in columns["memory_used_mean"], "a gap is None, never zero"


def test_a_history_is_the_same_on_the_command_line(
    fleet: Fleet, observed: str, shown: Callable[..., Any]
) -> None:
    end = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=1)
    columns = fleet.telemetry(observed, start=end - timedelta(hours=3), end=end, step="1h")
    first = columns["time"][0].isoformat()
    series = shown("host", "history", observed, "--from", first, "--to", end.isoformat(), "--step", "1h")
    assert [time.isoformat().replace("+00:00", "Z") for time in columns["time"]] == series["times"]
    for name, figure in series["metrics"].items():
        for column, values in figure.items():
            assert columns.get(f"{name}_{column}", [None] * len(values)) == values
    assert any(
        least < average < most
        for name, figure in series["metrics"].items()
        for least, average, most in zip(figure["min"], figure["mean"], figure["max"])
        if average is not None
    ), "of two looks, not all figures are equal"


def test_without_names_all_figures_come_that_were_seen(fleet: Fleet, observed: str) -> None:
    columns = fleet.telemetry(f"host:{observed}")
    assert {"cpu_percent_mean", "load1_max", "memory_total_min"} <= set(columns)
    for name, column in columns.items():
        assert any(value is not None for value in column), f"{name} is a column of nothing"
    named = fleet.telemetry(observed, ["temperature_highest", "load1"])
    assert len(named) == 7, "what was asked for by name is there, seen or not"


def test_times_are_text_or_datetimes_of_any_zone(fleet: Fleet, observed: str) -> None:
    end = datetime.now(timezone.utc).replace(microsecond=0)
    start = end - timedelta(minutes=30)
    expected = fleet.telemetry(observed, "load1", start=start, end=end, step="1m")
    east = timezone(timedelta(hours=5, minutes=30))
    for ways in (
        {"start": start.isoformat(), "end": end.isoformat(), "step": 60},
        {"start": start.astimezone(east), "end": end.astimezone(east), "step": timedelta(minutes=1)},
        {"start": start.astimezone().replace(tzinfo=None), "end": end, "step": "60s"},
    ):
        assert fleet.telemetry(observed, "load1", **ways) == expected, ways
    assert len(expected["time"]) in (30, 31)


@pytest.mark.parametrize(
    ("ways", "named"),
    [
        ({"metrics": "cpu"}, '"cpu"'),
        ({"start": "yesterday"}, "yesterday"),
        ({"start": "1h", "end": "2h"}, "end"),
        ({"step": 0}, '"0"'),
        ({"step": -5}, '"-5"'),
        ({"step": timedelta(milliseconds=1)}, "0.001"),
        ({"step": "1ms"}, "1ms"),
        ({"start": "3650d", "step": "10s"}, "10000"),
    ],
)
def test_what_makes_no_sense_is_named(
    fleet: Fleet, this_machine: str, ways: dict[str, object], named: str
) -> None:
    with pytest.raises(reanimator.Invalid) as caught:
        fleet.telemetry(this_machine, **ways)
    assert named in str(caught.value)
    assert caught.value.next is not None


def test_a_time_is_no_number(fleet: Fleet, this_machine: str) -> None:
    with pytest.raises(TypeError, match="datetime"):
        fleet.telemetry(this_machine, start=3600)


def test_the_latest_figures_have_their_times(fleet: Fleet, observed: str) -> None:
    latest = fleet.latest(observed)
    assert set(latest["memory_used"]) == set(get_type_hints(model.Reading))
    at = datetime.fromisoformat(latest["memory_used"]["at"].replace("Z", "+00:00"))
    assert timedelta(0) <= datetime.now(timezone.utc) - at < timedelta(minutes=1)


def test_lines_of_many_come_at_once(fleet: Fleet, observed: str) -> None:
    entity = f"host:{fleet.host(observed)['host']['id']}"
    recent = fleet.recent([entity, "guest:c:1"], "memory_used", start="10m", points=20)
    assert set(recent) == set(model.Recent.__annotations__)
    assert recent["step_seconds"] >= 30
    assert recent["unknown"] == ["guest:c:1"]
    assert list(recent["series"]) == [entity]
    line = recent["series"][entity]
    assert len(line) <= 20 and None in line and any(value and value > 0 for value in line)
    with pytest.raises(reanimator.Invalid, match="121"):
        fleet.recent(entity, "memory_used", points=121)


def test_the_fleet_as_a_whole_is_asked_for_like_anything_else(fleet: Fleet) -> None:
    assert fleet.latest("fleet") == {}, "nothing writes its sums down but a service"
    columns = fleet.telemetry("fleet", "hosts_online", start="10m", step="1m")
    assert list(columns) == ["time", "hosts_online_min", "hosts_online_mean", "hosts_online_max"]
    assert set(columns["hosts_online_mean"]) == {None}
