"""The look-alike, walked by an independent client: proxmoxer.

Starts the program (`PVE_SIM`, or the debug build of this workspace), and does
with proxmoxer what people do with it on a real cluster. Needs `proxmoxer`,
`requests` and `pytest` from PyPI.
"""

import json
import os
import pathlib
import subprocess
import time
import urllib.request

import pytest
from proxmoxer import AuthenticationError, ProxmoxAPI, ResourceException
from proxmoxer.tools import Tasks

# The certificates are self-signed, as those of a fresh node.
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")

ROOT = pathlib.Path(__file__).resolve().parents[3]


def program() -> str:
    """The built program; without it there is nothing to test."""
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    path = os.environ.get("PVE_SIM", f"{target}/debug/pve-sim")
    if not pathlib.Path(path).exists():
        pytest.fail(f"{path} is missing: run `cargo build -p pve-sim`, or set PVE_SIM")
    return path


@pytest.fixture()
def sim():
    """A cluster of three nodes with ten guests, and quick tasks."""
    arguments = "--nodes 3 --guests 10 --seed 7 --login-delay 100 --task-time 100"
    process = subprocess.Popen(
        [program(), *arguments.split()], stdout=subprocess.PIPE, text=True
    )
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.terminate()
        process.wait(timeout=10)


def by_token(sim, token="token", node=0) -> ProxmoxAPI:
    name, secret = sim[token].split("=", 1)
    user, token_name = name.split("!")
    return ProxmoxAPI(
        sim["nodes"][node]["url"].removeprefix("https://"),
        user=user,
        token_name=token_name,
        token_value=secret,
        verify_ssl=False,
        timeout=10,
    )


def by_password(sim, password=None) -> ProxmoxAPI:
    return ProxmoxAPI(
        sim["url"].removeprefix("https://"),
        user=sim["user"],
        password=password or sim["password"],
        verify_ssl=False,
        timeout=10,
    )


def order(sim, **fault):
    request = urllib.request.Request(sim["control"], data=json.dumps(fault).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@pytest.mark.parametrize("connect", [by_token, by_password])
def test_nodes_guests_and_storages_are_read(sim, connect):
    api = connect(sim)
    assert api.version.get()["release"] == "9.1"
    nodes = api.nodes.get()
    assert {node["node"] for node in nodes} == {"pve1", "pve2", "pve3"}
    assert all(node["status"] == "online" and 0 <= node["cpu"] <= 1 for node in nodes)
    guests = api.cluster.resources.get(type="vm")
    assert len(guests) == 10
    listed = sum(
        len(api.nodes(node["node"]).qemu.get()) + len(api.nodes(node["node"]).lxc.get())
        for node in nodes
    )
    assert listed == 10
    storages = api.nodes("pve1").storage.get()
    assert {storage["storage"] for storage in storages} == {"local", "local-lvm", "tank", "shared-nfs"}
    assert all(storage["used"] + storage["avail"] == storage["total"] for storage in storages)


@pytest.mark.parametrize("connect", [by_token, by_password])
def test_a_guest_is_stopped_and_started(sim, connect):
    api = connect(sim)
    guest = api.nodes("pve1").qemu(100)
    assert guest.status.current.get()["status"] == "running"
    ended = Tasks.blocking_status(api, guest.status.stop.post(), polling_interval=0.05)
    assert ended["exitstatus"] == "OK"
    assert guest.status.current.get()["status"] == "stopped"
    ended = Tasks.blocking_status(api, guest.status.start.post(), polling_interval=0.05)
    assert ended["exitstatus"] == "OK"
    assert guest.status.current.get()["status"] == "running"


def test_figures_move(sim):
    api = by_token(sim)
    first = api.nodes("pve1").qemu(100).status.current.get()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        later = api.nodes("pve1").qemu(100).status.current.get()
        if later["uptime"] > first["uptime"] and later["netin"] > first["netin"]:
            return
        time.sleep(0.2)
    pytest.fail(f"{first} and {later} do not differ")


def test_bad_parameters_are_named(sim):
    api = by_token(sim)
    with pytest.raises(ResourceException) as refused:
        api.nodes("pve1").qemu.post(vmid="abc", bogus=1)
    assert refused.value.status_code == 400
    assert refused.value.errors["vmid"] == "type check ('integer') failed - got 'abc'"
    assert "not defined in schema" in refused.value.errors["bogus"]


def test_a_token_without_grants_is_forbidden(sim):
    api = by_token(sim, "token_without_acl")
    assert [node["node"] for node in api.nodes.get()] == ["pve1", "pve2", "pve3"]
    assert api.cluster.resources.get(type="vm") == []
    with pytest.raises(ResourceException) as refused:
        api.nodes("pve1").qemu(100).config.get()
    assert refused.value.status_code == 403
    assert "Permission check failed (/vms/100, VM.Audit)" in refused.value.content


def test_a_wrong_password_is_refused(sim):
    with pytest.raises(AuthenticationError):
        by_password(sim, "wrong")


def test_a_node_that_is_down_is_595_through_another(sim):
    api = by_token(sim)
    order(sim, fault="node-down", node="pve2")
    with pytest.raises(ResourceException) as refused:
        api.nodes("pve2").status.get()
    # proxmoxer's content is the reason phrase where the body is empty.
    assert (refused.value.status_code, refused.value.content) == (595, "No route to host")
    nodes = {node["node"]: node["status"] for node in api.nodes.get()}
    assert nodes == {"pve1": "online", "pve2": "offline", "pve3": "online"}
    order(sim, fault="node-up", node="pve2")
    assert by_token(sim, node=1).nodes("pve2").status.get()["uptime"] > 0


def test_deleting_and_snapshots(sim):
    api = by_token(sim)
    guest = api.nodes("pve1").qemu(103)
    upid = guest.snapshot.post(snapname="clean", description="before")
    assert Tasks.blocking_status(api, upid, polling_interval=0.05)["exitstatus"] == "OK"
    upid = guest.snapshot("clean").delete()
    assert Tasks.blocking_status(api, upid, polling_interval=0.05)["exitstatus"] == "OK"
    upid = guest.delete(purge=1)
    assert Tasks.blocking_status(api, upid, polling_interval=0.05)["exitstatus"] == "OK"
    with pytest.raises(ResourceException) as refused:
        guest.config.get()
    assert refused.value.status_code == 500
