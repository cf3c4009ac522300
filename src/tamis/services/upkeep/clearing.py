"""What a delete leaves in the index and the blob store is cleared away, now or by the next start.

The delete notes it in its own transaction (`session.remains`), so it is known however the server ends. Whoever deleted
waits for the clearing; where that fails, since the index is away, the delete stands all the same and this goes on.
"""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Protocol

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.metadata import Metadata
from tamis.model.principal import Principal
from tamis.model.remain import Remain, RemainKind
from tamis.services.upkeep.indexing import Indexer

POLL_S = 10.0
_CHUNK = 100
_LOG = logging.getLogger(__name__)


class Clears(Protocol):
    """What deletes ask of a `Clearing`."""

    async def clear(self, principal: Principal, remains: Sequence[Remain]) -> None: ...


class Clearing:
    """poll_s: how often what could not be cleared is tried again."""

    def __init__(self, metadata: Metadata, indexer: Indexer, blobs: BlobStore, poll_s: float = POLL_S) -> None:
        self._metadata = metadata
        self._indexer = indexer
        self._blobs = blobs
        self._poll_s = poll_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """What an earlier server left is cleared at once, in the background."""
        self._task = asyncio.create_task(self._watch(), name="clearing")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def clear(self, principal: Principal, remains: Sequence[Remain]) -> None:
        """What a delete has just noted. What cannot be cleared now is tried again later."""
        for remain in remains:
            await self._try(principal, remain)

    async def clear_all(self) -> int:
        """Everything that waits, of every tenant; how much of it could not be cleared."""
        left: set[str] = set()
        while waiting := await self._waiting(left):
            for principal, remain in waiting:
                if not await self._try(principal, remain):
                    left.add(remain.remain_id)
        return len(left)

    async def _waiting(self, left: set[str]) -> list[tuple[Principal, Remain]]:
        found = await self._metadata.read(lambda session: session.remains.pending(_CHUNK + len(left)))
        return [(principal, remain) for principal, remain in found if remain.remain_id not in left]

    async def _try(self, principal: Principal, remain: Remain) -> bool:
        """Away first, then forgotten: what a kill leaves between the two is cleared once more."""
        try:
            await self._clear(principal, remain)
        except Exception:  # whatever a store says, the next remain may be another's
            _LOG.warning("%s %s could not be cleared; that is tried again", remain.kind, remain.name, exc_info=True)
            return False
        await self._metadata.write(lambda session: session.remains.forget(principal, [remain.remain_id]))
        return True

    async def _clear(self, principal: Principal, remain: Remain) -> None:
        if remain.kind is RemainKind.SHARD:
            await self._indexer.drop(principal, remain.name)
        elif remain.kind is RemainKind.FILES:
            await self._blobs.delete_prefix(principal, remain.name)
        else:
            await self._blobs.delete(principal, remain.name)

    async def _watch(self) -> None:
        while True:
            try:
                await self.clear_all()
            except Exception:
                _LOG.exception("what deletes left could not be looked at; that is tried again")
            await asyncio.sleep(self._poll_s)
