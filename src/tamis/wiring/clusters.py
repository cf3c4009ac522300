"""Clusters over collections, the worker that runs them, and the one that looks at triggers of every kind of work."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.language import LanguageModels
from tamis.engine.ports.locks import Locks
from tamis.engine.ports.metadata import Metadata
from tamis.jobs.clustering import ClusteringWorker
from tamis.jobs.triggering import Triggering
from tamis.services.learning.cluster_enrichments import ClusterEnrichmentService
from tamis.services.learning.cluster_runs import ClusterRunService
from tamis.services.learning.cluster_triggers import ClusterTriggerService
from tamis.services.learning.clusters import ClusterService
from tamis.services.learning.triggers import TriggerService


def clusters_of(
    metadata: Metadata, clock: Clock, language: LanguageModels, locks: Locks, folder: Path, walk: Callable[[], None],
    extract: Callable[[], None],
) -> Sequence[Any]:  # fmt: skip
    """folder: for what is worked on.  walk, extract: tell the workers that walk and extract that there is work."""
    worker = ClusteringWorker(metadata, language, clock, folder, locks, enrichment_begun=walk)

    def begun() -> None:
        worker.wake()
        walk()
        extract()

    triggering = Triggering(metadata, clock, locks, begun)
    return (
        worker,
        triggering,
        ClusterService(metadata, clock, language),
        ClusterRunService(metadata, clock, worker.wake),
        ClusterTriggerService(metadata, clock, language, triggering.wake),
        TriggerService(metadata, clock, triggering.wake, begun),
        ClusterEnrichmentService(metadata, clock, walk),
    )
