"""Saved retrievers: made, changed, copied and let go. What is saved is checked as it would be before a run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tamis.engine.planning.definition import named_collections
from tamis.engine.planning.plan import Planner
from tamis.engine.planning.programs import check_programs
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.code import CodeRunner
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.reach import NOWHERE
from tamis.engine.templating import templates
from tamis.errors import ConflictError, NotFoundError
from tamis.model.collection import Collection
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.retriever import Budget, Definition, Retriever, RetrieverVersion, StageSpec, version_of
from tamis.services.listing import ListQuery, select, timestamp
from tamis.services.naming import check_name
from tamis.services.runs.cache_config import check_config

# The literal path segments below /v1/retrievers, in the contract and in what later clients call.
RESERVED_NAMES = frozenset(
    {
        "batch", "evaluations", "execute", "executions", "explain", "interactions", "learned-fusion", "list",
        "prices", "public", "publish", "published", "stages", "typeahead",
    }
)  # fmt: skip
_NAME_LOC = ("body", "retriever_name")


@dataclass(frozen=True, slots=True)
class RetrieverDraft:
    """What a caller asks for. collections: ids or names; empty searches every collection of the namespace."""

    name: str
    stages: tuple[StageSpec, ...]
    input_schema: Mapping[str, JSON] = field(default_factory=dict)
    collections: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    cache_config: Mapping[str, JSON] = field(default_factory=dict)
    description: str | None = None
    tags: tuple[str, ...] = ()
    display_config: dict[str, JSON] | None = None


@dataclass(frozen=True, slots=True)
class RetrieverChanges:
    """The fields of a draft that change; `changed` names them, the others' values mean nothing."""

    changed: frozenset[str]
    name: str = ""
    stages: tuple[StageSpec, ...] = ()
    input_schema: Mapping[str, JSON] = field(default_factory=dict)
    collections: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    cache_config: Mapping[str, JSON] = field(default_factory=dict)
    description: str | None = None
    tags: tuple[str, ...] = ()
    display_config: dict[str, JSON] | None = None

    def over(self, draft: RetrieverDraft) -> RetrieverDraft:
        return replace(draft, **{name: getattr(self, name) for name in self.changed})


def draft_of(retriever: Retriever) -> RetrieverDraft:
    definition = retriever.definition
    return RetrieverDraft(
        name=retriever.name,
        stages=definition.stages,
        input_schema=definition.input_schema,
        collections=definition.collection_ids,
        budget=definition.budget,
        cache_config=definition.cache_config,
        description=retriever.description,
        tags=retriever.tags,
        display_config=retriever.display_config,
    )


_RUN_FIELDS = frozenset({"stages", "input_schema", "collections", "budget", "cache_config"})


