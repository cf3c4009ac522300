"""How much each key asks of each endpoint: counted in memory, written in groups, exact when the server has ended."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError, TamisError
from tamis.model.audit import AuditEvent
from tamis.model.principal import Principal
from tamis.model.usage import Spending, UsageCount, UsageRow, UsageSlot, UsageWindow, last_use

FLUSH_S = 5.0
KEPT_DAYS = 400
_CHUNK = 5000
_HOUR_S = 3600
_MOST_READS = 10_000
_LOG = logging.getLogger("tamis.usage")


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """rows: by day, endpoint and key.  spent: what executions cost in the same time, of the whole organisation."""

    window: UsageWindow
    rows: Sequence[UsageRow]
    spent: Sequence[Spending] = ()
    last_used_at: datetime | None = None


class UsageMeter:
    """A request costs two look-ups and three additions here; nothing is written for it."""

    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock
        self._counts: dict[UsageSlot, UsageCount] = {}
        self._used: dict[tuple[str, str], datetime] = {}
        self._reads: list[tuple[Principal, AuditEvent]] = []
        self._writing = asyncio.Lock()

    def count(self, principal: Principal, endpoint: str, failed: bool, duration_us: int) -> None:
        now = self._clock.now()
        hour = int(now.timestamp()) // _HOUR_S * _HOUR_S
        slot = UsageSlot(principal.organization_id, principal.key_id, endpoint, hour)
        count = self._counts.get(slot)
        if count is None:
            count = self._counts[slot] = UsageCount()
        count.add(failed, duration_us)
        who = (principal.organization_id, principal.key_id)
        self._used[who] = last_use(now, self._used.get(who))

    def note_read(self, principal: Principal, event: AuditEvent) -> None:
        """For the audit log of an organisation that wants reading noted."""
        if len(self._reads) < _MOST_READS:
            self._reads.append((principal, event))

    async def flush(self) -> None:
        """Write what was counted. Where that fails, it is kept for the next time."""
        async with self._writing:
            counts, self._counts = self._counts, {}
            used, self._used = self._used, {}
            reads, self._reads = self._reads, []
            if not counts and not used and not reads:
                return
            try:
                await self._metadata.write(lambda session: session.usage.add(counts, used))
            except BaseException:
                self._take_back(counts, used, reads)
                raise
            await self._write_reads(reads)

    async def _write_reads(self, reads: Sequence[tuple[Principal, AuditEvent]]) -> None:
        by_principal: dict[str, tuple[Principal, list[AuditEvent]]] = {}
        for principal, event in reads:
            by_principal.setdefault(principal.organization_id, (principal, []))[1].append(event)
        for principal, events in by_principal.values():
            await self._metadata.write(partial(_note, principal=principal, events=events))

    async def of_organization(self, principal: Principal, window: UsageWindow) -> KeyUsage:
        await self.flush()
        rows, spent = await self._metadata.read(
            lambda session: (session.usage.rows(principal, window), session.credits.spent(principal, window))
        )
        return KeyUsage(window, rows, spent)

    async def of_key(self, principal: Principal, key_id: str, window: UsageWindow) -> KeyUsage:
        """Raises: NotFoundError."""
        await self.flush()
        keys = await self._metadata.read(lambda session: session.keys.list(principal))
        if not any(key.key_id == key_id for key in keys):
            raise NotFoundError.of("API key", key_id)
        rows, used = await self._metadata.read(
            lambda session: (session.usage.rows(principal, window, key_id), session.usage.last_used(principal))
        )
        return KeyUsage(window, rows, (), used.get(key_id))

    async def forget_due(self, now: datetime) -> int:
        """Delete what is older than `KEPT_DAYS`; how many rows."""
        before = (now - timedelta(days=KEPT_DAYS)).date()
        organizations = await self._metadata.read(lambda session: session.organizations.everyones())
        removed = 0
        for organization in organizations:
            principal = Principal(organization.organization_id)
            removed += await self._forget(principal, before)
        return removed

    async def _forget(self, principal: Principal, before: date) -> int:
        return await self._metadata.write(lambda session: session.usage.trim(principal, before, _CHUNK))

    def _take_back(
        self,
        counts: dict[UsageSlot, UsageCount],
        used: dict[tuple[str, str], datetime],
        reads: list[tuple[Principal, AuditEvent]],
    ) -> None:
        for slot, count in counts.items():
            known = self._counts.setdefault(slot, UsageCount())
            known.requests += count.requests
            known.failed += count.failed
            known.duration_us += count.duration_us
        for who, at in used.items():
            self._used[who] = last_use(at, self._used.get(who))
        self._reads[:0] = reads


def _note(session: Session, principal: Principal, events: Sequence[AuditEvent]) -> None:
    session.audit.note(principal, events)


class Bookkeeper:
    """Does what bookkeeping needs done now and then, and a last time when the server ends.

    often: every few seconds.  seldom: every hour, told what time it is.
    """

    def __init__(
        self,
        clock: Clock,
        often: Sequence[Callable[[], Awaitable[None]]],
        seldom: Sequence[Callable[[datetime], Awaitable[int]]],
        every_s: float = FLUSH_S,
    ) -> None:
        self._clock = clock
        self._often = often
        self._seldom = seldom
        self._every_s = every_s
        self._next = datetime.min.replace(tzinfo=UTC)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="bookkeeper")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._do()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self._do()
            now = self._clock.now()
            # A clock that was set back must not put off the next time for long.
            if now >= self._next or self._next - now > timedelta(hours=2):
                self._next = now + timedelta(hours=1)
                await self._tidy(now)

    async def _do(self) -> None:
        for work in self._often:
            try:
                await work()
            except TamisError as error:
                _LOG.warning("bookkeeping waits for the system of record: %s", error.message)

    async def _tidy(self, now: datetime) -> None:
        for work in self._seldom:
            try:
                await work(now)
            except TamisError as error:
                _LOG.warning("what is due could not be forgotten; that is tried again: %s", error.message)
