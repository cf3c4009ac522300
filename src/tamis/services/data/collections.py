"""Collections: defined against their sources, kept with what they resolve to."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar

from tamis.engine.ports.extraction import Extractor, Extractors
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.model.bucket import Bucket
from tamis.model.collection import Collection, ExtractorConfig, Source
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.remain import Remain, RemainKind
from tamis.model.vector import FeatureSpec, Quantization, VectorKind
from tamis.services.data.alert_applications import check_alerts
from tamis.services.data.applications import check_applications, check_cluster_applications, still_there
from tamis.services.data.collection_design import Design, design, merged_schema, properties_of
from tamis.services.json_values import check_json
from tamis.services.listing import ListQuery, select, timestamp
from tamis.services.naming import check_name
from tamis.services.upkeep.clearing import Clears
from tamis.services.upkeep.indexing import Shards

R = TypeVar("R")
_RESERVED = frozenset({"list", "features"})


@dataclass(frozen=True, slots=True)
class CollectionDraft:
    """A collection as it was asked for: its sources by id or name, its extractor by any of its spellings."""

    name: str
    source: Source
    extractor: ExtractorConfig
    description: str | None = None
    enabled: bool = True
    metadata: dict[str, JSON] = field(default_factory=dict)
    taxonomy_applications: tuple[dict[str, JSON], ...] = ()
    cluster_applications: tuple[dict[str, JSON], ...] = ()
    alert_applications: tuple[dict[str, JSON], ...] = ()
    input_schema: dict[str, JSON] | None = None
    quantization: Quantization = Quantization.INT8


@dataclass(frozen=True, slots=True)
class CollectionChange:
    """What a patch changes; None leaves as it is."""

    name: str | None = None
    description: str | None = None
    enabled: bool | None = None
    metadata: dict[str, JSON] | None = None
    taxonomy_applications: tuple[dict[str, JSON], ...] | None = None
    cluster_applications: tuple[dict[str, JSON], ...] | None = None
    alert_applications: tuple[dict[str, JSON], ...] | None = None


@dataclass(frozen=True, slots=True)
class CollectionClone:
    """What a copy is called and what it has other than its source; None takes the source's."""

    name: str
    source: Source | None = None
    extractor: ExtractorConfig | None = None
    description: str | None = None
    enabled: bool | None = None
    metadata: dict[str, JSON] | None = None
    taxonomy_applications: tuple[dict[str, JSON], ...] | None = None

    def over(self, collection: Collection) -> CollectionDraft:
        """Another source has a schema of its own."""
        same_source = self.source is None
        return CollectionDraft(
            name=self.name,
            source=self.source or collection.source,
            extractor=self.extractor or collection.extractor,
            description=collection.description if self.description is None else self.description,
            enabled=collection.enabled if self.enabled is None else self.enabled,
            metadata=collection.metadata if self.metadata is None else self.metadata,
            taxonomy_applications=(
                collection.taxonomy_applications if self.taxonomy_applications is None else self.taxonomy_applications
            ),
            cluster_applications=collection.cluster_applications,
            alert_applications=collection.alert_applications,
            input_schema=collection.input_schema if same_source and properties_of(collection.input_schema) else None,
            quantization=collection.quantization,
        )


@dataclass(frozen=True, slots=True)
class CollectionDetails:
    """A collection with what stands around it. upstream: the collections that it is fed through, the first one first.

    bucket_schemas: of the buckets at the root, by bucket id.
    """

    collection: Collection
    document_count: int = 0
    retriever_count: int = 0
    upstream: tuple[Collection, ...] = ()
    bucket_schemas: Mapping[str, JSON] = field(default_factory=dict)

    def view(self) -> dict[str, JSON]:
        """What lists filter, search and sort by."""
        collection = self.collection
        return {
            "collection_id": collection.collection_id,
            "collection_name": collection.name,
            "description": collection.description,
            "enabled": collection.enabled,
            "metadata": dict(collection.metadata),
            "feature_extractor_name": collection.extractor.name,
            "feature_extractor": {"feature_extractor_name": collection.extractor.name},
            "source": {"type": collection.source.type, "ids": list(collection.source.ids)},
            "document_count": self.document_count,
            "retriever_count": self.retriever_count,
            "created_at": timestamp(collection.created_at),
            "updated_at": timestamp(collection.updated_at),
        }


