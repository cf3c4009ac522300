"""A namespace with a collection, one that it feeds, and retrievers over them, all to be extracted anew."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tamis.engine.environment import Environment
from tamis.engine.planning.plan import Planner
from tamis.engine.running.executor import Executor
from tamis.engine.searching.searcher import Searcher
from tamis.engine.stages import STAGES
from tamis.jobs.migrating import MigrationWorker
from tamis.model.bucket import Bucket
from tamis.model.collection import Collection
from tamis.model.namespace_migration import ExtractorChange, MigrationConfig, MigrationType
from tamis.model.retriever import StageSpec
from tamis.services.data.namespace_migrations import MigrationPlanning, NamespaceMigrations
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.retrievers import RetrieverDraft, RetrieverService
from tamis.services.upkeep.clearing import Clearing
from tests.extraction_world import NoModels, World, letters
from tests.retrieval_world import WallClock

URI = "mixpeek://letter_extractor@v1/letters"
EVERY = StageSpec("every", "attribute_filter", {"field": "text", "operator": "exists", "value": True})
SPLIT = ExtractorChange("letter_extractor", parameters={"separator": "|"})


class Migrating:
    """The services over a world, and the worker, which is started by hand."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._is_started = False
        clock, metadata = WallClock(), world.metadata
        planner = Planner(STAGES)
        clearing = Clearing(metadata, world.indexer, world.blobs)
        planning = MigrationPlanning(metadata, world.shelf, planner, clock)
        self.worker = MigrationWorker(
            metadata, planning, world.indexer, clearing, clock, world.worker.wake, lambda: None
        )
        self.migrations = NamespaceMigrations(metadata, planning, clearing, clock, self.worker.wake)
        self.retrievers = RetrieverService(metadata, planner, clock)
        environment = Environment(Searcher(world.index, metadata, NoModels()), NoModels(), clock)
        self.executions = ExecutionService(metadata, planner, Executor(environment), clock, InFlight(clock))

    def start(self) -> None:
        """Where it does not run yet."""
        if not self._is_started:
            self.worker.start()
        self._is_started = True

    def config(self, *changes: ExtractorChange, **options: Any) -> MigrationConfig:
        return MigrationConfig(
            MigrationType.RE_EXTRACT, self.world.principal.namespace_id, extractors=changes or (SPLIT,), **options
        )

    async def ask(self, retriever: str) -> list[tuple[str, str]]:
        """(collection id, text) of every document that it answers, in order."""
        executed = await self.executions.execute_saved(self.world.principal, retriever, RunOptions({}))
        views = [hit.document for hit in executed.documents]
        return [(one.collection_id, str(one.fields["text"])) for one in views if one is not None]


async def furnished(migrating: Migrating, texts: Sequence[str]) -> tuple[Bucket, Collection, Collection]:
    """Collections `docs` and `copies`, which `docs` feeds; retrievers `all`, `named` and `near` over them."""
    world = migrating.world
    bucket = await world.bucket()
    docs = await world.collection("docs", bucket)
    copies = await world.collection("copies", docs, "copy", include_all=True)
    await world.process(bucket, await world.objects(bucket, [{"text": text} for text in texts]))
    near = StageSpec(
        "near", "feature_search",
        {"searches": [{"feature_uri": URI, "query": {"input_mode": "vector", "value": letters("one").tolist()},
                       "top_k": 1000}], "final_top_k": 1000},
    )  # fmt: skip
    every: list[tuple[str, StageSpec, tuple[str, ...]]] = [
        ("all", EVERY, ()), ("named", EVERY, ("docs",)), ("near", near, (docs.collection_id,)),
    ]  # fmt: skip
    for name, stage, collections in every:
        await migrating.retrievers.create(world.principal, RetrieverDraft(name, (stage,), collections=collections))
    return bucket, docs, copies


async def seen_through(migrating: Migrating) -> None:
    """Until no migration is under way."""
    migrating.start()
    try:
        async with asyncio.timeout(120):
            await migrating.worker.drain()
    finally:
        await migrating.worker.close()
