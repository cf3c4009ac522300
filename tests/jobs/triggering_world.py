"""Triggers of every kind on a clock that goes from moment to moment at which one is due, as the record says them.

What a kill broke off is taken up at the same moment, so that a course that was killed can be held against one that was
not: the same triggers have fired for the same moments.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tamis.engine.ports.metadata import Metadata, Session
from tamis.jobs.triggering import Triggering
from tamis.model.batch import TaskStatus
from tamis.model.cluster import RunStatus
from tamis.model.document import Document, DocumentWrite
from tamis.model.ids import derived_id
from tamis.model.trigger import Action, Firing, TriggerType
from tamis.model.vector import Dense, FeatureSpec, VectorKind
from tamis.model.webhook import Delivery, Target
from tamis.services.learning.triggers import TriggerDraft, TriggerService
from tamis.storage.metadata import open_sqlite
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME

BEGIN = samples.NOW + timedelta(days=1)
HOOK = "wh_first00000"
_EVENTS = ("trigger.fired", "trigger.execution.completed")
_KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "cron": ("cron", {"cron_expression": "* * * * *"}),
    "beat": ("interval", {"interval_seconds": 7}),
    "new": ("event", {"event_threshold": 4, "cooldown_seconds": 1}),
    "share": ("conditional", {"condition_type": "volume", "threshold": 0.1, "check_interval_seconds": 11}),
}


@dataclass
class Clock:
    at: datetime = BEGIN

    def now(self) -> datetime:
        return self.at

    def monotonic_ms(self) -> float:
        return self.at.timestamp() * 1000


async def furnish(metadata: Metadata, hook_url: str = "http://127.0.0.1/hook") -> None:
    """A cluster and a trigger of each kind, and a webhook that is told what they do."""

    def fill(session: Session) -> None:
        feature = FeatureSpec("embedding", VectorKind.DENSE, 2)
        session.collections.insert(ME, replace(samples.collection(), features=(feature,)))
        session.webhooks.insert(ME, replace(samples.webhook("first", *_EVENTS), targets=(Target(hook_url),)))
        for name in _KINDS:
            session.clusters.insert(ME, samples.cluster(name))

    await metadata.write(fill)
    service = TriggerService(metadata, Clock())
    for name, (kind, schedule) in _KINDS.items():
        await service.create(ME, TriggerDraft(Action.CLUSTER, {"cluster_id": name}, TriggerType(kind), schedule))


async def go_on(metadata: Metadata, until_s: float, told: Callable[[], None] | None = None) -> None:
    """From moment to moment, to so many seconds after the beginning. told: is called after each."""
    clock = Clock()
    triggering = Triggering(metadata, clock)
    while (at := await metadata.read(_earliest)) < BEGIN + timedelta(seconds=until_s):
        clock.at = at
        await metadata.write(lambda session, at=at: _happen(session, at))  # type: ignore[misc] # bound at once
        await triggering.look()
        if told is not None:
            told()
    await metadata.write(_end_runs)
    await triggering.look()


def _earliest(session: Session) -> datetime:
    return min(one.due_at for one in session.triggers.list(ME) if one.due_at is not None)


def _happen(session: Session, at: datetime) -> None:
    """What was begun at earlier moments has ended, and there is another document; twice is as once."""
    _end_runs(session)
    document = Document(derived_id("doc", at.isoformat()), "col_first", {}, at, at)
    vector = Dense(np.array((1.0, 0.0), dtype=np.float32))
    session.documents.put(ME, "col_first", [DocumentWrite(document, {"embedding": vector})])


def _end_runs(session: Session) -> None:
    for cluster in session.clusters.list(ME):
        for run in session.cluster_runs.list(ME, cluster.cluster_id):
            if run.status.is_final:
                continue
            session.cluster_runs.replace(ME, replace(run, status=RunStatus.COMPLETED))
            task = session.tasks.get(ME, run.task_id)
            if task is not None:
                session.tasks.replace(ME, replace(task, status=TaskStatus.COMPLETED, updated_at=run.created_at))


async def firings(metadata: Metadata) -> dict[str, list[Firing]]:
    """By what the trigger's cluster is called, oldest first."""

    def read(session: Session) -> dict[str, list[Firing]]:
        found = {}
        for trigger in session.triggers.list(ME):
            page = session.firings.page(ME, trigger.trigger_id, 1000, 0)
            assert page.total == trigger.fired
            found[trigger.resource_id.removeprefix("clust_")] = list(reversed(page.items))
        return found

    return await metadata.read(read)


async def undisturbed(path: Path, until_s: float) -> dict[str, list[datetime]]:
    """For which moments each fires where nothing is killed. path: of a furnished database, which stays as it is."""
    copied = path.with_suffix(".undisturbed")
    shutil.copy(path, copied)
    metadata = await open_sqlite(copied)
    try:
        await go_on(metadata, until_s)
        return {name: [one.moment for one in some] for name, some in (await firings(metadata)).items()}
    finally:
        await metadata.close()


async def check_course(metadata: Metadata, expected: dict[str, list[datetime]]) -> list[Delivery]:
    """Each fired once for each of these moments, each time with a run of its own and an event; what is to be told."""
    found = await firings(metadata)
    assert {name: [one.moment for one in some] for name, some in found.items()} == expected
    every = [one for some in found.values() for one in some]
    tasks = [one.task_id for one in every]
    assert len(set(tasks)) == len(tasks)
    assert {one.status for one in every} == {TaskStatus.COMPLETED}

    def runs(session: Session) -> list[str]:
        clusters = session.clusters.list(ME)
        return [run.task_id for one in clusters for run in session.cluster_runs.list(ME, one.cluster_id)]

    assert sorted(await metadata.read(runs)) == sorted(tasks)
    page = await metadata.read(lambda session: session.deliveries.page(ME, HOOK, None, 10_000, 0))
    told = sorted((one.event.event_type, str(one.event.data["task_id"])) for one in page.items)
    assert told == sorted((kind, task) for kind in _EVENTS for task in tasks)
    assert len({one.event.event_id for one in page.items}) == len(told)
    return [*page.items]
