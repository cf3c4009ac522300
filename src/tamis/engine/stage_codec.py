"""Stages' outcomes to bytes and back, each document once however many stages it went through."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tamis.engine.events import StageFinished
from tamis.engine.stage import Outcome
from tamis.engine.tape import RecordedCall
from tamis.model.document import Document
from tamis.model.hits import Hit, Hits
from tamis.model.json_hints import open_json


class _Hit(msgspec.Struct, array_like=True):
    """document: its place among the documents; -1 for a row that a stage made."""

    id: str
    score: float
    document: int
    scores: dict[str, float]
    extra: dict[str, Any]


class _Outcome(msgspec.Struct, array_like=True):
    returned: list[_Hit]
    documents: list[Document]
    processed: int | None
    tokens_used: int | None
    llm_calls: int | None
    metadata: dict[str, Any]
    warnings: list[str]
    calls: list[RecordedCall] | None
    parameters: dict[str, Any] | None = None


class _Stage(msgspec.Struct, array_like=True):
    """received: None where it is what the stage before returned.  returned: None where it is what was received."""

    index: int
    stage_name: str
    stage_id: str
    parameters: dict[str, Any] | None
    received: list[_Hit] | None
    returned: list[_Hit] | None
    processed: int
    credits: float
    metadata: dict[str, Any]
    warnings: list[str]
    calls: list[RecordedCall]
    passed_over: str | None = None


class _Stages(msgspec.Struct, array_like=True):
    documents: list[Document]
    stages: list[_Stage]


_encoder = msgspec.msgpack.Encoder()
with open_json(Document):
    _outcomes = msgspec.msgpack.Decoder(_Outcome)
    _pipelines = msgspec.msgpack.Decoder(_Stages)


class NotKeepableError(Exception):
    """The value holds what does not come back as it went in."""


def encode_outcome(outcome: Outcome, calls: list[RecordedCall] | None = None) -> bytes:
    """calls: what the stage asked of its environment; None where that was not noted. Raises: NotKeepableError."""
    shelf = _Shelf()
    data = _written(
        _Outcome(
            returned=shelf.put(outcome.hits),
            documents=shelf.documents,
            processed=outcome.processed,
            tokens_used=outcome.tokens_used,
            llm_calls=outcome.llm_calls,
            metadata=dict(outcome.metadata),
            warnings=list(outcome.warnings),
            calls=calls,
            parameters=None if outcome.parameters is None else dict(outcome.parameters),
        )
    )
    if decode_outcome(data) != (outcome, calls):
        raise NotKeepableError
    return data


def decode_outcome(data: bytes) -> tuple[Outcome, list[RecordedCall] | None]:
    """Raises: NotKeepableError, for bytes that are none of ours."""
    try:
        raw = _outcomes.decode(data)
    except msgspec.MsgspecError as error:
        raise NotKeepableError from error
    outcome = Outcome(
        hits=_hits(raw.returned, raw.documents),
        processed=raw.processed,
        tokens_used=raw.tokens_used,
        llm_calls=raw.llm_calls,
        metadata=raw.metadata,
        warnings=tuple(raw.warnings),
        parameters=raw.parameters,
    )
    return outcome, raw.calls


def encode_stages(stages: Sequence[StageFinished]) -> bytes:
    """A pipeline that has run to its end. Raises: NotKeepableError."""
    shelf = _Shelf()
    rows = []
    before: Hits | None = None
    for end in stages:
        rows.append(_row(end, before, shelf))
        before = end.returned
    data = _written(_Stages(shelf.documents, rows))
    if [_kept(end) for end in decode_stages(data)] != [_kept(end) for end in stages]:
        raise NotKeepableError
    return data


def decode_stages(data: bytes) -> list[StageFinished]:
    """The stages as a cache answers them: they took no time and cost nothing. Raises: NotKeepableError."""
    try:
        raw = _pipelines.decode(data)
    except msgspec.MsgspecError as error:
        raise NotKeepableError from error
    stages: list[StageFinished] = []
    before = Hits()
    for row in raw.stages:
        received = before if row.received is None else _hits(row.received, raw.documents)
        # The same object where nothing was changed, so that the record of a cached run is as short as of a fresh one.
        before = received if row.returned is None else _hits(row.returned, raw.documents)
        stages.append(_ended(row, received, before))
    return stages


def _kept(end: StageFinished) -> tuple[Any, ...]:
    return (
        end.received,
        end.returned,
        end.parameters,
        end.metadata,
        end.passed_over,
        [call.recorded() for call in end.calls],
    )


def _row(end: StageFinished, before: Hits | None, shelf: "_Shelf") -> _Stage:
    follows = end.received is before or (before is None and not end.received)
    return _Stage(
        index=end.index,
        stage_name=end.stage_name,
        stage_id=end.stage_id,
        parameters=None if end.parameters is None else dict(end.parameters),
        received=None if follows else shelf.put(end.received),
        returned=None if end.returned is end.received else shelf.put(end.returned),
        processed=end.processed,
        credits=end.credits_used + end.credits_saved,
        metadata=dict(end.metadata),
        warnings=list(end.warnings),
        calls=[call.recorded() for call in end.calls],
        passed_over=end.passed_over,
    )


def _ended(row: _Stage, received: Hits, returned: Hits) -> StageFinished:
    return StageFinished(
        index=row.index,
        stage_name=row.stage_name,
        stage_id=row.stage_id,
        parameters=row.parameters,
        received=received,
        returned=returned,
        processed=row.processed,
        duration_ms=0.0,
        credits_used=0.0,
        cache_hit=True if row.passed_over is None else None,
        passed_over=row.passed_over,
        metadata=row.metadata,
        warnings=tuple(row.warnings),
        calls=row.calls,
        credits_saved=row.credits,
    )


@dataclass(slots=True)
class _Shelf:
    """Documents, each once. Kept by the object: one that two stages read apart is written twice, and as it was."""

    documents: list[Document] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)

    def put(self, hits: Hits) -> list[_Hit]:
        return [_Hit(hit.id, hit.score, self._place(hit), dict(hit.scores), dict(hit.extra)) for hit in hits]

    def _place(self, hit: Hit) -> int:
        document = hit.document
        if document is None:
            return -1
        place = self.places.setdefault(id(document), len(self.documents))
        if place == len(self.documents):
            self.documents.append(document)
        return place


def _hits(rows: Sequence[_Hit], documents: Sequence[Document]) -> Hits:
    return Hits.of(
        Hit(row.id, row.score, documents[row.document] if row.document >= 0 else None, row.scores, row.extra)
        for row in rows
    )


def _written(value: msgspec.Struct) -> bytes:
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise NotKeepableError from error
