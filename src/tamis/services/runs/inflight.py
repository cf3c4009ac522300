"""Executions that run now, in this process: they are seen with status `processing` until their record is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.executions import ExecutionQuery
from tamis.model.execution import ExecutionHeader, ExecutionStatus, StoredExecution
from tamis.model.principal import Principal
from tamis.services.runs.recording import Recording


class InFlight:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[str, tuple[Recording, float]] = {}

    @contextmanager
    def entered(self, recording: Recording, accepted_ms: float) -> Iterator[None]:
        """The execution is shown until the block ends; by then its record is written."""
        execution_id = recording.request.execution_id
        self._running[execution_id] = (recording, accepted_ms)
        try:
            yield
        finally:
            del self._running[execution_id]

    def __len__(self) -> int:
        """Of all tenants."""
        return len(self._running)

    def get(self, principal: Principal, execution_id: str) -> StoredExecution | None:
        found = self._running.get(execution_id)
        return self._seen(*found) if found and _is_visible(found[0], principal) else None

    def every(self, principal: Principal) -> list[ExecutionHeader]:
        """Of the namespace, newest first, whoever's retriever they run."""
        seen = [self._header(*one) for one in self._running.values() if _is_visible(one[0], principal)]
        mine = [one for one in seen if principal.may_retriever(one.retriever_id or "")]
        return sorted(mine, key=lambda header: (header.started_at, header.execution_id), reverse=True)

    def matching(self, principal: Principal, query: ExecutionQuery) -> list[ExecutionHeader]:
        """Those that the query's conditions let through, newest first."""
        if query.status not in (None, ExecutionStatus.PROCESSING):
            return []
        headers = [
            self._header(recording, accepted_ms)
            for recording, accepted_ms in self._running.values()
            if _is_visible(recording, principal)
        ]
        found = [header for header in headers if _matches(header, query)]
        return sorted(found, key=lambda header: (header.started_at, header.execution_id), reverse=True)

    def _header(self, recording: Recording, accepted_ms: float) -> ExecutionHeader:
        """Of each that runs, whenever somebody lists: the record itself would cost by what every one of them holds."""
        header = recording.header(self._clock.monotonic_ms() - accepted_ms)
        return replace(header, status=ExecutionStatus.PROCESSING)

    def _seen(self, recording: Recording, accepted_ms: float) -> StoredExecution:
        """An execution that has ended is still `processing` until its record is durable."""
        execution = recording.record(duration_ms=self._clock.monotonic_ms() - accepted_ms).execution
        return replace(execution, header=replace(execution.header, status=ExecutionStatus.PROCESSING))


def _is_visible(recording: Recording, principal: Principal) -> bool:
    owner = recording.request.principal
    same_tenant = (owner.organization_id, owner.namespace_id) == (principal.organization_id, principal.namespace_id)
    return same_tenant and recording.has_begun


def _matches(header: ExecutionHeader, query: ExecutionQuery) -> bool:
    return header.retriever_id == query.retriever_id and _between(header.started_at, query.start, query.end)


def _between(moment: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or start <= moment) and (end is None or moment <= end)
