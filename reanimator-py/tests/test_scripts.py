"""Prepared scripts, defined here and run on this very machine."""

from __future__ import annotations

from typing import get_type_hints

import pytest

import reanimator
from reanimator import AsyncFleet, Fleet, model

GREET: model.Script = {
    "name": "greet",
    "body": 'printf "hello %s\\n" "$REANIMATOR_PARAM_WHOM"\n',
    "parameters": [{"name": "whom", "type": "text", "required": True}],
    "risk": "low",
}


def run(host: str, **parameters: str) -> model.ScriptAction:
    return {"on": "script", "host": host, "script": "greet", "parameters": parameters}


def test_a_script_is_defined_run_changed_and_removed(fleet: Fleet) -> None:
    stored = fleet.define_script(GREET)
    assert set(stored) <= set(get_type_hints(model.StoredScript))
    assert fleet.scripts() == [stored] and fleet.script("greet") == stored
    host = fleet.hosts()[0]["id"]
    dry = fleet.dry_run([run(host)])
    assert dry["steps"][0]["refused"] and dry["risk"] == "low"
    hostile = "'; $(exit 9) \N{SKULL}"
    done = fleet.operate([run(host, whom=hostile)])
    assert done["state"] == "done", done
    assert f"hello {hostile}" in [line["text"] for line in fleet.operation_lines(done["id"])]
    assert fleet.define_script({**GREET, "body": "exit 3"})["version"] != stored["version"]
    assert "status 3" in (fleet.operate([run(host, whom="x")])["note"] or "")
    fleet.remove_script("greet")
    with pytest.raises(reanimator.NotFound):
        fleet.operate([run(host, whom="x")])
    with pytest.raises(reanimator.Invalid):
        fleet.define_script({"name": "../x", "body": "true"})


def test_the_other_fleet_has_the_same_calls() -> None:
    for name in ("scripts", "script", "define_script", "remove_script"):
        assert callable(getattr(AsyncFleet, name))
