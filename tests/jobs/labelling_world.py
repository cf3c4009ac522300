"""Documents whose vectors count letters, a taxonomy over them, and the worker that applies it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from tamis.engine.environment import Environment
from tamis.engine.searching.searcher import Searcher
from tamis.jobs.labelling import TaxonomyWalker
from tamis.jobs.walking import Change, Step, WalkWorker
from tamis.model.batch import Task
from tamis.model.collection import Collection
from tamis.model.document import Document, DocumentWrite
from tamis.model.ids import derived_id
from tamis.model.principal import Principal
from tamis.model.taxonomy import Taxonomy
from tamis.model.vector import Dense
from tamis.model.walk import Walk
from tamis.services.data.applications import APPLICATION, begin_application
from tamis.services.runs.labelling import Labelling
from tests.extraction_world import NoModels, World, letters
from tests.retrieval_world import WallClock

NOW = datetime(2026, 3, 4, tzinfo=UTC)


class SlowWalker(TaxonomyWalker):
    """So that a kill finds it at work."""

    async def begin(self, principal: Principal, walk: Walk, collection: Collection) -> Step:
        step = await super().begin(principal, walk, collection)

        async def slow(documents: Sequence[Document]) -> Change:
            await asyncio.sleep(0.1)
            return await step(documents)

        return slow


def worker_of(world: World, walker: type[TaxonomyWalker] = TaxonomyWalker) -> WalkWorker:
    clock = WallClock()
    environment = Environment(Searcher(world.index, world.metadata, NoModels()), NoModels(), clock)
    walkers = {APPLICATION: walker(world.metadata, Labelling(environment), clock)}
    return WalkWorker(world.metadata, world.indexer, clock, walkers, poll_s=0.02)


async def furnished(world: World, titles: Sequence[str], nodes: Sequence[Any]) -> tuple[Collection, Taxonomy]:
    """A collection with a document for each title, and a taxonomy of these nodes."""
    collection = await world.collection("goods", await world.bucket())
    writes = [
        DocumentWrite(
            Document(derived_id("doc", place), collection.collection_id, {"title": title}, NOW, NOW),
            {"letters": Dense(letters(title))},
        )
        for place, title in enumerate(titles)
    ]
    taxonomy = Taxonomy("tax_goods", "goods", {"nodes": [*nodes], "top_k": 1}, NOW, NOW)

    def fill(session: Any) -> None:
        session.documents.put(world.principal, collection.collection_id, writes)
        session.taxonomies.insert(world.principal, taxonomy)
        session.taxonomy_versions.put(world.principal, taxonomy.taxonomy_id, taxonomy.snapshot)

    await world.metadata.write(fill)
    return collection, taxonomy


async def begin(world: World, collection: Collection, taxonomy: Taxonomy, most_at_once: int = 1000) -> Task:
    return await world.metadata.write(
        lambda session: begin_application(
            session, world.principal, collection, taxonomy, NOW, most_at_once=most_at_once
        )
    )


def nearest(titles: Sequence[str], nodes: Sequence[Any]) -> list[tuple[str, float]]:
    """By brute force: of each title the node with the highest cosine, ties by id up."""
    rows = np.stack([letters(title).astype(np.float64) for title in titles])
    found = []
    for row in rows:
        scores = {}
        for node in nodes:
            vectors = np.array(node["vectors"], dtype=np.float64)
            cosines = vectors @ row / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(row))
            scores[node["id"]] = round(float(cosines.max()), 6)
        best = min(scores, key=lambda one: (-scores[one], one))
        found.append((best, scores[best]))
    return found
