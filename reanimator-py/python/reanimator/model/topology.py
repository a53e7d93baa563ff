"""What hangs on what: hosts, their bridges, and the guests plugged into those."""

from __future__ import annotations

from typing import Literal, TypedDict


class TopologyNic(TypedDict):
    """A network card of a guest; its addresses are those seen from within, else those it is configured to have."""

    name: str
    vlan: int | None
    addresses: list[str]


class TopologyGuest(TypedDict):
    """A guest and the network cards by which it hangs there."""

    id: str
    vmid: str
    name: str | None
    kind: Literal["qemu", "lxc"]
    status: str
    nics: list[TopologyNic]


class TopologyBridge(TypedDict):
    """A bridge of a host; `active` and `vlan_aware` are `None` where nobody saw it."""

    name: str
    kind: Literal["linux", "ovs", "vnet", "unknown"]
    active: bool | None
    vlan_aware: bool | None
    ports: list[str]
    addresses: list[str]
    guests: list[TopologyGuest]


class TopologyHost(TypedDict):
    """A host, its bridges, and the guests on it that are plugged into none."""

    id: str
    name: str
    kind: Literal["linux", "proxmox", "both"]
    state: Literal["online", "offline", "unknown", "maintenance"]
    cluster: str | None
    bridges: list[TopologyBridge]
    unplaced: list[TopologyGuest]


class Topology(TypedDict):
    """The network of the whole fleet."""

    hosts: list[TopologyHost]
