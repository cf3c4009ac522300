"""Everything that is told of executions, joined: metrics, spans, a log line."""

import logging
from collections.abc import Sequence

from tamis.engine.events import Event, Sink, ignore
from tamis.engine.planning.plan import Plan
from tamis.engine.ports.cache import Layer
from tamis.engine.ports.telemetry import Spans
from tamis.engine.run import RunRequest
from tamis.model.execution import ExecutionHeader
from tamis.telemetry.logs import FIELDS
from tamis.telemetry.metrics import Metrics

_LOG = logging.getLogger("tamis.execution")
_FAULTS = logging.getLogger("tamis.telemetry")
_UNTOLD = "an execution could not be told of"


class Telemetry:
    """The ports Watch and CacheObserver. metrics, spans: None where they are off."""

    def __init__(self, metrics: Metrics | None = None, spans: Spans | None = None) -> None:
        self.metrics = metrics
        self.spans = spans

    def begin(self, plan: Plan, request: RunRequest) -> Sink:
        return _guarded(self.spans.begin(plan, request)) if self.spans else ignore

    def recorded(self, header: ExecutionHeader, lag_ms: float, events: Sequence[Event] = ()) -> None:
        if self.metrics:
            try:
                self.metrics.recorded(header, lag_ms, events)
            except Exception:
                _FAULTS.exception(_UNTOLD)
        if _LOG.isEnabledFor(logging.INFO):
            _LOG.info(
                "%s %s %s in %.1f ms, %d documents",
                header.execution_id,
                header.mode,
                header.status.value,
                header.duration_ms,
                header.total_returned,
                extra={FIELDS: _facts(header, lag_ms)},
            )

    def looked_up(self, layer: Layer, hit: bool) -> None:
        if self.metrics:
            self.metrics.looked_up(layer, hit)

    def answered(self, status: int) -> None:
        if self.metrics:
            self.metrics.answered(status)

    async def close(self) -> None:
        if self.spans:
            await self.spans.close()


def _facts(header: ExecutionHeader, lag_ms: float) -> dict[str, object]:
    """Nobody's content: no inputs, no summary of them, no error's message."""
    return {
        "execution_id": header.execution_id,
        "mode": header.mode,
        "status": header.status.value,
        "retriever_id": header.retriever_id,
        "duration_ms": header.duration_ms,
        "record_lag_ms": round(lag_ms, 3),
        "stages_completed": header.stages_completed,
        "total_stages": header.total_stages,
        "total_processed": header.total_processed,
        "total_returned": header.total_returned,
        "credits_used": header.credits_used,
    }


def _guarded(sink: Sink) -> Sink:
    """An execution never fails because it could not be told of."""

    def tell(event: Event) -> None:
        try:
            sink(event)
        except Exception:
            _FAULTS.exception(_UNTOLD)

    return tell
