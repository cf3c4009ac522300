"""The shop with caches before its pipelines, its index kept by the outbox, and documents that change."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import httpx
from pydantic import BaseModel

from tamis.engine.environment import Environment
from tamis.engine.parameters import StageParameters
from tamis.engine.planning.plan import Planner
from tamis.engine.ports.cache import CacheCounts
from tamis.engine.ports.locks import Locks
from tamis.engine.querying.embedding_cache import EmbeddingCache
from tamis.engine.running.executor import Executor
from tamis.engine.searching.searcher import Searcher
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.stage import Context, Effect, Outcome, Stage, StageKind
from tamis.model.document import Document
from tamis.model.hits import Hits
from tamis.model.retriever import Retriever
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.runs.answer_cache import AnswerCache
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.retrievers import RetrieverDraft, RetrieverService
from tamis.services.runs.snapshots import SnapshotStore
from tamis.services.upkeep.indexing import Indexer
from tamis.storage.cache import MemoryCache
from tests.engine.stages.shop import PRINCIPAL, Shop
from tests.retrieval_world import REGISTRY, WallClock, World, opened, specs


class CountParameters(StageParameters):
    cache_behavior: str | None = None
    cache_ttl_seconds: int | None = None


class Count:
    """Passes its hits on, and counts how often it ran."""

    id: ClassVar[str] = "count"
    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "hash"
    description: ClassVar[str] = "Counts."
    Parameters: ClassVar[type[BaseModel]] = CountParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    runs: ClassVar[int] = 0

    def __init__(self, parameters: Any) -> None: ...

    async def run(self, hits: Hits, context: Context) -> Outcome:
        type(self).runs += 1
        return Outcome(hits)


class Outside(Count):
    """Asks somebody else, who may answer otherwise each time."""

    id: ClassVar[str] = "outside"
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE})
    runs: ClassVar[int] = 0

    async def run(self, hits: Hits, context: Context) -> Outcome:
        outcome = await super().run(hits, context)
        asked = [hit.with_extra(told=self.runs) for hit in outcome.hits]
        return Outcome(Hits.of(asked), llm_calls=1)


class Clocked(Count):
    """Looks at the clock."""

    id: ClassVar[str] = "clocked"
    runs: ClassVar[int] = 0

    async def run(self, hits: Hits, context: Context) -> Outcome:
        context.clock.now()
        return await super().run(hits, context)


class Seeded(Count):
    """Shows the seed."""

    id: ClassVar[str] = "seeded"
    runs: ClassVar[int] = 0

    async def run(self, hits: Hits, context: Context) -> Outcome:
        outcome = await super().run(hits, context)
        return Outcome(Hits.of(hit.with_extra(seed=context.seed) for hit in outcome.hits))


COUNTED = (Count, Outside, Clocked, Seeded)
STAGES: dict[str, type[Stage]] = {**REGISTRY, **{one.id: one for one in COUNTED}}
PRICES = PriceTable({"feature_search": Price(per_run=0.01), "outside": Price(per_run=0.5)})


@dataclass
class CachingWorld:
    world: World
    cache: MemoryCache
    counts: CacheCounts
    indexer: Indexer
    drafts: int = field(default=0)

    @property
    def shop(self) -> Shop:
        return self.world.shop

    async def saved(self, *stages: dict[str, Any], collections: tuple[str, ...] = (), **cache: Any) -> Retriever:
        """A retriever with this `cache_config`, `text` its input."""
        self.drafts += 1
        draft = RetrieverDraft(
            f"r{self.drafts}", specs(*stages), {}, collections, cache_config=cache, tags=("of a test",)
        )
        return await self.world.retrievers.create(PRINCIPAL, draft)

    async def run(self, retriever: Retriever, skip_cache: bool = False, **inputs: Any) -> Executed:
        options = RunOptions(inputs=inputs, skip_cache=skip_cache)
        return await self.world.executions.execute_saved(PRINCIPAL, retriever.retriever_id, options)

    async def write(self, document_id: str, collection_id: str = "col_a", **fields: Any) -> None:
        """Change a document, and bring the index after it, as the services do before they answer a write."""
        await self.commit(document_id, collection_id, **fields)
        await self.indexer.apply(PRINCIPAL, collection_id)

    async def commit(self, document_id: str, collection_id: str = "col_a", **fields: Any) -> None:
        """The half of a write that comes before the index has it."""

        def put(session: Any) -> None:
            found = session.documents.get(PRINCIPAL, collection_id, document_id)
            assert isinstance(found, Document)
            changed = replace(found, fields={**found.fields, **fields})
            session.documents.put_fields(PRINCIPAL, collection_id, [changed])

        await self.shop.metadata.write(put)

    async def delete(self, document_id: str, collection_id: str = "col_a") -> None:
        await self.shop.metadata.write(
            lambda session: session.documents.delete(PRINCIPAL, collection_id, [document_id])
        )
        await self.indexer.apply(PRINCIPAL, collection_id)

    def client(self) -> httpx.AsyncClient:
        return self.world.client()


@asynccontextmanager
async def caching(path: Path, cache_bytes: int = 4_000_000) -> AsyncIterator[CachingWorld]:
    async with opened(path) as world:
        for one in COUNTED:
            one.runs = 0
        shop = world.shop
        indexer = Indexer(shop.metadata, shop.index)
        for collection in shop.collections:
            await indexer.apply(PRINCIPAL, collection.collection_id)
        yield another(world, cache_bytes)


def another(
    before: World, cache_bytes: int = 4_000_000, cache: MemoryCache | None = None, locks: Locks | None = None
) -> CachingWorld:
    """A server over the same stores, as there are several over one PostgreSQL. cache: None is one of its own."""
    shop = before.shop
    clock, cache, counts = WallClock(), cache or MemoryCache(cache_bytes), CacheCounts()
    planner, in_flight, snapshots = Planner(STAGES), InFlight(clock), SnapshotStore()
    cached = Searcher(shop.index, shop.metadata, shop.models, embeddings=EmbeddingCache(cache, counts))
    executor = Executor(Environment(cached, shop.models, clock), PRICES)
    plain = Environment(shop.searcher, shop.models, clock)
    answers = AnswerCache(executor, shop.metadata, cache, counts, plain, locks)
    world = replace(
        before,
        retrievers=RetrieverService(shop.metadata, planner, clock),
        executions=ExecutionService(shop.metadata, planner, executor, clock, in_flight, snapshots, answers=answers),
        records=ExecutionRecords(shop.metadata, in_flight),
        snapshots=snapshots,
        in_flight=in_flight,
    )
    return CachingWorld(world, cache, counts, Indexer(shop.metadata, shop.index))


def shown(executed: Executed) -> list[tuple[Any, ...]]:
    """What an answer says of each document."""
    return [(hit.id, hit.score, dict(hit.scores), dict(hit.extra), hit.document) for hit in executed.documents]
