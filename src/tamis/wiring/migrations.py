"""Migrations of namespaces, and the worker that sees them through."""

from collections.abc import Callable, Sequence
from typing import Any

from tamis.engine.planning.plan import Planner
from tamis.engine.ports.clock import Clock
from tamis.engine.stages import STAGES
from tamis.jobs.migrating import MigrationWorker
from tamis.services.data.namespace_migrations import MigrationPlanning, NamespaceMigrations
from tamis.services.upkeep.clearing import Clearing
from tamis.services.upkeep.indexing import Indexer
from tamis.settings import Settings
from tamis.wiring.backends import Backends


def migrations_of(
    settings: Settings, backends: Backends, indexer: Indexer, clearing: Clearing, clock: Clock,
    extract: Callable[[], None], switched: Callable[[], None], copy: Callable[[], None],
) -> Sequence[Any]:  # fmt: skip
    """extract: tells the extraction worker that there is work.  switched: called after each switch, and when a
    namespace was made.  copy: tells those who fill it.
    """
    metadata, planner = backends.metadata, Planner(STAGES, most_stages=settings.max_stages)
    planning = MigrationPlanning(metadata, backends.extractors, planner, clock)
    worker = MigrationWorker(metadata, planning, indexer, clearing, clock, extract, switched, backends.locks, copy)
    return worker, NamespaceMigrations(metadata, planning, clearing, clock, worker.wake)
