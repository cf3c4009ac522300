"""Fields that documents have and their collection's output schema does not: found in a sample, and written into it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.collection import Collection
from tamis.model.field_schema import added, discovered
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.services.data.batch_tiers import fed_by
from tamis.services.data.collection_design import properties_of
from tamis.services.data.collections import require_collection

DEBOUNCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SchemaSync:
    """collection: as it is now.  fields: paths of those that it got, as `specs.colour`.  downstream: ids of those fed
    by it that got some too.  skipped: why nothing was looked at; None where it was.
    """

    collection: Collection
    previous_version: int
    fields: tuple[str, ...] = ()
    documents: int = 0
    downstream: tuple[str, ...] = ()
    skipped: str | None = None


class SchemaSyncService:
    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def sync(
        self, principal: Principal, identifier: str, sample: int = 1000, force: bool = False, cascade: bool = True
    ) -> SchemaSync:
        """Look at the first `sample` documents by id; fields are added, none is removed or changed.

        force: also where it was done in the five minutes before.  cascade: also what the collection feeds.
        Raises: NotFoundError.
        """

        def read(session: Session) -> tuple[Collection, Sequence[dict[str, JSON]] | None]:
            collection = require_collection(session, principal, identifier)
            if not force and _is_fresh(collection, self._clock.now()):
                return collection, None
            every = session.documents.scan(principal, collection.collection_id)
            return collection, [dict(one.fields) for one in islice(every, sample)]

        collection, rows = await self._metadata.read(read)
        if rows is None:
            reason = f"it was synced less than {DEBOUNCE.seconds // 60} minutes ago; send force to do it now"
            return SchemaSync(collection, collection.schema_version, skipped=reason)
        found = await asyncio.to_thread(discovered, rows)

        def write(session: Session) -> SchemaSync:
            before = require_collection(session, principal, collection.collection_id)
            after, fresh = _with_output(before, found, self._clock.now())
            stored = session.collections.replace(principal, replace(after, synced_at=self._clock.now()))
            fed = _cascade(session, principal, stored, found, self._clock.now()) if cascade else []
            return SchemaSync(stored, before.schema_version, tuple(fresh), len(rows), tuple(fed))

        return await self._metadata.write(write)


def _is_fresh(collection: Collection, now: datetime) -> bool:
    return collection.synced_at is not None and now - collection.synced_at < DEBOUNCE


def _with_output(collection: Collection, found: dict[str, JSON], now: datetime) -> tuple[Collection, list[str]]:
    """Its design, and with that its version, changes only where it got a field."""
    properties, fresh = added(properties_of(collection.output_schema), found)
    if not fresh:
        return collection, []
    schema: dict[str, JSON] = {**collection.output_schema, "properties": properties}
    grown = replace(collection, output_schema=schema, schema_version=collection.schema_version + 1, updated_at=now)
    return grown, fresh


def _cascade(
    session: Session, principal: Principal, above: Collection, found: dict[str, JSON], now: datetime
) -> list[str]:
    """Ids of the collections below that got fields: into their input, and where they pass all on, their output too."""
    collections, changed, waiting = session.collections.list(principal), dict[str, None](), [above.collection_id]
    seen = {above.collection_id}
    while waiting:
        for fed in fed_by(collections, waiting.pop(0)):
            if fed.collection_id in seen:
                continue
            seen.add(fed.collection_id)
            after = _with_input(fed, found, now)
            if after is not fed:
                session.collections.replace(principal, after)
                changed[fed.collection_id] = None
            if fed.extractor.include_all_source_fields:
                waiting.append(fed.collection_id)
    return list(changed)


def _with_input(fed: Collection, found: dict[str, JSON], now: datetime) -> Collection:
    properties, fresh = added(properties_of(fed.input_schema), found)
    if fresh:
        fed = replace(fed, input_schema={**fed.input_schema, "properties": properties}, updated_at=now)
    return _with_output(fed, found, now)[0] if fed.extractor.include_all_source_fields else fed
