"""Updates of many machines from Python; the machine itself is never updated here."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import reanimator
from reanimator import AsyncFleet, Fleet, model

# Leaves a schedule that is no JSON, and one whose time zone is not known.
BREAK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("UPDATE update_schedules SET data = '{' WHERE name = 'broken'")
connection.execute("UPDATE update_schedules SET data = json_set(data, '$.zone', 'Nowhere/At_All') WHERE name = 'nowhere'")
connection.commit()
connection.close()
"""


def test_schedules_and_redundant_sets_are_kept(fleet: Fleet, this_machine: str) -> None:
    made = fleet.create_update_schedule({"name": "nights", "wish": {"hosts": "all"}, "at": "03:30", "days": ["sat"]})
    assert (made["times"], made["schedule"]["by"].startswith("local:")) == ("sat 03:30 UTC", True)
    assert fleet.edit_update_schedule("nights", {"enabled": False})["next_at"] is None
    assert [view["schedule"]["name"] for view in fleet.update_schedules()] == ["nights"]
    fleet.delete_update_schedule("nights")
    with pytest.raises(reanimator.Invalid):
        fleet.create_update_schedule({"name": "bad", "wish": {}, "at": "03:30"})

    assert fleet.put_redundant_set({"name": "dns", "hosts": "all"})["member_hosts"] == [this_machine]
    assert [view["set"]["name"] for view in fleet.redundant_sets()] == ["dns"]
    fleet.remove_redundant_set("dns")


def test_who_means_nobody_is_told_so(fleet: Fleet, home: Path) -> None:
    with pytest.raises(reanimator.NotFound):
        fleet.plan_update({"hosts": "nobody"})
    with pytest.raises(reanimator.Invalid):
        fleet.update({"hosts": "all", "wave_size": 0})
    with pytest.raises(reanimator.NotFound):
        fleet.update_run("nothing")
    assert fleet.updates() == []

    async def main() -> None:
        other = await AsyncFleet.open(home / "data")
        with pytest.raises(reanimator.NotFound):
            await other.cancel_update("nothing")
        assert await other.updates(open=True) == []

    asyncio.run(main())


def test_one_that_cannot_be_read_takes_nothing_from_the_others(
    fleet: Fleet, home: Path, program: str, environment: dict[str, str], shown: Callable[..., Any]
) -> None:
    for name in ("broken", "nowhere", "well"):
        fleet.create_update_schedule({"name": name, "wish": {"hosts": "all"}, "at": "03:30"})
    # In a process of its own: two libraries of SQLite in one process take each other's locks.
    subprocess.run([sys.executable, "-c", BREAK, str(home / "data" / "reanimator.db")], check=True)

    nowhere, well = fleet.update_schedules()
    assert set(nowhere) == set(get_type_hints(model.ScheduleView))
    assert nowhere["trouble"] is not None and "Nowhere/At_All" in nowhere["trouble"]
    assert (nowhere["next_at"], well["trouble"], well["schedule"]["name"]) == (None, None, "well")
    (broken,) = fleet.unreadable_update_schedules()
    assert set(broken) == set(get_type_hints(model.UnreadableSchedule))
    assert broken["name"] == "broken" and "schedule delete broken" in broken["next"]

    words = [program, "update", "schedule", "list"]
    listed = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert listed.returncode == 3, listed
    assert "well" in listed.stdout and "never" in listed.stdout
    assert f"broken cannot be read: {broken['cause']}" in listed.stderr
    assert "edit nowhere --zone" in listed.stderr
    listed = subprocess.run([*words, "--json"], env=environment, capture_output=True, text=True, check=False)
    assert (listed.returncode, json.loads(listed.stdout)["unreadable"]) == (3, [broken])
    mended = shown("update", "schedule", "edit", "nowhere", "--zone", "UTC")
    assert mended["trouble"] is None and mended["next_at"]
    fleet.delete_update_schedule("broken")
    assert [view["schedule"]["name"] for view in shown("update", "schedule", "list")["items"]] == ["nowhere", "well"]
