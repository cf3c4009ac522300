"""A search index that has lost documents is made again from the system of record, without anyone asking for it."""

import asyncio
import contextlib
import logging

from tamis.engine.ports.index import VectorIndex
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import IndexUnavailableError
from tamis.model.collection import Collection
from tamis.model.principal import Principal
from tamis.services.upkeep.indexing import Indexer

POLL_S = 10.0
_LOG = logging.getLogger(__name__)


class Healer:
    """Looks at every tenant's collections after the start, and whenever the index says that a shard lost its points.

    poll_s: how often the index is asked for its health.
    """

    def __init__(self, metadata: Metadata, index: VectorIndex, indexer: Indexer, poll_s: float = POLL_S) -> None:
        self._metadata = metadata
        self._index = index
        self._indexer = indexer
        self._poll_s = poll_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="index-healer")

    async def close(self) -> None:
        """A rebuild that this cuts short is seen and made again by the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def heal(self) -> int:
        """Compare every shard with the system of record; returns how many were made again.

        Raises: IndexUnavailableError.
        """
        healed = 0
        for principal, collection in await self._metadata.read(_collections):
            healed += await self._indexer.repair(principal, collection)
        return healed

    async def _watch(self) -> None:
        looked = False
        while True:
            try:
                if not looked or (await self._index.health()).get("needs_rebuild"):
                    await self.heal()
                    looked = True
            except IndexUnavailableError:
                _LOG.info("the index is away; it is looked at again")
            except Exception:
                _LOG.exception("a collection's index could not be looked at; that is tried again")
            await asyncio.sleep(self._poll_s)


def _collections(session: Session) -> list[tuple[Principal, Collection]]:
    within = [principal for principal, _ in session.every_namespace()]
    return [(principal, collection) for principal in within for collection in session.collections.list(principal)]
