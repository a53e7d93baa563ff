import os
from asyncio import Future
from collections.abc import Sequence
from typing import Literal, final

from .errors import ReanimatorError
from .model import (
    ConnectReport,
    Fingerprint,
    Guest,
    Host,
    HostDetail,
    ImportReport,
    Match,
    Proxmox,
    Status,
    Storage,
    TestReport,
)

__all__ = ["Answer", "AsyncFleet", "Fleet", "__version__"]

__version__: str

@final
class Answer:
    """What one host answered to a command."""

    @property
    def host(self) -> str: ...
    @property
    def host_id(self) -> str: ...
    @property
    def ok(self) -> bool: ...
    @property
    def status(self) -> int | None: ...
    @property
    def signal(self) -> str | None: ...
    @property
    def stdout(self) -> bytes: ...
    @property
    def stderr(self) -> bytes: ...
    @property
    def text(self) -> str: ...
    @property
    def stdout_cut_at(self) -> int | None: ...
    @property
    def stderr_cut_at(self) -> int | None: ...
    @property
    def error(self) -> ReanimatorError | None: ...
    @property
    def seconds(self) -> float: ...

@final
class Fleet:
    """The machines that are looked after. Every method waits; other threads run on meanwhile."""

    @staticmethod
    def open(data_dir: str | os.PathLike[str] | None = None) -> Fleet: ...
    @property
    def data_dir(self) -> str: ...
    def status(self) -> Status: ...
    def hosts(self, select: str | None = None) -> list[Host]: ...
    def host(self, name: str) -> HostDetail: ...
    def add_host(
        self,
        address: str,
        *,
        port: int | None = None,
        user: str | None = None,
        name: str | None = None,
        groups: Sequence[str] = ...,
        tags: Sequence[str] = ...,
        jump: Sequence[str] = ...,
        agent: bool = True,
        key_file: str | Sequence[str] | None = None,
        key: str | None = None,
        passphrase: str | None = None,
        password: str | None = None,
        sudo: Literal["none", "nopasswd"] = "none",
        sudo_password: str | None = None,
        accept_host_key: str | None = None,
        unchecked: bool = False,
    ) -> Host: ...
    def remove_host(self, name: str) -> None: ...
    def observe(self, name: str) -> HostDetail: ...
    def update_host(
        self,
        name: str,
        *,
        new_name: str | None = None,
        groups: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
        maintenance: bool | None = None,
    ) -> Host: ...
    def test_host(self, name: str) -> TestReport: ...
    def trust_host(self, name: str, fingerprint: str | None = None) -> Fingerprint: ...
    def import_hosts(
        self,
        text: str,
        format: Literal["ssh-config", "ansible-ini", "ansible-yaml"],
        *,
        dry_run: bool = False,
    ) -> ImportReport: ...
    def matches(self) -> list[Match]: ...
    def decide_match(self, id: str, same: bool) -> None: ...
    def run(
        self,
        command: str,
        select: str = "all",
        time_limit: float = 60.0,
        sudo: bool = False,
    ) -> list[Answer]: ...
    def connect_proxmox(
        self,
        url: str,
        *,
        token: str | None = None,
        user: str | None = None,
        password: str | None = None,
        name: str | None = None,
        accept_certificate: str | None = None,
        dry_run: bool = False,
    ) -> ConnectReport: ...
    def proxmoxes(self) -> list[Proxmox]: ...
    def test_proxmox(self, name: str) -> TestReport: ...
    def remove_proxmox(self, name: str) -> None: ...
    def guests(self) -> list[Guest]: ...
    def storages(self) -> list[Storage]: ...

@final
class AsyncFleet:
    """The machines that are looked after, for asyncio: every method gives an awaitable."""

    @staticmethod
    def open(data_dir: str | os.PathLike[str] | None = None) -> Future[AsyncFleet]: ...
    @property
    def data_dir(self) -> str: ...
    def status(self) -> Future[Status]: ...
    def hosts(self, select: str | None = None) -> Future[list[Host]]: ...
    def host(self, name: str) -> Future[HostDetail]: ...
    def add_host(
        self,
        address: str,
        *,
        port: int | None = None,
        user: str | None = None,
        name: str | None = None,
        groups: Sequence[str] = ...,
        tags: Sequence[str] = ...,
        jump: Sequence[str] = ...,
        agent: bool = True,
        key_file: str | Sequence[str] | None = None,
        key: str | None = None,
        passphrase: str | None = None,
        password: str | None = None,
        sudo: Literal["none", "nopasswd"] = "none",
        sudo_password: str | None = None,
        accept_host_key: str | None = None,
        unchecked: bool = False,
    ) -> Future[Host]: ...
    def remove_host(self, name: str) -> Future[None]: ...
    def observe(self, name: str) -> Future[HostDetail]: ...
    def update_host(
        self,
        name: str,
        *,
        new_name: str | None = None,
        groups: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
        maintenance: bool | None = None,
    ) -> Future[Host]: ...
    def test_host(self, name: str) -> Future[TestReport]: ...
    def trust_host(self, name: str, fingerprint: str | None = None) -> Future[Fingerprint]: ...
    def import_hosts(
        self,
        text: str,
        format: Literal["ssh-config", "ansible-ini", "ansible-yaml"],
        *,
        dry_run: bool = False,
    ) -> Future[ImportReport]: ...
    def matches(self) -> Future[list[Match]]: ...
    def decide_match(self, id: str, same: bool) -> Future[None]: ...
    def run(
        self,
        command: str,
        select: str = "all",
        time_limit: float = 60.0,
        sudo: bool = False,
    ) -> Future[list[Answer]]: ...
    def connect_proxmox(
        self,
        url: str,
        *,
        token: str | None = None,
        user: str | None = None,
        password: str | None = None,
        name: str | None = None,
        accept_certificate: str | None = None,
        dry_run: bool = False,
    ) -> Future[ConnectReport]: ...
    def proxmoxes(self) -> Future[list[Proxmox]]: ...
    def test_proxmox(self, name: str) -> Future[TestReport]: ...
    def remove_proxmox(self, name: str) -> Future[None]: ...
    def guests(self) -> Future[list[Guest]]: ...
    def storages(self) -> Future[list[Storage]]: ...
