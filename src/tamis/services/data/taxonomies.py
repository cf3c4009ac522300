"""Taxonomies: stored, versioned, copied, tried out, and applied to collections."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.model.batch import Task
from tamis.model.collection import Collection
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.taxonomy import Taxonomy
from tamis.services.data.applications import applying, begin_application
from tamis.services.data.collections import require_collection
from tamis.services.data.taxonomy_inference import TaxonomyInference
from tamis.services.json_values import check_json
from tamis.services.listing import ListQuery, select, timestamp
from tamis.services.naming import check_name
from tamis.services.runs.labelling import definition_of
from tamis.services.runs.retrievers import find_retriever

_NAME = ("body", "taxonomy_name")
_CONFIG: list[str | int] = ["body", "config"]
_RESERVED = frozenset({"execute", "list"})


@dataclass(frozen=True, slots=True)
class TaxonomyDraft:
    """config: as on the wire."""

    name: str
    config: Mapping[str, JSON]
    description: str | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaxonomyChange:
    """None leaves as it is."""

    name: str | None = None
    description: str | None = None
    metadata: Mapping[str, JSON] | None = None


@dataclass(frozen=True, slots=True)
class Application:
    """How a taxonomy goes over a collection. matching: a filter as sent; None is every document."""

    taxonomy: str
    matching: Mapping[str, JSON] | None = None
    most_at_once: int = 1000


class TaxonomyService:
    def __init__(
        self, metadata: Metadata, inference: TaxonomyInference, clock: Clock, wake: Callable[[], None] = lambda: None
    ) -> None:
        """wake: who applies them."""
        self._metadata = metadata
        self._inference = inference
        self._clock = clock
        self._wake = wake

    async def create(self, principal: Principal, draft: TaxonomyDraft) -> Taxonomy:
        """Raises: ValidationError naming the place, AlreadyExistsError; what inferring its nodes raises."""
        check_name(draft.name, _NAME, _RESERVED)
        check_json(draft.metadata, ["body", "metadata"])
        config = await self._checked(principal, draft.config)
        now = self._clock.now()
        made = Taxonomy(
            new_id("tax"), draft.name, config, now, now, description=draft.description, metadata=draft.metadata
        )

        def insert(session: Session) -> Taxonomy:
            session.taxonomy_versions.put(principal, made.taxonomy_id, made.snapshot)
            return session.taxonomies.insert(principal, made)

        return await self._metadata.write(insert)

    async def get(self, principal: Principal, identifier: str, version: int | None = None) -> Taxonomy:
        """By id or name. version: None is the newest.  Raises: NotFoundError."""
        return await self._metadata.read(lambda session: find_taxonomy(session, principal, identifier, version))

    async def list(self, principal: Principal, query: ListQuery) -> Page[Taxonomy]:
        """Newest first where the query names no order."""
        return await self._metadata.read(lambda session: select(session.taxonomies.list(principal), _view, query))

    async def patch(self, principal: Principal, identifier: str, change: TaxonomyChange) -> Taxonomy:
        """Its name and what is said of it; what it says itself changes by a new version.

        Raises: NotFoundError, ValidationError, AlreadyExistsError.
        """
        if change.name is not None:
            check_name(change.name, _NAME, _RESERVED)
        check_json(change.metadata or {}, ["body", "metadata"])

        def patch(session: Session) -> Taxonomy:
            before = find_taxonomy(session, principal, identifier)
            after = replace(
                before,
                name=before.name if change.name is None else change.name,
                description=before.description if change.description is None else change.description,
                metadata=before.metadata if change.metadata is None else change.metadata,
                updated_at=self._clock.now(),
            )
            return session.taxonomies.replace(principal, after)

        return await self._metadata.write(patch)

    async def delete(self, principal: Principal, identifier: str) -> None:
        """With its versions and what its analytics knew; labels stay in their documents.

        Raises: NotFoundError; ConflictError while a collection has it applied to what comes in, or it is being applied.
        """

        def delete(session: Session) -> None:
            found = find_taxonomy(session, principal, identifier)
            _refuse_in_use(session, principal, found)
            session.taxonomy_versions.delete(principal, found.taxonomy_id)
            session.assignments.delete(principal, found.taxonomy_id)
            session.taxonomies.delete(principal, found.taxonomy_id)

        await self._metadata.write(delete)

    async def clone(self, principal: Principal, identifier: str, draft: TaxonomyDraft) -> tuple[Taxonomy, str]:
        """A copy under a new name, and the id of what was copied. draft: an empty config is the source's.

        Raises: as `create`, and NotFoundError.
        """
        source = await self.get(principal, identifier)
        config = draft.config or source.config
        description = source.description if draft.description is None else draft.description
        made = await self.create(principal, TaxonomyDraft(draft.name, config, description, source.metadata))
        return made, source.taxonomy_id

    async def versions(self, principal: Principal, identifier: str) -> Sequence[Taxonomy]:
        """Newest first. Raises: NotFoundError."""

        def read(session: Session) -> Sequence[Taxonomy]:
            found = find_taxonomy(session, principal, identifier)
            return [found.at(one) for one in session.taxonomy_versions.list(principal, found.taxonomy_id)]

        return await self._metadata.read(read)

    async def add_version(self, principal: Principal, identifier: str, config: Mapping[str, JSON]) -> Taxonomy:
        """The next version, which is what the taxonomy is from now on. config: an empty one is today's, as it is.

        Raises: as `create`, and NotFoundError.
        """
        before = await self.get(principal, identifier)
        checked = await self._checked(principal, config) if config else before.config

        def add(session: Session) -> Taxonomy:
            now = find_taxonomy(session, principal, before.taxonomy_id)
            after = replace(now, config=checked, version=now.version + 1, updated_at=self._clock.now())
            session.taxonomy_versions.put(principal, after.taxonomy_id, after.snapshot)
            return session.taxonomies.replace(principal, after)

        return await self._metadata.write(add)

    async def apply(self, principal: Principal, collection: str, application: Application) -> tuple[Collection, Task]:
        """Begin to label the collection's documents, by the taxonomy as it is now; the task tells of it.

        Raises: NotFoundError; ConflictError while it is being applied to this collection.
        """

        def begin(session: Session) -> tuple[Collection, Task]:
            found = require_collection(session, principal, collection)
            taxonomy = find_taxonomy(session, principal, application.taxonomy)
            under_way = applying(session, principal, taxonomy.taxonomy_id, found.collection_id, whole=True)
            if under_way:
                message = f"task {under_way[0]} applies it to this collection already; wait for it or kill it"
                raise ConflictError(message, task_id=under_way[0])
            now, wanted = self._clock.now(), application.matching
            return found, begin_application(
                session, principal, found, taxonomy, now, wanted, most_at_once=application.most_at_once
            )

        begun = await self._metadata.write(begin)
        self._wake()
        return begun

    async def _checked(self, principal: Principal, config: Mapping[str, JSON]) -> Mapping[str, JSON]:
        """As it is stored: with its inferred nodes, and of resources that are there."""
        check_json(dict(config), _CONFIG)
        whole = await self._inference.completed(principal, config)
        definition_of(whole)
        await self._metadata.read(lambda session: _check_names(session, principal, whole))
        return whole


class StoredTaxonomies:
    """The engine's `Taxonomies`."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    async def definition(self, principal: Principal, identifier: str) -> Mapping[str, JSON]:
        """Raises: NotFoundError."""
        return (await self._metadata.read(lambda session: find_taxonomy(session, principal, identifier))).config


