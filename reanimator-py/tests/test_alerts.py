"""Alerts, and the rules that say when somebody is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import reanimator
from reanimator import AsyncFleet, Fleet, model


def test_rules_are_made_changed_tried_and_removed(fleet: Fleet, shown: Callable[..., Any]) -> None:
    assert {"offline", "disk-filling"} <= {view["rule"]["name"] for view in fleet.alert_rules()}
    condition: model.AlertCondition = {"kind": "threshold", "metric": "cpu_percent", "enter": 0, "leave": 0}
    made = fleet.add_alert_rule({"name": "busy", "hosts": "all", "condition": condition})
    assert set(made) == set(get_type_hints(model.AlertRuleView))
    assert made["words"] == "cpu_percent at or above 0, until 0"
    changed = fleet.change_alert_rule("busy", {"level": "critical", "comment": "always"})
    assert changed["rule"]["level"] == "critical"
    assert fleet.alert_rule("busy") == changed
    assert shown("alert", "rule", "show", "busy") == changed
    with pytest.raises(reanimator.Conflict):
        fleet.add_alert_rule({"name": "busy", "hosts": "all", "condition": condition})
    with pytest.raises(reanimator.Invalid):
        fleet.change_alert_rule("busy", {"hosts": ""})
    fleet.remove_alert_rule("busy")
    with pytest.raises(reanimator.NotFound):
        fleet.alert_rule("busy")


def test_a_rule_is_tried_on_what_is_so_now(fleet: Fleet) -> None:
    name = fleet.hosts()[0]["name"]
    fleet.observe(name)
    tried = fleet.test_alert_rule({
        "name": "any",
        "hosts": "all",
        "condition": {"kind": "threshold", "metric": "uptime_seconds", "enter": 1, "leave": 0},
    })
    assert set(tried) == set(get_type_hints(model.RuleTrial))
    assert (tried["covers"], tried["played"]) == (1, 1)
    assert [ring["name"] for ring in tried["now"]] == [name]
    assert set(tried["now"][0]) == set(get_type_hints(model.Ring))


def test_alerts(fleet: Fleet) -> None:
    # No server runs here: nothing is raised.
    assert fleet.alerts() == fleet.alerts(open=True, rule="offline", limit=5) == []
    with pytest.raises(reanimator.NotFound):
        fleet.alert("nothing")
    with pytest.raises(reanimator.NotFound):
        fleet.acknowledge_alert("nothing", "I look")


def test_later(home: Path) -> None:
    async def main() -> None:
        fleet = await AsyncFleet.open(home / "data")
        assert await fleet.alerts(open=False) == []
        rules = await fleet.alert_rules()
        assert await fleet.alert_rule("memory") in rules
        await fleet.remove_alert_rule("memory")
        assert len(await fleet.alert_rules()) == len(rules) - 1

    asyncio.run(main())
