"""Folds the events of one execution into its record. Pure: the service writes what comes out, before it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
import orjson

from tamis.engine.events import (
    STAGE_ENDS,
    Event,
    ExecutionFinished,
    ExecutionStarted,
    StageCut,
    StageEnd,
    StageFailed,
    StageFinished,
)
from tamis.engine.planning.plan import Plan
from tamis.engine.plugins.plugins import code_version
from tamis.engine.run import RunRequest
from tamis.engine.tape import untaped
from tamis.errors import TamisError
from tamis.executions.calls import pack_calls
from tamis.executions.codec import Body, CollectionRow, StageRow, encode, encode_part
from tamis.executions.columns import Columns
from tamis.executions.exclusion import INPUTS, body_without, header_without
from tamis.executions.record import PAGINATION, StageOutcome
from tamis.executions.references import externalize, json_text
from tamis.executions.summary import query_summary
from tamis.model.collection import Collection
from tamis.model.execution import ExecutionHeader, ExecutionStatus, StoredExecution
from tamis.model.filters import to_json
from tamis.model.hits import Hits
from tamis.model.json import JSON

_FINISHED = (StageOutcome.COMPLETED.value, StageOutcome.PASSED_OVER.value)


@dataclass(frozen=True, slots=True)
class Recorded:
    """blobs: values over 64 kB by SHA-1, to be stored in the same transaction as `input_blobs`."""

    execution: StoredExecution
    blobs: Mapping[str, bytes] = field(default_factory=dict)


class Recorder:
    """A sink for `Executor.run`: `recorder(event)` for each event, then `finish` once.

    retriever_id, retriever_version: of a saved retriever.  models: version by name, of those at hand.
    left_out: what the namespace's policy keeps out of it, of `inputs`, `documents`.
    """

    def __init__(
        self,
        plan: Plan,
        request: RunRequest,
        retriever_id: str | None = None,
        retriever_version: int | None = None,
        models: Mapping[str, str] | None = None,
        left_out: Sequence[str] = (),
    ) -> None:
        self._plan = plan
        self._request = request
        self._retriever_id = retriever_id
        self._retriever_version = retriever_version
        self._models = dict(models or {})
        self._left_out = left_out
        self._started: ExecutionStarted | None = None
        self._ends: list[StageEnd] = []
        self._finished: ExecutionFinished | None = None

    def __call__(self, event: Event) -> None:
        if isinstance(event, STAGE_ENDS):
            self._ends.append(event)
        elif isinstance(event, ExecutionStarted):
            self._started = event
        elif isinstance(event, ExecutionFinished):
            self._finished = event

    def finish(
        self, total_returned: int = 0, duration_ms: float | None = None, pagination: Mapping[str, JSON] | None = None
    ) -> Recorded:
        """The record of what was told so far; an execution that has not ended is `processing`.

        total_returned: documents in the answer, after pagination.  duration_ms: from accepted to answered.
        pagination: which part was shown, kept with the last stage.
        Raises: ValueError where the execution has not begun.
        """
        started = self._started
        if started is None:
            raise ValueError("the execution has not begun: there is nothing to record")
        blobs: dict[str, bytes] = {}
        header = self._header(started, total_returned, duration_ms)
        body = self._body(started, blobs)
        if pagination is not None:
            _show(body, pagination)
        if self._left_out:
            return self._without(started, header, body)
        inputs = json_text(externalize(started.inputs, blobs))
        return Recorded(StoredExecution(header, inputs, encode(body)), blobs)

    def header(self, duration_ms: float) -> ExecutionHeader:
        """As in `finish`, without the cost of a body. Raises: ValueError where the execution has not begun."""
        if self._started is None:
            raise ValueError("the execution has not begun: there is nothing to record")
        header = self._header(self._started, 0, duration_ms)
        return header_without(header, self._left_out) if self._left_out else header

    def _without(self, started: ExecutionStarted, header: ExecutionHeader, body: Body) -> Recorded:
        """As `finish`, of what the namespace's policy lets into a record."""
        blobs = dict(_frozen(self._plan)[1])
        inputs = "" if INPUTS in self._left_out else json_text(externalize(started.inputs, blobs))
        record = encode(body_without(body, self._left_out))
        return Recorded(StoredExecution(header_without(header, self._left_out), inputs, record), blobs)

    def _header(self, started: ExecutionStarted, total_returned: int, duration_ms: float | None) -> ExecutionHeader:
        request, end = self._request, self._finished or self._so_far()
        return ExecutionHeader(
            execution_id=started.execution_id,
            mode=request.mode,
            status=end.status,
            started_at=started.at,
            duration_ms=round(end.duration_ms if duration_ms is None else duration_ms, 3),
            credits_used=end.credits_used,
            total_processed=end.total_processed,
            total_returned=total_returned,
            total_stages=started.total_stages,
            stages_completed=end.stages_completed,
            collection_ids=tuple(one.collection_id for one in request.collections),
            retriever_id=self._retriever_id,
            cache_hit_rate=end.cache_hit_rate,
            query_summary=query_summary(started.inputs),
            inputs_hash=started.inputs_hash,
            error=end.error.message if end.error else None,
            key_id=request.principal.key_id or None,
        )

    def _so_far(self) -> ExecutionFinished:
        done = [end for end in self._ends if isinstance(end, StageFinished) and end.passed_over is None]
        credits_used = round(sum(end.credits_used for end in self._ends), 9)
        processed = sum(end.processed for end in done)
        return ExecutionFinished(ExecutionStatus.PROCESSING, 0.0, credits_used, processed, len(done), None)

    def _body(self, started: ExecutionStarted, blobs: dict[str, bytes]) -> Body:
        definition, large = _frozen(self._plan)
        blobs.update(large)
        columns, request = Columns(), self._request
        stages = []
        before = Hits()
        for end in self._ends:
            stages.append(_row(end, before, columns, blobs))
            before = end.returned if isinstance(end, StageFinished) else end.received
        for stage, end in zip(stages, self._ends, strict=True):
            if end.calls:
                stage.calls = pack_calls([call.recorded() for call in end.calls], columns)
        finished = self._finished
        return Body(
            definition=definition,
            definition_hash=bytes.fromhex(self._plan.hash),
            retriever_version=self._retriever_version,
            seed=started.seed,
            code_version=code_version(
                (one.spec.stage_id for one in self._plan.stages),
                (one.extractor.name for one in self._request.collections),
            ),
            models=self._models,
            collections=[_collection(one) for one in request.collections],
            ids=columns.ids(),
            revisions=columns.revisions,
            stages=stages,
            warnings=list(finished.warnings) if finished else [],
            error=_error(finished.error) if finished and finished.error else None,
            replay=request.replay,
            is_taped=request.tapes is not untaped,
            traceparent=self._request.traceparent,
            narrowing=None if request.principal.narrowing is None else to_json(request.principal.narrowing),
        )


