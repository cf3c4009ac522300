"""A record as one self-contained file, `tamis.execution/1`."""

import base64
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from tamis.executions.export_format import (
    CallPart,
    CollectionPart,
    ContextPart,
    DocumentPart,
    ErrorPart,
    ExecutionFile,
    HeaderPart,
    HitPart,
    Number,
    RaisedPart,
    ReplayPart,
    Score,
    StagePart,
)
from tamis.executions.record import Record, RecordedCall, RecordedHit, RecordedStage
from tamis.model.document import Document

BYTES = "$bytes"


def file_of(record: Record, documents: Mapping[str, DocumentPart]) -> ExecutionFile:
    """record: with large values restored.  documents: by id, those that it saw."""
    return ExecutionFile(
        format="tamis.execution/1",
        execution=_header(record),
        context=_context(record),
        inputs=dict(record.inputs),
        definition=dict(record.definition),
        definition_hash=record.definition_hash,
        stages=_stages(record.stages),
        revisions=dict(record.revisions),
        documents=dict(documents),
    )


def content_of(document: Document) -> dict[str, Any]:
    """A document's state as the file holds it, plain JSON."""
    plain: dict[str, Any] = msgspec.to_builtins(document)
    return {key: value for key, value in plain.items() if key not in ("document_id", "revision", "history")}


def _header(record: Record) -> HeaderPart:
    header, imported = record.header, record.imported
    return HeaderPart(
        execution_id=header.execution_id,
        mode=imported.mode if imported else header.mode,
        retriever_id=imported.retriever_id if imported else header.retriever_id,
        retriever_version=record.retriever_version,
        status=header.status.value,  # type: ignore[arg-type]  # never `processing`: the service refuses to export that
        started_at=_instant(header.started_at),
        duration_ms=header.duration_ms,
        credits_used=header.credits_used,
        total_processed=header.total_processed,
        total_returned=header.total_returned,
        total_stages=header.total_stages,
        stages_completed=header.stages_completed,
        collection_ids=list(header.collection_ids),
        cache_hit_rate=header.cache_hit_rate,
        query_summary=header.query_summary,
        inputs_hash=header.inputs_hash,
        error=header.error,
    )


def _instant(moment: datetime) -> str:
    """With microseconds: what is read back is the same moment."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _context(record: Record) -> ContextPart:
    error, replay = record.error, record.replay
    return ContextPart(
        seed=record.seed,
        code_version=record.code_version,
        models=dict(record.models),
        collections=[
            CollectionPart(one.collection_id, one.extractor_id, one.revision, one.version) for one in record.collections
        ],
        traceparent=record.traceparent,
        replay=ReplayPart(replay_of=replay.of, mode=replay.mode) if replay else None,
        left_out=list(record.left_out),
        warnings=list(record.warnings),
        error=ErrorPart(type=error.code, message=error.message, details=dict(error.details)) if error else None,
        is_taped=record.is_taped,
        narrowing=dict(record.narrowing) if record.narrowing else None,
    )


def _stages(stages: Sequence[RecordedStage]) -> list[StagePart]:
    shown = []
    before: tuple[RecordedHit, ...] = ()
    for stage in stages:
        shown.append(_stage(stage, before))
        before = stage.returned
    return shown


def _stage(stage: RecordedStage, before: tuple[RecordedHit, ...]) -> StagePart:
    return StagePart(
        index=stage.index,
        outcome=stage.outcome.value,
        parameters=dict(stage.parameters),
        received=None if stage.received == before else [_hit(hit) for hit in stage.received],
        returned=None if stage.returned == stage.received else [_hit(hit) for hit in stage.returned],
        processed=stage.processed,
        duration_ms=stage.duration_ms,
        credits_used=stage.credits_used,
        credits_saved=stage.credits_saved,
        tokens_used=stage.tokens_used,
        llm_calls=stage.llm_calls,
        cache_key=stage.cache_key,
        cache_hit=stage.cache_hit,
        metadata=dict(stage.metadata),
        warnings=list(stage.warnings),
        error=stage.error,
        limit=stage.limit,
        shrunk=dict(stage.shrunk),
        calls=[_call(call) for call in stage.calls],
    )


def _hit(hit: RecordedHit) -> HitPart:
    return HitPart(
        id=hit.id,
        score=_number(hit.score),
        scores={name: _score(score) for name, score in hit.scores.items()},
        extra=dict(hit.extra),
        is_document=hit.is_document,
    )


def _number(value: float) -> Number:
    return "NaN" if math.isnan(value) else _score(value)


def _score(value: float) -> Score:
    if math.isfinite(value):
        return value
    return "Infinity" if value > 0 else "-Infinity"


def _call(call: RecordedCall) -> CallPart:
    raised = call.raised
    return CallPart(
        port=call.port,
        method=call.method,
        asked=call.asked,
        answer=_plain(call.answer),
        raised=RaisedPart(
            type=raised.type, message=raised.message, details=raised.details, problems=raised.problems
        )
        if raised
        else None,
    )  # fmt: skip


def _plain(value: Any) -> Any:
    """Bytes as base64. An object of the caller's that looks the same is wrapped once more."""
    if isinstance(value, bytes):
        return {BYTES: base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        plain = {str(key): _plain(item) for key, item in value.items()}
        return {BYTES: plain} if plain.keys() == {BYTES} else plain
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
