"""One request as a value: what is sent, and whether it may be sent again."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tamis.client.errors import ApiError

_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
PASSING = frozenset({429, 502, 503, 504})
_NOT_CARRIED_OUT = 429
_FIRST_WAIT_S = 0.25


@dataclass(frozen=True, slots=True)
class Call:
    """path: below `/v1`.  key: its `Idempotency-Key`; empty: the connection makes one where it would send it twice."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    content: bytes | Iterable[bytes] | None = None
    content_type: str = "application/x-ndjson"
    key: str | None = None
    is_reading: bool = False

    @property
    def is_repeatable(self) -> bool:
        """Whether to send it twice is the same as once. What is made while it is sent can be sent only once."""
        is_whole = self.content is None or isinstance(self.content, bytes)
        return is_whole and (self.method in _REPEATABLE or self.is_reading or self.key is not None)

    @property
    def is_kept(self) -> bool:
        """Whether all of it is still there to be sent again."""
        return self.content is None or isinstance(self.content, bytes)


@dataclass(frozen=True, slots=True)
class Retries:
    """most: attempts after the first.  longest_s: what `Retry-After` may ask for; beyond it the error is raised."""

    most: int = 3
    longest_s: float = 60.0

    def wait_s(self, call: Call, done: int, error: ApiError | None, was_sent: bool = True) -> float | None:
        """How long to wait before the next attempt; None where there is none.

        done: attempts so far.  error: None where no answer came.  was_sent: whether the server can have had it.
        """
        if done > self.most or not self._may_repeat(call, error, was_sent):
            return None
        if error is not None and error.retry_after_s is not None:
            return error.retry_after_s if error.retry_after_s <= self.longest_s else None
        # Clients that failed together come back apart.
        return min(self.longest_s, _FIRST_WAIT_S * 2.0 ** (done - 1)) * random.uniform(0.5, 1.0)  # noqa: S311  no secret

    def _may_repeat(self, call: Call, error: ApiError | None, was_sent: bool) -> bool:
        if error is None:
            return call.is_repeatable or (call.is_kept and not was_sent)
        if error.status == _NOT_CARRIED_OUT:
            return call.is_kept
        return call.is_repeatable and error.status in PASSING


def part(value: Any) -> str:
    """One segment of a path, from an id, a name, or what has an `execution_id`."""
    text = str(getattr(value, "execution_id", value))
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} is no id and no name")
    return quote(text, safe="")
