"""An exported execution read back, trusting nothing in it: shape, sizes, order, hashes."""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from tamis.engine.raised import Raised
from tamis.errors import ValidationError
from tamis.executions.export import BYTES
from tamis.executions.export_format import (
    FILE_FORMAT,
    CallPart,
    DefinitionPart,
    DocumentPart,
    ExecutionFile,
    HitPart,
    SpecPart,
    StagePart,
)
from tamis.executions.record import (
    CollectionState,
    Imported,
    Record,
    RecordedCall,
    RecordedError,
    RecordedHit,
    RecordedStage,
    Replay,
    StageOutcome,
)
from tamis.model.canonical import sha1_of, sha256_of
from tamis.model.execution import ExecutionHeader, ExecutionStatus

IMPORTED = "imported"
_RECORD_FORMAT = 1
_PATH = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\.\.\.\]")
P = TypeVar("P")


def read_file(value: Any) -> Record:
    """As it is stored here, its mode `imported`. value: parsed JSON.

    Raises: ValidationError that names the place, for whatever no export could have written.
    """
    if not isinstance(value, dict) or value.get("format") != FILE_FORMAT:
        raise ValidationError.at(["body", "format"], f"an exported execution says {FILE_FORMAT!r} here")
    file = _shaped(value, ExecutionFile, ["body"])
    specs = _checked_specs(file)
    _check_hashes(file)
    stages = tuple(_stages(file.stages, specs))
    imported = Imported(
        retriever_id=file.execution.retriever_id,
        mode=file.execution.mode,
        documents={key: msgspec.to_builtins(one) for key, one in file.documents.items()},
    )
    context = file.context
    return Record(
        format=_RECORD_FORMAT,
        header=_header(file),
        inputs=file.inputs,
        definition=file.definition,
        definition_hash=file.definition_hash,
        retriever_version=file.execution.retriever_version,
        seed=context.seed,
        code_version=context.code_version,
        models=context.models,
        collections=tuple(
            CollectionState(one.collection_id, one.extractor_id, one.revision, one.version)
            for one in context.collections
        ),
        revisions={key: revision for key, revision in file.revisions.items() if revision},
        stages=stages,
        warnings=tuple(context.warnings),
        error=RecordedError(context.error.type, context.error.message, context.error.details)
        if context.error
        else None,
        replay=Replay(context.replay.replay_of, context.replay.mode) if context.replay else None,
        traceparent=context.traceparent,
        left_out=tuple(context.left_out),
        imported=imported,
        is_taped=context.is_taped,
        narrowing=context.narrowing,
    )


def documents_of(record: Record) -> dict[str, DocumentPart]:
    """Those that came with an imported record, large values restored."""
    kept = record.imported.documents if record.imported else {}
    return msgspec.convert(dict(kept), dict[str, DocumentPart])


def _shaped(value: Any, kind: type[P], here: list[str | int]) -> P:
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError, OverflowError) as error:
        says, _, path = str(error).partition(" - at `$")
        raise ValidationError.at([*here, *_loc(path.rstrip("`"))], says) from None


def _loc(path: str) -> list[str | int]:
    return [int(number) if number else name or "..." for name, number in _PATH.findall(path)]


def _check_hashes(file: ExecutionFile) -> None:
    """A file that was changed by hand is no record of anything."""
    if sha256_of(file.definition, ["body", "definition"]) != file.definition_hash:
        raise ValidationError.at(["body", "definition_hash"], "not the hash of this definition: the file was changed")
    told = file.execution.inputs_hash
    left_out = "inputs" in file.context.left_out
    if told is not None and not left_out and sha1_of(file.inputs, ["body", "inputs"]) != told:
        raise ValidationError.at(
            ["body", "execution", "inputs_hash"], "not the hash of these inputs: the file was changed"
        )


def _checked_specs(file: ExecutionFile) -> list[SpecPart]:
    here: list[str | int] = ["body", "definition"]
    specs = _shaped(file.definition, DefinitionPart, here).stages
    if len(specs) != file.execution.total_stages:
        raise ValidationError.at([*here, "stages"], f"the {file.execution.total_stages} stages of the execution")
    if len({spec.stage_name for spec in specs}) != len(specs):
        raise ValidationError.at([*here, "stages"], "names are unique in a pipeline")
    return specs


