"""Taxonomies applied to collections: against brute force on real categories, and across kill -9."""

import asyncio
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tamis.model.batch import TaskStatus
from tamis.model.ids import derived_id
from tests.extraction_world import World, letters, open_world
from tests.jobs.labelling_world import begin, furnished, nearest, worker_of
from tests.shared_data import json_lines, shared

ROOT = Path(__file__).parents[2]
EXAMPLES = 3


async def _labels(world: World, count: int) -> list[tuple[str | None, float | None, list[Any]]]:
    """By place: the label, its confidence, and what was appended."""
    ids = [derived_id("doc", place) for place in range(count)]
    found = await world.metadata.read(lambda session: session.documents.get_many(world.principal, ids))
    labels = []
    for one in ids:
        fields: Any = found[one].fields
        primary = fields.get("taxonomies", {}).get("goods", {}).get("primary") or {}
        labels.append((primary.get("id"), primary.get("confidence"), fields.get("seen", [])))
    return labels


def _node(name: str, examples: list[str]) -> dict[str, Any]:
    return {
        "id": name, "label": name, "vectors": [letters(title).tolist() for title in examples],
        "properties": {"mark": name},
        "enrichment_fields": [{"field_path": "mark", "target_field": "seen", "merge_mode": "append"}],
    }  # fmt: skip


async def test_categories_of_chorus_are_assigned_as_by_brute_force(tmp_path: Path) -> None:
    rows = json_lines(shared("data/chorus_icecat/corpus.jsonl"))
    by_type: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        if "attr_t_type" in row and any("a" <= one <= "z" for one in row["title"].lower()):
            by_type[row["attr_t_type"]].append(row["title"])
    names = sorted(by_type, key=lambda one: (-len(by_type[one]), one))[:20]
    nodes = [_node(name, by_type[name][:EXAMPLES]) for name in names]
    titles = [title for name in names for title in by_type[name][EXAMPLES:90]]
    async with open_world(tmp_path) as world:
        collection, taxonomy = await furnished(world, titles, nodes)
        await begin(world, collection, taxonomy)
        worker = worker_of(world)
        worker.start()
        await worker.drain()
        await worker.close()
        found = await _labels(world, len(titles))
    expected = nearest(titles, nodes)
    assert len(titles) > 500
    different = [(got, wanted) for got, wanted in zip(found, expected, strict=True) if got[0] != wanted[0]]
    # Where two nodes are as near to six digits, float32 rows and float64 ones may round apart.
    assert all(abs(float(got[1] or 0) - wanted[1]) <= 2e-6 for got, wanted in different)
    assert len(different) <= len(titles) // 200
    assert [one[1] for one in found] == pytest.approx([one[1] for one in expected], abs=2e-6)


async def test_each_document_is_labelled_once_whatever_is_killed(tmp_path: Path) -> None:
    titles = [f"{'boots' if number % 3 else 'lamp'} {number:03}" for number in range(300)]
    nodes = [_node("boots", ["boots"]), _node("lamp", ["lamp"])]
    async with open_world(tmp_path) as world:
        collection, taxonomy = await furnished(world, titles, nodes)
        task = await begin(world, collection, taxonomy, most_at_once=16)
        for at in (20, 150):
            await _killed(world, tmp_path, task.task_id, at)
        last = _child(tmp_path)
        assert await asyncio.to_thread(last.wait, 120) == 0
        told = await world.tasks.get(world.principal, task.task_id)
        found = await _labels(world, len(titles))
        figures = await world.metadata.read(
            lambda session: dict(session.assignments.by_node(world.principal, taxonomy.taxonomy_id))
        )
    assert told.status is TaskStatus.COMPLETED
    assert told.additional_data["labelled_documents"] == told.additional_data["processed_documents"] == 300
    assert [(label, seen) for label, _, seen in found] == [(title.split()[0], [title.split()[0]]) for title in titles]
    assert {node: one.count for node, one in figures.items()} == {"boots": 200, "lamp": 100}


def _child(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.jobs.labelling_child", str(path)], cwd=ROOT)


async def _killed(world: World, path: Path, task_id: str, at: int) -> None:
    """A child that is killed as soon as it has come past so many documents."""
    child = _child(path)
    try:
        deadline = time.monotonic() + 90
        while await _seen(world, task_id) < at:
            assert child.poll() is None, "the child ended before it could be killed"
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
    finally:
        child.kill()
        child.wait()


async def _seen(world: World, task_id: str) -> int:
    walk = await world.metadata.read(lambda session: session.walks.get(world.principal, task_id))
    return 0 if walk is None else walk.seen
