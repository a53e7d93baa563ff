"""Maintenance windows, protections, the audit trail as a file, and files for storages."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import reanimator
from reanimator import Fleet, model


def test_windows(fleet: Fleet, shown: Callable[..., Any]) -> None:
    made = fleet.create_window({"name": "nights", "hosts": "all", "days": ["sat"], "from": "22:00", "to": "06:00"})
    assert set(made) == set(get_type_hints(model.WindowView))
    assert made["times"] == "sat 22:00-06:00 UTC"
    assert fleet.edit_window("nights", {"to": "05:00", "comment": "short"})["window"]["to"] == "05:00"
    assert fleet.windows() == [fleet.window("nights")]
    assert shown("window", "list")["items"][0]["window"] == fleet.window("nights")["window"]
    with pytest.raises(reanimator.Invalid):
        fleet.create_window({"name": "a b", "hosts": "all", "from": "22:00", "to": "06:00"})
    with pytest.raises(reanimator.Invalid):
        fleet.edit_window("nights", {"too": "05:00"})  # type: ignore[typeddict-unknown-key]
    fleet.delete_window("nights")
    with pytest.raises(reanimator.NotFound):
        fleet.window("nights")


def test_protections(fleet: Fleet) -> None:
    name = fleet.hosts()[0]["name"]
    assert set(fleet.protect_host(name, "the shop")) == set(get_type_hints(model.Protection))
    assert [each["name"] for each in fleet.protections()] == [name]
    fleet.unprotect_host(name)
    with pytest.raises(reanimator.NotFound):
        fleet.protect_guest("nobody", "x")


def test_the_trail_as_a_file(fleet: Fleet, tmp_path: Path) -> None:
    fleet.create_window({"name": "always", "hosts": "all", "from": "00:00", "to": "24:00"})
    with pytest.raises(reanimator.NotFound):
        fleet.delete_window("nobody")
    assert [entry["what"] for entry in fleet.audit(what="window*", outcome="!ok")] == ["window delete"]
    table, lines = tmp_path / "trail.csv", tmp_path / "trail.jsonl"
    assert fleet.audit_export(table, what="window*") == table.stat().st_size
    assert [line.split(",")[3] for line in table.read_text().splitlines()] == ["what", "window create", "window delete"]
    fleet.audit_export(lines, "jsonl", since="1h")
    assert [json.loads(line)["what"] for line in lines.read_text().splitlines()][:2] == ["window create", "window delete"]
    with pytest.raises(reanimator.Invalid):
        fleet.audit_export(table)


def test_a_file_for_a_storage_names_its_node(fleet: Fleet, tmp_path: Path) -> None:
    image = tmp_path / "a.iso"
    image.write_bytes(b"an image")
    with pytest.raises(reanimator.NotFound):
        fleet.upload(image, host="nobody", storage="local")
    with pytest.raises(reanimator.NotFound):
        fleet.upload(tmp_path / "nothing.iso", host="nobody", storage="local")
    with pytest.raises(reanimator.Invalid):
        fleet.download("https://192.0.2.1/a.iso", host="nobody", storage="local", content="film")  # type: ignore[arg-type]
