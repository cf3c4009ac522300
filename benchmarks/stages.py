"""What each stage costs a document: `python -m benchmarks.stages [stage ...]`.

Every stage of the registry that reaches nothing outside runs its worked example over 100, 1,000 and 5,000 made-up
products, its documents in SQLite and its vectors in the exact index of `tamis.testing`. CPU of the process, so that
threads are in it, and the least of some rounds. From 100 to 5,000 and from 1,000 to 5,000 documents the time may grow
as n log n does, times GROWTH for what a shared machine adds; beside it, what the executor itself takes for a stage that
does nothing, against its limit. Exit status 1 where a limit is not held.
"""

import asyncio
import math
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from tests.engine.stages.shop import PRINCIPAL, PRODUCTS, URI, Shop, document

from tamis.engine.environment import Environment
from tamis.engine.events import Event
from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.run import RunRequest
from tamis.engine.running.executor import Executor
from tamis.engine.stage import Context, Effect, Outcome, Stage, StageKind
from tamis.engine.stages import STAGES
from tamis.engine.stages.limit import Limit
from tamis.errors import TamisError
from tamis.model.document import DocumentWrite
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON
from tamis.model.retriever import Budget, Definition, StageSpec
from tamis.model.vector import Dense
from tamis.storage.metadata import open_sqlite
from tamis.wiring.clock import SystemClock
from tamis.wiring.memory import settle_memory

SIZES = (100, 1_000, 5_000)
GROWTH = 1.6
EXECUTOR_LIMIT_MS = 0.1
ROUNDS_S = 0.4
"""How long a stage is repeated at each size, if once does not take longer."""
TAXONOMY = {
    "nodes": [
        {"id": f"{n}.{m}" if m else str(n), "parent": str(n) if m else None, "vector": [n + 1, m, 1]}
        for n in range(10)
        for m in range(10)
    ]
}
WORDS = [word for _, text, *_ in PRODUCTS for word in text.split()]