class CollectionService:
    def __init__(self, metadata: Metadata, indexer: Shards, extractors: Extractors, clearing: Clears) -> None:
        self._metadata = metadata
        self._indexer = indexer
        self._extractors = extractors
        self._clearing = clearing

    def extractors(self) -> Sequence[Extractor]:
        return self._extractors.all()

    def extractor(self, identifier: str) -> Extractor:
        """By `name@version`, `name_version`, or a name or alias alone (its newest version). Raises: NotFoundError."""
        found = find_extractor(self._extractors, identifier)
        if found is None:
            raise NotFoundError.of("feature extractor", identifier)
        return found

    async def create(self, principal: Principal, draft: CollectionDraft) -> CollectionDetails:
        """Raises: ValidationError naming the place, AlreadyExistsError."""
        check_collection_name(draft.name)
        _check_open_fields(draft)
        if draft.input_schema is not None:
            check_json(draft.input_schema, ["body", "input_schema"])
        extractor = self._chosen(draft.extractor)

        source, schema = await self._metadata.read(lambda session: _resolve_source(session, principal, draft))
        # On a thread: an extractor may have to look at a model to say what its features are.
        planned = await asyncio.to_thread(design, extractor, draft.extractor, schema)

        collection = built(draft, source, planned)

        def create(session: Session) -> CollectionDetails:
            check_applications(session, principal, draft.taxonomy_applications)
            check_cluster_applications(session, principal, draft.cluster_applications)
            check_alerts(session, principal, draft.alert_applications)
            return _details(session, principal, session.collections.insert(principal, collection))

        details = await self._metadata.write(create)
        await self._indexer.ensure(principal, details.collection)
        return details

    async def clone(
        self, principal: Principal, identifier: str, clone: CollectionClone
    ) -> tuple[CollectionDetails, str]:
        """A new collection, made as its source is and as yet without documents; and its source's id. Clusters of the
        source that have been deleted since are left out.

        Raises: NotFoundError, and as `create`.
        """

        def read(session: Session) -> Collection:
            found = require_collection(session, principal, identifier)
            return replace(found, cluster_applications=still_there(session, principal, found.cluster_applications))

        source = await self._metadata.read(read)
        return await self.create(principal, clone.over(source)), source.collection_id

    async def get(self, principal: Principal, identifier: str) -> CollectionDetails:
        return await self._metadata.read(
            lambda session: _details(session, principal, require_collection(session, principal, identifier))
        )

    async def list(self, principal: Principal, query: ListQuery) -> Page[CollectionDetails]:
        def read(session: Session) -> Page[CollectionDetails]:
            used = _uses(session, principal)
            every = [_details(session, principal, each, used) for each in session.collections.list(principal)]
            return select(every, CollectionDetails.view, query)

        return await self._metadata.read(read)

    async def all(self, principal: Principal) -> Sequence[Collection]:
        """Newest first, without what stands around them: for names, and for what feeds what."""
        return await self._metadata.read(lambda session: session.collections.list(principal))

    async def patch(self, principal: Principal, identifier: str, change: CollectionChange) -> CollectionDetails:
        """Raises: NotFoundError, ValidationError, AlreadyExistsError."""
        if change.name is not None:
            check_collection_name(change.name)
        _check_open_fields(change)

        def patch(session: Session) -> CollectionDetails:
            before = require_collection(session, principal, identifier)
            check_applications(session, principal, change.taxonomy_applications, before.collection_id)
            check_cluster_applications(session, principal, change.cluster_applications)
            check_alerts(session, principal, change.alert_applications)
            collection = _changed(before, change)
            return _details(session, principal, session.collections.replace(principal, collection))

        return await self._metadata.write(patch)

    async def delete(self, principal: Principal, identifier: str) -> str:
        """Delete a collection with all its documents; returns its id. Raises: NotFoundError, ConflictError."""

        def delete(session: Session) -> tuple[str, Sequence[Remain]]:
            collection = require_collection(session, principal, identifier)
            fed = [
                other.name
                for other in session.collections.list(principal)
                if collection.collection_id in other.source.collection_ids
            ]
            if fed:
                raise ConflictError(f"delete first what this collection feeds: {', '.join(fed)}", collections=fed)
            return collection.collection_id, remove_collection(session, principal, collection.collection_id)

        collection_id, remains = await self._metadata.write(delete)
        await self._clearing.clear(principal, remains)
        return collection_id

    def _chosen(self, config: ExtractorConfig) -> Extractor:
        found = self._extractors.get(config.name, config.version)
        if found is None:
            known = ", ".join(f"{extractor.name}@{extractor.version}" for extractor in self._extractors.all())
            raise ValidationError.at(
                ["body", "feature_extractor", "feature_extractor_name"],
                f"there is no extractor {config.name}@{config.version}; there are {known}",
            )
        return found


