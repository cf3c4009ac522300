"""Records that a namespace's policy keeps no longer are removed: in the background, a few at a time."""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.namespace import Namespace, RecordPolicy
from tamis.model.principal import Principal

POLL_S = 10.0
CHUNK = 200
_FOLD_S = 3600.0
_LONGEST_RUN_S = 3600.0
_FIGURES_AGE = timedelta(days=2)
_LOG = logging.getLogger(__name__)


class Sweeper:
    """Goes over every tenant's namespaces at its start, every `poll_s` seconds, and at once when it is woken.

    What is to go follows from the policies and the records alone, so a sweep that a restart cut short is simply gone
    on with. A transaction takes at most `chunk` records, and what waits to be written meanwhile goes first.
    """

    def __init__(
        self, metadata: Metadata, clock: Clock, poll_s: float = POLL_S, chunk: int = CHUNK, interaction_days: int = 365
    ) -> None:
        """interaction_days: how long interactions are kept, which is looked after once an hour."""
        self._interaction_age = timedelta(days=interaction_days)
        self._metadata = metadata
        self._clock = clock
        self._poll_s = poll_s
        self._chunk = chunk
        self._woken = asyncio.Event()
        self._folded_ms: float | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="record-sweeper")

    async def close(self) -> None:
        """What has been removed stays removed; the next start goes on."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def wake(self) -> None:
        """A policy has changed: look now."""
        self._woken.set()

    async def sweep(self) -> int:
        """Remove everything that is due now; returns how many records."""
        namespaces = await self._metadata.read(lambda session: session.every_namespace())
        removed = 0
        for principal, namespace in namespaces:
            try:
                if not namespace.record_policy.retains_all:
                    removed += await self._trim(principal, namespace.record_policy)
                await self._forget_history(principal)
            except Exception:  # what is wrong with one namespace must not keep the others' records
                _LOG.exception("records of %s that are due could not be removed", namespace.namespace_id)
        await self._forget_gone(namespaces)
        return removed

    async def fold(self) -> None:
        """Bring the counters' slots together, in every namespace."""
        now = self._clock.now()
        for principal in await self._metadata.read(lambda session: session.executions.tenants()):
            fold = partial(_fold, principal=principal, now=now)
            more = 1
            while more:
                more = await self._metadata.write(fold)
        while await self._metadata.write(lambda session: session.analytics.fold(now - _FIGURES_AGE)):
            pass

    async def forget_interactions(self) -> None:
        """Delete what is too old, in every namespace."""
        before = self._clock.now() - self._interaction_age
        for principal, _ in await self._metadata.read(lambda session: session.every_namespace()):
            forget = partial(_forget_interactions, principal=principal, before=before, limit=self._chunk)
            while await self._metadata.write(forget) == self._chunk:
                pass

    async def _trim(self, principal: Principal, policy: RecordPolicy) -> int:
        """Chunk after chunk, each as a transaction of its own that queues behind what others write."""
        age_s = policy.max_age_s
        before = None if age_s is None else self._clock.now() - timedelta(seconds=age_s)
        removed = 0
        while True:
            count = await self._metadata.write(
                lambda session: session.executions.trim(principal, policy.max_count, before, self._chunk)
            )
            removed += count
            if count < self._chunk:
                return removed

    async def _forget_history(self, principal: Principal) -> None:
        """States of documents and collections that no record refers to any more. What runs now has its margin."""
        before = self._clock.now() - timedelta(seconds=_LONGEST_RUN_S)
        forget = partial(_forget, principal=principal, before=before, limit=self._chunk)
        while await self._metadata.write(forget) == self._chunk:
            pass

    async def _forget_gone(self, namespaces: Iterable[tuple[Principal, Namespace]]) -> None:
        """An execution that was under way while its namespace was deleted wrote its record after that."""
        known = {(principal.organization_id, principal.namespace_id) for principal, _ in namespaces}
        tenants = await self._metadata.read(lambda session: session.executions.tenants())
        for tenant in tenants:
            if (tenant.organization_id, tenant.namespace_id) not in known:
                await self._metadata.write(partial(_purge_gone, principal=tenant))

    async def _watch(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self.sweep()
                await self._fold_in_time()
            except Exception:
                _LOG.exception("records that are due could not be removed; that is tried again")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()

    async def _fold_in_time(self) -> None:
        now_ms = self._clock.monotonic_ms()
        if self._folded_ms is None or now_ms - self._folded_ms >= _FOLD_S * 1000:
            await self.fold()
            await self.forget_interactions()
            self._folded_ms = now_ms


def _fold(session: Session, principal: Principal, now: datetime) -> int:
    return session.executions.fold_counts(principal, now)


def _forget(session: Session, principal: Principal, before: datetime, limit: int) -> int:
    return session.history.forget(principal, before, limit)


def _forget_interactions(session: Session, principal: Principal, before: datetime, limit: int) -> int:
    return session.interactions.trim(principal, before, limit)


def _purge_gone(session: Session, principal: Principal) -> None:
    """Unless the namespace has been made since: that is looked at again inside the transaction."""
    if session.namespaces.get(principal, principal.namespace_id) is None:
        session.purge_namespace(principal)
