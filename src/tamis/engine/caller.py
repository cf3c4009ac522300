"""Who asks, as far as a log line or a trace needs to know: set at the edge, seen by all that runs for the request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """request_id: the caller's own or one made up; 1 to 128 safe characters.

    traceparent, tracestate: of W3C Trace Context, the caller's span; None where there is none or it is malformed.
    address: of the network, as the connection has it.  user_agent: at most 256 characters.
    """

    request_id: str
    traceparent: str | None = None
    tracestate: str | None = None
    address: str | None = None
    user_agent: str | None = None


_CALLER: ContextVar[Caller | None] = ContextVar("tamis_caller", default=None)


@contextmanager
def called_by(caller: Caller | None) -> Iterator[None]:
    """All that runs in this block, tasks and threads begun there included, runs for this caller."""
    token = _CALLER.set(caller)
    try:
        yield
    finally:
        _CALLER.reset(token)


def current_caller() -> Caller | None:
    """None outside of a request."""
    return _CALLER.get()


def caller_traceparent() -> str | None:
    caller = _CALLER.get()
    return caller.traceparent if caller else None
