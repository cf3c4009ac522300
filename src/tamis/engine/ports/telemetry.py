"""What is told of executions and of the server to whoever operates it. Nothing here has a say in an execution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tamis.engine.events import Event, Sink
from tamis.engine.planning.plan import Plan
from tamis.engine.ports.cache import CacheUsage
from tamis.engine.run import RunRequest
from tamis.model.execution import ExecutionHeader


class Watch(Protocol):
    """Told of every execution, on the event loop, in the task that runs it."""

    def begin(self, plan: Plan, request: RunRequest) -> Sink:
        """A sink for the events of this execution. It never raises."""
        ...

    def recorded(self, header: ExecutionHeader, lag_ms: float, events: Sequence[Event] = ()) -> None:
        """The execution's record is durable. lag_ms: since the execution had ended.

        events: what happened in it; none where how long its stages took says nothing, as on a record's answers.
        """
        ...


class Spans(Protocol):
    """Makes spans of executions. A protocol, so that what is off is not imported either."""

    def begin(self, plan: Plan, request: RunRequest) -> Sink: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the server is, all tenants together. items_waiting: of submitted batches, not yet taken up.

    parts: whether each part that the server stands on answers, by its name in the health check.
    cache: None where there is none.
    """

    executions_running: int = 0
    batches_unfinished: int = 0
    items_waiting: int = 0
    parts: Mapping[str, bool] = field(default_factory=dict)
    cache: CacheUsage | None = None
