"""Resources of every kind found by what they are called and what is said of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ValidationError
from tamis.model.page import Page
from tamis.model.principal import Principal


class ResourceKind(StrEnum):
    """The contract's, and data sets beside."""

    BUCKET = "bucket"
    COLLECTION = "collection"
    RETRIEVER = "retriever"
    TAXONOMY = "taxonomy"
    CLUSTER = "cluster"
    PUBLISHED_RETRIEVER = "published_retriever"
    NAMESPACE = "namespace"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class Found:
    """text: what else of it is searched, beside its name, id and description."""

    kind: ResourceKind
    resource_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    text: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Listed:
    """How a kind is listed. is_partly: also for keys to single retrievers, of which the store shows them alone."""

    kind: ResourceKind
    list: Callable[[Session, Principal], Sequence[Any]]
    id_field: str
    is_partly: bool = False


_KINDS = (
    _Listed(ResourceKind.BUCKET, lambda session, who: session.buckets.list(who), "bucket_id"),
    _Listed(ResourceKind.COLLECTION, lambda session, who: session.collections.list(who), "collection_id"),
    _Listed(ResourceKind.RETRIEVER, lambda session, who: session.retrievers.list(who), "retriever_id", is_partly=True),
    _Listed(ResourceKind.TAXONOMY, lambda session, who: session.taxonomies.list(who), "taxonomy_id"),
    _Listed(ResourceKind.CLUSTER, lambda session, who: session.clusters.list(who), "cluster_id"),
    _Listed(
        ResourceKind.PUBLISHED_RETRIEVER,
        lambda session, who: [one for one in session.published.list(who) if who.may_retriever(one.retriever_id)],
        "public_id",
        is_partly=True,
    ),
    _Listed(ResourceKind.NAMESPACE, lambda session, who: session.namespaces.list(who), "namespace_id", is_partly=True),
    _Listed(ResourceKind.DATASET, lambda session, who: session.datasets.list(who), "dataset_id"),
)


class ResourceSearch:
    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    async def search(
        self, principal: Principal, query: str, kinds: Sequence[ResourceKind] | None, limit: int, offset: int
    ) -> Page[Found]:
        """What has each word of the query in its name, id, description, tags or metadata, in whatever case.

        kinds: None is all of them.  The namespace's own resources, and the organisation's namespaces, as far as the
        caller's scopes hold them.  A name that is the query comes first, then one that begins with it, then one that
        has all words, then the rest; among equals the one changed last.
        Raises: ValidationError for a query of no words.
        """
        words = query.casefold().split()
        if not words:
            raise ValidationError.at(["body", "query"], "at least one word of a name, description, tag or id")
        wanted = set(ResourceKind if kinds is None else kinds)

        def read(session: Session) -> list[Found]:
            return [one for one in _seen(session, principal, wanted) if _has(one, words)]

        found = await self._metadata.read(read)
        found.sort(key=lambda one: one.resource_id)
        found.sort(key=lambda one: one.updated_at, reverse=True)
        found.sort(key=lambda one: _rank(one, words))
        return Page(found[offset : offset + limit], len(found), limit, offset)


def _seen(session: Session, principal: Principal, wanted: set[ResourceKind]) -> Iterator[Found]:
    sees_all = principal.sees_namespace(principal.namespace_id)
    for listed in _KINDS:
        if listed.kind in wanted and (sees_all or listed.is_partly):
            yield from (_found(listed, one) for one in listed.list(session, principal))


def _found(listed: _Listed, one: Any) -> Found:
    metadata = getattr(one, "metadata", None) or {}
    return Found(
        kind=listed.kind,
        resource_id=getattr(one, listed.id_field),
        name=one.name,
        created_at=one.created_at,
        updated_at=one.updated_at,
        description=getattr(one, "description", None),
        text=(*getattr(one, "tags", ()), *_strings(metadata)),
    )


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, child in value.items():
            yield name
            yield from _strings(child)
    elif isinstance(value, list):
        for child in value:
            yield from _strings(child)


def _has(one: Found, words: Sequence[str]) -> bool:
    text = "\n".join((one.name, one.resource_id, one.description or "", *one.text)).casefold()
    return all(word in text for word in words)


def _rank(one: Found, words: Sequence[str]) -> int:
    name, asked = one.name.casefold(), " ".join(words)
    if asked in (name, one.resource_id):
        return 0
    if name.startswith(asked):
        return 1
    return 2 if all(word in name for word in words) else 3