def remove_collection(session: Session, principal: Principal, collection_id: str) -> Sequence[Remain]:
    """With its documents, whatever it feeds; what is to be cleared away then."""
    session.documents.delete_collection(principal, collection_id)
    session.extractions.delete(principal, collection_id)
    session.collections.delete(principal, collection_id)
    # The files are what extractors made beside the documents.
    remains = [Remain(kind, collection_id) for kind in (RemainKind.SHARD, RemainKind.FILES)]
    session.remains.note(principal, remains)
    return remains


def find_extractor(extractors: Extractors, identifier: str) -> Extractor | None:
    name, mark, version = identifier.partition("@")
    if mark:
        return extractors.get(name, version)
    head, mark, tail = identifier.rpartition("_")
    if mark and tail[:1] == "v" and tail[1:].isdigit():
        return extractors.get(head, tail)
    fitting = [found for each in extractors.all() if (found := extractors.get(identifier, each.version))]
    return max(fitting, key=lambda extractor: extractor.version, default=None)


def require_collection(session: Session, principal: Principal, identifier: str) -> Collection:
    """Raises: NotFoundError."""
    collection = session.collections.get(principal, identifier)
    if collection is None:
        raise NotFoundError.of("collection", identifier)
    return collection


def check_collection_name(name: str) -> None:
    """Raises: ValidationError."""
    loc = ["body", "collection_name"]
    if not 3 <= len(name) <= 100:
        raise ValidationError.at([*loc], "3 to 100 characters")
    check_name(name, loc, _RESERVED)


def _check_open_fields(asked: CollectionDraft | CollectionChange) -> None:
    """The fields that hold any JSON."""
    for name in ("metadata", "taxonomy_applications", "cluster_applications", "alert_applications"):
        check_json(getattr(asked, name), ["body", name])


def _resolve_source(session: Session, principal: Principal, draft: CollectionDraft) -> tuple[Source, dict[str, JSON]]:
    """The source with ids for names, and the schema of what it gives."""
    loc: list[str | int] = ["body", "source"]
    wanted = draft.source
    if wanted.type == "bucket":
        buckets: list[Bucket] = _found(
            lambda name: session.buckets.get(principal, name), wanted.bucket_ids, [*loc, "bucket_ids"], "bucket"
        )
        ids = _unique(bucket.bucket_id for bucket in buckets)
        schema = merged_schema([bucket.schema for bucket in buckets])
        source = replace(wanted, bucket_ids=ids, collection_ids=())
    else:
        above: list[Collection] = _found(
            lambda name: session.collections.get(principal, name),
            wanted.collection_ids,
            [*loc, "collection_ids"],
            "collection",
        )
        ids = _unique(collection.collection_id for collection in above)
        schema = merged_schema([collection.output_schema for collection in above])
        source = replace(wanted, bucket_ids=(), collection_ids=ids)
    return source, draft.input_schema or schema


