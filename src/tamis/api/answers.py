"""Executions to JSON, straight from the hits: the hot path makes no model of each document."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson
from fastapi import Response

from tamis.api.links import Link, show_blobs
from tamis.engine.events import StageCut, StageEnd, StageFailed, StageFinished
from tamis.engine.planning import definition
from tamis.engine.planning.rewrites import REWRITE
from tamis.engine.run import efficiency
from tamis.executions.record import PAGINATION, Record, RecordedStage, StageOutcome
from tamis.model.execution import ANONYMOUS, SAVED
from tamis.model.hits import Hit
from tamis.model.json import JSON
from tamis.model.retriever import Budget
from tamis.model.vector import Sparse, Vector
from tamis.services.listing import timestamp
from tamis.services.records.execution_records import SavedExecution, shown_pagination
from tamis.services.runs.execution_runs import Executed

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def json_response(body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(written(body), media_type="application/json", headers=headers)


def written(body: Any) -> bytes:
    """JSON in UTF-8."""
    try:
        return orjson.dumps(body, default=_plain, option=_OPTIONS)
    except TypeError:  # an integer beyond 64 bits
        return json.dumps(body, default=_plain, ensure_ascii=False, separators=(",", ":")).encode()


def executed_response(shown: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """As `json_response` of what `show_executed` gave: documents that stand there twice are written once."""
    if "results" not in shown:
        return json_response(shown, headers)
    try:
        documents = orjson.Fragment(orjson.dumps(shown["documents"], default=_plain, option=_OPTIONS))
        body = orjson.dumps({**shown, "documents": documents, "results": documents}, default=_plain, option=_OPTIONS)
    except TypeError:  # an integer beyond 64 bits
        return json_response(shown, headers)
    return Response(body, media_type="application/json", headers=headers)


def show_executed(executed: Executed, with_results: bool, link: Link | None = None) -> dict[str, Any]:
    """ExecutionAnswer. with_results: whether `documents` stand under `results` too.  link: to their files, if asked."""
    answer = show_outline(executed)
    answer["documents"] = documents = show_documents(executed, executed.documents, link)
    if with_results:
        answer["results"] = documents
    return answer


def show_documents(executed: Executed, hits: Iterable[Hit], link: Link | None = None) -> list[dict[str, Any]]:
    """ResultDocuments, with their vectors where they were asked for. hits: of the answer's documents."""
    vectors = executed.vectors
    return [show_hit(hit, vectors.get(hit.id, {}) if vectors is not None else None, link) for hit in hits]


def show_outline(executed: Executed) -> dict[str, Any]:
    """ExecutionAnswer without its documents."""
    retriever = executed.retriever
    return {
        "execution_id": executed.execution_id,
        "retriever_id": retriever.retriever_id if retriever else None,
        "status": executed.status.value,
        "pagination": executed.pagination,
        "stage_statistics": _statistics(executed),
        "budget": _shown_budget(executed),
        "execution_metadata": {
            "execution_mode": SAVED if retriever else ANONYMOUS,
            "retriever_persisted": retriever is not None,
            "retriever_name": retriever.name if retriever else None,
            "retriever_version": retriever.version if retriever else None,
        },
        **_optimization({end.stage_name: end.metadata for end in executed.stages if isinstance(end, StageFinished)}),
        "error": None,
        "warnings": list(executed.warnings),
    }


def show_hit(hit: Hit, vectors: Mapping[str, Vector] | None = None, link: Link | None = None) -> dict[str, Any]:
    """ResultDocument: what stages added stands over the document's own fields, what names it over both."""
    document = hit.document
    if document is None:
        extra = dict(hit.extra)
        named = {"document_id": hit.id, "collection_id": None, "score": hit.score, "scores": hit.scores}
        return {**extra, **named, "metadata": extra}
    lineage = document.lineage
    shown = {
        **document.fields,
        **hit.extra,
        "document_id": document.document_id,
        "collection_id": document.collection_id,
        "score": hit.score,
        "scores": hit.scores,
        "root_object_id": lineage.root_object_id,
        "root_bucket_id": lineage.root_bucket_id,
        "source_object_id": lineage.source_object_id,
        "source_document_id": lineage.source_document_id,
        "source_collection_id": lineage.source_collection_id,
        "metadata": document.fields,
    }
    if link is not None:
        shown.update(show_blobs(document, link))
    if vectors is not None:
        shown["vectors"] = {name: _show_vector(vector) for name, vector in vectors.items()}
    return shown


def show_detail(execution: SavedExecution, link: Link | None = None) -> dict[str, Any]:
    """ExecutionDetail of a saved retriever's execution."""
    record = execution.record
    header = record.header
    budget = definition.from_json(record.definition).budget
    running = header.status == "processing"
    return {
        "execution_id": header.execution_id,
        "retriever_id": header.retriever_id,
        "status": header.status.value,
        "created_at": timestamp(header.started_at),
        "completed_at": None if running else timestamp(completed_at(header.started_at, header.duration_ms)),
        "current_stage": _current_stage(record) if running else None,
        "documents": [show_hit(hit, link=link) for hit in execution.documents],
        "pagination": {name: value for name, value in shown_pagination(record).items() if name != "start"},
        "stage_statistics": {
            "stages": {stage.stage_name: _recorded_statistics(stage) for stage in record.stages},
            "total_time_ms": header.duration_ms,
            "credits_used": header.credits_used,
        },
        "budget": _recorded_budget(budget, record),
        "error": header.error,
        **_optimization({stage.stage_name: stage.metadata for stage in record.stages}),
        "stages_completed": header.stages_completed,
        "total_stages": header.total_stages,
    }


