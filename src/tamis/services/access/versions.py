"""Which state of a resource somebody looks at: a tag that changes with everything that a caller can change in it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import orjson

from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.principal import Principal

_TAG_BYTES = 16

Reader = Callable[[Session, Principal, Mapping[str, str]], Any]


def _collection(session: Session, principal: Principal, names: Mapping[str, str]) -> Any:
    """Its revision counts writes to its documents; the collection itself is as it was."""
    found = session.collections.get(principal, names["collection_identifier"])
    return None if found is None else replace(found, revision=0)


def _document(session: Session, principal: Principal, names: Mapping[str, str]) -> Any:
    collection = session.collections.get(principal, names["collection_identifier"])
    return collection and session.documents.get(principal, collection.collection_id, names["document_id"])


def _object(session: Session, principal: Principal, names: Mapping[str, str]) -> Any:
    return session.objects.get(principal, names["object_identifier"])


def _key(session: Session, principal: Principal, names: Mapping[str, str]) -> Any:
    """When a key was last used changes nothing in it."""
    fitting = [key for key in session.keys.list(principal) if names["key_name"] in (key.key_id, key.name)]
    return [replace(key, last_used_at=None) for key in fitting] or None


READERS: Mapping[str, Reader] = {
    "organization": lambda session, principal, names: session.organizations.get(principal),
    "API key": _key,
    "namespace": lambda session, principal, names: session.namespaces.get(principal, names["namespace_identifier"]),
    "bucket": lambda session, principal, names: session.buckets.get(principal, names["bucket_identifier"]),
    "object": _object,
    "upload": lambda session, principal, names: session.uploads.get(principal, names["upload_id"]),
    "batch": lambda session, principal, names: session.batches.get(principal, names["batch_id"]),
    "task": lambda session, principal, names: session.tasks.get(principal, names["task_id"]),
    "collection": _collection,
    "document": _document,
    "retriever": lambda session, principal, names: session.retrievers.get(principal, names["retriever_id"]),
}
"""By noun: the resource that a path's parameters name, None where there is none."""


def tag_of(session: Session, noun: str, principal: Principal, names: Mapping[str, str]) -> str | None:
    """A strong entity tag, quoted, of the stored resource; what is counted or derived around it has no part in it."""
    found = READERS[noun](session, principal, names)
    if found is None:
        return None
    stored = orjson.dumps(found, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return f'"{blake2b(stored, digest_size=_TAG_BYTES).hexdigest()}"'


class VersionService:
    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    async def tag(self, noun: str, principal: Principal, names: Mapping[str, str]) -> str | None:
        return await self._metadata.read_now(lambda session: tag_of(session, noun, principal, names))
