"""Run a collection again over everything that its sources hold, without putting a batch together by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, ValidationError
from tamis.model.batch import Batch, Task
from tamis.model.collection import Collection
from tamis.model.filters import Filter
from tamis.model.ids import new_id
from tamis.model.principal import Principal
from tamis.services.data.batch_tiers import tiers_from
from tamis.services.data.batches import start
from tamis.services.data.collections import require_collection


@dataclass(frozen=True, slots=True)
class Triggered:
    """source_count: objects of buckets, or documents of collections, that are sent through."""

    collection: Collection
    batch: Batch
    task: Task
    tier_count: int
    source_ids: tuple[str, ...]
    source_count: int


class CollectionRunService:
    def __init__(self, metadata: Metadata, wake: Callable[[], None] = lambda: None) -> None:
        self._metadata = metadata
        self._wake = wake

    async def trigger(
        self,
        principal: Principal,
        identifier: str,
        only: Sequence[str] | None = None,
        matching: Filter | None = None,
    ) -> Triggered:
        """Send the sources' objects through this collection, and through what it feeds.

        only: some of its sources, by id or name.  matching: only objects (documents) that this filter lets in.
        Raises: NotFoundError, ValidationError, ConflictError where the sources hold nothing.
        """

        triggered = await self._metadata.write(
            lambda session: begin_collection(session, principal, identifier, only, matching)
        )
        self._wake()
        return triggered


def begin_collection(
    session: Session, principal: Principal, identifier: str, only: Sequence[str] | None = None,
    matching: Filter | None = None,
) -> Triggered:  # fmt: skip
    """In the transaction of whoever wants it; then wake the worker that extracts. Raises: as `trigger`."""
    collection = require_collection(session, principal, identifier)
    source_ids = _chosen(session, principal, collection, only)
    batch, sources = gathered(session, principal, collection, source_ids, matching)
    if not sources:
        raise ConflictError("the sources of this collection hold nothing to process", sources=list(source_ids))
    session.batches.insert(principal, batch)
    tiers = tiers_from(session.collections.list(principal), [collection])
    task = start(session, principal, batch, tiers, sources)
    return Triggered(collection, batch, task, len(tiers), source_ids, len(sources))


def _chosen(
    session: Session, principal: Principal, collection: Collection, only: Sequence[str] | None
) -> tuple[str, ...]:
    if not only:
        return collection.source.ids
    chosen: list[str] = []
    for name in only:
        if collection.source.type == "bucket":
            bucket = session.buckets.get(principal, name)
            found = bucket.bucket_id if bucket else name
        else:
            above = session.collections.get(principal, name)
            found = above.collection_id if above else name
        if found not in collection.source.ids:
            raise ValidationError.at(
                ["body", f"include_{collection.source.type}s"], f"{name!r} is no source of this collection"
            )
        chosen.append(found)
    return tuple(dict.fromkeys(chosen))


def gathered(
    session: Session,
    principal: Principal,
    collection: Collection,
    source_ids: Sequence[str],
    matching: Filter | None,
) -> tuple[Batch, list[str]]:
    """(a batch of the objects at the root, the sources to process)."""
    if collection.source.type == "bucket":
        object_ids = [
            found.object_id
            for bucket_id in source_ids
            for found in session.objects.scan(principal, bucket_id, matching)
        ]
        return _batch(source_ids[0], object_ids), object_ids
    document_ids: list[str] = []
    roots: dict[str, None] = {}
    bucket_id = ""
    for source_id in source_ids:
        for document in session.documents.scan(principal, source_id, matching):
            document_ids.append(document.document_id)
            bucket_id = bucket_id or document.lineage.root_bucket_id or ""
            if document.lineage.root_object_id:
                roots[document.lineage.root_object_id] = None
    return _batch(bucket_id or source_ids[0], list(roots)), document_ids


def _batch(bucket_id: str, object_ids: Sequence[str]) -> Batch:
    now = datetime.now(UTC)
    return Batch(new_id("btch"), bucket_id, tuple(object_ids), now, now)