def completed_at(started_at: datetime, duration_ms: float) -> datetime:
    return started_at + timedelta(milliseconds=duration_ms)


def _current_stage(record: Record) -> str | None:
    stages = record.definition["stages"]
    place = len(record.stages)
    stage = stages[place] if isinstance(stages, list) and place < len(stages) else None
    return str(stage["stage_name"]) if isinstance(stage, dict) else None


def _budget(limits: Budget, credits_used: float, duration_ms: float) -> dict[str, JSON]:
    return {
        "credits_used": credits_used,
        "credits_limit": limits.max_credits,
        "time_elapsed_ms": round(duration_ms, 3),
        "time_limit_ms": limits.max_time_ms,
    }


def _optimization(facts: Mapping[str, Mapping[str, JSON]]) -> dict[str, Any]:
    """facts: of each stage by its name."""
    made = [{"stage_name": name, **one} for name, known in facts.items() if isinstance(one := known.get(REWRITE), dict)]
    return {"optimization_applied": bool(made), "optimization_summary": {"rewrites": made} if made else None}


def _shown_budget(executed: Executed) -> dict[str, JSON]:
    ends = executed.stages
    saved = sum(end.credits_saved for end in ends if isinstance(end, StageFinished))
    cuts = [_cut(end.stage_name, end.limit, {}, end.reason) for end in ends if isinstance(end, StageCut)]
    shrunk = [
        _cut(end.stage_name, "max_credits", end.shrunk, None)
        for end in ends
        if isinstance(end, StageFinished) and end.shrunk
    ]
    budget = _budget(executed.budget, executed.credits_used, executed.duration_ms)
    return {**budget, "credits_saved": round(saved, 9), "cut": [*shrunk, *cuts]}


def _cut(stage_name: str, limit: str | None, shrunk: Mapping[str, JSON], reason: str | None) -> JSON:
    """What the budget took. reason: of a stage that was not run, or not to its end; the run ended there."""
    return {"stage_name": stage_name, "limit": limit, "shrunk": dict(shrunk), "reason": reason}


def _recorded_budget(limits: Budget, record: Record) -> dict[str, JSON]:
    saved = sum(stage.credits_saved for stage in record.stages)
    cuts = [
        _cut(stage.stage_name, stage.limit or "max_credits", stage.shrunk, stage.error if stage.limit else None)
        for stage in record.stages
        if stage.shrunk or stage.limit
    ]
    budget = _budget(limits, record.header.credits_used, record.header.duration_ms)
    return {**budget, "credits_saved": round(saved, 9), "cut": cuts}


def _statistics(executed: Executed) -> dict[str, Any]:
    return {
        "stages": {end.stage_name: stage_statistics(end) for end in executed.stages},
        "total_time_ms": round(executed.duration_ms, 3),
        "credits_used": executed.credits_used,
    }


def stage_statistics(end: StageEnd) -> dict[str, Any]:
    """StageStatistics."""
    if isinstance(end, StageFinished):
        return {
            "input_count": len(end.received),
            "output_count": len(end.returned),
            "duration_ms": round(end.duration_ms, 3),
            "efficiency": efficiency(end),
            "cache_hit": end.cache_hit,
            "error": None,
            "llm_calls": end.llm_calls,
            "tokens_used": end.tokens_used,
            "credits_used": end.credits_used,
            "credits_saved": end.credits_saved,
            "shrunk": end.shrunk,
            "metadata": end.metadata,
        }
    error = end.error.message if isinstance(end, StageFailed) else end.reason
    return {
        "input_count": len(end.received),
        "output_count": len(end.received),
        "duration_ms": round(end.duration_ms, 3),
        "efficiency": 1.0,
        "cache_hit": None,
        "error": error,
        "llm_calls": None,
        "tokens_used": None,
        "credits_used": end.credits_used,
        "credits_saved": 0.0,
        "shrunk": {},
        "metadata": {"limit": end.limit} if isinstance(end, StageCut) else {},
    }


def _recorded_statistics(stage: RecordedStage) -> dict[str, Any]:
    completed = stage.outcome is StageOutcome.COMPLETED
    return {
        "input_count": len(stage.received),
        "output_count": len(stage.returned),
        "duration_ms": stage.duration_ms,
        "efficiency": len(stage.returned) / len(stage.received) if completed and stage.received else 1.0,
        "cache_hit": stage.cache_hit,
        "error": stage.error,
        "llm_calls": stage.llm_calls,
        "tokens_used": stage.tokens_used,
        "credits_used": stage.credits_used,
        "credits_saved": stage.credits_saved,
        "shrunk": stage.shrunk,
        "metadata": {name: value for name, value in stage.metadata.items() if name != PAGINATION},
    }


def _show_vector(vector: Vector) -> Any:
    if isinstance(vector, Sparse):
        return {"indices": vector.indices, "values": vector.values}
    return vector.values


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
