"""A host behind a real sshd on loopback."""

from __future__ import annotations

import getpass
import subprocess
from pathlib import Path

import pytest

import reanimator
from reanimator import Fleet


def test_an_unknown_key_is_accepted_by_its_fingerprint(tmp_path: Path, fleet: Fleet, sshd: int) -> None:
    shown = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "host.pub")], check=True, capture_output=True, text=True
    ).stdout.split()[1]
    key = (tmp_path / "client").read_text()
    address = f"{getpass.getuser()}@127.0.0.1:{sshd}"

    with pytest.raises(reanimator.HostKeyUnknown) as caught:
        fleet.add_host(address, name="far", key=key, agent=False)
    assert caught.value.fingerprint == shown
    assert caught.value.key_type == "ssh-ed25519"
    assert caught.value.host == "far"

    added = fleet.add_host(address, name="far", key=key, agent=False, accept_host_key=shown)
    assert "ssh" in added["via"]
    (answer,) = fleet.run("echo $SSH_CONNECTION", select=added["name"])
    assert answer.ok
    assert fleet.trust_host(added["name"])["sha256"] == shown
    assert fleet.trust_host(added["name"], shown)["public_key"]
    with pytest.raises(reanimator.Conflict):
        fleet.trust_host(added["name"], "SHA256:another")
    assert fleet.test_host(added["name"])["ok"]


def test_a_wrong_key_is_refused(tmp_path: Path, fleet: Fleet, sshd: int) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "wrong")], check=True)
    address = f"{getpass.getuser()}@127.0.0.1:{sshd}"
    with pytest.raises(reanimator.HostKeyUnknown) as unknown:
        fleet.add_host(address, name="far", key_file=str(tmp_path / "wrong"))
    with pytest.raises(reanimator.AuthFailed) as caught:
        fleet.add_host(
            address, name="far", key_file=str(tmp_path / "wrong"), accept_host_key=unknown.value.fingerprint
        )
    assert caught.value.next
    assert len(fleet.hosts()) == 1
