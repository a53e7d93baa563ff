"""The stubs say what the module does, and a program that uses it is typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import asyncio
from datetime import datetime, timezone
from reanimator import AsyncFleet, Fleet, HostKeyUnknown
from reanimator.model import Host, HostDetails

def names(fleet: Fleet) -> list[str]:
    hosts: list[Host] = fleet.hosts("group:web")
    return [host["name"] for host in hosts if host["cpu_percent"] is not None]

def add(fleet: Fleet) -> str | None:
    try:
        return fleet.add_host("root@192.0.2.1", groups=("web",))["id"]
    except HostKeyUnknown as unknown:
        return unknown.fingerprint

def warmest(fleet: Fleet) -> float | None:
    details: HostDetails = fleet.host_details("web1", network=False)
    return details["temperature"]["highest_c"]

def rows(fleet: Fleet) -> int:
    columns = fleet.telemetry("host:web1", ["load1"], start=datetime.now(timezone.utc), step=60)
    return len(columns["time"]) + len(fleet.dashboard()["vms"]) + len(fleet.changes(before="7"))

def newcomer(fleet: Fleet) -> str:
    fleet.add_user("ann", "correct horse battery", role="admin")
    return fleet.create_token("probe")["token"] + fleet.audit(1)[0]["from"]

async def main() -> float:
    fleet = await AsyncFleet.open()
    one, two = await asyncio.gather(fleet.run("uptime"), fleet.run("uname"))
    return one[0].seconds + two[0].seconds
"""

WRONG = """
from reanimator import Fleet
total: int = Fleet.open().hosts()[0]["cpu_percent"]
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)


def test_the_stubs_are_the_module(tmp_path: Path) -> None:
    checked = run("mypy.stubtest", "reanimator", "--mypy-config-file", str(empty(tmp_path)))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_program_is_typed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    checked = run("mypy", "--strict", str(program))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_wrong_program_is_found_out(tmp_path: Path) -> None:
    program = tmp_path / "wrong.py"
    program.write_text(WRONG)
    checked = run("mypy", "--strict", str(program))
    assert checked.returncode == 1
    assert "Incompatible types" in checked.stdout


def empty(folder: Path) -> Path:
    config = folder / "mypy.ini"
    config.write_text("[mypy]\n")
    return config
