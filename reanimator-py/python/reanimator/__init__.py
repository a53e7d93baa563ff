"""Reach your machines, see their state and act on them.

`Fleet` waits for each call; `AsyncFleet` has the same methods as awaitables. Both look after the same fleet as the
command line and the server do, in one data directory.

>>> from reanimator import Fleet
>>> fleet = Fleet.open()                                            # doctest: +SKIP
>>> [host["name"] for host in fleet.hosts("state:online")]          # doctest: +SKIP
['this-machine']
"""

from . import model
from ._reanimator import Answer, AsyncFleet, AsyncTerminal, Fleet, Terminal, __version__
from .errors import (
    AuthFailed,
    Busy,
    Cancelled,
    CertificateChanged,
    CertificateUnknown,
    Conflict,
    Denied,
    HostKeyChanged,
    HostKeyUnknown,
    InternalError,
    Invalid,
    NotFound,
    ProtocolError,
    RateLimited,
    ReanimatorError,
    StorageError,
    Timeout,
    Unauthenticated,
    Unreachable,
)

__all__ = [
    "Answer",
    "AsyncFleet",
    "AsyncTerminal",
    "AuthFailed",
    "Busy",
    "Cancelled",
    "CertificateChanged",
    "CertificateUnknown",
    "Conflict",
    "Denied",
    "Fleet",
    "HostKeyChanged",
    "HostKeyUnknown",
    "InternalError",
    "Invalid",
    "NotFound",
    "ProtocolError",
    "RateLimited",
    "ReanimatorError",
    "StorageError",
    "Terminal",
    "Timeout",
    "Unauthenticated",
    "Unreachable",
    "__version__",
    "model",
]
