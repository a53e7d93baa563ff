import os
from asyncio import Future
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, final

from .errors import ReanimatorError
from .model import (
    AuditEntry,
    Change,
    ClusterFacts,
    Columns,
    ConnectReport,
    CreatedToken,
    Dashboard,
    Fingerprint,
    Guest,
    GuestDetails,
    Host,
    HostDetail,
    HostDetails,
    ImportReport,
    Match,
    Proxmox,
    Reading,
    Settings,
    Status,
    Storage,
    TestReport,
    Token,
    User,
)

__all__ = ["Answer", "AsyncFleet", "Fleet", "__version__"]

__version__: str

_Role = Literal["viewer", "operator", "admin"]

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
    def host_details(
        self, name: str, hardware: bool = True, storage: bool = True, network: bool = True
    ) -> HostDetails: ...
    def refresh(self, name: str) -> HostDetails: ...
    def guest_details(self, guest: str, node: str | None = None) -> GuestDetails: ...
    def dashboard(self) -> Dashboard: ...
    def cluster_facts(self, name: str) -> ClusterFacts: ...
    def refresh_cluster(self, name: str) -> ClusterFacts: ...
    def telemetry(
        self,
        entity: str,
        metrics: str | Sequence[str] | None = None,
        start: str | datetime = "1h",
        end: str | datetime = "now",
        step: str | int | timedelta | None = None,
    ) -> Columns: ...
    def latest(self, entity: str) -> dict[str, Reading]: ...
    def changes(
        self,
        entity: str | None = None,
        field: str | None = None,
        before: str | int | None = None,
        limit: int = 100,
    ) -> list[Change]: ...
    def users(self) -> list[User]: ...
    def add_user(self, name: str, password: str, role: _Role = "viewer") -> None: ...
    def update_user(
        self, name: str, *, role: _Role | None = None, password: str | None = None
    ) -> None: ...
    def remove_user(self, name: str) -> None: ...
    def tokens(self) -> list[Token]: ...
    def create_token(self, name: str, role: _Role = "viewer") -> CreatedToken: ...
    def revoke_token(self, name: str) -> None: ...
    def audit(self, limit: int = 50) -> list[AuditEntry]: ...
    def settings(self) -> Settings: ...
    def change_settings(
        self,
        *,
        samples_hours: int | None = None,
        minutes_days: int | None = None,
        quarters_days: int | None = None,
        six_hours_days: int | None = None,
        events_days: int | None = None,
        changes_days: int | None = None,
    ) -> Settings: ...

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
    def host_details(
        self, name: str, hardware: bool = True, storage: bool = True, network: bool = True
    ) -> Future[HostDetails]: ...
    def refresh(self, name: str) -> Future[HostDetails]: ...
    def guest_details(self, guest: str, node: str | None = None) -> Future[GuestDetails]: ...
    def dashboard(self) -> Future[Dashboard]: ...
    def cluster_facts(self, name: str) -> Future[ClusterFacts]: ...
    def refresh_cluster(self, name: str) -> Future[ClusterFacts]: ...
    def telemetry(
        self,
        entity: str,
        metrics: str | Sequence[str] | None = None,
        start: str | datetime = "1h",
        end: str | datetime = "now",
        step: str | int | timedelta | None = None,
    ) -> Future[Columns]: ...
    def latest(self, entity: str) -> Future[dict[str, Reading]]: ...
    def changes(
        self,
        entity: str | None = None,
        field: str | None = None,
        before: str | int | None = None,
        limit: int = 100,
    ) -> Future[list[Change]]: ...
    def users(self) -> Future[list[User]]: ...
    def add_user(self, name: str, password: str, role: _Role = "viewer") -> Future[None]: ...
    def update_user(
        self, name: str, *, role: _Role | None = None, password: str | None = None
    ) -> Future[None]: ...
    def remove_user(self, name: str) -> Future[None]: ...
    def tokens(self) -> Future[list[Token]]: ...
    def create_token(self, name: str, role: _Role = "viewer") -> Future[CreatedToken]: ...
    def revoke_token(self, name: str) -> Future[None]: ...
    def audit(self, limit: int = 50) -> Future[list[AuditEntry]]: ...
    def settings(self) -> Future[Settings]: ...
    def change_settings(
        self,
        *,
        samples_hours: int | None = None,
        minutes_days: int | None = None,
        quarters_days: int | None = None,
        six_hours_days: int | None = None,
        events_days: int | None = None,
        changes_days: int | None = None,
    ) -> Future[Settings]: ...
