"""What single executions say of a retriever: what caches answered, what filters took out, what rerankers scored."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from statistics import fmean, median
from types import MappingProxyType

from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.ports.metadata import Session
from tamis.engine.stage import StageKind
from tamis.engine.stages import STAGES
from tamis.errors import StorageError, ValidationError
from tamis.executions.codec import decode
from tamis.executions.record import Record, RecordedStage
from tamis.model.execution import ExecutionHeader
from tamis.model.json import JSON
from tamis.model.principal import Principal

MOST_LOOKED_AT = 2_000
"""Records that are looked through for the signals of one answer, the newest."""
_RERANKERS = frozenset({"rerank", "maxsim_rerank", "mmr"})
_EXPANDERS = frozenset({"query_expand"})


@dataclass(frozen=True, slots=True)
class Signal:
    """kind: one of KINDS.  stage_name: None where it is of the whole execution."""

    at: datetime
    execution_id: str
    kind: str
    data: Mapping[str, JSON]
    stage_name: str | None = None


def signals(
    session: Session, principal: Principal, retriever_id: str, start: datetime, kind: str | None, limit: int
) -> Sequence[Signal]:
    """Newest first. kind: None takes all. Cost: at most MOST_LOOKED_AT records. Raises: ValidationError (kind)."""
    if kind is not None and kind not in KINDS:
        raise ValidationError.at(["query", "signal_type"], f"one of {', '.join(KINDS)}, not {kind!r}")
    query = ExecutionQuery(retriever_id=retriever_id, start=start)
    headers = islice(session.executions.newest(principal, query), MOST_LOOKED_AT)
    found = (one for header in headers for one in _of(session, principal, header, kind))
    return list(islice(found, limit))


def _of(session: Session, principal: Principal, header: ExecutionHeader, kind: str | None) -> Iterator[Signal]:
    stored = session.executions.get(principal, header.execution_id)
    if stored is None:
        return
    try:
        record = decode(stored)
    except StorageError:  # a damaged record says nothing
        return
    for name, read in KINDS.items():
        if kind in (None, name):
            for stage_name, data in read(record):
                yield Signal(header.started_at, header.execution_id, name, data, stage_name)


def _cache_hit(record: Record) -> Iterator[tuple[str | None, Mapping[str, JSON]]]:
    yield from _cached(record, True)


def _cache_miss(record: Record) -> Iterator[tuple[str | None, Mapping[str, JSON]]]:
    yield from _cached(record, False)


def _cached(record: Record, is_hit: bool) -> Iterator[tuple[str | None, Mapping[str, JSON]]]:
    asked = [stage.cache_hit for stage in record.stages if stage.cache_hit is not None]
    if asked and all(asked) == is_hit:
        answered: dict[str, JSON] = {"stages_from_cache": sum(asked), "stages_asked": len(asked)}
        yield None, {**answered, "latency_ms": record.header.duration_ms}


def _reduction(record: Record) -> Iterator[tuple[str | None, Mapping[str, JSON]]]:
    for stage in record.stages:
        kind = getattr(STAGES.get(stage.stage_id), "kind", None)
        if kind is StageKind.FILTER and stage.received:
            kept, given = len(stage.returned), len(stage.received)
            yield stage.stage_name, {**_flow(stage), "reduction": 1 - kept / given}


def _rerank_scores(record: Record) -> Iterator[tuple[str | None, Mapping[str, JSON]]]:
    for stage in record.stages:
        scores = [hit.score for hit in stage.returned]
        if stage.stage_id in _RERANKERS and scores:
            spread: dict[str, JSON] = {"min": min(scores), "max": max(scores), "mean": fmean(scores)}
            yield stage.stage_name, {**_flow(stage), **spread, "median": median(scores)}


def _expansion(record: Record) -> Iterator[tuple[str | None, Mapping[str, JSON]]]:
    for stage in record.stages:
        if stage.stage_id in _EXPANDERS and "queries" in stage.metadata:
            yield stage.stage_name, {**_flow(stage), "queries": stage.metadata["queries"]}


def _flow(stage: RecordedStage) -> dict[str, JSON]:
    return {
        "stage_id": stage.stage_id,
        "documents_in": len(stage.received),
        "documents_out": len(stage.returned),
        "latency_ms": stage.duration_ms,
    }


KINDS: Mapping[str, Callable[[Record], Iterator[tuple[str | None, Mapping[str, JSON]]]]] = MappingProxyType(
    {
        "cache_hit": _cache_hit,
        "cache_miss": _cache_miss,
        "rerank_scores": _rerank_scores,
        "filter_reduction": _reduction,
        "expansion_results": _expansion,
    }
)
