"""Every failure is an exception of its kind that says what to do next."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import reanimator
from reanimator import Fleet, errors


def test_a_closed_port_is_unreachable(fleet: Fleet, closed_port: int) -> None:
    with pytest.raises(reanimator.Unreachable) as caught:
        fleet.add_host(f"root@127.0.0.1:{closed_port}", name="closed", password="unused")
    error = caught.value
    assert error.kind == "unreachable"
    assert error.host == "closed"
    assert error.next
    assert str(error).endswith(error.next)
    assert error.fingerprint is None
    assert len(fleet.hosts()) == 1, "nothing is stored before the connection worked"


def test_a_host_that_fails_harms_no_other(fleet: Fleet, this_machine: str, closed_port: int) -> None:
    fleet.add_host(f"127.0.0.1:{closed_port}", name="closed", password="unused", unchecked=True)
    answers = {answer.host: answer for answer in fleet.run("echo fine")}
    assert answers[this_machine].text == "fine\n"
    assert isinstance(answers["closed"].error, reanimator.Unreachable)
    assert not answers["closed"].ok
    assert answers["closed"].stdout == b""


def test_a_name_that_is_no_host(fleet: Fleet) -> None:
    with pytest.raises(reanimator.NotFound, match="nobody"):
        fleet.observe("nobody")


@pytest.mark.parametrize("select", ["kind:toaster", "state:tired"])
def test_a_selector_that_makes_no_sense(fleet: Fleet, select: str) -> None:
    with pytest.raises(reanimator.Invalid):
        fleet.hosts(select)


@pytest.mark.parametrize("time_limit", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_limit_that_makes_no_sense(fleet: Fleet, time_limit: float) -> None:
    with pytest.raises(reanimator.Invalid, match="time"):
        fleet.run("true", time_limit=time_limit)


def test_a_cluster_needs_an_account(fleet: Fleet) -> None:
    with pytest.raises(reanimator.Invalid) as caught:
        fleet.connect_proxmox("https://127.0.0.1:8006", user="root@pam")
    assert "password" in str(caught.value)


def test_a_data_directory_that_is_a_file(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(reanimator.StorageError):
        Fleet.open(home / "file")


def test_every_kind_has_its_class_and_all_are_exported() -> None:
    classes = {
        found
        for _, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, errors.ReanimatorError) and found is not errors.ReanimatorError
    }
    assert classes == set(errors._BY_KIND.values())
    assert {found.__name__ for found in classes} <= set(reanimator.__all__)


def test_a_kind_that_is_newer_than_we_are() -> None:
    error = errors.of_kind("moon-phase", "wrong moon", None, None, None, None)
    assert type(error) is reanimator.ReanimatorError
    assert (error.kind, str(error)) == ("moon-phase", "wrong moon")