def find_taxonomy(session: Session, principal: Principal, identifier: str, version: int | None = None) -> Taxonomy:
    """By id or name. version: None is the newest.  Raises: NotFoundError."""
    found = session.taxonomies.get(principal, identifier)
    if found is None:
        raise NotFoundError.of("taxonomy", identifier)
    if version is None or version == found.version:
        return found
    earlier = session.taxonomy_versions.get(principal, found.taxonomy_id, version)
    if earlier is None:
        raise NotFoundError.of("taxonomy version", f"{identifier}@{version}")
    return found.at(earlier)


def _refuse_in_use(session: Session, principal: Principal, taxonomy: Taxonomy) -> None:
    """Raises: ConflictError."""
    ids = (taxonomy.taxonomy_id, taxonomy.name)
    for collection in session.collections.list(principal):
        if any(one.get("taxonomy_id") in ids for one in collection.taxonomy_applications):
            message = f"collection {collection.name!r} applies it; take it from its taxonomy_applications first"
            raise ConflictError(message, collection_id=collection.collection_id)
        under_way = applying(session, principal, taxonomy.taxonomy_id, collection.collection_id)
        if under_way:
            raise ConflictError(f"task {under_way[0]} applies it; wait for it or kill it", task_id=under_way[0])


def _check_names(session: Session, principal: Principal, config: Mapping[str, JSON]) -> None:
    """Raises: ValidationError at what names no collection or no retriever."""
    source = config.get("source_collection")
    if isinstance(source, dict):
        _check_one(session, principal, source, [*_CONFIG, "source_collection"])
    _check_one(session, principal, config, _CONFIG)
    for key in ("hierarchical_nodes", "nodes"):
        nodes = config.get(key)
        for place, node in enumerate(nodes if isinstance(nodes, list) else []):
            if isinstance(node, dict):
                _check_one(session, principal, node, [*_CONFIG, key, place])


def _check_one(session: Session, principal: Principal, named: Mapping[str, JSON], loc: list[str | int]) -> None:
    collection, retriever = named.get("collection_id"), named.get("retriever_id")
    if isinstance(collection, str) and session.collections.get(principal, collection) is None:
        raise ValidationError.at([*loc, "collection_id"], f"collection {collection!r} was not found")
    if isinstance(retriever, str):
        try:
            find_retriever(session, principal, retriever)
        except NotFoundError as error:
            raise ValidationError.at([*loc, "retriever_id"], error.message) from error


def _view(taxonomy: Taxonomy) -> dict[str, JSON]:
    return {
        "taxonomy_id": taxonomy.taxonomy_id,
        "taxonomy_name": taxonomy.name,
        "taxonomy_type": taxonomy.config.get("taxonomy_type"),
        "description": taxonomy.description,
        "version": taxonomy.version,
        "metadata": dict(taxonomy.metadata),
        "config": dict(taxonomy.config),
        "created_at": timestamp(taxonomy.created_at),
        "updated_at": timestamp(taxonomy.updated_at),
    }
