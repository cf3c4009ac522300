"""Clusters through the services: recorded, replayed without a vector left, and explained to who misses a document."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tamis.engine.verdicts.verdict import VerdictKind
from tamis.executions.replaying import ReplayMode, Verdict
from tamis.model.document import DocumentWrite
from tamis.model.vector import Dense
from tamis.services.runs.execution_runs import Executed, RunOptions
from tests.engine.stages.shop import PRINCIPAL, document
from tests.retrieval_world import World, opened, specs, stage

ALL = stage("attribute_filter", field="theme", operator="exists", value=True)
THEMES = {"shoe": [1.0, 0.0, 0.0], "knife": [0.0, 1.0, 0.0], "novel": [0.0, 0.0, 1.0]}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Eight shoes, six knives and a novel, each theme about its own axis."""
    chance, writes = np.random.default_rng(0), []
    for number, theme in enumerate(["shoe"] * 8 + ["knife"] * 6 + ["novel"]):
        vector = np.array(THEMES[theme]) + chance.normal(size=3) * 0.03
        made = document(f"c{number:02}", "col_a", number, {"theme": theme, "text": f"a {theme}"})
        writes.append(DocumentWrite(made, {"embedding": Dense(vector.astype(np.float32))}))
    async with opened(tmp_path) as world:
        await world.shop.put("col_a", writes)
        yield world


async def run(world: World, **parameters: Any) -> Executed:
    return await world.executions.execute_anonymous(
        PRINCIPAL, specs(ALL, stage("cluster", **parameters)), {}, RunOptions()
    )


async def test_a_frozen_replay_needs_no_vector(world: World) -> None:
    ran = await run(world)
    assert [(hit.extra["label"], hit.extra["size"]) for hit in ran.documents] == [("shoe", 8), ("knife", 6), (None, 1)]
    await world.shop.metadata.write(lambda session: session.documents.delete(PRINCIPAL, "col_a", ["c00", "c09", "c14"]))
    replayed = await world.replays.replay(PRINCIPAL, ran.execution_id, ReplayMode.FROZEN)
    assert (replayed.verdict, replayed.first_divergence) == (Verdict.IDENTICAL, None)


@pytest.mark.parametrize(
    ("parameters", "document_id", "kind", "said", "edit"),
    [
        ({}, "c01", VerdictKind.REPLACED, "in the row of its cluster", ("output_mode", "clusters", "documents")),
        (
            {"include_outliers": False, "output_mode": "documents"}, "c14", VerdictKind.LOST_IN_GROUP,
            "in no cluster (noise)", ("include_outliers", False, True),
        ),
        (
            {"max_members_per_cluster": 2, "output_mode": "documents"}, "c04", VerdictKind.LOST_IN_GROUP,
            "number 5 of 8 in cluster 0", ("max_members_per_cluster", 2, 5),
        ),
        (
            {"max_members_per_cluster": 2}, "c04", VerdictKind.LOST_IN_GROUP,
            "number 5 of 8 in cluster 0", ("max_members_per_cluster", 2, 5),
        ),
    ],
)  # fmt: skip
async def test_why_a_document_is_not_among_them(
    world: World, parameters: dict[str, Any], document_id: str, kind: VerdictKind, said: str, edit: tuple[str, Any, Any]
) -> None:
    answer = await world.why.why(PRINCIPAL, (await run(world, **parameters)).execution_id, document_id)
    (stopped,) = [one for one in answer.stages if one.stage_name == answer.stopped_at]
    assert stopped.verdict.kind is kind
    assert said in stopped.verdict.reason
    proposed = [(one.path[-1], one.before, one.after) for one in stopped.verdict.edits]
    assert edit in proposed
