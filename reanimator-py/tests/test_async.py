"""`AsyncFleet` under asyncio."""

from __future__ import annotations

import asyncio
import inspect
import time
from pathlib import Path

import pytest

import reanimator
from reanimator import AsyncFleet, Fleet


def test_three_at_once_take_the_time_of_one(home: Path) -> None:
    async def main() -> float:
        fleet = await AsyncFleet.open(home / "data")
        await fleet.run("true")
        started = time.monotonic()
        answers = await asyncio.gather(*(fleet.run(f"sleep 2; echo {n}") for n in range(3)))
        assert [answer.text for (answer,) in answers] == ["0\n", "1\n", "2\n"]
        return time.monotonic() - started

    assert 2 <= asyncio.run(main()) < 4


def test_the_loop_turns_while_a_call_waits(home: Path) -> None:
    async def main() -> int:
        fleet = await AsyncFleet.open(home / "data")
        call = fleet.run("sleep 1")
        turns = 0
        while not call.done():
            await asyncio.sleep(0.01)
            turns += 1
        return turns

    assert asyncio.run(main()) > 10


def test_hosts_and_errors_are_the_same_as_without_asyncio(home: Path, closed_port: int) -> None:
    async def main() -> None:
        fleet = await AsyncFleet.open(str(home / "data"))
        (host,) = await fleet.hosts()
        seen = await fleet.observe(host["name"])
        assert seen["host"]["state"] == "online"
        with pytest.raises(reanimator.Unreachable) as caught:
            await fleet.add_host(f"127.0.0.1:{closed_port}", name="closed", password="unused")
        assert caught.value.host == "closed"
        added = await fleet.add_host("192.0.2.1", name="later", unchecked=True, tags=["x"])
        assert added["tags"] == ["x"]
        await fleet.remove_host("later")
        assert (await fleet.status())["totals"]["hosts"]["total"] == 1
        assert await fleet.guests() == [] == await fleet.storages()

    asyncio.run(main())


def test_details_histories_and_people_are_the_same_without_asyncio(home: Path, fleet: Fleet, this_machine: str) -> None:
    async def main() -> None:
        other = await AsyncFleet.open(home / "data")
        await other.observe(this_machine)
        details = await other.refresh(this_machine)
        assert details == fleet.host_details(this_machine)
        span = {"start": "10m", "end": "1s", "step": "10s"}
        assert await other.telemetry(this_machine, "load1", **span) == fleet.telemetry(this_machine, "load1", **span)
        assert await other.latest(this_machine) == fleet.latest(this_machine)
        assert await other.changes() == fleet.changes()
        assert (await other.dashboard())["nodes"][0]["name"] == this_machine
        created = await other.create_token("probe", role="operator")
        assert created["token"].startswith("rnm_")
        await other.add_user("ann", "correct horse battery", role="admin")
        await other.update_user("ann", password="another horse battery")
        assert (await other.users(), await other.tokens()) == (fleet.users(), fleet.tokens())
        await other.revoke_token("probe")
        assert (await other.audit(1))[0]["what"] == "token revoke"
        with pytest.raises(reanimator.Conflict):
            await other.remove_user("ann")
        for ask in (other.guest_details("nobody"), other.cluster_facts("nobody")):
            with pytest.raises(reanimator.NotFound):
                await ask

    asyncio.run(main())


def test_a_call_can_be_cancelled(home: Path) -> None:
    async def main() -> None:
        fleet = await AsyncFleet.open(home / "data")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(fleet.run("sleep 1000", time_limit=900), 0.5)

    started = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - started < 30


def test_both_fleets_have_the_same_methods() -> None:
    def methods(fleet: type) -> dict[str, str]:
        return {
            name: str(inspect.signature(getattr(fleet, name)))
            for name in dir(fleet)
            if not name.startswith("_") and callable(getattr(fleet, name))
        }

    assert methods(Fleet) == methods(AsyncFleet)


def test_everything_is_documented() -> None:
    for fleet in (Fleet, AsyncFleet, reanimator.Answer):
        for name in dir(fleet):
            assert name.startswith("_") or getattr(fleet, name).__doc__, f"{fleet.__name__}.{name}"