class AnyName:
    """Holds every name."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


ANY_NAME = AnyName()


class RetrieverService:
    def __init__(self, metadata: Metadata, planner: Planner, clock: Clock, programs: CodeRunner = NOWHERE.code) -> None:
        self._programs = programs
        self._metadata = metadata
        self._planner = planner
        self._clock = clock

    async def create(self, principal: Principal, draft: RetrieverDraft) -> Retriever:
        """Raises: ValidationError (the plan's faults too), NotFoundError (a collection), AlreadyExistsError."""
        check_name(draft.name, _NAME_LOC, RESERVED_NAMES)
        definition = await self._definition(principal, draft)
        now = self._clock.now()
        retriever = Retriever(
            new_id("ret"), draft.name, definition, now, now, draft.description, draft.tags, draft.display_config,
            created_by=principal.user_id or None, updated_by=principal.user_id or None,
        )  # fmt: skip

        def insert(session: Session) -> Retriever:
            session.retriever_versions.put(principal, version_of(retriever))
            return session.retrievers.insert(principal, retriever)

        return await self._metadata.write(insert)

    async def get(self, principal: Principal, identifier: str) -> Retriever:
        """By id or name. Raises: NotFoundError."""
        return await self._metadata.read(lambda session: find_retriever(session, principal, identifier))

    async def list(self, principal: Principal, query: ListQuery) -> Page[Retriever]:
        """Newest first where the query names no order."""
        return await self._metadata.read(lambda session: select(session.retrievers.list(principal), _view, query))

    async def published_ids(self, principal: Principal) -> frozenset[str]:
        """Of the namespace's retrievers, those that are published and active."""
        every = await self._metadata.read(lambda session: session.published.list(principal))
        return frozenset(one.retriever_id for one in every if one.is_active)

    async def patch(self, principal: Principal, identifier: str, changes: RetrieverChanges) -> Retriever:
        """A change to what is run makes the next version. Raises: as `create`, and NotFoundError."""
        current = await self.get(principal, identifier)
        if "name" in changes.changed and changes.name != current.name:
            check_name(changes.name, _NAME_LOC, RESERVED_NAMES)
        draft = changes.over(draft_of(current))
        runs_anew = changes.changed & _RUN_FIELDS
        definition = await self._definition(principal, draft) if runs_anew else current.definition
        changed = replace(
            current,
            name=draft.name,
            description=draft.description,
            tags=draft.tags,
            display_config=draft.display_config,
            definition=definition,
            version=current.version + (definition != current.definition),
            updated_at=self._clock.now(),
            updated_by=principal.user_id or None,
        )

        def store(session: Session) -> Retriever:
            if find_retriever(session, principal, current.retriever_id) != current:
                raise ConflictError(f"retriever {current.name!r} was changed meanwhile; read it and try again")
            # The one before too: it may be older than versions are kept.
            for one in (current, changed):
                session.retriever_versions.put(principal, version_of(one))
            return session.retrievers.replace(principal, changed)

        return await self._metadata.write(store)

    async def versions(self, principal: Principal, identifier: str) -> Sequence[RetrieverVersion]:
        """What it runs and ran, newest first. Raises: NotFoundError."""

        def read(session: Session) -> Sequence[RetrieverVersion]:
            found = find_retriever(session, principal, identifier)
            kept = session.retriever_versions.list(principal, found.retriever_id)
            return kept if any(one.version == found.version for one in kept) else [version_of(found), *kept]

        return await self._metadata.read(read)

    async def drop_cache(self, principal: Principal, identifier: str) -> Retriever:
        """Let no answer or stage's outcome that was kept for it be found again, on any server. Raises: NotFoundError.

        Its `updated_at` is part of every key.
        """

        def touch(session: Session) -> Retriever:
            found = find_retriever(session, principal, identifier)
            return session.retrievers.replace(principal, replace(found, updated_at=self._clock.now()))

        return await self._metadata.write(touch)

    async def delete(self, principal: Principal, identifier: str) -> None:
        """Its executions' records stay; where it is published, its public name opens nothing. Raises: NotFoundError."""

        def remove(session: Session) -> None:
            found = find_retriever(session, principal, identifier)
            session.published.delete(principal, found.retriever_id)
            session.rollouts.end(principal, found.retriever_id)
            session.retriever_versions.delete(principal, found.retriever_id)
            session.fusion_credits.forget_retriever(principal, found.retriever_id)
            session.retrievers.delete(principal, found.retriever_id)

        await self._metadata.write(remove)

    async def clone(self, principal: Principal, identifier: str, changes: RetrieverChanges) -> tuple[Retriever, str]:
        """A new retriever and its source's id. Raises: as `create`, and NotFoundError."""
        source = await self.get(principal, identifier)
        clone = await self.create(principal, changes.over(draft_of(source)))
        return clone, source.retriever_id

    async def _definition(self, principal: Principal, draft: RetrieverDraft) -> Definition:
        """The draft's pipeline with its collections by id, checked as before a run."""
        check_config(draft.cache_config, draft.stages)
        collections = await self._metadata.read(
            lambda session: find_collections(session, principal, draft.collections, draft.stages)
        )
        definition = Definition(
            stages=draft.stages,
            input_schema=dict(draft.input_schema),
            collection_ids=tuple(one.collection_id for one in collections) if draft.collections else (),
            budget=draft.budget,
            cache_config=dict(draft.cache_config),
        )
        # Where no input is declared, any may come with the run.
        plan = self._planner.plan(definition, collections, () if draft.input_schema else ANY_NAME)
        await check_programs(plan, self._programs)
        return definition


def find_retriever(session: Session, principal: Principal, identifier: str) -> Retriever:
    """Raises: NotFoundError."""
    found = session.retrievers.get(principal, identifier)
    if found is None:
        raise NotFoundError.of("retriever", identifier)
    return found


def find_version(session: Session, principal: Principal, identifier: str, version: int | None) -> Retriever:
    """The retriever as it was in that version; None means as it is. Raises: NotFoundError naming what is kept."""
    found = find_retriever(session, principal, identifier)
    if version is None or version == found.version:
        return found
    kept = session.retriever_versions.get(principal, found.retriever_id, version)
    if kept is None:
        known = [one.version for one in session.retriever_versions.list(principal, found.retriever_id)]
        message = (
            f"version {version} of retriever {found.name!r} is not known; known are {sorted({*known, found.version})}"
        )
        raise NotFoundError(message, resource="retriever version", id=str(version))
    return replace(found, definition=kept.definition, version=version)


def find_collections(
    session: Session, principal: Principal, identifiers: Sequence[str], stages: Sequence[StageSpec]
) -> tuple[Collection, ...]:
    """The collections that a pipeline runs over: those named, else those that its stages name, else all there are.

    Raises: NotFoundError naming the first that is not there.
    """
    return collections_of(session, principal, collection_names(identifiers, stages))


def collection_names(identifiers: Sequence[str], stages: Sequence[StageSpec]) -> tuple[str, ...]:
    """Ids and names of what a pipeline runs over, each once; none means all there are."""
    return tuple(dict.fromkeys(identifiers)) or tuple(
        name for name in named_collections(stages) if not templates.mentions(name)
    )


def collections_of(session: Session, principal: Principal, names: Sequence[str]) -> tuple[Collection, ...]:
    """Those of `collection_names`; one on standby only where it is named.

    Raises: NotFoundError naming the first that is not there.
    """
    if not names:
        return tuple(one for one in session.collections.list(principal) if not one.is_standby)
    return tuple(_find_collection(session, principal, identifier) for identifier in names)


def _find_collection(session: Session, principal: Principal, identifier: str) -> Collection:
    found = session.collections.get(principal, identifier)
    if found is None:
        raise NotFoundError.of("collection", identifier)
    return found


def _view(retriever: Retriever) -> dict[str, JSON]:
    """What list filters, search and sorts see."""
    return {
        "retriever_id": retriever.retriever_id,
        "retriever_name": retriever.name,
        "name": retriever.name,
        "description": retriever.description,
        "tags": list(retriever.tags),
        "collection_ids": list(retriever.definition.collection_ids),
        "version": retriever.version,
        "created_at": timestamp(retriever.created_at),
        "updated_at": timestamp(retriever.updated_at),
        "created_by": retriever.created_by,
    }
