"""What a chunk came to goes into the system of record in one transaction: documents, items, objects, next tier."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from tamis.engine.ports.extraction import ExtractionFailure, Segment
from tamis.engine.ports.metadata import Session
from tamis.jobs.calling import Result
from tamis.jobs.extraction_counting import counted
from tamis.jobs.loading import Kept, LeftOut, Load, Loaded, Unloadable
from tamis.jobs.made_files import references
from tamis.jobs.unchanged import mark
from tamis.model.batch import BatchItem, ItemStatus, TaskStatus, Tier
from tamis.model.bucket import BucketObject
from tamis.model.collection import Collection
from tamis.model.document import Document, DocumentWrite, LineageStep, ProcessingStep
from tamis.model.ids import derived_id
from tamis.model.principal import Principal
from tamis.services.data.batch_tiers import fed_by

_HISTORY = 100
"""Of a document's processing, so many of the newest steps are kept."""
COLLECTION_GONE = "the collection was deleted"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Sources of one collection, and what the extractor answered for those that could be loaded.

    holder: who needs the files that it made, until documents name them.  keys: where these lie, by content.
    took_us: by source, of those that the extractor was asked for: its part of the call.
    """

    tier: Tier
    collection: Collection
    loads: Sequence[Load]
    results: Mapping[str, Result]
    holder: str
    keys: Mapping[str, str]
    took_us: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Committed:
    """touched: collections whose index has work now."""

    done: int
    failed: int
    documents: int
    touched: tuple[str, ...]


def commit(
    session: Session,
    principal: Principal,
    chunk: Chunk,
    tiers: Sequence[Tier],
    follow_objects: bool,
    keep_history: bool,
) -> Committed:
    """Write a chunk. follow_objects: the objects' status is this chunk's to set, no other collection takes them.

    keep_history: each document is told that this batch made it.

    A source that was changed or deleted while it was being extracted goes on waiting: what was made of its former
    state is dropped. Where the collection itself is gone, its sources have failed.
    """
    if session.collections.get(principal, chunk.collection.collection_id) is None:
        return _without_collection(session, principal, chunk, follow_objects)
    chunk = replace(chunk, loads=_not_overtaken(session, principal, chunk))
    if not chunk.loads:
        return Committed(0, 0, 0, ())
    items = [_outcome(load, chunk) for load in chunk.loads]
    writes = _writes(session, principal, chunk, keep_history)
    if writes:
        session.documents.put(principal, chunk.collection.collection_id, writes)
    kept = [document_id for load in chunk.loads if isinstance(load, Kept) for document_id in load.document_ids]
    touched = _remove_stale(session, principal, chunk, {write.document.document_id for write in writes})
    session.batches.update_items(principal, items)
    session.extractions.add(principal, counted(chunk.collection, items, chunk.took_us, datetime.now(UTC)))
    made = [*(write.document.document_id for write in writes), *kept]
    _feed(session, principal, chunk, items[0].batch_id, made, tiers)
    if follow_objects:
        _mark_objects(session, principal, items)
    failures = sum(item.status is ItemStatus.FAILED for item in items)
    touched = tuple(dict.fromkeys((chunk.collection.collection_id, *touched)))
    return Committed(len(items) - failures, failures, len(writes), touched)


def _not_overtaken(session: Session, principal: Principal, chunk: Chunk) -> list[Load]:
    ids = [load.batch_item.source_id for load in chunk.loads]
    found: Mapping[str, BucketObject | Document]
    if chunk.collection.source.type == "bucket":
        found = session.objects.get_many(principal, ids)
    else:
        found = session.documents.get_many(principal, ids)
    now = {source_id: source.updated_at for source_id, source in found.items()}
    return [
        load
        for load in chunk.loads
        if isinstance(load, Unloadable) or load.changed_at == now.get(load.batch_item.source_id)
    ]


def _without_collection(session: Session, principal: Principal, chunk: Chunk, follow_objects: bool) -> Committed:
    items = [failed(load.batch_item, COLLECTION_GONE) for load in chunk.loads]
    session.batches.update_items(principal, items)
    if follow_objects:
        _mark_objects(session, principal, items)
    return Committed(0, len(items), 0, ())


def failed(item: BatchItem, reason: str) -> BatchItem:
    return replace(item, status=ItemStatus.FAILED, error=reason, error_type="validation")


def _outcome(load: Load, chunk: Chunk) -> BatchItem:
    item = load.batch_item
    attempts = item.attempts + 1
    if isinstance(load, Kept):
        return replace(item, status=ItemStatus.DONE, attempts=attempts, error=None, error_type=None,
                       documents=len(load.document_ids))  # fmt: skip
    result = load.failure if isinstance(load, Unloadable) else chunk.results.get(item.source_id, ())
    if isinstance(result, ExtractionFailure):
        return replace(
            item, status=ItemStatus.FAILED, attempts=attempts, error=result.message, error_type=result.error_type
        )
    return replace(item, status=ItemStatus.DONE, attempts=attempts, error=None, error_type=None, documents=len(result))


def _writes(session: Session, principal: Principal, chunk: Chunk, keep_history: bool) -> list[DocumentWrite]:
    now = datetime.now(UTC)
    made = [
        replace(write, document=replace(write.document, made_from=mark(load.key, len(segments))))
        for load in chunk.loads
        if isinstance(load, Loaded)
        for segments in [_segments(chunk.results[load.item.source_id])]
        for write in [
            _document(load, chunk, index, segment, now, keep_history) for index, segment in enumerate(segments)
        ]
    ]
    before = session.documents.get_many(principal, [write.document.document_id for write in made])
    return [_continued(write, before.get(write.document.document_id)) for write in made]


def _continued(write: DocumentWrite, before: Document | None) -> DocumentWrite:
    """The write with what the document made of the same source before keeps: when it was made, and its history."""
    if before is None:
        return write
    history = (*before.history, *write.document.history)[-_HISTORY:]
    return replace(write, document=replace(write.document, created_at=before.created_at, history=history))


def _segments(result: Result) -> Sequence[Segment]:
    return () if isinstance(result, ExtractionFailure) else result


def _document(
    load: Loaded, chunk: Chunk, index: int, segment: Segment, now: datetime, keep_history: bool
) -> DocumentWrite:
    collection = chunk.collection
    document_id = derived_id("doc", collection.collection_id, load.item.source_id, index)
    step = LineageStep(collection.collection_id, collection.extractor.id, now, document_id)
    document = Document(
        document_id=document_id,
        collection_id=collection.collection_id,
        fields={**load.passed, **segment.fields},
        created_at=now,
        updated_at=now,
        lineage=replace(load.lineage, chain=(*load.lineage.chain, step)),
        blobs=(*segment.blobs, *references(chunk.keys, segment.files)),
        source_blobs=load.source_blobs,
        content_key=load.content_key if index == 0 else None,
        passed=tuple(sorted(load.passed.keys() - segment.fields.keys())) if load.content_key else (),
        history=(_processing(load.batch_item, collection, now),) if keep_history else (),
    )
    return DocumentWrite(document, segment.vectors)


def _processing(item: BatchItem, collection: Collection, now: datetime) -> ProcessingStep:
    return ProcessingStep(
        item.batch_id, item.tier, collection.collection_id, collection.extractor.id, item.source_id, now
    )


def _remove_stale(session: Session, principal: Principal, chunk: Chunk, fresh: set[str]) -> tuple[str, ...]:
    """Delete what an earlier run made of these sources and this one did not, with all that was made of it.

    A source that failed keeps its earlier documents. Returns the collections touched.
    """
    collection_id = chunk.collection.collection_id
    stale: list[str] = []
    for load in chunk.loads:
        if isinstance(load, LeftOut) or (
            isinstance(load, Loaded) and not isinstance(chunk.results[load.item.source_id], ExtractionFailure)
        ):
            source_id = load.batch_item.source_id
            known = session.documents.by_source(principal, collection_id, source_id)
            stale.extend(_derived_only([each for each in known if each not in fresh], collection_id, source_id, known))
    return remove_with_derived(session, principal, collection_id, stale)


def _derived_only(candidates: Sequence[str], collection_id: str, source_id: str, known: Sequence[str]) -> list[str]:
    """Those whose ids extraction derives: a caller's own documents may name the same source, and stay."""
    if not candidates:
        return []
    # Extraction numbers a source's documents from 0, so none of its ids lies beyond the number known.
    derived = {derived_id("doc", collection_id, source_id, index) for index in range(len(known))}
    return [document_id for document_id in candidates if document_id in derived]


