"""What a shard holds, against what it should hold. Runs in the index process."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import qdrant_edge as edge

from tamis.storage.index.alike import same_payload, same_vector
from tamis.storage.index.compile import point_uuid
from tamis.storage.index.native import raw_vector
from tamis.storage.index.payload import payload

_PAGE = 1000


def page_of_ids(engine: Any, offset: str | None) -> tuple[list[str], str | None]:
    """(document ids, where the next page begins or None)."""
    after = uuid.UUID(offset) if offset else None
    request = edge.ScrollRequest(offset=after, limit=_PAGE, with_payload=["d"], with_vector=False)
    records, following = engine.scroll(request)
    return [record.payload["d"] for record in records], str(following) if following is not None else None


def differing(engine: Any, rows: Sequence[Sequence[Any]]) -> list[str]:
    """Ids of those that are there otherwise, or not at all. rows: as for an upsert, [document id, vectors, fields]."""
    wanted = {point_uuid(one): (one, vectors, payload(one, fields)) for one, vectors, fields in rows}
    records = engine.retrieve(list(wanted), with_payload=True, with_vector=True)
    found = {record.id: record for record in records}
    return [
        one
        for identifier, (one, vectors, kept) in wanted.items()
        if identifier not in found or not _same(found[identifier], vectors, kept)
    ]


def _same(record: Any, vectors: Mapping[str, Any], kept: Mapping[str, Any]) -> bool:
    stored = {name: raw_vector(value) for name, value in (record.vector or {}).items()}
    return (
        same_payload(record.payload or {}, kept)
        and stored.keys() == vectors.keys()
        and all(same_vector(stored[name], vectors[name]) for name in vectors)
    )
