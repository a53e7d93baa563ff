"""Details, tables and changes of this machine, which are the same through every door."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

import reanimator
from reanimator import Fleet, model

PARTS = ("hardware", "storage", "network")


def asked(server: str, token: str, path: str) -> Any:
    request = urllib.request.Request(server + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_details_are_the_same_on_the_command_line(
    fleet: Fleet, this_machine: str, shown: Callable[..., Any]
) -> None:
    fleet.observe(this_machine)
    details = fleet.refresh(this_machine)
    assert details["hardware"]["at"], "it was asked just now"
    assert fleet.host_details(this_machine) == details
    assert shown("host", "show", this_machine)["details"] == details


def test_details_are_the_same_over_http(fleet: Fleet, this_machine: str, server: str) -> None:
    token = fleet.create_token("probe")["token"]
    fleet.refresh(this_machine)
    # The server looks anew every few seconds: one of the two may be a look behind.
    deadline = time.monotonic() + 30
    while True:
        there = asked(server, token, f"/api/v1/nodes/{this_machine}/host-details")
        here = fleet.host_details(this_machine)
        if (there == here and here["observed_at"]) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert there == here
    assert there["state"] == "online"


def test_details_have_the_fields_of_their_type(fleet: Fleet, this_machine: str) -> None:
    fleet.observe(this_machine)
    details = fleet.refresh(this_machine)
    assert set(details) <= set(get_type_hints(model.HostDetails))
    assert model.HostDetails.__required_keys__ <= set(details)
    for value, noun in (
        (details["cpu"], model.CpuDetails),
        (details["memory"], model.MemoryDetails),
        (details["temperature"], model.TemperatureDetails),
        (details["storage"][0], model.StorageDetails),
        (details["network"][0], model.InterfaceDetails),
    ):
        assert set(value) == set(get_type_hints(noun)), noun


def test_large_parts_come_as_asked(fleet: Fleet, this_machine: str) -> None:
    fleet.observe(this_machine)
    fleet.refresh(this_machine)
    whole = fleet.host_details(this_machine)
    assert all(part in whole for part in PARTS)
    for part in PARTS:
        assert part not in fleet.host_details(this_machine, **{part: False})
        alone = dict.fromkeys(PARTS, False) | {part: True}
        assert {name for name in PARTS if name in fleet.host_details(this_machine, **alone)} == {part}


def test_asking_anew_is_in_the_audit_trail(fleet: Fleet, this_machine: str) -> None:
    fleet.refresh(this_machine)
    with pytest.raises(reanimator.NotFound) as caught:
        fleet.refresh("nobody")
    assert "nobody" in str(caught.value)
    wrong, right = fleet.audit(2)
    assert (wrong["what"], wrong["on"], wrong["outcome"]) == ("host refresh", "nobody", "not-found")
    assert (right["what"], right["on"], right["outcome"]) == ("host refresh", this_machine, "ok")


def test_the_tables_hold_this_machine(fleet: Fleet, this_machine: str) -> None:
    fleet.observe(this_machine)
    fleet.refresh(this_machine)
    tables = fleet.dashboard()
    assert tables["overview"]["hosts"]["online"] == 1
    (node,) = tables["nodes"]
    assert (node["name"], node["state"]) == (this_machine, "online")
    assert (tables["vms"], tables["clusters"]) == ([], [])
    for value, noun in (
        (tables, model.Dashboard),
        (tables["overview"], model.Overview),
        (tables["overview"]["memory"], model.RoomSum),
        (node, model.NodeRow),
        (tables["storages"][0], model.StorageRow),
        (tables["interfaces"][0], model.InterfaceRow),
    ):
        assert set(value) == set(get_type_hints(noun)), noun


def test_nothing_changed_of_a_machine_just_seen(fleet: Fleet, this_machine: str) -> None:
    fleet.refresh(this_machine)
    fleet.refresh(this_machine)
    assert fleet.changes(this_machine, field="hardware*") == []
    assert fleet.changes(entity=f"host:{this_machine}", before=1, limit=1000) == []
    for wrong in (0, 1001):
        with pytest.raises(reanimator.Invalid) as caught:
            fleet.changes(limit=wrong)
        assert str(wrong) in str(caught.value)
        assert caught.value.next is not None
    with pytest.raises(reanimator.Invalid):
        fleet.changes(before="yesterday")
    with pytest.raises(reanimator.NotFound):
        fleet.changes("guest:100")


def test_who_is_not_there_is_named(fleet: Fleet) -> None:
    for ask in (
        lambda: fleet.host_details("nobody"),
        lambda: fleet.guest_details("nobody"),
        lambda: fleet.cluster_facts("nobody"),
        lambda: fleet.latest("nobody"),
        lambda: fleet.telemetry("storage:nobody"),
    ):
        with pytest.raises(reanimator.NotFound) as caught:
            ask()
        assert "nobody" in str(caught.value)
        assert caught.value.next is not None
