"""Operations on a simulated Proxmox VE cluster, and on what is not there."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import reanimator
from reanimator import AsyncFleet, Fleet, model

ROOT = Path(__file__).resolve().parents[2]
PVE_SIM = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "pve-sim"


@pytest.fixture
def guests(fleet: Fleet) -> Iterator[list[model.Guest]]:
    """The running guests of a cluster of its own."""
    words = [str(PVE_SIM), "--listen", "127.0.0.1:0", "--clusters", "1", "--nodes", "2", "--guests", "12", "--seed", "1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as simulator:
        assert simulator.stdout is not None
        try:
            told = json.loads(simulator.stdout.readline())
            fleet.connect_proxmox(told["url"], token=told["token"], accept_certificate=told["fingerprint"])
            running = [each for each in fleet.guests() if each["status"] == "running" and not each["template"]]
            assert len(running) >= 2
            yield running
        finally:
            simulator.kill()


def stop(guest: model.Guest) -> model.GuestAction:
    return {"on": "guest", "id": guest["id"], "do": "stop"}


def test_guests_are_stopped_and_it_is_taken_back(
    fleet: Fleet, guests: list[model.Guest], shown: Callable[..., Any]
) -> None:
    one, two = guests[:2]
    dry = fleet.dry_run([stop(one)])
    assert set(dry) == set(get_type_hints(model.DryRun))
    assert set(dry["steps"][0]) == set(get_type_hints(model.DryStep))
    assert dry["risk"] == "disruptive" and dry["steps"][0]["calls"][0].endswith("/status/stop")
    assert fleet.operations() == []

    done = fleet.operate([stop(one), {"action": stop(two), "after": [0]}], title="two of them")
    assert set(done) == set(get_type_hints(model.Operation))
    assert set(done["steps"][0]) == set(get_type_hints(model.Step))
    assert (done["title"], done["state"], done["percent"]) == ("two of them", "done", 100.0), done
    assert done["steps"][1]["started_at"] >= done["steps"][0]["ended_at"]
    assert shown("op", "show", done["id"])["id"] == done["id"]
    lines = fleet.operation_lines(done["id"])
    assert set(lines[0]) == set(get_type_hints(model.OperationLine))
    assert lines[-1]["text"] == "done"
    assert fleet.operation_lines(done["id"], after=lines[-1]["number"]) == []

    undone = fleet.undo(done["id"])
    assert undone["state"] == "undone" and undone["note"] is None, undone
    assert [step["undoes"] for step in undone["steps"]] == [None, None, 1, 0]
    assert fleet.operation(done["id"])["state"] == "undone"
    with pytest.raises(reanimator.Conflict):
        fleet.undo(done["id"])
    assert "two of them" not in fleet.audit()[0]["what"], "the trail says what is done, not what it is called"


def test_a_guest_moves_to_another_node_and_back(fleet: Fleet, guests: list[model.Guest]) -> None:
    guest = next(each for each in guests if each["node"] == "pve1" and each["kind"] == "qemu")
    there = fleet.host("pve2")["host"]["id"]
    move: model.MigrateAction = {
        "on": "guest",
        "id": guest["id"],
        "do": "migrate",
        "to": there,
        "local_disks": True,
        "storage": "tank",
    }
    assert "/migrate target=pve2&online=1" in fleet.dry_run([move])["steps"][0]["calls"][0]
    done = fleet.operate([move])
    assert done["state"] == "done" and done["steps"][0]["outcome"] == "it is on pve2, and running", done
    assert fleet.undo(done["id"])["state"] == "undone"
    beyond: model.RemoteMigrateAction = {
        "on": "guest",
        "id": guest["id"],
        "do": "remote-migrate",
        "to": there,
        "storage": "tank",
        "bridge": "vmbr0",
    }
    refused = fleet.dry_run([beyond])["steps"][0]["refused"]
    assert "is a node of the guest's own cluster" in refused[0], refused
def test_a_guest_is_tagged_and_a_clone_is_made_and_taken_back(fleet: Fleet, guests: list[model.Guest]) -> None:
    tag: model.TagAction = {"on": "guest", "id": guests[0]["id"], "do": "tag", "add": ["rented"]}
    tagged = fleet.operate([tag])
    assert tagged["state"] == "done" and "rented" in (tagged["steps"][0]["outcome"] or ""), tagged
    template = next(each for each in fleet.guests() if each["template"])
    clone: model.CloneAction = {"on": "guest", "id": template["id"], "do": "clone", "name": "web9", "vmid": 900}
    made = fleet.operate([clone])
    assert made["state"] == "done" and (made["steps"][0]["outcome"] or "").startswith("guest 900 is there"), made
    undone = fleet.undo(made["id"])
    assert (undone["state"], undone["steps"][1]["outcome"]) == ("undone", "it is gone"), undone


def test_what_is_only_asked_for_waits_and_can_be_stopped(fleet: Fleet, guests: list[model.Guest]) -> None:
    asked = fleet.operate([stop(guests[0])], wait=False)
    assert (asked["state"], asked["owner"]) == ("waiting", None)
    assert [each["id"] for each in fleet.operations(open=True)] == [asked["id"]]
    assert fleet.cancel(asked["id"])["cancel"]
    assert fleet.resume() == [asked["id"]]
    stopped = fleet.operation(asked["id"])
    assert (stopped["state"], stopped["note"]) == ("cancelled", "stopped; 0 of 1 steps are done and stay so")
    assert fleet.operations(open=True) == []
    assert fleet.operations(before=asked["id"]) == []


def test_asyncio_does_the_same(fleet: Fleet, guests: list[model.Guest]) -> None:
    async def main() -> None:
        again = await AsyncFleet.open(fleet.data_dir)
        one, two = await asyncio.gather(*(again.operate([stop(guest)]) for guest in guests[:2]))
        assert (one["state"], two["state"]) == ("done", "done")
        assert len(await again.operations(limit=1)) == 1
        assert (await again.undo(one["id"]))["state"] == "undone"

    asyncio.run(main())


def test_what_makes_no_sense_is_refused(fleet: Fleet) -> None:
    for steps in ([], [{"on": "guest", "id": "x", "do": "dance"}], [{"action": {}}]):
        with pytest.raises(reanimator.Invalid):
            fleet.operate(steps)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        fleet.operate([object()])  # type: ignore[list-item]
    with pytest.raises(reanimator.NotFound):
        fleet.operation("nothing")
    failed = fleet.operate([{"on": "guest", "id": "nothing", "do": "start"}])
    assert failed["state"] == "failed" and "step 1" in (failed["note"] or "")


def test_targets_of_a_guest_say_why_not(fleet: Fleet, guests: list[model.Guest], shown: Callable[..., Any]) -> None:
    found = fleet.guest_targets(guests[0]["id"])
    assert set(found) == set(get_type_hints(model.GuestTargets))
    assert set(found["targets"][0]) == set(get_type_hints(model.GuestTarget))
    assert [target["current"] for target in found["targets"]].count(True) == 1
    told = shown("guest", "targets", guests[0]["id"])
    assert [target["name"] for target in told["targets"]] == [target["name"] for target in found["targets"]]


def test_rules_have_a_name_and_a_sentence(fleet: Fleet, shown: Callable[..., Any]) -> None:
    rules = fleet.rules()
    assert set(rules[0]) == set(get_type_hints(model.RuleView))
    assert "quorum" in [rule["id"] for rule in rules]
    assert shown("op", "rules")["items"] == rules


def test_a_slip_of_the_pen_is_told(fleet: Fleet) -> None:
    start: dict[str, Any] = {"on": "guest", "id": "c1:101", "do": "start"}
    for step, field in [
        ({**start, "foo": 1}, "foo"),
        ({"action": start, "aftr": [0]}, "aftr"),
        ({"action": {**start, "limitseconds": 1}}, "limitseconds"),
    ]:
        with pytest.raises(reanimator.Invalid, match=field):
            fleet.dry_run([start, step])  # type: ignore[list-item]
