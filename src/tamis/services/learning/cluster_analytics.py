"""How the runs of a cluster went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.cluster import Cluster, ClusterRun, RunStatus
from tamis.model.principal import Principal
from tamis.services.learning.clusters import find_cluster
from tamis.services.records.spans import Span, last


@dataclass(frozen=True, slots=True)
class ClusterHistory:
    """runs: newest first.  total: of the time, shown or not.  now: until when a run under way has taken."""

    cluster: Cluster
    span: Span
    runs: Sequence[ClusterRun]
    total: int
    now: datetime


class ClusterAnalytics:
    """Every operation raises NotFoundError for a cluster that is not there."""

    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def history(self, principal: Principal, identifier: str, hours: int, limit: int) -> ClusterHistory:
        return await self._found(principal, identifier, hours, limit, frozenset(RunStatus))

    async def failures(self, principal: Principal, identifier: str, hours: int) -> ClusterHistory:
        """All of the time."""
        return await self._found(principal, identifier, hours, None, frozenset({RunStatus.FAILED}))

    async def _found(
        self, principal: Principal, identifier: str, hours: int, limit: int | None, statuses: frozenset[RunStatus]
    ) -> ClusterHistory:
        now = self._clock.now()
        span = last(now, hours)

        def read(session: Session) -> ClusterHistory:
            cluster = find_cluster(session, principal, identifier)
            runs = [
                one
                for one in session.cluster_runs.list(principal, cluster.cluster_id)
                if one.created_at >= span.start and one.status in statuses
            ]
            return ClusterHistory(cluster, span, runs[:limit], len(runs), now)

        return await self._metadata.read(read)
