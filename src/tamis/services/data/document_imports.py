"""Many documents with vectors of the caller's own: read as they come, kept in chunks, searchable when told so."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import TamisError, ValidationError
from tamis.model.collection import Collection
from tamis.model.document import Document, DocumentWrite, Lineage
from tamis.model.ids import looks_like_id, new_id
from tamis.model.principal import Principal
from tamis.services.data.collections import require_collection
from tamis.services.data.document_lines import Origin, origin_of
from tamis.services.data.document_writes import named_vectors, written_fields
from tamis.services.upkeep.indexing import Indexer

MOST_ERRORS_TOLD = 1000
Room = Callable[[Session, int], None]
"""Raises where so many more documents are more than the organisation may have."""


class Existing(StrEnum):
    """What becomes of a line whose document is there already."""

    REPLACE = "replace"
    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Line:
    """number: of the request's lines, from 1.  body: a document's fields as sent.  vectors: by feature name."""

    number: int
    body: Mapping[str, Any]
    vectors: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class LineError:
    number: int
    document_id: str | None
    message: str


@dataclass(slots=True)
class Imported:
    """lines: those read.  errors: the first thousand of those that failed."""

    collection_id: str
    lines: int = 0
    created: int = 0
    replaced: int = 0
    skipped: int = 0
    failed: int = 0
    errors: list[LineError] = field(default_factory=list)

    def fail(self, errors: Sequence[LineError]) -> None:
        self.failed += len(errors)
        self.errors += errors[: MOST_ERRORS_TOLD - len(self.errors)]


@dataclass(frozen=True, slots=True)
class Brought:
    write: DocumentWrite
    origin: Origin


@dataclass(frozen=True, slots=True)
class _Written:
    created: int
    replaced: int
    skipped: int
    errors: Sequence[LineError]


class DocumentImports:
    """Each chunk is one transaction. The index takes what was written while the next chunks are read and written."""

    def __init__(self, metadata: Metadata, indexer: Indexer) -> None:
        self._metadata = metadata
        self._indexer = indexer

    async def run(
        self,
        principal: Principal,
        collection: str,
        chunks: AsyncIterator[Sequence[Line | LineError]],
        existing: Existing = Existing.REPLACE,
        room: Room | None = None,
    ) -> Imported:
        """A bad line fails alone. What a chunk wrote stays if a later one cannot be read or written.

        Raises: NotFoundError, QuotaExceededError and what `chunks` raises, with `details.documents_written`.
        """
        found = await self._metadata.read(lambda session: require_collection(session, principal, collection))
        done = Imported(found.collection_id)
        indexing: asyncio.Task[int] | None = None
        try:
            async for chunk in chunks:
                for part in _without_repeats(chunk):
                    brought, errors = await asyncio.to_thread(prepared, found, part)
                    await self._write(principal, done, brought, errors, existing, room)
                done.lines += len(chunk)
                if indexing is not None:
                    await indexing
                indexing = asyncio.create_task(self._indexer.apply(principal, found.collection_id))
        except TamisError as error:
            error.details["documents_written"] = done.created + done.replaced
            raise
        finally:
            if indexing is not None:
                await indexing
        return done

    async def _write(
        self,
        principal: Principal,
        done: Imported,
        brought: Mapping[int, Brought],
        errors: Sequence[LineError],
        existing: Existing,
        room: Room | None,
    ) -> None:
        def write(session: Session) -> _Written:
            return _written(session, principal, done.collection_id, brought, existing, room)

        written = await self._metadata.write(write)
        done.created += written.created
        done.replaced += written.replaced
        done.skipped += written.skipped
        done.fail(sorted([*errors, *written.errors], key=lambda each: each.number))


def _written(
    session: Session,
    principal: Principal,
    collection_id: str,
    lines: Mapping[int, Brought],
    existing: Existing,
    room: Room | None,
) -> _Written:
    """Within the transaction: only here is it known what exists already."""
    before = session.documents.get_many(principal, [one.write.document.document_id for one in lines.values()])
    errors: list[LineError] = []
    kept: list[DocumentWrite] = []
    for number, brought in lines.items():
        key = brought.write.document.document_id
        there = before.get(key)
        if there is None:
            kept.append(brought.write)
        elif existing is Existing.FAIL or there.collection_id != collection_id:
            errors.append(LineError(number, key, f"document {key!r} exists {_where(there, collection_id)}"))
        elif existing is Existing.REPLACE:
            kept.append(_in_place_of(there, brought))
    replaced = sum(write.document.document_id in before for write in kept)
    created = len(kept) - replaced
    if room is not None and created:
        room(session, created)
    if kept:
        session.documents.put(principal, collection_id, kept)
    return _Written(created, replaced, len(lines) - len(errors) - len(kept), errors)


def _in_place_of(there: Document, brought: Brought) -> DocumentWrite:
    """What a line says nothing of stays: since when the document is there, where it comes from, its files."""
    document = replace(
        brought.write.document,
        created_at=brought.origin.created_at or there.created_at,
        lineage=brought.origin.lineage or there.lineage,
        blobs=there.blobs,
        source_blobs=there.source_blobs,
        history=there.history,
    )
    return replace(brought.write, document=document)


def _where(document: Document, collection_id: str) -> str:
    return "already" if document.collection_id == collection_id else "in another collection"


def _without_repeats(chunk: Sequence[Line | LineError]) -> Iterator[Sequence[Line | LineError]]:
    """The chunk, cut before each line whose document an earlier one has: a later line finds the earlier one written."""
    part: list[Line | LineError] = []
    seen: set[str] = set()
    for line in chunk:
        key = line.document_id if isinstance(line, Line) else None
        if key in seen:
            yield part
            part, seen = [], set()
        if key is not None:
            seen.add(key)
        part.append(line)
    yield part


def prepared(collection: Collection, lines: Sequence[Line | LineError]) -> tuple[dict[int, Brought], list[LineError]]:
    """(documents by their line's number, the lines that are none)"""
    now = datetime.now(UTC)
    found: dict[int, Brought] = {}
    errors: list[LineError] = []
    for line in lines:
        if isinstance(line, LineError):
            errors.append(line)
            continue
        try:
            found[line.number] = _document(collection, line, now)
        except ValidationError as error:
            errors.append(LineError(line.number, line.document_id, error.message))
    return found, errors


def _document(collection: Collection, line: Line, now: datetime) -> Brought:
    document_id = line.document_id or new_id("doc")
    if not document_id.startswith("doc_") or not looks_like_id(document_id):
        raise ValidationError.at(["document_id"], "an id such as doc_... with 20 or more of 0-9 and a-z")
    origin = origin_of(line.body)
    document = Document(
        document_id=document_id,
        collection_id=collection.collection_id,
        fields=written_fields(line.body),
        created_at=origin.created_at or now,
        updated_at=origin.updated_at or now,
        lineage=origin.lineage or Lineage(),
    )
    return Brought(DocumentWrite(document, named_vectors(collection, line.vectors, ["vectors"])), origin)
