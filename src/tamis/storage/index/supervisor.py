"""Which index process owns which shard, and how a shard moves to the process that has its new generation open.

Loading a large generation stops a process for a second, so none that serves ever loads one: what no build has put in
order yet is owned by the first process; a shard that was built is owned by another one, as a rule its own. When a build
ends, a fresh process loads the new generation and replays the journal while the old owner still serves. Then new writes
to that shard are held for some milliseconds, the rest of the journal is replayed, CURRENT is moved, and calls go to the
new owner. CURRENT alone says which side of that step a crash fell on.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Sequence
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from tamis.errors import IndexUnavailableError, TamisError
from tamis.storage.index.connection import Connection
from tamis.storage.index.files import ShardFiles, clear_dropped, lock, read_built
from tamis.storage.index.worker import Worker

PROCESSES_LIMIT = 8
"""Beyond so many, large shards share processes: each takes 40 MB before it holds a single point."""

_HEALTH_WAIT_S = 5.0
_log = logging.getLogger(__name__)


class Supervisor:
    """Carries every call to the owner of its shard. Calls while that is away raise IndexUnavailableError."""

    def __init__(self, root: Path, threshold: int) -> None:
        self.restarts = 0
        self._root = root
        self._threshold = threshold
        self._lock: IO[str] | None = None
        self._first: Worker | None = None
        self._others: list[Worker] = []
        self._owners: dict[str, Worker] = {}
        self._held: dict[str, asyncio.Event] = {}
        self._handovers: dict[asyncio.Task[None], Worker] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        return self._first.pid if self._first else None

    async def start(self) -> None:
        """Raises: IndexUnavailableError where the first process does not come up or another server owns the root."""
        try:
            self._lock = await asyncio.to_thread(lock, self._root)
            await asyncio.to_thread(clear_dropped, self._root)
        except (OSError, TimeoutError) as error:
            raise IndexUnavailableError(f"the index process did not start: {error}") from error
        first = self._worker()
        try:
            await first.start()
        except IndexUnavailableError:
            self._lock.close()
            raise
        self._first = first

    async def close(self) -> None:
        """What a handover leaves half done is settled by the next start."""
        for handover in self._handovers:
            handover.cancel()
        await asyncio.gather(*self._handovers, *self._ending, return_exceptions=True)
        await asyncio.gather(*(worker.close() for worker in self._serving()))
        self._first = None
        if self._lock is not None:
            self._lock.close()

    async def write(self, operation: str, shard: str, argument: Any) -> Any:
        """Once, or not at all."""
        while held := self._held.get(shard):
            await held.wait()
        result = await self._owner(shard).call(operation, shard, argument)
        if operation == "drop":
            self._disown(shard)
        return result

    async def read(self, operation: str, shard: str, argument: Any) -> Any:
        """Waits for a restart under way, and asks once more where the process died meanwhile."""
        owner = await self._standing(shard)
        try:
            return await owner.call(operation, shard, argument)
        except IndexUnavailableError:
            owner = await self._standing(shard)
            return await owner.call(operation, shard, argument)

    async def _standing(self, shard: str) -> Worker:
        """The owner, once it is up. A handover may end meanwhile, and the new owner have died with the old one."""
        while True:
            owner = self._owner(shard)
            await owner.wait_up()
            if self._owner(shard) is owner:
                return owner

    async def search(self, searches: Sequence[tuple[str, Any]]) -> list[Any]:
        """(shard, search) in order; those of one shard that stand together travel together."""
        groups = [(shard, [search for _, search in group]) for shard, group in groupby(searches, lambda one: one[0])]
        if len(groups) == 1:
            return list(await self.read("search", *groups[0]))
        found = await asyncio.gather(*(self.read("search", shard, group) for shard, group in groups))
        return [one for answers in found for one in answers]

    async def health(self) -> dict[str, Any]:
        """`opening`: processes that load their first shard, whose searches wait for it; nobody else's do.

        Raises: IndexUnavailableError where a process is away or hangs.
        """
        every = self._serving()
        serving = [worker for worker in every if not worker.is_opening]
        try:
            # Python 3.11's `wait_for` loses a cancellation that comes together with the answer.
            async with asyncio.timeout(_HEALTH_WAIT_S):
                told = await asyncio.gather(*(worker.call("health", "", None) for worker in serving))
        except TimeoutError:
            raise IndexUnavailableError from None
        listed = {name: sorted(one for facts in told for one in facts[name]) for name in ("building", "needs_rebuild")}
        return {
            "processes": len(every),
            "opening": len(every) - len(serving),
            "shards_open": sum(facts["shards_open"] for facts in told),
            **listed,
        }

    def _worker(self) -> Worker:
        if self._lock is None:
            raise IndexUnavailableError
        return Worker(self._root, self._threshold, self._lock.fileno(), self)

    def _serving(self) -> list[Worker]:
        return [*([self._first] if self._first else []), *self._others]

    def _owner(self, shard: str) -> Worker:
        """Told by the disk where this server has not met the shard yet."""
        owner = self._owners.get(shard)
        if owner is not None:
            return owner
        if self._first is None:
            raise IndexUnavailableError
        files = ShardFiles(self._root / shard)
        if not files.exists():
            return self._first
        owner = self._first
        if read_built(files.current()):
            owner = self._shared() or self._worker()
            if owner not in self._others:
                self._others.append(owner)
                owner.launch()
        self._own(shard, owner)
        return owner

    def _shared(self, but: Worker | None = None) -> Worker | None:
        """The process with the fewest shards, where there are too many for another one."""
        candidates = [worker for worker in self._others if worker is not but]
        return min(candidates, key=lambda worker: len(worker.shards)) if len(candidates) >= PROCESSES_LIMIT else None

    def _own(self, shard: str, owner: Worker) -> None:
        self._owners[shard] = owner
        owner.shards.add(shard)

    def _disown(self, shard: str) -> None:
        owner = self._owners.pop(shard, None)
        if owner is None:
            return
        owner.shards.discard(shard)
        if owner in self._others and not owner.shards:
            self._others.remove(owner)
            self._end(owner)

    def _end(self, worker: Worker) -> None:
        """Away from the calls: it closes what it had open first."""
        task = asyncio.create_task(worker.close(), name="index-process-end")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def told(self, worker: Worker, event: Any) -> None:
        """A build has ended: `[shard, new generation, work directory]`."""
        shard, target, work = event
        if worker.life is not None and self._owners.get(shard, self._first) is worker:
            task = asyncio.create_task(self._hand_over(worker, worker.life, shard, Path(target), work))
            self._handovers[task] = worker
            task.add_done_callback(lambda done: self._handovers.pop(done))

    async def died(self, worker: Worker) -> None:
        """Its next life must not open a shard that is just going over to another process."""
        self.restarts += 1
        under_way = [task for task, owner in self._handovers.items() if owner is worker]
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _hand_over(self, old: Worker, life: Connection, shard: str, target: Path, work: str) -> None:
        new = self._shared(but=old) or self._worker()
        taken = False
        try:
            if new not in self._others:
                await _unless_lost(life, new.start())
            await _unless_lost(life, new.call("adopt", shard, [str(target), work]))
            self._held[shard] = asyncio.Event()
            # Where the old owner is dead, whatever it acknowledged stands in the journal.
            with contextlib.suppress(IndexUnavailableError):
                await life.call("seal", shard, target.name)
            await new.call("take_over", shard, None)
        except (TamisError, OSError) as error:
            _log.warning("a shard stays with its owner: %s", error)
        finally:
            taken = await self._settle(new, shard, target)
            if (held := self._held.pop(shard, None)) is not None:
                held.set()
        with contextlib.suppress(IndexUnavailableError):
            await life.call("release", shard, [target.name, taken])
        if taken and old in self._others and not old.shards:
            self._others.remove(old)
            self._end(old)

    async def _settle(self, new: Worker, shard: str, target: Path) -> bool:
        """Whether CURRENT was moved decides. A process that has adopted in vain is killed: it may own nothing more."""
        files = ShardFiles(self._root / shard)
        if not files.is_current(target):
            await (new.kill() if new in self._others else new.close(kill=True))
            # Moving it may have been its last act: the disk says again who comes next.
            if taken := files.is_current(target):
                self._disown(shard)
            return taken
        if (old := self._owners.get(shard)) is not None:
            old.shards.discard(shard)
        if new not in self._others:
            self._others.append(new)
        self._own(shard, new)
        return True


async def _unless_lost(life: Connection, doing: Awaitable[Any]) -> None:
    """Raises: IndexUnavailableError as soon as that life has ended."""
    task = asyncio.ensure_future(doing)
    try:
        await asyncio.wait({task, life.lost}, return_when="FIRST_COMPLETED")
        if not task.done():
            raise IndexUnavailableError("the owner died during the handover")
        await task
    finally:
        task.cancel()
        await asyncio.wait({task})
