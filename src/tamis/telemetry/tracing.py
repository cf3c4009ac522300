"""Spans of OpenTelemetry: one for each execution, one for each of its stages, the caller's span above them.

The attributes are those of the GenAI semantic conventions for retrieval, and `tamis.*` besides. No span holds an input,
a document, an id of one, or an error's message: the execution id leads to the record, which has them.
"""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from tamis import __version__
from tamis.engine.caller import current_caller
from tamis.engine.events import (
    Event,
    ExecutionFinished,
    ExecutionStarted,
    Sink,
    StageCut,
    StageEnd,
    StageFailed,
    StageFinished,
    StageStarted,
)
from tamis.engine.planning.plan import Plan
from tamis.engine.run import RunRequest
from tamis.errors import TamisError
from tamis.model.execution import ExecutionStatus
from tamis.telemetry.metrics import outcome_of

RETRIEVAL = "retrieval"
_LINGER_S = 3.0
_EXECUTION_ID = "tamis.execution.id"
_PROPAGATOR = TraceContextTextMapPropagator()


class Tracing:
    """Makes spans and hands them to the provider's exporters, which send from a thread of their own."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("tamis", __version__)

    def begin(self, plan: Plan, request: RunRequest) -> Sink:
        return _Trace(self._tracer, request)

    async def close(self) -> None:
        """Send what is left, for three seconds at most: a collector that is away does not hold up the server's end."""
        ending = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _LINGER_S)


class _Trace:
    """The spans of one execution. While a stage runs, its span is the current one: what it calls is below it."""

    def __init__(self, tracer: Tracer, request: RunRequest) -> None:
        self._tracer = tracer
        self._request = request
        self._execution: Span | None = None
        self._below = Context()
        self._stage: Span | None = None
        self._token: Any = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, StageStarted):
            self._begin_stage(event)
        elif isinstance(event, StageFinished | StageFailed | StageCut):
            self._end_stage(event)
        elif isinstance(event, ExecutionStarted):
            self._begin(event)
        else:
            self._end(event)

    def _begin(self, event: ExecutionStarted) -> None:
        source = _data_source(self._request)
        parent, is_local = _parent()
        self._execution = self._tracer.start_span(
            f"{RETRIEVAL} {source}" if source else RETRIEVAL,
            parent,
            SpanKind.INTERNAL if is_local else SpanKind.SERVER,
            _about(self._request, event, source),
        )
        self._below = set_span_in_context(self._execution, parent)

    def _begin_stage(self, event: StageStarted | StageEnd) -> Span:
        attributes: dict[str, Any] = {
            _EXECUTION_ID: self._request.execution_id,
            "tamis.stage.name": event.stage_name,
            "tamis.stage.id": event.stage_id,
            "tamis.stage.index": event.index,
        }
        self._stage = self._tracer.start_span(f"stage {event.stage_id}", self._below, SpanKind.INTERNAL, attributes)
        self._token = contexts.attach(set_span_in_context(self._stage, self._below))
        return self._stage

    def _end_stage(self, event: StageEnd) -> None:
        # One that never began was answered from a cache, or the budget had nothing left for it.
        stage = self._stage or self._begin_stage(event)
        stage.set_attributes(_about_stage(event))
        if isinstance(event, StageFailed):
            _set_error(stage, event.error.__cause__ or event.error)
        self._leave_stage()

    def _leave_stage(self) -> None:
        if self._stage is not None:
            self._stage.end()
            contexts.detach(self._token)
            self._stage = None

    def _end(self, event: ExecutionFinished) -> None:
        if self._stage is not None:  # cancelled within a stage
            self._stage.set_attribute("tamis.stage.outcome", event.status.value)
            self._leave_stage()
        if self._execution is None:
            return
        self._execution.set_attributes(_about_end(event))
        if event.status is ExecutionStatus.FAILED and event.error is not None:
            _set_error(self._execution, event.error.__cause__ or event.error)
        self._execution.end()


def _parent() -> tuple[Context, bool]:
    """The span that the execution belongs under, and whether it is of this process: where the web framework is
    instrumented too, its span; else the caller's."""
    here = contexts.get_current()
    if get_current_span(here).get_span_context().is_valid:
        return here, True
    caller = current_caller()
    if caller is None or caller.traceparent is None:
        return here, False
    carrier = {"traceparent": caller.traceparent}
    if caller.tracestate:
        carrier["tracestate"] = caller.tracestate
    return _PROPAGATOR.extract(carrier, here), False


def _data_source(request: RunRequest) -> str | None:
    """The collection that is searched, where it is one."""
    return request.collections[0].collection_id if len(request.collections) == 1 else None


def _about(request: RunRequest, event: ExecutionStarted, source: str | None) -> Mapping[str, Any]:
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": RETRIEVAL,
        "gen_ai.provider.name": "tamis",
        _EXECUTION_ID: event.execution_id,
        "tamis.execution.mode": request.mode,
        "tamis.namespace.id": request.principal.namespace_id or "",
        "tamis.collection.ids": [one.collection_id for one in request.collections],
        "tamis.definition.hash": event.definition_hash,
        "tamis.stages.total": event.total_stages,
    }
    if source:
        attributes["gen_ai.data_source.id"] = source
    caller = current_caller()
    if caller:
        attributes["tamis.request.id"] = caller.request_id
    return attributes


def _about_end(event: ExecutionFinished) -> Mapping[str, Any]:
    attributes: dict[str, Any] = {
        "tamis.execution.status": event.status.value,
        "tamis.stages.completed": event.stages_completed,
        "tamis.documents.processed": event.total_processed,
        "tamis.credits.used": event.credits_used,
    }
    if event.cache_hit_rate is not None:
        attributes["tamis.cache.hit_rate"] = event.cache_hit_rate
    return attributes


def _about_stage(event: StageEnd) -> Mapping[str, Any]:
    attributes: dict[str, Any] = {
        "tamis.stage.outcome": outcome_of(event),
        "tamis.documents.in": len(event.received),
    }
    if isinstance(event, StageCut):
        attributes["tamis.budget.limit"] = event.limit
    if isinstance(event, StageFinished):
        attributes |= {
            "tamis.documents.out": len(event.returned),
            "tamis.documents.processed": event.processed,
            "tamis.credits.used": event.credits_used,
        }
        maybe = {
            "tamis.cache.hit": event.cache_hit,
            "tamis.tokens.used": event.tokens_used,
            "tamis.llm.calls": event.llm_calls,
        }
        attributes |= {name: value for name, value in maybe.items() if value is not None}
    return attributes


def _set_error(span: Span, error: BaseException) -> None:
    """The error's kind alone: its message may quote the input."""
    kind = error.code if isinstance(error, TamisError) else type(error).__name__
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, kind))
