"""Executions as files: out of one server, into another."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, ConflictError, ValidationError
from tamis.executions.codec import decode
from tamis.executions.export import content_of, file_of
from tamis.executions.export_format import DocumentPart
from tamis.executions.importing import documents_of, read_file
from tamis.executions.opening import OpenedRecord
from tamis.executions.record import Record
from tamis.executions.recorder import Recorded
from tamis.executions.writing import stored_of
from tamis.model.canonical import sha1_of
from tamis.model.execution import ExecutionStatus, StoredExecution
from tamis.model.principal import Principal
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.records.large_values import LargeValues
from tamis.services.runs.inflight import InFlight


class ExportService:
    def __init__(self, metadata: Metadata, records: ExecutionRecords, in_flight: InFlight) -> None:
        self._metadata = metadata
        self._records = records
        self._in_flight = in_flight

    async def export(
        self, principal: Principal, execution_id: str, retriever: str | None = None, with_documents: bool = True
    ) -> bytes:
        """The file, JSON. with_documents: with the contents of those that it saw, as far as they are still kept.

        Raises: NotFoundError; ConflictError while it runs.
        """
        stored = await self._records.find(principal, execution_id, retriever)
        if stored.header.status is ExecutionStatus.PROCESSING:
            raise ConflictError(f"execution {execution_id!r} still runs; it can be exported once it has ended")
        return await self._metadata.read(lambda session: _file(session, principal, stored, with_documents))

    async def import_file(self, principal: Principal, value: Any) -> StoredExecution:
        """Store an exported execution under its id, marked as imported. value: the file's JSON.

        Raises: ValidationError where it is no such file; AlreadyExistsError where the id is taken.
        """
        recorded = await asyncio.to_thread(imported, value)
        execution = recorded.execution
        if self._in_flight.get(principal, execution.header.execution_id) is not None:
            raise AlreadyExistsError(f"the execution {execution.header.execution_id!r} exists already")
        await self._metadata.write(
            lambda session: session.executions.insert(principal, execution, recorded.blobs)
        )  # fmt: skip
        return execution


def imported(value: Any) -> Recorded:
    """What is stored of an exported execution. value: the file's JSON.  Raises: ValidationError."""
    record = read_file(value)
    recorded = stored_of(record)
    if OpenedRecord(recorded.execution).record.revisions != record.revisions:
        raise ValidationError.at(["body", "revisions"], "of the documents that the stages hold, and of no others")
    return recorded


def _file(session: Session, principal: Principal, stored: StoredExecution, with_documents: bool) -> bytes:
    record = _restored(session, principal, decode(stored))
    documents = _documents(session, principal, record) if with_documents else {}
    return msgspec.json.encode(file_of(record, documents))


def _restored(session: Session, principal: Principal, record: Record) -> Record:
    """Large values put back in place of their references."""
    large = LargeValues(session, principal)
    inputs = large.restored(dict(record.inputs))
    if record.header.inputs_hash and sha1_of(inputs) != record.header.inputs_hash:
        # What looks like a reference was the caller's own.
        inputs = dict(record.inputs)
    imported = record.imported
    return replace(
        record,
        inputs=inputs,
        definition=large.restored(dict(record.definition)),
        stages=tuple(replace(one, parameters=large.restored(dict(one.parameters))) for one in record.stages),
        imported=replace(imported, documents=large.restored(dict(imported.documents))) if imported else None,
    )


def _documents(session: Session, principal: Principal, record: Record) -> dict[str, DocumentPart]:
    seen = sorted(record.revisions.items())
    if record.imported is not None:
        return documents_of(record)
    if "documents" in record.left_out:
        return {key: DocumentPart(revision, absent="policy") for key, revision in seen}
    kept = session.history.documents(principal, seen)
    lost = [version[0] for version in seen if version not in kept]
    there = session.documents.get_many(principal, lost)
    parts = {}
    for key, revision in seen:
        document = kept.get((key, revision))
        if document is not None:
            parts[key] = DocumentPart(revision, content=content_of(document))
        else:
            parts[key] = DocumentPart(revision, absent="changed" if key in there else "deleted")
    return parts