def _show(body: Body, pagination: Mapping[str, JSON]) -> None:
    finished = [stage for stage in body.stages if stage.outcome in _FINISHED]
    if finished:
        finished[-1].metadata[PAGINATION] = dict(pagination)


def _collection(collection: Collection) -> CollectionRow:
    return CollectionRow(collection.collection_id, collection.extractor.id, collection.revision, collection.version)


def _row(end: StageEnd, before: Hits, columns: Columns, blobs: dict[str, bytes]) -> StageRow:
    received = None if end.received is before or not (end.received or before) else columns.write(end.received.items)
    if isinstance(end, StageCut):
        return StageRow(
            end.index, StageOutcome.CUT.value, None, received, None, 0, _ms(end.duration_ms),
            credits_used=end.credits_used, error=end.reason, limit=end.limit,
        )  # fmt: skip
    parameters = None if end.parameters is None else externalize(end.parameters, blobs)
    if isinstance(end, StageFailed):
        outcome = StageOutcome.SKIPPED if end.skipped else StageOutcome.FAILED
        message = end.error.message
        return StageRow(
            end.index, outcome.value, parameters, received, None, 0, _ms(end.duration_ms),
            credits_used=end.credits_used, error=message, shrunk=dict(end.shrunk),
        )  # fmt: skip
    return StageRow(
        index=end.index,
        outcome=(StageOutcome.COMPLETED if end.passed_over is None else StageOutcome.PASSED_OVER).value,
        parameters=parameters,
        received=received,
        returned=None if end.returned is end.received else columns.write(end.returned.items),
        processed=end.processed,
        duration_ms=_ms(end.duration_ms),
        credits_used=end.credits_used,
        tokens_used=end.tokens_used,
        llm_calls=end.llm_calls,
        cache_key=end.cache_key,
        cache_hit=end.cache_hit,
        metadata=dict(end.metadata),
        warnings=list(end.warnings),
        credits_saved=end.credits_saved,
        shrunk=dict(end.shrunk),
    )


def _ms(duration_ms: float) -> float:
    return round(duration_ms, 3)


def _error(error: TamisError) -> tuple[str, str, dict[str, Any]]:
    """Details as plain JSON: what is not becomes text."""
    return error.code, error.message, orjson.loads(orjson.dumps(error.details, default=str))


@dataclass(frozen=True, slots=True)
class _Frozen:
    """A plan as a cache's key: equal hash, equal definition."""

    hash: str
    plan: Plan = field(compare=False)


def _frozen(plan: Plan) -> tuple[msgspec.Raw, dict[str, bytes]]:
    """A definition is encoded once, however often it runs."""
    return _kept(_Frozen(plan.hash, plan)) if plan.is_kept else _encoded(plan)


@lru_cache(maxsize=1024)
def _kept(frozen: _Frozen) -> tuple[msgspec.Raw, dict[str, bytes]]:
    return _encoded(frozen.plan)


def _encoded(plan: Plan) -> tuple[msgspec.Raw, dict[str, bytes]]:
    blobs: dict[str, bytes] = {}
    return encode_part(externalize(plan.document, blobs)), blobs
