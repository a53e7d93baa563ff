"""Updates of many machines from Python; the machine itself is never updated here."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import reanimator
from reanimator import AsyncFleet, Fleet


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
