"""A fleet of its own for every test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reanimator import Fleet


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the person who runs the tests gets in: own home, no agent, no data directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("REANIMATOR_DATA_DIR", "XDG_DATA_HOME", "SSH_AUTH_SOCK"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def fleet(home: Path) -> Fleet:
    return Fleet.open(home / "data")


@pytest.fixture
def this_machine(fleet: Fleet) -> str:
    return fleet.hosts()[0]["name"]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts and never speaks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
