"""People, tokens, and the trail of what was done."""

from __future__ import annotations

import json
from typing import get_type_hints

import pytest

import reanimator
from reanimator import Fleet, model

PASSWORD = "correct horse battery"


def test_people_come_change_and_go(fleet: Fleet) -> None:
    fleet.add_user("ann", PASSWORD, role="admin")
    with pytest.raises(reanimator.Invalid):
        fleet.add_user("bob", "short")
    fleet.add_user("bob", PASSWORD)
    with pytest.raises(reanimator.Conflict):
        fleet.add_user("bob", PASSWORD)
    fleet.update_user("bob", role="operator", password="another horse battery")
    ann, bob = fleet.users()
    assert set(bob) == set(get_type_hints(model.User))
    assert (ann["name"], ann["role"], bob["role"]) == ("ann", "admin", "operator")
    fleet.remove_user("bob")
    with pytest.raises(reanimator.Conflict) as caught:
        fleet.remove_user("ann")
    assert "admin" in str(caught.value)
    assert [user["name"] for user in fleet.users()] == ["ann"]


def test_a_change_of_nobody_or_of_nothing_is_refused(fleet: Fleet) -> None:
    fleet.add_user("ann", PASSWORD, role="admin")
    with pytest.raises(reanimator.Invalid) as caught:
        fleet.update_user("ann")
    assert caught.value.next == "give role= or password="
    with pytest.raises(reanimator.Invalid):
        fleet.update_user("ann", role="root", password=PASSWORD)
    with pytest.raises(reanimator.NotFound):
        fleet.update_user("nobody", role="viewer")
    assert [entry["what"] for entry in fleet.audit()] == ["user set role", "user add"]


def test_a_token_is_shown_once(fleet: Fleet) -> None:
    created = fleet.create_token("probe", role="operator")
    assert set(created) == set(get_type_hints(model.CreatedToken))
    assert created["token"].startswith("rnm_")
    (token,) = fleet.tokens()
    assert set(token) == set(get_type_hints(model.Token))
    assert (token["name"], token["role"], token["last_used_at"]) == ("probe", "operator", None)
    assert created["token"] not in json.dumps([fleet.tokens(), fleet.audit()])
    with pytest.raises(reanimator.Conflict):
        fleet.create_token("probe")
    fleet.revoke_token("probe")
    assert fleet.tokens() == []


def test_changes_are_in_the_trail_as_the_command_line_words_them(fleet: Fleet) -> None:
    fleet.add_user("ann", PASSWORD, role="admin")
    fleet.update_user("ann", role="admin", password="another horse battery")
    fleet.create_token("probe")
    fleet.revoke_token("probe")
    with pytest.raises(reanimator.NotFound):
        fleet.revoke_token("probe")
    trail = fleet.audit()
    assert set(trail[0]) == set(get_type_hints(model.AuditEntry))
    assert {entry["who"].split(":")[0] for entry in trail} == {"local"}
    assert [(entry["what"], entry["on"], entry["outcome"]) for entry in reversed(trail)] == [
        ("user add", "ann", "ok"),
        ("user set password", "ann", "ok"),
        ("user set role", "ann", "ok"),
        ("token create", "probe", "ok"),
        ("token revoke", "probe", "ok"),
        ("token revoke", "probe", "not-found"),
    ]
    assert "horse" not in json.dumps(trail)
    assert len(fleet.audit(limit=2)) == 2
    with pytest.raises(reanimator.Invalid):
        fleet.audit(limit=0)
