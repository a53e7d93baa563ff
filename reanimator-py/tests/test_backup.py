"""Copies of the fleet's own data."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import get_type_hints

import pytest

import reanimator
from reanimator import AsyncFleet, Fleet, model

PASSPHRASE = "correct horse battery"


def test_a_backup_comes_back_elsewhere(fleet: Fleet, home: Path) -> None:
    fleet.add_host("192.0.2.1", name="web1", password="secret", unchecked=True)
    fleet.add_user("ann", PASSPHRASE, role="admin")
    file = home / "backup.age"
    made = fleet.create_backup(file, PASSPHRASE, history=False)
    assert set(made) == set(get_type_hints(model.BackupReport))
    assert (made["hosts"], made["users"], made["history"]) == (2, 1, False)
    assert fleet.inspect_backup(file, PASSPHRASE) == made
    other = Fleet.open(home / "other")
    assert other.restore_backup(file, PASSPHRASE)["hosts"] == 2
    assert {host["name"] for host in other.hosts()} == {host["name"] for host in fleet.hosts()}
    assert other.audit()[0]["what"] == "backup restore"


def test_what_cannot_be_is_refused(fleet: Fleet, home: Path, this_machine: str) -> None:
    file = home / "backup.age"
    with pytest.raises(reanimator.Invalid) as caught:
        fleet.create_backup(file, "too short")
    assert "12 characters" in str(caught.value.next)
    assert not file.exists()
    fleet.create_backup(file, PASSPHRASE)
    with pytest.raises(reanimator.Conflict):
        fleet.create_backup(file, PASSPHRASE)
    with pytest.raises(reanimator.Invalid):
        fleet.inspect_backup(file, "another horse battery")
    with pytest.raises(reanimator.NotFound):
        fleet.restore_backup(home / "none", PASSPHRASE)
    assert [host["name"] for host in fleet.hosts()] == [this_machine]
    assert PASSPHRASE not in str(fleet.audit())


def test_as_awaitables(home: Path) -> None:
    async def there_and_back() -> int:
        fleet = await AsyncFleet.open(home / "data")
        await fleet.create_backup(home / "backup.age", PASSPHRASE)
        return (await fleet.restore_backup(home / "backup.age", PASSPHRASE))["hosts"]

    assert asyncio.run(there_and_back()) == 1
