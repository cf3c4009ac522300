"""How the server is, all tenants together: what waits, what runs, which parts answer."""

from tamis.engine.ports.cache import Cache
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.ports.telemetry import Vitals
from tamis.errors import TamisError
from tamis.model.batch import ItemStatus
from tamis.services.runs.inflight import InFlight
from tamis.services.upkeep.health import HealthService

_PARTS = ("metadata", "object_storage", "vector_store", "task_queue", "inference", "cache")


class VitalsService:
    """For operators: counts alone, of no tenant in particular."""

    def __init__(
        self, metadata: Metadata, health: HealthService, in_flight: InFlight, cache: Cache | None = None
    ) -> None:
        self._cache = cache
        self._metadata = metadata
        self._health = health
        self._in_flight = in_flight

    async def read(self) -> Vitals:
        """Never raises: a part that does not answer is what it tells."""
        health = await self._health.check()
        parts = {part: part not in health.errors for part in _PARTS}
        try:
            batches, items = await self._metadata.read(_queue)
        except TamisError:
            batches, items, parts["metadata"] = 0, 0, False
        usage = None if self._cache is None else await self._cache.usage()
        return Vitals(len(self._in_flight), batches, items, parts, usage)


def _queue(session: Session) -> tuple[int, int]:
    """Batches that are not done, and their items that nothing has taken up."""
    unfinished = session.batches.unfinished()
    counts = [session.batches.count_items(principal, batch.batch_id) for principal, batch in unfinished]
    waiting = sum(count for counted in counts for (_, status), count in counted.items() if status is ItemStatus.WAITING)
    return len(unfinished), waiting
