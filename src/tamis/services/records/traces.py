"""What happened in an execution, stage by stage, and how what it saw stands today."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ValidationError
from tamis.executions.diff import stage_names
from tamis.executions.opening import OpenedRecord
from tamis.executions.record import Record
from tamis.executions.trace import Present, Trace, View, read_pages
from tamis.model.execution import StoredExecution
from tamis.model.principal import Principal
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.records.large_values import LargeValues


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """stage: a name, or a place in the pipeline from 0; None for every stage.  side: `in`, `out`, None for both.

    full_inputs: whether large inputs are put back in place of their references.
    """

    stage: str | None = None
    side: str | None = None
    offset: int = 0
    limit: int = 10
    full_inputs: bool = False


class TraceService:
    def __init__(self, metadata: Metadata, records: ExecutionRecords) -> None:
        self._metadata = metadata
        self._records = records

    async def trace(
        self, principal: Principal, execution_id: str, asked: TraceRequest, retriever: str | None = None
    ) -> Trace:
        """Of one that ended or, as far as it has come, of one that runs. Raises: NotFoundError, ValidationError."""
        stored = await self._records.find(principal, execution_id, retriever)
        return await self._metadata.read(lambda session: _trace(session, principal, stored, asked))


def trace_of(stored: StoredExecution, asked: TraceRequest) -> Trace:
    """Of a record alone, on a machine that need not know anything else of it. Raises: StorageError, ValidationError."""
    opened = OpenedRecord(stored)
    view = _view(opened.record, asked)
    record = opened.record
    return Trace(record, view, read_pages(opened, view), opened.call_counts, record.inputs, Present())


def _trace(session: Session, principal: Principal, stored: StoredExecution, asked: TraceRequest) -> Trace:
    bare = trace_of(stored, asked)
    record = bare.record
    inputs: Mapping[str, Any] = record.inputs
    if asked.full_inputs:
        inputs = LargeValues(session, principal).restored(dict(inputs))
    present = Present() if record.imported else _present(session, principal, bare)
    return Trace(record, bare.view, bare.pages, bare.calls, inputs, present)


def _present(session: Session, principal: Principal, trace: Trace) -> Present:
    documents = session.documents.get_many(principal, trace.document_ids)
    found = [session.collections.get(principal, one.collection_id) for one in trace.record.collections]
    return Present(
        documents={key: document.revision for key, document in documents.items()},
        collections={one.collection_id: one.revision for one in found if one is not None},
    )


def _view(record: Record, asked: TraceRequest) -> View:
    place = None if asked.stage is None else place_of(record, asked.stage)
    return View(place, None if asked.side is None else asked.side == "out", asked.offset, asked.limit)


def place_of(record: Record, stage: str) -> int:
    """Of a stage that a query parameter names, by name or place. Raises: ValidationError."""
    names = stage_names(record)
    if stage in names:
        return names.index(stage)
    if stage.isascii() and stage.isdigit() and int(stage[:9]) < len(names):
        return int(stage[:9])
    known = ", ".join(names)
    raise ValidationError.at(["query", "stage"], f"this execution's stages are {known}; or a place from 0")
