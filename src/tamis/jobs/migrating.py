"""The worker of migrations: new collections beside the old ones, filled, and switched to in one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Hold, Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError
from tamis.jobs.durable import DurableWorker, Stopped
from tamis.model.batch import Batch, TaskStatus
from tamis.model.namespace_migration import (
    MigrationStage,
    MigrationStatus,
    MigrationType,
    NamespaceMigration,
    Replacement,
)
from tamis.model.principal import Principal
from tamis.model.remain import Remain
from tamis.services.data.namespace_copies import begin_copy, is_filled
from tamis.services.data.namespace_migrations import MigrationPlanning, abandon, end
from tamis.services.data.re_extraction import Replaced, begin_batches, lost
from tamis.services.upkeep.clearing import Clears
from tamis.services.upkeep.indexing import Indexer

_LOOK_EVERY_S = 60.0
"""For what another server had begun and left behind; what is begun here is announced."""
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.02, 1.0
_TOLD = 5
_ROUNDS = 20


class MigrationWorker(DurableWorker[NamespaceMigration]):
    """Each step is a transaction that leaves a mark in the migration, so that a kill costs no more than one of them.

    A fault, or a task that was killed, takes away what was made: searches never knew of it.
    """

    noun = "migration"

    def __init__(
        self, metadata: Metadata, planning: MigrationPlanning, indexer: Indexer, clearing: Clears, clock: Clock,
        extract: Callable[[], None], switched: Callable[[], None], locks: Locks | None = None,
        copy: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """extract: tells the extraction worker that there is work.  switched: called after each switch, and when a
        namespace was made.  copy: tells those who fill it.
        """
        super().__init__(locks, _LOOK_EVERY_S)
        self._metadata = metadata
        self._planning = planning
        self._indexer = indexer
        self._clearing = clearing
        self._clock = clock
        self._extract = extract
        self._switched = switched
        self._copy = copy

    def identifier(self, piece: NamespaceMigration) -> str:
        return piece.migration_id

    async def unfinished(self) -> Sequence[tuple[Principal, NamespaceMigration]]:
        return await self._metadata.read(_unfinished)

    async def see_through(self, principal: Principal, piece: NamespaceMigration, hold: Hold) -> None:
        if await self._metadata.read(lambda session: _current(session, principal, piece)) is None:
            return
        if piece.config.type is MigrationType.COPY:
            await self._copied(principal, piece, hold)
            return
        await self._set_up(principal, piece)
        await self._begin_batches(principal, piece)
        await self._until(principal, piece, hold, MigrationStage.BATCH_PROCESSING, _extracted)
        await self._until(principal, piece, hold, MigrationStage.TAXONOMY_ENRICHMENT, _labelled)
        if await hold.stands():
            await self._switch(principal, piece)

    async def give_up(self, principal: Principal, piece: NamespaceMigration, reason: str, status: TaskStatus) -> None:
        state = MigrationStatus.FAILED if status is TaskStatus.FAILED else MigrationStatus.CANCELLED

        def give_up(session: Session) -> None:
            now = session.namespace_migrations.get(principal, piece.migration_id)
            if now is not None and now.status.is_under_way:
                remains.extend(abandon(session, principal, now, state, reason, self._clock.now()))

        remains: list[Remain] = []
        await self._metadata.write(give_up)
        await self._clearing.clear(principal, remains)

    async def _copied(self, principal: Principal, piece: NamespaceMigration, hold: Hold) -> None:
        """Filled by those who fill clones; its retrievers come last, so that none runs over half of it."""

        def begin(session: Session, one: NamespaceMigration) -> NamespaceMigration:
            if one.copy is not None:
                return one
            return replace(one, copy=begin_copy(session, principal, one.config, self._clock.now()))

        await self._step(principal, piece, MigrationStage.NAMESPACE_SETUP, begin)
        self._switched()
        self._copy()
        await self._until(principal, piece, hold, MigrationStage.BATCH_PROCESSING, is_filled)
        if await hold.stands():
            await self._step(principal, piece, MigrationStage.FINALIZATION, lambda session, one: one)
            await self._metadata.write(lambda session: self._close_copy(session, principal, piece))

    def _close_copy(self, session: Session, principal: Principal, piece: NamespaceMigration) -> None:
        one = _current(session, principal, piece)
        if one is None or not is_filled(session, principal, one):
            raise Stopped
        end(session, principal, one, MigrationStatus.COMPLETED, None, self._clock.now())

    async def _set_up(self, principal: Principal, piece: NamespaceMigration) -> None:
        """The new collections with their shards, as yet empty and on standby."""
        mark = mark_of(piece)
        now = await self._step(principal, piece, MigrationStage.NAMESPACE_SETUP, lambda session, one: one)
        if not now.replacements:
            pairs = await self._planning.pairs(principal, now.config, mark)

            def make(session: Session, one: NamespaceMigration) -> NamespaceMigration:
                for pair in pairs:
                    session.collections.insert(principal, pair.new)
                made = tuple(Replacement(pair.old.collection_id, pair.new.collection_id) for pair in pairs)
                return replace(one, replacements=made)

            now = await self._step(principal, piece, MigrationStage.NAMESPACE_SETUP, make)
        for pair in await self._metadata.read(lambda session: _pairs(session, principal, now)):
            await self._indexer.ensure(principal, pair.new)

    async def _begin_batches(self, principal: Principal, piece: NamespaceMigration) -> None:
        def begin(session: Session, one: NamespaceMigration) -> NamespaceMigration:
            if one.batch_ids is not None:
                return one
            begun = begin_batches(session, principal, _pairs(session, principal, one))
            return replace(one, batch_ids=tuple(begun))

        await self._step(principal, piece, MigrationStage.BATCH_CREATION, begin)
        self._extract()

    async def _until(
        self, principal: Principal, piece: NamespaceMigration, hold: Hold, stage: MigrationStage,
        is_done: Callable[[Session, Principal, NamespaceMigration], bool],
    ) -> None:  # fmt: skip
        """Raises: Stopped, ConflictError."""
        now = await self._step(principal, piece, stage, lambda session, one: one)
        pause_s = _FIRST_LOOK_S

        def look(session: Session) -> bool:
            if _current(session, principal, piece) is None:
                raise Stopped
            return is_done(session, principal, now)

        while await hold.stands() and not await self._metadata.read(look):
            await asyncio.sleep(pause_s)
            pause_s = min(_LONGEST_LOOK_S, pause_s * 2)

    async def _switch(self, principal: Principal, piece: NamespaceMigration) -> None:
        """Once all that the new collections hold is found: what was asked before is answered by the old ones, what is
        asked afterwards by the new ones.

        Raises: ConflictError where a retriever would not run any more, or something was lost.
        """
        now = await self._step(principal, piece, MigrationStage.FINALIZATION, lambda session, one: one)

        def switch(session: Session, may_wait: bool) -> bool:
            one = _current(session, principal, piece)
            if one is None:
                raise Stopped
            waiting = sum(session.index_queue.pending_for(principal, pair.new_id) for pair in one.replacements)
            if waiting and may_wait:
                return False
            pairs = _pairs(session, principal, one)
            _check_whole(session, principal, one, pairs)
            self._planning.switch(pairs, mark_of(one)).make(session, principal)
            end(session, principal, one, MigrationStatus.COMPLETED, None, self._clock.now())
            return True

        for round_ in range(_ROUNDS):
            for pair in now.replacements:
                await self._indexer.apply(principal, pair.new_id)
            # Where somebody writes all the time, what is newest is as late as it always is.
            if await self._metadata.write(partial(switch, may_wait=round_ < _ROUNDS - 1)):
                break
        self._switched()

    async def _step(
        self, principal: Principal, piece: NamespaceMigration, stage: MigrationStage,
        change: Callable[[Session, NamespaceMigration], NamespaceMigration],
    ) -> NamespaceMigration:  # fmt: skip
        """The migration as it is after this step. Raises: Stopped where it has ended."""

        def step(session: Session) -> NamespaceMigration:
            before = _current(session, principal, piece)
            if before is None:
                raise Stopped
            at = self._clock.now()
            after = replace(change(session, before), status=MigrationStatus.IN_PROGRESS)
            after = replace(after, reached={stage.value: at, **after.reached})
            if after == before:
                return before
            return session.namespace_migrations.replace(principal, replace(after, updated_at=at))

        return await self._metadata.write(step)


def mark_of(migration: NamespaceMigration) -> str:
    """What its collections' names end with."""
    return migration.migration_id[-8:]


