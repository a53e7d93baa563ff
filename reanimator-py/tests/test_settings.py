"""What is decided about the fleet's own data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

import reanimator
from reanimator import Fleet, model


def test_how_long_things_are_kept(fleet: Fleet, shown: Callable[..., Any]) -> None:
    settings = fleet.settings()
    assert set(settings) == set(get_type_hints(model.Settings))
    assert set(settings["retention"]) == set(get_type_hints(model.Retention))
    assert set(settings["sizes"]) == set(get_type_hints(model.Sizes))
    assert settings["retention"]["minutes_days"] == 7
    assert fleet.change_settings(minutes_days=14)["retention"]["minutes_days"] == 14
    assert shown("status", "--settings")["retention"] == fleet.settings()["retention"]
    with pytest.raises(reanimator.Invalid) as caught:
        fleet.change_settings(samples_hours=0)
    assert "samples_hours" in str(caught.value)
    with pytest.raises(reanimator.Invalid):
        fleet.change_settings()
    assert [(entry["what"], entry["outcome"]) for entry in fleet.audit()] == [
        ("settings change", "invalid"),
        ("settings change", "ok"),
    ]