def _found(get: Callable[[str], R | None], identifiers: Sequence[str], loc: list[str | int], what: str) -> list[R]:
    if not identifiers:
        raise ValidationError.at(loc, f"at least one {what}, by id or name")
    found: list[R] = []
    for position, identifier in enumerate(identifiers):
        resource = get(identifier)
        if resource is None:
            raise ValidationError.at([*loc, position], f"{what} {identifier!r} was not found")
        found.append(resource)
    return found


def _unique(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(ids))


def built(draft: CollectionDraft, source: Source, planned: Design) -> Collection:
    now = datetime.now(UTC)
    return Collection(
        collection_id=new_id("col"),
        name=draft.name,
        source=source,
        extractor=planned.extractor,
        features=tuple(_quantized(feature, draft.quantization) for feature in planned.features),
        input_schema=planned.input_schema,
        output_schema=planned.output_schema,
        created_at=now,
        updated_at=now,
        description=draft.description,
        enabled=draft.enabled,
        metadata=draft.metadata,
        taxonomy_applications=draft.taxonomy_applications,
        cluster_applications=draft.cluster_applications,
        alert_applications=draft.alert_applications,
    )


def _quantized(feature: FeatureSpec, quantization: Quantization) -> FeatureSpec:
    return replace(feature, quantization=quantization) if feature.kind is VectorKind.DENSE else feature


def _changed(collection: Collection, change: CollectionChange) -> Collection:
    return replace(
        collection,
        name=collection.name if change.name is None else change.name,
        description=collection.description if change.description is None else change.description,
        enabled=collection.enabled if change.enabled is None else change.enabled,
        metadata=collection.metadata if change.metadata is None else change.metadata,
        taxonomy_applications=(
            collection.taxonomy_applications if change.taxonomy_applications is None else change.taxonomy_applications
        ),
        cluster_applications=(
            collection.cluster_applications if change.cluster_applications is None else change.cluster_applications
        ),
        alert_applications=(
            collection.alert_applications if change.alert_applications is None else change.alert_applications
        ),
        updated_at=datetime.now(UTC),
    )


def _details(
    session: Session, principal: Principal, collection: Collection, uses: Counter[str] | None = None
) -> CollectionDetails:
    """uses: as `_uses` gives them, where many collections are looked at."""
    upstream = _upstream(session, principal, collection)
    bucket_ids = _unique(bucket_id for each in (*upstream, collection) for bucket_id in each.source.bucket_ids)
    buckets = [session.buckets.get(principal, bucket_id) for bucket_id in bucket_ids]
    found = _uses(session, principal) if uses is None else uses
    return CollectionDetails(
        collection=collection,
        document_count=session.documents.count(principal, collection.collection_id),
        retriever_count=found[collection.collection_id] + found[collection.name],
        upstream=upstream,
        bucket_schemas={bucket.bucket_id: bucket.schema for bucket in buckets if bucket is not None},
    )


def _uses(session: Session, principal: Principal) -> Counter[str]:
    """How many retrievers name a collection, by the id or name that they use."""
    retrievers = session.retrievers.list(principal)
    return Counter(name for retriever in retrievers for name in set(retriever.definition.collection_ids))


def _upstream(session: Session, principal: Principal, collection: Collection) -> tuple[Collection, ...]:
    found: dict[str, Collection] = {}
    waiting = list(collection.source.collection_ids)
    while waiting:
        collection_id = waiting.pop(0)
        above = session.collections.get(principal, collection_id)
        if above is not None and collection_id not in found:
            found[collection_id] = above
            waiting.extend(above.source.collection_ids)
    return tuple(reversed(found.values()))
