"""Credentials, write-only."""

from __future__ import annotations

import json
from typing import get_type_hints

import pytest

import reanimator
from reanimator import Fleet, model


def test_they_are_replaced_and_removed_and_never_shown(fleet: Fleet) -> None:
    fleet.add_host("192.0.2.1", name="web1", password="s3cret-1", unchecked=True)
    (before,) = fleet.credentials()
    assert set(before) == set(get_type_hints(model.Credentials))
    assert (before["names"], before["changed_at"]) == (["password"], None)
    after = fleet.set_host_credentials("web1", user="admin", sudo_password="s3cret-2")
    assert (after["names"], after["user"]) == (["password", "sudo"], "admin")
    assert fleet.remove_host_credentials("web1", ["sudo"])["names"] == ["password"]
    with pytest.raises(reanimator.NotFound):
        fleet.remove_host_credentials("web1", ["sudo"])
    with pytest.raises(reanimator.Invalid):
        fleet.set_host_credentials("web1")
    with pytest.raises(reanimator.NotFound):
        fleet.set_proxmox_credentials("lab", token="root@pam!a=b")
    with pytest.raises(reanimator.Invalid):
        fleet.set_proxmox_credentials("lab", user="root@pam")
    assert "s3cret" not in json.dumps([fleet.credentials(), fleet.audit()])
