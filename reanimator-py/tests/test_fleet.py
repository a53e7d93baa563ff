"""`Fleet` on this machine."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import get_type_hints

import pytest

import reanimator
from reanimator import Fleet, model


def test_a_new_fleet_has_this_machine(fleet: Fleet) -> None:
    (host,) = fleet.hosts()
    assert host["via"] == ["local"]
    assert host["state"] == "unknown"
    assert host["cpu_percent"] is None, "what was not seen is None, never zero"


def test_this_machine_is_observed(fleet: Fleet, this_machine: str) -> None:
    detail = fleet.observe(this_machine)
    memory = detail["host"]["memory"]
    assert memory is not None
    assert 0 < memory["used_bytes"] < memory["total_bytes"]
    assert memory["source"] == "MemAvailable"
    assert detail["identity"] is not None
    assert detail["identity"]["kernel"] == os.uname().release
    assert fleet.status()["totals"]["hosts"]["online"] == 1


def test_what_comes_back_has_the_fields_of_its_type(fleet: Fleet, this_machine: str) -> None:
    detail = fleet.observe(this_machine)
    status = fleet.status()
    for value, noun in (
        (detail, model.HostDetail),
        (detail["host"], model.Host),
        (detail["host"]["memory"], model.Memory),
        (detail["host"]["network"], model.Throughput),
        (status, model.Status),
        (status["totals"], model.Totals),
        (status["totals"]["hosts"], model.HostCounts),
        (status["totals"]["disk"], model.Space),
    ):
        assert value is not None
        assert set(value) == set(get_type_hints(noun)), noun


def test_the_data_directory_is_kept(home: Path, fleet: Fleet) -> None:
    fleet.add_host("root@192.0.2.1", name="web1", groups=["web"], unchecked=True)
    again = Fleet.open(str(home / "data"))
    assert again.data_dir == str(home / "data")
    assert [host["name"] for host in again.hosts("group:web")] == ["web1"]
    again.remove_host("web1")
    with pytest.raises(reanimator.NotFound):
        again.host("web1")


def test_a_name_of_the_ssh_configuration_is_enough(home: Path, fleet: Fleet) -> None:
    (home / ".ssh").mkdir()
    (home / ".ssh/config").write_text("Host pi\n  HostName 192.0.2.20\n  User pi\n  Port 2200\n")
    fleet.add_host("pi", unchecked=True)
    (link,) = fleet.host("pi")["links"]
    assert "pi@192.0.2.20:2200" in link["text"]


def test_the_users_own_directory_is_the_default(home: Path) -> None:
    assert Fleet.open().data_dir == str(home / ".local/share/reanimator")


def test_a_command_runs_here(fleet: Fleet, this_machine: str) -> None:
    (answer,) = fleet.run("printf 'out\\377'; echo err >&2; exit 3")
    assert answer.host == this_machine
    assert answer.status == 3
    assert not answer.ok
    assert answer.stdout == b"out\xff"
    assert answer.text == "out\ufffd"
    assert answer.stderr == b"err\n"
    assert answer.error is None
    assert answer.stdout_cut_at is None
    assert 0 < answer.seconds < 60
    assert repr(answer) == f'Answer(host="{this_machine}", status=3)'


def test_what_takes_too_long_is_ended(fleet: Fleet) -> None:
    started = time.monotonic()
    (answer,) = fleet.run("sleep 1000", time_limit=0.5)
    assert isinstance(answer.error, reanimator.Timeout)
    assert answer.status is None
    assert time.monotonic() - started < 30


def test_other_threads_run_while_a_call_waits(fleet: Fleet) -> None:
    counted = 0
    done = threading.Event()

    def count() -> None:
        nonlocal counted
        while not done.is_set():
            counted += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    try:
        before = counted
        (answer,) = fleet.run("sleep 1")
        during = counted - before
    finally:
        done.set()
        counter.join()
    assert answer.ok
    assert during > 50, "the GIL was held"


def test_ctrl_c_ends_a_call_that_waits(fleet: Fleet) -> None:
    # A shell starts what runs in the background with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.5, signal.raise_signal, [signal.SIGINT]).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fleet.run("sleep 1000", time_limit=900)
    assert time.monotonic() - started < 30


def test_changes_are_audited(home: Path, fleet: Fleet) -> None:
    fleet.add_host("192.0.2.1", unchecked=True)
    fleet.run("true")
    # The audit trail is an admin's business and not in this interface: its database is.
    import sqlite3

    found: set[str] = set()
    for database in (home / "data").glob("*.db"):
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            if connection.execute("select 1 from sqlite_master where name = 'audit'").fetchone():
                found |= {f"{what} {on}" for what, on in connection.execute("select what, target from audit")}
    assert {"host add 192.0.2.1", "exec all: true"} <= found


def test_guests_and_storages_are_empty_without_a_cluster(fleet: Fleet) -> None:
    assert fleet.guests() == []
    assert fleet.storages() == []


def test_a_host_is_changed(fleet: Fleet, this_machine: str) -> None:
    changed = fleet.update_host(this_machine, new_name="größe", groups=["home"], maintenance=True)
    assert (changed["name"], changed["groups"], changed["state"]) == ("größe", ["home"], "maintenance")
    # What is not given stays.
    assert fleet.update_host("größe", tags=["old"])["groups"] == ["home"]
    with pytest.raises(reanimator.Invalid):
        fleet.update_host("größe", new_name="a b")


def test_a_host_is_tried_step_by_step(fleet: Fleet, this_machine: str) -> None:
    report = fleet.test_host(this_machine)
    assert report["ok"], report
    assert [step["what"] for step in report["steps"]] == ["log in and run a command", "read figures"]
    assert set(report["steps"][0]) == set(reanimator.model.TestStep.__annotations__)
    with pytest.raises(reanimator.Invalid):
        fleet.trust_host(this_machine)


def test_an_inventory_is_imported(fleet: Fleet) -> None:
    text = "[web]\nweb[1:2] ansible_host=192.0.2.1\n"
    dry = fleet.import_hosts(text, "ansible-ini", dry_run=True)
    assert (dry["added"], len(fleet.hosts())) == (0, 1)
    assert set(dry["found"][0]) == set(reanimator.model.ImportedHost.__annotations__)
    assert fleet.import_hosts(text, "ansible-ini")["added"] == 2
    assert [host["state"] for host in fleet.import_hosts(text, "ansible-ini")["found"]] == ["known", "known"]
    assert {host["name"] for host in fleet.hosts("group:web")} == {"web1", "web2"}
    with pytest.raises(reanimator.Invalid):
        fleet.import_hosts(text, "xml")  # type: ignore[arg-type]


def test_there_is_no_question_about_one_machine(fleet: Fleet) -> None:
    assert fleet.matches() == []
    with pytest.raises(reanimator.NotFound):
        fleet.decide_match("nothing", same=True)
