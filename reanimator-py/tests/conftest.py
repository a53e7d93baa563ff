"""A fleet of its own for every test."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reanimator import Fleet

ROOT = Path(__file__).resolve().parents[2]
REANIMATOR = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "reanimator"


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


@pytest.fixture
def sshd(tmp_path: Path, closed_port: int) -> Iterator[int]:
    """The port of a real sshd on loopback, which lets in who has the key `client`."""
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True)
    config = tmp_path / "sshd_config"
    config.write_text(
        f"ListenAddress 127.0.0.1:{closed_port}\nHostKey {tmp_path}/host\nAuthorizedKeysFile {tmp_path}/client.pub\n"
        f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nSetEnv HOME={tmp_path}\n"
    )
    try:
        # As root it wants this folder, which Debian makes at boot only.
        Path("/run/sshd").mkdir(exist_ok=True)
    except PermissionError:
        pass
    with subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(config)], stderr=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", closed_port), 1).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline, "sshd does not listen"
                    time.sleep(0.02)
            yield closed_port
        finally:
            server.kill()


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    """In which the program looks after the same fleet."""
    return {**os.environ, "REANIMATOR_DATA_DIR": str(home / "data")}


@pytest.fixture
def program() -> str:
    """The command line."""
    return str(REANIMATOR)


@pytest.fixture
def shown(environment: dict[str, str]) -> Callable[..., Any]:
    """What the command line prints with `--json`."""

    def run(*words: str) -> Any:
        output = subprocess.run([str(REANIMATOR), *words, "--json"], env=environment, check=True, capture_output=True)
        return json.loads(output.stdout)

    return run


@pytest.fixture
def server(environment: dict[str, str]) -> Iterator[str]:
    """Where the program serves the same fleet."""
    words = [str(REANIMATOR), "serve", "--listen", "127.0.0.1:0"]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(words, env=environment, stdout=pipe, stderr=nothing, text=True) as serve:
        assert serve.stdout is not None
        try:
            yield serve.stdout.readline().removeprefix("Reanimator is at ").strip().rstrip("/")
        finally:
            serve.terminate()
