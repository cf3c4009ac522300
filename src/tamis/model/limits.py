"""How much an organisation may ask and keep: by the kind of operation, by its tier."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class OperationKind(StrEnum):
    """What is counted together."""

    SEARCH = "search"
    UPLOAD = "upload"
    COMPUTE = "compute"
    DATA = "data"
    METADATA = "metadata"


UNBOUNDED = 1_000_000_000
"""Requests a minute that nobody sends: how no limit is said where a number must stand."""


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Requests a minute by kind of operation, 1 or more each."""

    compute: int
    data: int
    metadata: int
    search: int
    upload: int

    def of(self, kind: OperationKind) -> int:
        return int(getattr(self, kind.value))


@dataclass(frozen=True, slots=True)
class TierLimits:
    """What organisations of a tier get. None: as much as they want.

    executions: that run at once.  quotas: how many there may be by noun in the plural, of `NOUNS`.
    """

    requests_per_minute: RateLimits | None = None
    executions: int | None = None
    quotas: Mapping[str, int] | None = None


NOUNS = ("namespaces", "buckets", "collections", "documents", "retrievers", "api_keys")
"""What there may be a quota of; each in the whole organisation."""
UNLIMITED = TierLimits()
