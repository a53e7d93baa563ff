"""Groups and tags of many hosts at once."""

from __future__ import annotations

from typing import get_type_hints

import pytest

import reanimator
from reanimator import Fleet, model


def test_many_hosts_are_labelled_at_once(fleet: Fleet, this_machine: str) -> None:
    fleet.add_host("192.0.2.1", name="web1", unchecked=True)
    changed = fleet.label_hosts(["web1", this_machine], add_groups=["web"], add_tags=["blue"])
    assert set(changed) == {host["id"] for host in fleet.hosts("group:web&tag:blue")}
    labels = fleet.groups()
    assert set(labels) == set(get_type_hints(model.Labels))
    assert labels["groups"] == [{"name": "web", "hosts": 2}]
    with pytest.raises(reanimator.NotFound):
        fleet.label_hosts(["web1", "nobody"], add_groups=["x"])
    with pytest.raises(reanimator.Invalid):
        fleet.label_hosts(["web1"])
    assert fleet.rename_group("web", "front") == {"name": "front", "hosts": 2}
    assert fleet.remove_group("front") == 2
    assert fleet.groups()["groups"] == []
