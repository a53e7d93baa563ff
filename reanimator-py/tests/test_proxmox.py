"""A simulated Proxmox VE cluster, over real HTTPS."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import reanimator
from reanimator import Fleet, model

ROOT = Path(__file__).resolve().parents[2]
PVE_SIM = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "pve-sim"


@pytest.fixture(scope="module")
def cluster() -> Iterator[dict[str, Any]]:
    words = [str(PVE_SIM), "--listen", "127.0.0.1:0", "--clusters", "1", "--nodes", "3", "--guests", "6", "--seed", "1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as simulator:
        assert simulator.stdout is not None
        try:
            yield json.loads(simulator.stdout.readline())
        finally:
            simulator.kill()


def test_a_cluster_comes_in_whole(fleet: Fleet, cluster: dict[str, Any]) -> None:
    with pytest.raises(reanimator.CertificateUnknown) as caught:
        fleet.connect_proxmox(cluster["url"], token=cluster["token"])
    assert caught.value.fingerprint == cluster["fingerprint"]
    assert fleet.guests() == [], "nothing is stored of a cluster that nobody trusts"

    report = fleet.connect_proxmox(
        cluster["url"], token=cluster["token"], accept_certificate=caught.value.fingerprint, name="lab"
    )
    assert len(report["nodes"]) == 3
    guests = fleet.guests()
    assert len(guests) == report["guests"] == 6
    assert set(guests[0]) == set(reanimator.model.Guest.__annotations__)
    assert {host["name"] for host in fleet.hosts("kind:proxmox")} == {node["name"] for node in cluster["nodes"]}
    assert set(fleet.storages()[0]) == set(reanimator.model.Storage.__annotations__)
    assert "secret" not in json.dumps(report)

    node = next(host for host in fleet.hosts("kind:proxmox"))
    fleet.refresh(node["name"])
    topology = fleet.topology()
    hanging = [guest["id"] for host in topology["hosts"] for guest in host["unplaced"]]
    assert set(hanging) == {guest["id"] for guest in guests if not guest["template"]}, "their cards are not read yet"
    node = next(host for host in topology["hosts"] if host["id"] == node["id"])
    assert [(bridge["name"], bridge["kind"], bridge["ports"]) for bridge in node["bridges"]] == [
        ("vmbr0", "linux", ["eno1"])
    ]
    assert set(node) == set(get_type_hints(model.TopologyHost))
    assert set(node["bridges"][0]) == set(get_type_hints(model.TopologyBridge))

    (connection,) = fleet.proxmoxes()
    assert set(connection) == set(reanimator.model.Proxmox.__annotations__)
    assert (connection["name"], len(connection["nodes"]), connection["auth"]) == ("lab", 3, "token")
    assert fleet.test_proxmox("lab")["ok"]
    fleet.remove_proxmox("lab")
    assert (fleet.proxmoxes(), fleet.guests(), fleet.hosts("kind:proxmox")) == ([], [], [])


def test_a_wrong_token_is_refused_once(fleet: Fleet, cluster: dict[str, Any]) -> None:
    with pytest.raises(reanimator.AuthFailed) as caught:
        fleet.connect_proxmox(
            cluster["url"], token="root@pam!wrong=00000000", accept_certificate=cluster["fingerprint"]
        )
    assert "00000000" not in str(caught.value)


def test_guests_clusters_and_tables_are_told_in_full(fleet: Fleet, cluster: dict[str, Any]) -> None:
    fleet.connect_proxmox(
        cluster["url"], token=cluster["token"], accept_certificate=cluster["fingerprint"], name="lab"
    )
    guest = next(guest for guest in fleet.guests() if guest["status"] == "running")
    details = fleet.guest_details(guest["vmid"])
    assert details == fleet.guest_details(guest["id"], node=guest["node"])
    assert set(details) == set(get_type_hints(model.GuestDetails))
    assert details["id"] == guest["id"]
    assert details["runtime"] is not None
    assert set(details["runtime"]) == set(get_type_hints(model.GuestRuntime))
    assert details["disks"] and set(details["disks"][0]) == set(get_type_hints(model.GuestDisk))
    assert details["networks"] and set(details["networks"][0]) == set(get_type_hints(model.GuestNetwork))
    assert set(details["ip_addresses"]) == set(get_type_hints(model.GuestAddresses))

    with pytest.raises(reanimator.NotFound) as caught:
        fleet.cluster_facts("lab")
    assert "not asked yet" in str(caught.value)
    facts = fleet.refresh_cluster("lab")
    assert facts == fleet.cluster_facts("lab")
    assert set(facts) == set(get_type_hints(model.ClusterFacts))
    assert (facts["quorate"], facts["expected_votes"], len(facts["nodes"])) == (True, 3, 3)
    fleet.refresh(guest["node"])
    assert "proxmox" in fleet.host_details(guest["node"])

    tables = fleet.dashboard()
    assert len(tables["vms"]) == 6
    assert set(tables["vms"][0]) == set(get_type_hints(model.VmRow))
    (row,) = tables["clusters"]
    assert set(row) == set(get_type_hints(model.ClusterRow))
    needs = tables["overview"]["attention"]
    assert all(set(need) == set(get_type_hints(model.Attention)) for need in needs)
    assert {need["kind"] for need in needs} <= set(get_args(get_type_hints(model.Attention)["kind"]))
    guests = [vm for vm in tables["vms"] if not vm["template"]]
    assert (row["name"], row["nodes_total"], row["guests_total"]) == ("lab", 3, len(guests))
    with pytest.raises(reanimator.NotFound) as caught:
        fleet.guest_details(guest["vmid"], node="nobody")
    assert "nobody" in str(caught.value)
