"""Namespaces: the isolation units of an organisation, usable as soon as they are made."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tamis.engine.ports.extraction import Extractors
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.namespace import ExtractorRef, Namespace, RecordPolicy
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.remain import Remain, RemainKind
from tamis.services.json_values import check_json
from tamis.services.listing import ListQuery, select, timestamp
from tamis.services.naming import check_name
from tamis.services.upkeep.clearing import Clears

RESERVED = frozenset({"list", "migrations", "standalone"})


@dataclass(frozen=True, slots=True)
class NamespaceDraft:
    """extractors: None opens the namespace to all that this server has."""

    name: str
    description: str | None = None
    extractors: tuple[ExtractorRef, ...] | None = None
    payload_indexes: tuple[dict[str, JSON], ...] = ()
    auto_create_indexes: bool = False
    record_policy: RecordPolicy = field(default_factory=RecordPolicy)


@dataclass(frozen=True, slots=True)
class NamespaceDetails:
    namespace: Namespace
    document_count: int
    collection_count: int = 0

    def view(self) -> dict[str, JSON]:
        """What lists filter, search and sort by."""
        namespace = self.namespace
        return {
            "namespace_id": namespace.namespace_id,
            "namespace_name": namespace.name,
            "description": namespace.description,
            "feature_extractors": [
                {"feature_extractor_name": ref.name, "version": ref.version} for ref in namespace.feature_extractors
            ],
            "payload_indexes": list(namespace.payload_indexes),
            "auto_create_indexes": namespace.auto_create_indexes,
            "document_count": self.document_count,
            "created_at": timestamp(namespace.created_at),
            "updated_at": timestamp(namespace.updated_at),
        }


class NamespaceService:
    """forget: called after every change, so that no gate remembers what no longer holds."""

    def __init__(
        self,
        metadata: Metadata,
        clearing: Clears,
        extractors: Extractors,
        forget: Callable[[], None],
    ) -> None:
        self._metadata = metadata
        self._clearing = clearing
        self._extractors = extractors
        self._forget = forget

    async def create(self, principal: Principal, draft: NamespaceDraft) -> NamespaceDetails:
        """Raises: ValidationError naming the place, AlreadyExistsError."""
        check_name(draft.name, ["body", "namespace_name"], RESERVED)
        _check_indexes(draft.payload_indexes)
        now = datetime.now(UTC)
        namespace = Namespace(
            namespace_id=new_id("ns"),
            name=draft.name,
            created_at=now,
            updated_at=now,
            description=draft.description,
            feature_extractors=self._known(draft.extractors),
            payload_indexes=draft.payload_indexes,
            auto_create_indexes=draft.auto_create_indexes,
            record_policy=draft.record_policy,
        )
        await self._metadata.write(lambda session: session.namespaces.insert(principal, namespace))
        self._forget()
        return NamespaceDetails(namespace, 0)

    async def get(self, principal: Principal, identifier: str) -> NamespaceDetails:
        """Raises: NotFoundError."""
        return await self._metadata.read(
            lambda session: _details(session, principal, _require(session, principal, identifier))
        )

    async def list(self, principal: Principal, query: ListQuery) -> Page[NamespaceDetails]:
        def read(session: Session) -> Page[NamespaceDetails]:
            every = [_details(session, principal, namespace) for namespace in session.namespaces.list(principal)]
            return select(every, NamespaceDetails.view, query)

        return await self._metadata.read(read)

    async def all(self, principal: Principal) -> Sequence[Namespace]:
        """Newest first, without counts of what is in them: what every page asks."""
        return await self._metadata.read(lambda session: session.namespaces.list(principal))

    async def update(self, principal: Principal, identifier: str, changes: dict[str, Any]) -> NamespaceDetails:
        """changes: fields of Namespace by name. Raises: NotFoundError, ValidationError, AlreadyExistsError."""
        if "name" in changes:
            check_name(changes["name"], ["body", "namespace_name"], RESERVED)
        _check_indexes(changes.get("payload_indexes", ()))

        def write(session: Session) -> NamespaceDetails:
            before = _require(session, principal, identifier)
            after = replace(before, **changes, updated_at=datetime.now(UTC))
            return _details(session, principal, session.namespaces.replace(principal, after))

        details = await self._metadata.write(write)
        self._forget()
        return details

    async def delete(self, principal: Principal, identifier: str) -> Namespace:
        """Remove the namespace and everything in it. Raises: NotFoundError; ConflictError while a batch in it runs."""

        def purge(session: Session) -> tuple[Namespace, list[Remain]]:
            namespace = _require(session, principal, identifier)
            inside = principal.within(namespace.namespace_id)
            running = _running(session, inside)
            if running:
                raise ConflictError(f"cancel the batches that run first: {', '.join(running)}", batches=running)
            return namespace, purge_namespace(session, inside)

        namespace, remains = await self._metadata.write(purge)
        self._forget()
        await self._clearing.clear(principal.within(namespace.namespace_id), remains)
        return namespace

    def _known(self, wanted: Sequence[ExtractorRef] | None) -> tuple[ExtractorRef, ...]:
        if wanted is None:
            return tuple(ExtractorRef(each.name, each.version) for each in self._extractors.all())
        found = [self._one(ref, place) for place, ref in enumerate(wanted)]
        return tuple(dict.fromkeys(found))

    def _one(self, ref: ExtractorRef, place: int) -> ExtractorRef:
        extractor = self._extractors.get(ref.name, ref.version)
        if extractor is not None:
            return ExtractorRef(extractor.name, extractor.version)
        known = {f"{each.name}@{each.version}" for each in self._extractors.all()}
        nearest = difflib.get_close_matches(f"{ref.name}@{ref.version}", sorted(known), n=1, cutoff=0.0)
        hint = f"did you mean {nearest[0]!r}?" if nearest else "this server has no extractors"
        loc: list[str | int] = ["body", "feature_extractors", place, "feature_extractor_name"]
        raise ValidationError.at(loc, f"there is no extractor '{ref.name}@{ref.version}'; {hint}", known=sorted(known))


def purge_namespace(session: Session, inside: Principal) -> list[Remain]:
    """All that is in it, and itself; what is to be cleared away then, inside of it."""
    shards = [Remain(RemainKind.SHARD, each.collection_id) for each in session.collections.list(inside)]
    remains = [*shards, Remain(RemainKind.FILES, "")]
    session.purge_namespace(inside)
    session.remains.note(inside, remains)
    return remains


def _details(session: Session, principal: Principal, namespace: Namespace) -> NamespaceDetails:
    inside = principal.within(namespace.namespace_id)
    collections = session.collections.list(inside)
    count = sum(session.documents.count(inside, collection.collection_id) for collection in collections)
    return NamespaceDetails(namespace, count, len(collections))


def _running(session: Session, inside: Principal) -> list[str]:
    return [
        batch.batch_id
        for scope, batch in session.batches.unfinished()
        if (scope.organization_id, scope.namespace_id) == (inside.organization_id, inside.namespace_id)
    ]


def _require(session: Session, principal: Principal, identifier: str) -> Namespace:
    namespace = session.namespaces.get(principal, identifier)
    if namespace is None:
        raise NotFoundError.of("namespace", identifier)
    return namespace


def _check_indexes(indexes: Sequence[dict[str, JSON]]) -> None:
    names: set[object] = set()
    for place, index in enumerate(indexes):
        loc: list[str | int] = ["body", "payload_indexes", place, "field_name"]
        check_json(index, loc[:-1])
        if index["field_name"] in names:
            raise ValidationError.at(loc, f"{index['field_name']!r} has an index above already")
        names.add(index["field_name"])
