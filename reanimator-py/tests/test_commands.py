"""Commands as jobs, and commands that are kept under a name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import reanimator
from reanimator import AsyncFleet, Fleet, model


def test_a_command_runs_as_a_job(fleet: Fleet, shown: Callable[..., Any]) -> None:
    run = fleet.start_command("echo one; echo two >&2; exit 3")
    assert set(run) == set(get_type_hints(model.CommandRun))
    view = fleet.command(run["id"], wait=True)
    assert set(view) == set(get_type_hints(model.CommandView))
    group = view["groups"][0]
    assert set(group) == set(get_type_hints(model.CommandGroup))
    assert (view["state"], group["status"], group["stdout"], group["stderr"]) == ("done", 3, "one\n", "two\n")
    answer = fleet.command_answer(run["id"], group["hosts"][0]["id"])
    assert set(answer) == set(get_type_hints(model.CommandAnswer))
    assert [each["id"] for each in fleet.commands()] == [run["id"]]
    assert shown("exec", "--show", run["id"])["groups"] == view["groups"]


def test_a_command_is_stopped(fleet: Fleet) -> None:
    run = fleet.start_command("sleep 1000")
    assert fleet.stop_command(run["id"])["state"] == "stopped"
    with pytest.raises(reanimator.Conflict):
        fleet.stop_command(run["id"])
    with pytest.raises(reanimator.NotFound):
        fleet.command("nothing")


def test_commands_are_saved(fleet: Fleet) -> None:
    saved = fleet.save_command({"name": "up", "command": "uptime"})
    assert set(saved) == set(get_type_hints(model.SavedCommand))
    assert fleet.saved_commands() == [saved]
    fleet.remove_saved_command("up")
    with pytest.raises(reanimator.NotFound):
        fleet.remove_saved_command("up")


def test_it_is_the_same_for_asyncio(tmp_path: Path) -> None:
    async def run() -> str:
        fleet = await AsyncFleet.open(str(tmp_path / "data"))
        begun = await fleet.start_command("echo later")
        view = await fleet.command(begun["id"], wait=True)
        return view["groups"][0]["stdout"]

    assert asyncio.run(run()) == "later\n"
