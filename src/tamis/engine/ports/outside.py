"""The world behind HTTP, as far as the operator lets stages reach it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tamis.model.principal import Principal


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request. secret_headers, secret_query: names to templates that hold references to secrets (`{{SECRET.x}}`).

    basic: name of a secret whose value is `user:password`, sent as basic authorisation.
    requests_per_minute, requests_per_hour: to this host, within the operator's limit.
    allowed_domains: the stage's own list, within the operator's; None adds nothing to that.
    into: a file that the body goes into, piece by piece, instead of the answer; its size and time are the caller's to
    bound, then, and not the operator's limits of one answer.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    secret_headers: Mapping[str, str] = field(default_factory=dict)
    secret_query: Mapping[str, str] = field(default_factory=dict)
    basic: str | None = None
    allowed_domains: tuple[str, ...] | None = None
    requests_per_minute: int | None = None
    requests_per_hour: int | None = None
    timeout_s: float = 10.0
    max_bytes: int = 1 << 20
    max_redirects: int = 5
    into: Path | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """url: after redirects.  headers: names in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Outside(Protocol):
    async def fetch(self, principal: Principal, fetch: Fetch) -> Fetched:
        """Any status is an answer. Secrets' values are taken out of it.

        Raises: OutsideRefusedError (not allowed), SecretRefusedError, OutsideError (no answer, too large, too slow).
        """
        ...

    async def read_page(self, principal: Principal, fetch: Fetch) -> Fetched:
        """As `fetch`, of a page made for people: only where its site lets programs read it (robots.txt).

        Raises: as `fetch`; OutsideError where the site does not want it read.
        """
        ...
