"""The walk that applies a taxonomy: labels, and what comes with them, written into a collection's documents."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.jobs.walking import Change, Step
from tamis.model.batch import TaskStatus
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.hits import Hit
from tamis.model.principal import Principal
from tamis.model.walk import Walk
from tamis.services.data.taxonomies import find_taxonomy
from tamis.services.runs.labelling import Labelled, Labelling


class TaxonomyWalker:
    """What a document had of the taxonomy is replaced, so that a chunk that is done twice is as if done once."""

    def __init__(self, metadata: Metadata, labelling: Labelling, clock: Clock) -> None:
        self._metadata = metadata
        self._labelling = labelling
        self._clock = clock

    async def begin(self, principal: Principal, walk: Walk, collection: Collection) -> Step:
        """Raises: NotFoundError where the taxonomy is gone."""
        identifier, version = str(walk.parameters["taxonomy_id"]), walk.parameters["version"]
        wanted = version if isinstance(version, int) else None
        taxonomy = await self._metadata.read(lambda session: find_taxonomy(session, principal, identifier, wanted))

        async def step(documents: Sequence[Document]) -> Change:
            if not documents:
                return Change()
            started = time.monotonic()
            hits = [Hit(one.document_id, 0.0, one) for one in documents]
            labelled, _ = await self._labelling.label(principal, taxonomy, (collection,), hits)
            took_us = round((time.monotonic() - started) * 1e6)
            return self._change(principal, taxonomy.taxonomy_id, collection.collection_id, labelled, took_us)

        return step

    def end(self, session: Session, principal: Principal, walk: Walk, status: TaskStatus, reason: str | None) -> None:
        """Nothing is left over."""

    def _change(
        self, principal: Principal, taxonomy_id: str, collection_id: str, labelled: Sequence[Labelled], took_us: int
    ) -> Change:
        now = self._clock.now()
        assignments = [label for one in labelled for label in one.assignments]
        count = sum(bool(one.assignments) for one in labelled)

        def also(session: Session) -> None:
            ids = [one.hit.id for one in labelled]
            session.assignments.put(principal, taxonomy_id, collection_id, ids, assignments, now)
            session.assignments.note(principal, taxonomy_id, now, count, len(labelled) - count, took_us)

        counts = {
            "labelled_documents": count,
            "unlabelled_documents": len(labelled) - count,
            "failed_documents": sum(one.fault is not None for one in labelled),
        }
        changed = [_written(one.hit, now) for one in labelled if _differs(one.hit)]
        return Change(changed, counts, also)


def _differs(hit: Hit) -> bool:
    fields = hit.document.fields if hit.document is not None else {}
    return any(name not in fields or fields[name] != value for name, value in hit.extra.items())


def _written(hit: Hit, now: datetime) -> Document:
    """The document with its new fields. They follow from this document, and another source of the same content is
    given none of them; one that stands over what an extractor made is nothing to copy from any more.
    """
    document = hit.document
    assert document is not None  # noqa: S101 - it came from the store
    fields = {**document.fields, **hit.extra}
    overwritten = (hit.extra.keys() & document.fields.keys()) - set(document.passed)
    if document.content_key is None or overwritten:
        return replace(document, fields=fields, updated_at=now, content_key=None)
    passed = tuple(sorted({*document.passed, *hit.extra}))
    return replace(document, fields=fields, updated_at=now, passed=passed)
