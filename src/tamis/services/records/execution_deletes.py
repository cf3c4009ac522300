"""Records deleted because someone asks for it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.executions import ExecutionQuery, ExecutionSelection
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError
from tamis.model.execution import ExecutionHeader
from tamis.model.principal import Principal
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.retrievers import find_retriever

CHUNK = 200


@dataclass(frozen=True, slots=True)
class Deleted:
    """count: records that are gone.  running: selected ones that run now; they stay, and write a record."""

    count: int
    running: tuple[str, ...] = ()


class ExecutionDeletes:
    """chunk: records that one transaction removes, so that nobody who writes waits for all of them."""

    def __init__(self, metadata: Metadata, in_flight: InFlight, clock: Clock, chunk: int = CHUNK) -> None:
        self._metadata = metadata
        self._in_flight = in_flight
        self._clock = clock
        self._chunk = chunk

    async def delete(
        self, principal: Principal, selection: ExecutionSelection, retriever: str | None = None
    ) -> Deleted:
        """Remove what every condition holds for. retriever: id or name; None means the anonymous executions.

        What begins after this call is left alone. Raises: NotFoundError for the retriever; ConflictError where an
        execution that is named by its id runs now: nothing is deleted then.
        """
        if retriever is not None:
            owner = await self._metadata.read(lambda session: find_retriever(session, principal, retriever))
            selection = replace(selection, retriever_id=owner.retriever_id)
        now = self._clock.now()
        selection = replace(selection, end=now if selection.end is None else min(selection.end, now))
        running = self._running(principal, selection)
        if running and selection.execution_ids is not None:
            raise ConflictError(f"wait for the executions that run: {', '.join(running)}", running=running)
        # One that ends while this is under way has been told to stay.
        selection = replace(selection, but_not=tuple(running))
        count = await asyncio.shield(asyncio.ensure_future(self._remove(principal, selection)))
        return Deleted(count, tuple(running))

    async def _remove(self, principal: Principal, selection: ExecutionSelection) -> int:
        """To its end, though the caller go away."""
        removed = 0
        for part in _parts(selection, self._chunk):
            while True:
                count = await self._metadata.write(partial(_delete, principal, part, self._chunk))
                removed += count
                if count < self._chunk:
                    break
        return removed

    def _running(self, principal: Principal, selection: ExecutionSelection) -> list[str]:
        query = ExecutionQuery(selection.retriever_id, start=selection.start, end=selection.end)
        found = self._in_flight.matching(principal, query)
        return [header.execution_id for header in found if _is_named(header, selection)]


def _delete(principal: Principal, selection: ExecutionSelection, limit: int, session: Session) -> int:
    return session.executions.delete(principal, selection, limit)


def _parts(selection: ExecutionSelection, size: int) -> Sequence[ExecutionSelection]:
    """Ids go a chunk at a time."""
    ids = selection.execution_ids
    if ids is None:
        return [selection]
    every = tuple(dict.fromkeys(ids))
    return [replace(selection, execution_ids=every[at : at + size]) for at in range(0, len(every), size)]


def _is_named(header: ExecutionHeader, selection: ExecutionSelection) -> bool:
    ids, inputs_hash = selection.execution_ids, selection.inputs_hash
    return (ids is None or header.execution_id in ids) and inputs_hash in (None, header.inputs_hash)
