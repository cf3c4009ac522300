"""The extraction worker: takes up every unfinished batch, of every tenant, and sees it through."""

import asyncio
import contextlib
import logging
from time import monotonic

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.extraction import Extractors
from tamis.engine.ports.inference import Models
from tamis.engine.ports.locks import Hold, Locks
from tamis.engine.ports.metadata import Metadata
from tamis.errors import ExtractionUnavailableError, StorageFullError, StorageUnavailableError
from tamis.jobs import batch_state
from tamis.jobs.batch_run import BatchRun, Workshop
from tamis.jobs.calling import Caller
from tamis.jobs.loading import Loader
from tamis.jobs.sharing import Sharing
from tamis.jobs.source_files import SourceFiles
from tamis.jobs.threads import ExtractorThreads
from tamis.model.batch import Batch
from tamis.model.principal import Principal
from tamis.services.data.files import FileKeeping
from tamis.services.upkeep.indexing import Indexer

_LOG = logging.getLogger(__name__)
_BATCHES_AT_ONCE = 8
_FAULTS = 5
_PAUSE_S = 0.5
_WAIT_S = 2.0
_PASSING = (ExtractionUnavailableError, StorageFullError, StorageUnavailableError)
_PATIENCE_S = 1.0
"""For calls under way when the worker is stopped."""


class ExtractionWorker:
    """Durable: what it does is in the system of record, a start goes on where a kill stopped it.

    Batches share the worker threads call by call, so that a small batch does not wait for a large one.
    """

    def __init__(
        self,
        metadata: Metadata,
        indexer: Indexer,
        extractors: Extractors,
        models: Models,
        keeping: FileKeeping,
        files: SourceFiles,
        threads: int = 1,
        poll_s: float = 2.0,
        locks: Locks | None = None,
        caller: Caller | None = None,
    ) -> None:
        """threads: extractor calls at once; with 0 batches are other workers'.

        poll_s: how often to look for batches that nobody announced.

        locks: seen by all workers of this record, so that each batch is one worker's; None where there is no other.
        caller: where extractors are called, else on threads.
        """
        self._metadata = metadata
        self._takes_up = threads > 0
        self._caller: Caller = caller or ExtractorThreads(max(1, threads))
        self._decoding = files.decoding
        loader = Loader(metadata, files, models)
        sharing = Sharing(metadata, keeping)
        self._shop = Workshop(metadata, indexer, extractors, models, loader, keeping, sharing, self._caller)
        self._locks: Locks = locks or LocalLocks()
        self._poll_s = poll_s
        self._woken = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self._running: dict[str, asyncio.Task[None]] = {}
        self._faults: dict[str, tuple[int, float]] = {}

    def wake(self) -> None:
        """Look for work now; called after a batch was submitted."""
        self._woken.set()

    def trouble(self) -> str | None:
        """Why batches are not worked off, where this worker is to; so it is before `start` and after `stop`."""
        if not self._takes_up:
            return None
        if self._watcher is None or self._watcher.done():
            return "nothing works off batches; restart the server"
        return self._caller.trouble

    async def start(self) -> None:
        if self._takes_up:
            self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Leave off now; the next start goes on. A call that does not end within a second is left behind."""
        tasks = [*self._running.values(), *([self._watcher] if self._watcher else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._running.clear()
        # What is decoded now is for nobody: the threads need not wait for it.
        await asyncio.to_thread(self._decoding.close)
        await asyncio.to_thread(self._caller.leave, _PATIENCE_S)
        if self.left_behind:
            _LOG.info("%d extractor calls were left behind; what they were at is done again", self.left_behind)

    @property
    def left_behind(self) -> int:
        """Calls that go on after `stop`, for nobody, which the interpreter would wait for at its end."""
        return self._caller.left_behind

    async def drain(self) -> None:
        """Return once no batch is unfinished."""
        while self._running or await self._has_unfinished():
            self.wake()
            await asyncio.sleep(0.02)

    async def _has_unfinished(self) -> bool:
        return bool(await self._metadata.read(lambda session: session.batches.unfinished()))

    async def _watch(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._take_up()
            except Exception:
                _LOG.exception("looking for batches failed; trying again")
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()

    async def _take_up(self) -> None:
        for principal, batch in await self._metadata.read(lambda session: session.batches.unfinished()):
            if len(self._running) >= _BATCHES_AT_ONCE:
                return
            _, not_before = self._faults.get(batch.batch_id, (0, 0.0))
            if batch.batch_id in self._running or monotonic() < not_before:
                continue
            # Where another worker is at it, it is looked at again after a while.
            hold = await self._locks.take(f"batch:{batch.batch_id}")
            if hold is not None:
                self._running[batch.batch_id] = asyncio.create_task(self._see_through(principal, batch, hold))

    async def _see_through(self, principal: Principal, batch: Batch, hold: Hold) -> None:
        try:
            await BatchRun(self._shop, principal, batch, hold).run()
            self._faults.pop(batch.batch_id, None)
        except Exception as error:
            await self._note_fault(principal, batch, error)
        finally:
            self._running.pop(batch.batch_id, None)
            await hold.release()
            self.wake()

    async def _note_fault(self, principal: Principal, batch: Batch, error: Exception) -> None:
        """A fault of the server, not of a source: try again after a pause, but not for ever.

        Where there is no space, or the database does not answer, that is what is waited for.
        """
        passing = _passing(error)
        if passing is not None:
            self._faults[batch.batch_id] = (0, monotonic() + _WAIT_S)
            _LOG.warning("batch %s waits: %s", batch.batch_id, passing)
            return
        count = self._faults.get(batch.batch_id, (0, 0.0))[0] + 1
        self._faults[batch.batch_id] = (count, monotonic() + _PAUSE_S * 2**count)
        _LOG.error("batch %s stopped for the %d. time", batch.batch_id, count, exc_info=error)
        if count < _FAULTS:
            return
        try:
            await self._metadata.write(
                lambda session: batch_state.give_up(
                    session, principal, batch.batch_id, f"the server could not go on: {error}"
                )
            )
            self._faults.pop(batch.batch_id, None)
        except Exception:
            _LOG.exception("batch %s could not be closed; a restart takes it up again", batch.batch_id)


def _passing(error: Exception) -> Exception | None:
    """What is waited for, where that is all that is wrong: of the tasks of a batch several may have met it."""
    if not isinstance(error, ExceptionGroup):
        return error if isinstance(error, _PASSING) else None
    met, others = error.split(_PASSING)
    return None if met is None or others is not None else _passing(met.exceptions[0])
