"""Concurrent writers and readers over two servers with caches of their own: no answer is older than its question.

The model: every document has a counter, and a shelf that the counter decides. A write that was acknowledged before a
question began must show in its answer, whatever a cache, an identical request in flight or the other server has kept.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.index import Point, Scored, VectorSearch
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.services.runs.execution_runs import CacheState, Executed
from tamis.storage.cache import MemoryCache
from tamis.testing.memory_index import MemoryIndex
from tests.caching_world import CachingWorld, another, caching
from tests.engine.stages.shop import PRINCIPAL
from tests.retrieval_world import search, stage

DOCUMENTS = {"p1": "col_a", "p2": "col_b", "p3": "col_a", "p4": "col_b"}
QUESTIONS = ("running shoes", "bread knife")
BURSTS, MOST_BURSTS, REST_S = 10, 100, 0.06


class SlowIndex(MemoryIndex):
    """Lets others in before it answers and before it takes a write, as an index in another process does."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance

    async def search(
        self, principal: Principal, searches: Sequence[tuple[str, VectorSearch]]
    ) -> Sequence[Sequence[Scored]]:
        await self._pause()
        found = await super().search(principal, searches)
        await self._pause()
        return found

    async def upsert(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        await self._pause()
        await super().upsert(principal, collection_id, points)

    async def _pause(self) -> None:
        await asyncio.sleep(self.chance.choice((0, 0, 0.001, 0.004)))


def shelf_of(count: int) -> str:
    return "front" if count % 2 else "back"


@dataclass
class Model:
    """begun, done: the last counter of each document whose write was begun, and was acknowledged."""

    begun: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    done: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def check(self, before: dict[str, int], answer: Executed, named: str) -> None:
        """before: `done` when the question began."""
        found = {hit.id: hit.document.fields for hit in answer.documents if hit.document}
        for document_id in DOCUMENTS:
            least, most = before[document_id], self.begun[document_id]
            if document_id in found:
                count = found[document_id].get("count")
                assert isinstance(count, int)
                assert least <= count <= most, (named, document_id, least, count, most)
            if least == most:
                assert (document_id in found) == (shelf_of(least) == "front"), (named, document_id, least)


@dataclass
class Trial:
    servers: tuple[CachingWorld, CachingWorld]
    retrievers: dict[str, Retriever]
    chance: random.Random
    model: Model = field(default_factory=Model)
    seen: Counter[str] = field(default_factory=Counter)
    is_over: bool = False

    async def write(self, document_id: str) -> None:
        count = self.model.begun[document_id] = self.model.begun[document_id] + 1
        server = self.chance.choice(self.servers)
        await server.commit(document_id, DOCUMENTS[document_id], count=count, shelf=shelf_of(count))
        await asyncio.sleep(self.chance.choice((0, 0.001, 0.003)))
        await server.indexer.apply(PRINCIPAL, DOCUMENTS[document_id])
        self.model.done[document_id] = count

    async def writer(self) -> None:
        """Bursts of writes, one after another to each of some documents, then rest: an answer lives as long as it.

        On a busy machine a rest may hold no second reading, so there are more of them until enough was tried.
        """
        for burst in range(MOST_BURSTS):
            if burst >= BURSTS and self.has_tried_enough:
                return
            names = self.chance.sample(sorted(DOCUMENTS), self.chance.randint(1, len(DOCUMENTS)))
            await asyncio.gather(*(self._again(name, self.chance.randint(1, 3)) for name in names))
            await asyncio.sleep(REST_S)

    @property
    def has_tried_enough(self) -> bool:
        stages = self.seen["stages HIT"] + self.seen["stages stages"]
        return min(self.seen["whole HIT"], self.seen["whole MISS"], stages) > 20

    async def _again(self, document_id: str, times: int) -> None:
        for _ in range(times):
            await self.write(document_id)

    async def reader(self) -> None:
        while not self.is_over:
            server = self.chance.choice(self.servers)
            named, text = self.chance.choice(sorted(self.retrievers)), self.chance.choice(QUESTIONS)
            before = dict(self.model.done) | {name: self.model.done[name] for name in DOCUMENTS}
            answer = await server.run(self.retrievers[named], text=text)
            self.model.check(before, answer, named)
            state = answer.cache.state if answer.cache else CacheState.BYPASS
            self.seen[f"{named} {state.value}"] += 1
            self.seen[f"{named} stages"] += sum(bool(getattr(end, "cache_hit", False)) for end in answer.stages)
            await asyncio.sleep(0)


@pytest.fixture(params=range(3))
async def trial(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Trial]:
    chance = random.Random(request.param)
    async with caching(tmp_path) as first:
        slow = SlowIndex(chance)
        vars(slow).update({**vars(first.shop.index), "chance": chance})
        first.shop.index = slow
        # Each with a cache of its own, or both with one.
        shared, locks = (MemoryCache(4_000_000), LocalLocks()) if request.param == 2 else (None, None)
        one, other = (another(first.world, cache=shared, locks=locks) for _ in range(2))
        servers = one, other
        front: dict[str, Any] = {"AND": [{"field": "shelf", "operator": "eq", "value": "front"}]}
        seek = search("{{INPUT.text}}", filters=front)
        rest = [stage("count"), stage("sort_attribute", field="count", direction="desc")]
        retrievers = {
            "whole": await servers[0].saved(seek, *rest, enabled=True, ttl_seconds=60),
            "stages": await servers[0].saved(seek, *rest, ttl_seconds=60, enabled=True,
                                             cache_stage_names=["search", "count"]),
            "fresh": await servers[0].saved(seek, *rest),
        }  # fmt: skip
        found = Trial(servers, retrievers, chance)
        for document_id in DOCUMENTS:
            await found.write(document_id)
        yield found


async def test_no_answer_is_older_than_its_question(trial: Trial) -> None:
    readers = [asyncio.ensure_future(trial.reader()) for _ in range(6)]
    await trial.writer()
    trial.is_over = True
    await asyncio.gather(*readers)
    assert trial.has_tried_enough, trial.seen