def parameters_of(stage_id: str, stage: type[Stage], size: int) -> dict[str, Any]:
    """The worked example, with every document let through where it would end after a few."""
    arm = {"feature_uri": URI, "query": "running shoes", "top_k": size}
    own: dict[str, dict[str, Any]] = {
        "feature_search": {"searches": [arm], "final_top_k": min(size, 1_000)},
        "limit": {"limit": size},
        "rerank": {"inference_name": "shared-words", "query": "bread knife", "max_candidates": min(size, 1_000)},
        "sample": {"count": min(size // 2, 1_000), "seed": 7},
        "cluster": {"content_field": "text"},
        "taxonomy_enrich": {"feature_uri": URI, "taxonomy": TAXONOMY},
    }
    example: dict[str, Any] = getattr(stage, "example", {})
    return own.get(stage_id, example)


def products(size: int) -> list[DocumentWrite]:
    chance = random.Random(7)
    made = []
    for n in range(size):
        text = " ".join(chance.choices(WORDS, k=12))
        brand, price = chance.choice(("Sole", "Blade", "Kobo", f"brand {n % 50}")), chance.randint(1, 200)
        fields: dict[str, JSON] = {
            "text": text,
            "content": text,
            "brand": brand,
            "price": price,
            "tags": [*text.split()],
        }
        vector = np.array([chance.random() for _ in range(3)], dtype=np.float32)
        dense = Dense(vector / np.linalg.norm(vector))
        made.append(DocumentWrite(document(f"doc_{n:06}", "col_a", n, fields), {"embedding": dense}))
    return made


class World:
    """A shop of so many products, and all of them as hits."""

    def __init__(self, shop: Shop, writes: list[DocumentWrite]) -> None:
        self.shop = shop
        scored = [(write.document, 1 / (n + 1)) for n, write in enumerate(writes)]
        self.hits = Hits.of(Hit(one.document_id, score, one, {URI: score}) for one, score in scored)

    async def cpu_us(self, stage_id: str, stage: type[Stage]) -> float:
        """Microseconds a document. Raises: what the stage does where it cannot run here."""
        size = len(self.hits)
        parameters = stage.Parameters.model_validate(parameters_of(stage_id, stage, size))
        hits = Hits() if stage_id == "feature_search" else self.hits
        context = self.shop.context(stage_index=0 if stage_id == "feature_search" else 1)
        return await least_s(lambda: stage(parameters).run(hits, context)) / size * 1e6


async def least_s(once: Callable[[], Awaitable[Any]]) -> float:
    """CPU seconds of the quickest round; the first is to warm up, unless it took long by itself."""
    least, began = math.inf, time.perf_counter()
    for round_number in range(1_000):
        started = time.process_time()
        await once()
        took = time.process_time() - started
        least = min(least, took) if round_number > 1 or took > ROUNDS_S else math.inf
        if math.isfinite(least) and time.perf_counter() - began > ROUNDS_S:
            break
    return least


def growth(us: dict[int, float], small: int, large: int) -> float:
    """Of the cost a document from one size to the other, over that of n log n; at most 1 if it grows no faster."""
    return (us[large] / us[small]) / (math.log(large) / math.log(small))


async def measure(worlds: dict[int, World], stage_id: str, stage: type[Stage]) -> bool:
    """Print one line; whether the limits were held."""
    try:
        await worlds[SIZES[0]].cpu_us(stage_id, stage)  # what it imports is no document's cost
        us = {size: await world.cpu_us(stage_id, stage) for size, world in worlds.items()}
    except TamisError as error:
        print(f"{stage_id:20} not measured here: {error.message[:80]}")
        return True
    worst = max(growth(us, small, SIZES[-1]) for small in SIZES[:-1])
    held = worst <= GROWTH
    costs = "  ".join(f"{us[size]:9.2f}" for size in SIZES)
    print(f"{stage_id:20} {costs}   growth {worst:4.2f} of n log n {'' if held else f'EXCEEDS {GROWTH}'}")
    return held


class Nothing(Limit):
    id: ClassVar[str] = "nothing"
    kind: ClassVar[StageKind] = StageKind.FILTER

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(hits)


class Given(Nothing):
    """Gives the hits that the benchmark made."""

    id: ClassVar[str] = "given"
    hits: ClassVar[Hits] = Hits()

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(self.hits)


def plan_of(world: World, stages: int) -> Plan:
    """`given`, then so many stages that do nothing."""
    specs = (StageSpec("given", "given", {}), *(StageSpec(f"nothing_{n}", "nothing", {}) for n in range(stages)))
    ids = tuple(one.collection_id for one in world.shop.collections)
    planner = Planner({"given": Given, "nothing": Nothing})
    return planner.plan(Definition(specs, {}, ids, Budget()), world.shop.collections)


async def executor_ms(world: World, stages: int = 40) -> float:
    """CPU milliseconds for each further stage that does nothing, its events told to a list."""
    shop, Given.hits = world.shop, world.hits
    executor = Executor(Environment(shop.searcher, shop.models, SystemClock()))

    async def once(plan: Plan) -> None:
        events: list[Event] = []
        result = await executor.run(plan, RunRequest(PRINCIPAL, "exec_1", {}, shop.collections), events.append)
        if result.error is not None:
            raise result.error

    one, many = plan_of(world, 0), plan_of(world, stages)
    return (await least_s(lambda: once(many)) - await least_s(lambda: once(one))) / stages * 1e3


ELSEWHERE = {"code_execution"}
"""Their work is done by other processes, whose time this process's clock does not count."""


async def main(names: list[str]) -> int:
    held = True
    with tempfile.TemporaryDirectory() as folder:
        worlds: dict[int, World] = {}
        for size in SIZES:
            metadata = await open_sqlite(Path(folder) / f"{size}.db")
            shop = Shop(metadata)
            for one in shop.collections:
                await metadata.write(lambda session, one=one: session.collections.insert(PRINCIPAL, one))  # type: ignore[misc]
                await shop.index.create(PRINCIPAL, one.collection_id, one.features)
            writes = products(size)
            await shop.put("col_a", writes)
            worlds[size] = World(shop, writes)
        settle_memory()  # as the server does, so that the collector does not walk the other worlds
        print(f"{'CPU us a document of':20} " + "  ".join(f"{size:>9,}" for size in SIZES))
        for stage_id, stage in sorted(STAGES.items()):
            if Effect.OUTSIDE not in stage.effects and stage_id not in ELSEWHERE and (not names or stage_id in names):
                held = await measure(worlds, stage_id, stage) and held
        for size, world in worlds.items():
            took = await executor_ms(world)
            held = held and took <= EXECUTOR_LIMIT_MS
            print(f"the executor itself, a stage of {size:,} documents: {took:.4f} ms (limit {EXECUTOR_LIMIT_MS})")
        for world in worlds.values():
            await world.shop.metadata.close()
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
