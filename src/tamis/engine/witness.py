"""Sees what a stage reads besides its parameters, its hits and its collections: what no key of a cache knows of."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from tamis.engine.environment import Environment
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.code import CodeRunner, Program, Ran
from tamis.engine.ports.index import FacetCount, Scored
from tamis.engine.ports.learning import Evidence, EvidenceQuery, Learning
from tamis.engine.ports.searching import SearchPort
from tamis.engine.ports.taxonomies import Taxonomies
from tamis.engine.querying.queries import ContentQuery, DocumentQuery, MultiQuery, Query
from tamis.engine.searching.searcher import Found, Search
from tamis.engine.searching.stored_clustering import Clustered, Clustering
from tamis.engine.searching.stored_likeness import Likeness, Likenesses
from tamis.engine.searching.stored_vectors import Diverse, Diversity, LateInteraction
from tamis.engine.stage import Context
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import Filter
from tamis.model.json import JSON
from tamis.model.principal import Principal


class Witness:
    """strayed: since `begin`, a stage has read another collection, a stored file or object, the time, what was
    learnt, or a stored taxonomy.

    looked_at_run: it has asked for the execution's inputs or seed.
    """

    def __init__(self, environment: Environment, collections: Sequence[Collection]) -> None:
        self.strayed = False
        self.looked_at_run = False
        self._known = {collection.collection_id for collection in collections}
        self.environment = Environment(
            searcher=_SeenSearcher(environment.searcher, self),
            models=environment.models,
            clock=_SeenClock(environment.clock, self),
            reach=replace(
                environment.reach,
                code=_SeenCode(environment.reach.code, self),
                learning=_SeenLearning(environment.reach.learning, self),
                taxonomies=_SeenTaxonomies(environment.reach.taxonomies, self),
            ),
        )

    def begin(self) -> None:
        """The next stage runs."""
        self.strayed = self.looked_at_run = False

    def watch(self, context: Context) -> Context:
        """The same context; that its inputs or seed were asked for is seen."""
        return _SeenContext(self, **{one.name: getattr(context, one.name) for one in fields(context)})

    def collections(self, read: Sequence[Collection]) -> None:
        self.strayed |= any(one.collection_id not in self._known for one in read)

    def documents(self, read: Mapping[str, Document]) -> None:
        self.strayed |= any(one.collection_id not in self._known for one in read.values())


class _SeenContext(Context):
    __slots__ = ("_witness",)

    def __init__(self, witness: Witness, **values: Any) -> None:
        object.__setattr__(self, "_witness", witness)
        super().__init__(**values)

    def __getattribute__(self, name: str) -> Any:
        if name in ("inputs", "seed"):
            object.__getattribute__(self, "_witness").looked_at_run = True
        return object.__getattribute__(self, name)


class _SeenCode:
    """A program that ran into a limit may get further a moment later."""

    def __init__(self, runner: CodeRunner, witness: Witness) -> None:
        self._runner = runner
        self._witness = witness

    async def run(
        self, principal: Principal, program: Program, documents: Sequence[Mapping[str, JSON]]
    ) -> Sequence[Ran]:
        ran = await self._runner.run(principal, program, documents)
        self._witness.strayed |= any(one.fault in ("time", "memory", "not_run") for one in ran)
        return ran

    async def check(self, program: Program) -> Ran:
        return await self._runner.check(program)


class _SeenLearning:
    """What was learnt grows with every interaction."""

    def __init__(self, learning: Learning, witness: Witness) -> None:
        self._learning = learning
        self._witness = witness

    async def evidence(self, principal: Principal, query: EvidenceQuery) -> Sequence[Evidence] | None:
        self._witness.strayed = True
        return await self._learning.evidence(principal, query)


class _SeenTaxonomies:
    """A new version of it answers otherwise."""

    def __init__(self, taxonomies: Taxonomies, witness: Witness) -> None:
        self._taxonomies = taxonomies
        self._witness = witness

    async def definition(self, principal: Principal, identifier: str) -> Mapping[str, JSON]:
        self._witness.strayed = True
        return await self._taxonomies.definition(principal, identifier)


class _SeenClock:
    """A stage that looks at the time may answer otherwise a moment later."""

    def __init__(self, clock: Clock, witness: Witness) -> None:
        self._clock = clock
        self._witness = witness

    def now(self) -> datetime:
        self._witness.strayed = True
        return self._clock.now()

    def monotonic_ms(self) -> float:
        self._witness.strayed = True
        return self._clock.monotonic_ms()


class _SeenSearcher:
    """Every way to data that a stage has, each looked at. It holds nothing of its own."""

    def __init__(self, inner: SearchPort, witness: Witness) -> None:
        self._inner = inner
        self._witness = witness

    async def search(self, principal: Principal, searches: Sequence[Search]) -> Sequence[Found]:
        for search in searches:
            self._witness.collections(search.collections)
            await self._query(principal, search.query)
        return await self._inner.search(principal, searches)

    async def _query(self, principal: Principal, query: Query) -> None:
        if isinstance(query, DocumentQuery):
            self._witness.documents(await self._inner.hydrate(principal, [query.document_id]))
        elif isinstance(query, ContentQuery | MultiQuery):
            # Of files only those are known by the key that are wholly in it.
            self._witness.strayed = True

    async def hydrate(self, principal: Principal, document_ids: Sequence[str]) -> Mapping[str, Document]:
        found = await self._inner.hydrate(principal, document_ids)
        self._witness.documents(found)
        return found

    async def collections(
        self, principal: Principal, identifiers: Sequence[str], known: Sequence[Collection] = ()
    ) -> tuple[Collection, ...]:
        found = await self._inner.collections(principal, identifiers, known)
        self._witness.collections(found)
        return found

    async def list_documents(
        self, principal: Principal, collections: Sequence[Collection], filter: Filter | None, limit: int
    ) -> tuple[list[Document], bool]:
        self._witness.collections(collections)
        return await self._inner.list_documents(principal, collections, filter, limit)

    async def random(
        self, principal: Principal, collections: Sequence[Collection], filter: Filter | None, limit: int, seed: str
    ) -> Sequence[Scored]:
        self._witness.collections(collections)
        return await self._inner.random(principal, collections, filter, limit, seed)

    async def facet(
        self, principal: Principal, collections: Sequence[Collection], path: str, limit: int, filter: Filter | None,
        exact: bool,
    ) -> Sequence[FacetCount]:  # fmt: skip
        self._witness.collections(collections)
        return await self._inner.facet(principal, collections, path, limit, filter, exact)

    async def is_empty(self, principal: Principal, collections: Sequence[Collection]) -> bool:
        self._witness.collections(collections)
        return await self._inner.is_empty(principal, collections)

    async def diversify(self, principal: Principal, asked: Diversity) -> Diverse:
        self._witness.collections(asked.collections)
        return await self._inner.diversify(principal, asked)

    async def cluster(self, principal: Principal, asked: Clustering) -> Clustered:
        self._witness.collections(asked.collections)
        return await self._inner.cluster(principal, asked)

    async def likeness(self, principal: Principal, asked: Likeness) -> Likenesses:
        self._witness.collections((*asked.collections, *asked.sources))
        return await self._inner.likeness(principal, asked)

    async def late_interaction(self, principal: Principal, asked: LateInteraction) -> Mapping[str, float]:
        self._witness.collections(asked.collections)
        return await self._inner.late_interaction(principal, asked)