def _unfinished(session: Session) -> list[tuple[Principal, NamespaceMigration]]:
    found = [
        (inside, one)
        for inside, _ in session.every_namespace()
        for one in session.namespace_migrations.list(inside)
        if one.status.is_under_way
    ]
    return sorted(found, key=lambda one: (one[1].created_at, one[1].migration_id))


def _current(session: Session, principal: Principal, piece: NamespaceMigration) -> NamespaceMigration | None:
    """As it is now; None where it has ended. Raises: Stopped where its task was killed."""
    now = session.namespace_migrations.get(principal, piece.migration_id)
    if now is None or not now.status.is_under_way:
        return None
    task = session.tasks.get(principal, now.task_id or "")
    if task is None or task.status.is_final:
        raise Stopped
    return now


def _pairs(session: Session, principal: Principal, migration: NamespaceMigration) -> list[Replaced]:
    """Raises: ConflictError where one has been deleted meanwhile."""
    pairs = []
    for one in migration.replacements:
        old, new = session.collections.get(principal, one.old_id), session.collections.get(principal, one.new_id)
        if old is None or new is None:
            raise ConflictError("a collection of this migration was deleted meanwhile", collection_id=one.old_id)
        pairs.append(Replaced(old, new))
    return pairs


def _batches(session: Session, principal: Principal, migration: NamespaceMigration) -> list[Batch]:
    found = [session.batches.get(principal, batch_id) for batch_id in migration.batch_ids or ()]
    return [batch for batch in found if batch is not None]


def _extracted(session: Session, principal: Principal, migration: NamespaceMigration) -> bool:
    """Raises: ConflictError."""
    batches = _batches(session, principal, migration)
    stopped = next((batch for batch in batches if batch.status is TaskStatus.CANCELED), None)
    if stopped is not None or len(batches) < len(migration.batch_ids or ()):
        raise ConflictError("a batch of this migration was cancelled or deleted")
    return all(batch.status.is_final for batch in batches)


def _labelled(session: Session, principal: Principal, migration: NamespaceMigration) -> bool:
    """Whether the taxonomies that the new collections apply have labelled what the batches brought."""
    return not any(session.walks.list(principal, pair.new_id) for pair in migration.replacements)


def _check_whole(
    session: Session, principal: Principal, migration: NamespaceMigration, pairs: Sequence[Replaced]
) -> None:
    """Raises: ConflictError where something that was found before would not be any more."""
    gone = lost(session, principal, pairs, _batches(session, principal, migration))
    if gone:
        named = ", ".join(gone[:_TOLD])
        raise ConflictError(f"{len(gone)} sources could not be extracted anew: {named}", source_ids=gone[:_TOLD])