def _stages(parts: Sequence[StagePart], specs: Sequence[SpecPart]) -> Iterator[RecordedStage]:
    before: tuple[RecordedHit, ...] = ()
    last = -1
    for place, part in enumerate(parts):
        here: list[str | int] = ["body", "stages", place]
        if not last < part.index < len(specs):
            raise ValidationError.at([*here, "index"], "a place in the pipeline, greater than the stage's before it")
        received = before if part.received is None else _hits(part.received, [*here, "received"])
        returned = received if part.returned is None else _hits(part.returned, [*here, "returned"])
        last, before = part.index, returned
        yield _stage(part, specs[part.index], received, returned, [*here, "calls"])


def _stage(
    part: StagePart,
    spec: SpecPart,
    received: tuple[RecordedHit, ...],
    returned: tuple[RecordedHit, ...],
    here: list[str | int],
) -> RecordedStage:
    return RecordedStage(
        index=part.index,
        stage_name=spec.stage_name,
        stage_id=spec.stage_id,
        outcome=StageOutcome(part.outcome),
        parameters=part.parameters,
        received=received,
        returned=returned,
        processed=part.processed,
        duration_ms=part.duration_ms,
        credits_used=part.credits_used,
        tokens_used=part.tokens_used,
        llm_calls=part.llm_calls,
        cache_key=part.cache_key,
        cache_hit=part.cache_hit,
        metadata=part.metadata,
        warnings=tuple(part.warnings),
        error=part.error,
        limit=part.limit,
        calls=tuple(_call(call, [*here, place]) for place, call in enumerate(part.calls)),
        credits_saved=part.credits_saved,
        shrunk=part.shrunk,
    )


def _hits(parts: Sequence[HitPart], here: list[str | int]) -> tuple[RecordedHit, ...]:
    if len({part.id for part in parts}) != len(parts):
        raise ValidationError.at(here, "an id is there twice")
    return tuple(
        RecordedHit(
            part.id,
            float(part.score),
            {name: float(score) for name, score in part.scores.items()},
            part.extra,
            part.is_document,
        )
        for part in parts
    )


def _call(part: CallPart, here: list[str | int]) -> RecordedCall:
    raised = part.raised
    note = Raised(raised.type, raised.message, raised.details, raised.problems) if raised else None
    return RecordedCall(part.port, part.method, part.asked, _whole(part.answer, [*here, "answer"]), note)


def _whole(value: Any, here: list[str | int]) -> Any:
    if isinstance(value, list):
        return [_whole(item, here) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() != {BYTES}:
        return {key: _whole(item, here) for key, item in value.items()}
    inner = value[BYTES]
    if isinstance(inner, dict):
        return {key: _whole(item, here) for key, item in inner.items()}
    try:
        return base64.b64decode(inner, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise ValidationError.at(here, f"{BYTES} holds base64") from None


def _header(file: ExecutionFile) -> ExecutionHeader:
    """Listed among the anonymous ones: its retriever lives elsewhere, if it lives."""
    told = file.execution
    if told.stages_completed > told.total_stages:
        raise ValidationError.at(["body", "execution", "stages_completed"], "at most total_stages")
    return ExecutionHeader(
        execution_id=told.execution_id,
        mode=IMPORTED,
        status=ExecutionStatus(told.status),
        started_at=_moment(told.started_at),
        duration_ms=told.duration_ms,
        credits_used=told.credits_used,
        total_processed=told.total_processed,
        total_returned=told.total_returned,
        total_stages=told.total_stages,
        stages_completed=told.stages_completed,
        collection_ids=tuple(told.collection_ids),
        cache_hit_rate=told.cache_hit_rate,
        query_summary=told.query_summary,
        inputs_hash=told.inputs_hash,
        error=told.error,
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1970 <= moment.year <= 9998:
        raise ValidationError.at(
            ["body", "execution", "started_at"], "RFC 3339 with its offset, such as 2026-01-01T00:00:00.000000Z"
        )
    return moment.astimezone(UTC)
