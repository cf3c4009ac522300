"""From a trace to what is answered."""

from datetime import timedelta
from typing import Literal

from tamis.api.schemas.trace import (
    TracedCollection,
    TracedDocuments,
    TracedError,
    TracedHit,
    TracedHits,
    TracedImport,
    TracedReplay,
    TracedStage,
    TraceResponse,
)
from tamis.executions.opening import Side
from tamis.executions.record import RecordedHit, RecordedStage
from tamis.executions.trace import HitPage, Trace
from tamis.model.execution import ExecutionStatus


def show_trace(trace: Trace) -> TraceResponse:
    record = trace.record
    header = record.header
    running = header.status is ExecutionStatus.PROCESSING
    return TraceResponse(
        execution_id=header.execution_id,
        retriever_id=header.retriever_id,
        retriever_version=record.retriever_version,
        execution_mode=header.mode,
        status=header.status.value,
        timestamp=header.started_at,
        completed_at=None if running else header.started_at + timedelta(milliseconds=header.duration_ms),
        duration_ms=header.duration_ms,
        credits_used=header.credits_used,
        credits_saved=round(sum(stage.credits_saved for stage in record.stages), 9),
        total_processed=header.total_processed,
        total_returned=header.total_returned,
        total_stages=header.total_stages,
        stages_completed=header.stages_completed,
        cache_hit_rate=header.cache_hit_rate,
        collection_ids=list(header.collection_ids),
        query_summary=header.query_summary,
        inputs=dict(trace.inputs),
        inputs_hash=header.inputs_hash,
        definition=dict(record.definition),
        definition_hash=record.definition_hash,
        seed=record.seed,
        code_version=record.code_version,
        record_format=record.format,
        models=dict(record.models),
        collections=_collections(trace),
        traceparent=record.traceparent,
        replay=TracedReplay(replay_of=record.replay.of, mode=record.replay.mode) if record.replay else None,
        imported=_imported(trace),
        left_out=list(record.left_out),
        warnings=list(record.warnings),
        error=_error(trace),
        stages=_stages(trace, running),
    )


def _collections(trace: Trace) -> list[TracedCollection]:
    return [
        TracedCollection(
            collection_id=one.collection_id,
            extractor_id=one.extractor_id,
            revision=one.revision,
            current_revision=trace.present.collections.get(one.collection_id),
        )
        for one in trace.record.collections
    ]


def _imported(trace: Trace) -> TracedImport | None:
    imported = trace.record.imported
    return TracedImport(retriever_id=imported.retriever_id, execution_mode=imported.mode) if imported else None


def _error(trace: Trace) -> TracedError | None:
    error = trace.record.error
    return TracedError(type=error.code, message=error.message, details=dict(error.details)) if error else None


def _stages(trace: Trace, running: bool) -> list[TracedStage]:
    ran = {stage.index: position for position, stage in enumerate(trace.record.stages)}
    next_place = max(ran, default=-1) + 1
    specs = trace.record.definition["stages"]
    shown = []
    for place, name in trace.stages:
        if place in ran:
            shown.append(_stage(trace, ran[place]))
            continue
        spec = specs[place] if isinstance(specs, list) else None
        outcome = "running" if running and place == next_place else "not_run"
        stage_id = str(spec["stage_id"]) if isinstance(spec, dict) else ""
        shown.append(TracedStage(stage_index=place, stage_name=name, stage_id=stage_id, outcome=outcome))
    return shown


def _stage(trace: Trace, position: int) -> TracedStage:
    stage: RecordedStage = trace.record.stages[position]
    received, returned = trace.pages[Side(position, False)], trace.pages[Side(position, True)]
    before = trace.record.stages[:position]
    return TracedStage(
        stage_index=stage.index,
        stage_name=stage.stage_name,
        stage_id=stage.stage_id,
        outcome=stage.outcome.value,
        parameters=dict(stage.parameters),
        received=received.total,
        processed=stage.processed,
        returned=returned.total,
        start_ms=round(sum(one.duration_ms for one in before), 3),
        duration_ms=stage.duration_ms,
        credits_used=stage.credits_used,
        credits_saved=stage.credits_saved,
        tokens_used=stage.tokens_used,
        llm_calls=stage.llm_calls,
        cache_key=stage.cache_key,
        cache_hit=stage.cache_hit,
        calls=trace.calls[position],
        error=stage.error,
        limit=stage.limit,
        shrunk=dict(stage.shrunk),
        metadata=dict(stage.metadata),
        warnings=list(stage.warnings),
        documents=TracedDocuments(received=_page(trace, received), returned=_page(trace, returned)),
    )


def _page(trace: Trace, page: HitPage) -> TracedHits:
    if page.hits is None:
        return TracedHits(total=page.total, offset=page.offset, items=None)
    items = [_hit(trace, rank, hit) for rank, hit in enumerate(page.hits, start=page.offset + 1)]
    return TracedHits(total=page.total, offset=page.offset, items=items)


def _hit(trace: Trace, rank: int, hit: RecordedHit) -> TracedHit:
    return TracedHit(
        rank=rank,
        document_id=hit.id,
        score=hit.score,
        scores=dict(hit.scores),
        extra=dict(hit.extra),
        is_document=hit.is_document,
        revision=trace.record.revisions.get(hit.id),
        now=_now(trace, hit),
    )


def _now(trace: Trace, hit: RecordedHit) -> Literal["unchanged", "changed", "deleted"] | None:
    known = trace.present.documents
    seen = trace.record.revisions.get(hit.id)
    if known is None or seen is None or not hit.is_document:
        return None
    if hit.id not in known:
        return "deleted"
    return "unchanged" if known[hit.id] == seen else "changed"
