"""What can go wrong, by kind. Every error says what to do next where that is known."""

from __future__ import annotations


class ReanimatorError(Exception):
    """Something failed. The message names the host, what was being done and the cause."""

    kind: str
    """The kind of failure, as it stands in JSON: `unreachable`, `auth-failed`, ..."""
    next: str | None
    """What to do next."""
    host: str | None
    """The thing it happened to."""
    fingerprint: str | None
    """The identity that was shown, for unknown and changed keys and certificates."""
    key_type: str | None
    """What kind of identity: `ssh-ed25519`, `x509`, ..."""

    def __init__(
        self,
        message: str,
        *,
        kind: str = "internal",
        next: str | None = None,
        host: str | None = None,
        fingerprint: str | None = None,
        key_type: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.next = next
        self.host = host
        self.fingerprint = fingerprint
        self.key_type = key_type

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message}. Next: {self.next}" if self.next else message


class Unreachable(ReanimatorError):
    """The name or address cannot be reached: no such name, connection refused, no route, cut off."""


class Timeout(ReanimatorError):
    """The far side did not answer in time."""


class AuthFailed(ReanimatorError):
    """The far side refused our login."""


class HostKeyUnknown(ReanimatorError):
    """The host's SSH key is not known yet: compare `fingerprint`, then pass it as `accept_host_key`."""


class HostKeyChanged(ReanimatorError):
    """The host's SSH key is not the one that was pinned. Refused, always."""


class CertificateUnknown(ReanimatorError):
    """The certificate is not known yet: compare `fingerprint`, then pass it as `accept_certificate`."""


class CertificateChanged(ReanimatorError):
    """The certificate is not the one that was pinned. Refused, always."""


class Denied(ReanimatorError):
    """The far side said that we may not do this."""


class ProtocolError(ReanimatorError):
    """The far side answered something that makes no sense."""


class NotFound(ReanimatorError):
    """What was asked for does not exist."""


class Invalid(ReanimatorError):
    """What was given is not valid."""


class Conflict(ReanimatorError):
    """It contradicts what is there."""


class Busy(ReanimatorError):
    """Something else holds it right now."""


class StorageError(ReanimatorError):
    """The store failed."""


class Unauthenticated(ReanimatorError):
    """The person or program is not logged in."""


class RateLimited(ReanimatorError):
    """Too many attempts."""


class Cancelled(ReanimatorError):
    """It was cancelled."""


class InternalError(ReanimatorError):
    """A fault of Reanimator's own."""


_BY_KIND: dict[str, type[ReanimatorError]] = {
    "unreachable": Unreachable,
    "timeout": Timeout,
    "auth-failed": AuthFailed,
    "host-key-unknown": HostKeyUnknown,
    "host-key-changed": HostKeyChanged,
    "certificate-unknown": CertificateUnknown,
    "certificate-changed": CertificateChanged,
    "denied": Denied,
    "protocol": ProtocolError,
    "not-found": NotFound,
    "invalid": Invalid,
    "conflict": Conflict,
    "busy": Busy,
    "storage": StorageError,
    "unauthenticated": Unauthenticated,
    "rate-limited": RateLimited,
    "cancelled": Cancelled,
    "internal": InternalError,
}


def of_kind(
    kind: str,
    message: str,
    next: str | None,
    host: str | None,
    fingerprint: str | None,
    key_type: str | None,
) -> ReanimatorError:
    """The error of that kind; called by the native module."""
    error = _BY_KIND.get(kind, ReanimatorError)
    return error(message, kind=kind, next=next, host=host, fingerprint=fingerprint, key_type=key_type)