def remove_with_derived(
    session: Session, principal: Principal, collection_id: str, document_ids: Sequence[str]
) -> tuple[str, ...]:
    """Delete documents and everything that collections further down made of them; returns the collections touched."""
    if not document_ids:
        return ()
    collections = session.collections.list(principal)
    touched: dict[str, None] = {}
    waiting = deque([(collection_id, list(document_ids))])
    while waiting:
        here, ids = waiting.popleft()
        for below in fed_by(collections, here):
            derived = [
                child for each in ids for child in session.documents.by_source(principal, below.collection_id, each)
            ]
            if derived:
                waiting.append((below.collection_id, derived))
        session.documents.delete(principal, here, ids)
        touched[here] = None
    return tuple(touched)


def _feed(
    session: Session,
    principal: Principal,
    chunk: Chunk,
    batch_id: str,
    document_ids: Sequence[str],
    tiers: Sequence[Tier],
) -> None:
    """Queue the documents for the collections of later tiers that take them, in the same transaction."""
    here = chunk.collection.collection_id
    taking = [
        (tier.number, collection_id)
        for tier in tiers
        if tier.number > chunk.tier.number and here in tier.source_collection_ids
        for collection_id in tier.collection_ids
        if _takes(session, principal, collection_id, here)
    ]
    session.batches.add_items(
        principal,
        [
            BatchItem(batch_id, collection_id, document_id, number)
            for number, collection_id in taking
            for document_id in document_ids
        ],
    )


def _takes(session: Session, principal: Principal, collection_id: str, from_collection_id: str) -> bool:
    collection = session.collections.get(principal, collection_id)
    return collection is not None and from_collection_id in collection.source.collection_ids


def _mark_objects(session: Session, principal: Principal, items: Sequence[BatchItem]) -> None:
    done = [item.source_id for item in items if item.status is ItemStatus.DONE]
    if done:
        session.objects.set_status(principal, done, TaskStatus.COMPLETED)
    for item in items:
        if item.status is ItemStatus.FAILED:
            session.objects.set_status(principal, [item.source_id], TaskStatus.FAILED, item.error)
