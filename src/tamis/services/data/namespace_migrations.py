"""Migrations of namespaces: looked over before they begin, begun, cancelled, shown, forgotten."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tamis.engine.change import beside_the_change
from tamis.engine.planning.plan import Planner
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.extraction import Extractors
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, ConflictError, NotFoundError, ValidationError
from tamis.model.batch import Task, TaskStatus
from tamis.model.collection import Collection
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.namespace import Namespace
from tamis.model.namespace_migration import MigrationConfig, MigrationStatus, MigrationType, NamespaceMigration
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.remain import Remain
from tamis.services.data.batches import cancel_batch
from tamis.services.data.collection_switch import CollectionSwitch
from tamis.services.data.collections import remove_collection
from tamis.services.data.migration_progress import MigrationProgress, progress_of
from tamis.services.data.namespace_copies import check_copy, copy_counts, drop_copy, left_behind
from tamis.services.data.re_extraction import Replaced, chosen, replaced
from tamis.services.upkeep.clearing import Clears

MIGRATION_TASK = "api_namespaces_migrations_run"
_CONFIG: list[str | int] = ["body", "config"]
_CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Validation:
    """errors, warnings: each with `loc`, `msg` and `type`.  counts: by kind, what it touches.

    order: of collections, what feeds others first, each with the ids that it is fed by.
    """

    errors: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[Mapping[str, Any], ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    order: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def is_valid(self) -> bool:
        return not self.errors


@dataclass(frozen=True, slots=True)
class MigrationDetails:
    migration: NamespaceMigration
    progress: MigrationProgress


@dataclass(frozen=True, slots=True)
class MigrationQuery:
    """None takes all. source: a namespace's id or name."""

    status: MigrationStatus | None = None
    type: MigrationType | None = None
    source: str | None = None
    limit: int = 20
    offset: int = 0


class _Undone(Exception):
    pass


class MigrationPlanning:
    """What a migration comes to, worked out before anything is made."""

    def __init__(self, metadata: Metadata, extractors: Extractors, planner: Planner, clock: Clock) -> None:
        self._metadata = metadata
        self._extractors = extractors
        self._planner = planner
        self._clock = clock

    async def pairs(self, inside: Principal, config: MigrationConfig, mark: str) -> Sequence[Replaced]:
        """Which collections take whose place. Raises: ValidationError naming the place."""

        def read(session: Session) -> tuple[list[Collection], dict[str, Mapping[str, JSON]]]:
            wanted = chosen(session, inside, config)
            above = {source_id for one in wanted for source_id in one.source.ids}
            buckets = {one.bucket_id: one.schema for one in session.buckets.list(inside)}
            outputs = {one.collection_id: one.output_schema for one in session.collections.list(inside)}
            return wanted, {one: schema for one, schema in {**buckets, **outputs}.items() if one in above}

        wanted, schemas = await self._metadata.read(read)
        # On a thread: an extractor may have to look at a model to say what its features are.
        return await asyncio.to_thread(replaced, wanted, schemas, config, self._extractors, mark)

    async def rehearse(self, inside: Principal, pairs: Sequence[Replaced]) -> None:
        """Make the switch in a transaction that is undone. Raises: ConflictError, AlreadyExistsError."""

        def rehearse(session: Session) -> None:
            for one in pairs:
                session.collections.insert(inside, one.new)
            self.switch(pairs, "rehearsal").make(session, inside)
            raise _Undone

        with contextlib.suppress(_Undone), beside_the_change():
            await self._metadata.write(rehearse)

    def switch(self, pairs: Sequence[Replaced], mark: str) -> CollectionSwitch:
        return CollectionSwitch(self._planner, pairs, f"-before-{mark}", self._clock.now())


class NamespaceMigrations:
    def __init__(
        self, metadata: Metadata, planning: MigrationPlanning, clearing: Clears, clock: Clock,
        wake: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """wake: called when one was started."""
        self._metadata = metadata
        self._planning = planning
        self._clearing = clearing
        self._clock = clock
        self._wake = wake

    async def validate(self, principal: Principal, config: MigrationConfig) -> Validation:
        """What would go wrong, and what is worth knowing; nothing is made."""
        try:
            namespace = await self._metadata.read(lambda session: _source(session, principal, config))
            inside = principal.within(namespace.namespace_id)
            await self._metadata.read(lambda session: _check_alone(session, inside))
            if config.type is MigrationType.COPY:
                return await self._metadata.read(lambda session: _copy_looked_over(session, inside, config))
            pairs = await self._planning.pairs(inside, config, "rehearsal")
            await self._planning.rehearse(inside, pairs)
        except ValidationError as error:
            return Validation(tuple(error.problems))
        except (ConflictError, AlreadyExistsError) as error:
            return Validation(({"loc": _CONFIG, "msg": error.message, "type": _CONFLICT},))
        return await self._metadata.read(lambda session: _looked_over(session, inside, pairs))

    async def create(
        self, principal: Principal, config: MigrationConfig, start: bool = False
    ) -> tuple[NamespaceMigration, Validation]:
        """A draft; started where that is asked for. Raises: ValidationError (the source); as `start`."""
        found = await self.validate(principal, config)
        now = self._clock.now()
        if start:
            _check_startable(config, found, force=True)

        def insert(session: Session) -> NamespaceMigration:
            namespace = _source(session, principal, config)
            inside = principal.within(namespace.namespace_id)
            draft = NamespaceMigration(
                new_id("mig"), namespace.namespace_id, config, now, now,
                requested_by=(principal.user_id, principal.key_id),
            )  # fmt: skip
            session.namespace_migrations.insert(inside, draft)
            return _begin(session, inside, draft, now) if start else draft

        made = await self._metadata.write(insert)
        self._wake()
        return made, found

    async def start(self, principal: Principal, migration_id: str, force: bool = False) -> NamespaceMigration:
        """force: whatever the warnings are. Raises: NotFoundError, ValidationError, ConflictError."""
        draft = (await self.get(principal, migration_id)).migration
        if draft.status is not MigrationStatus.DRAFT:
            raise ConflictError(f"this migration is {draft.status}; only a draft is started", status=str(draft.status))
        _check_startable(draft.config, await self.validate(principal, draft.config), force)

        def begin(session: Session) -> NamespaceMigration:
            inside, found = find_migration(session, principal, migration_id)
            if found.status is not MigrationStatus.DRAFT:
                raise ConflictError(f"this migration is {found.status}; only a draft is started")
            return _begin(session, inside, found, self._clock.now())

        begun = await self._metadata.write(begin)
        self._wake()
        return begun

    async def cancel(self, principal: Principal, migration_id: str, reason: str | None = None) -> NamespaceMigration:
        """Nothing stays of what it has made. Raises: NotFoundError, ConflictError where it has ended."""
        now = self._clock.now()

        def cancel(session: Session) -> tuple[Principal, NamespaceMigration, list[Remain]]:
            inside, found = find_migration(session, principal, migration_id)
            if not found.status.is_under_way and found.status is not MigrationStatus.DRAFT:
                raise ConflictError(f"this migration is {found.status}; there is nothing to cancel")
            remains = abandon(session, inside, found, MigrationStatus.CANCELLED, reason, now)
            return inside, find_migration(session, principal, migration_id)[1], remains

        inside, cancelled, remains = await self._metadata.write(cancel)
        await self._clearing.clear(inside, remains)
        return cancelled

    async def get(self, principal: Principal, migration_id: str) -> MigrationDetails:
        """Raises: NotFoundError."""

        def read(session: Session) -> MigrationDetails:
            inside, found = find_migration(session, principal, migration_id)
            return MigrationDetails(found, progress_of(session, inside, found))

        return await self._metadata.read(read)

    async def list(self, principal: Principal, query: MigrationQuery) -> Page[MigrationDetails]:
        """Newest first, of all namespaces that the caller sees."""

        def read(session: Session) -> Page[MigrationDetails]:
            every = sorted(
                (
                    (inside, one)
                    for inside in _scopes(session, principal, query.source)
                    for one in session.namespace_migrations.list(inside)
                    if query.status in (None, one.status) and query.type in (None, one.config.type)
                ),
                key=lambda found: (found[1].created_at, found[1].migration_id),
                reverse=True,
            )
            window = every[query.offset : query.offset + query.limit]
            shown = [MigrationDetails(one, progress_of(session, inside, one)) for inside, one in window]
            return Page(shown, len(every), query.limit, query.offset)

        return await self._metadata.read(read)

    async def delete(self, principal: Principal, migration_id: str) -> None:
        """Forget one that is not under way; what it made stays. Raises: NotFoundError, ConflictError."""

        def delete(session: Session) -> None:
            inside, found = find_migration(session, principal, migration_id)
            if found.status.is_under_way:
                raise ConflictError("this migration is under way; cancel it first", status=str(found.status))
            session.namespace_migrations.delete(inside, migration_id)

        await self._metadata.write(delete)


def find_migration(session: Session, principal: Principal, migration_id: str) -> tuple[Principal, NamespaceMigration]:
    """In any of the organisation's namespaces. Raises: NotFoundError."""
    for inside in _scopes(session, principal, None):
        found = session.namespace_migrations.get(inside, migration_id)
        if found is not None:
            return inside, found
    raise NotFoundError.of("migration", migration_id)


def abandon(
    session: Session, inside: Principal, migration: NamespaceMigration, status: MigrationStatus, reason: str | None,
    now: datetime,
) -> list[Remain]:  # fmt: skip
    """End it, and take away what it has made; what is to be cleared away then."""
    remains: list[Remain] = []
    for batch_id in migration.batch_ids or ():
        batch = session.batches.get(inside, batch_id)
        if batch is not None and not batch.status.is_final:
            cancel_batch(session, inside, batch)
    for pair in reversed(migration.replacements):
        if session.collections.get(inside, pair.new_id) is not None:
            remains += remove_collection(session, inside, pair.new_id)
    migration = drop_copy(session, inside, migration)
    end(session, inside, migration, status, reason, now)
    return remains


def end(
    session: Session, inside: Principal, migration: NamespaceMigration, status: MigrationStatus, reason: str | None,
    now: datetime,
) -> None:  # fmt: skip
    ended = replace(migration, status=status, error=reason, completed_at=now, updated_at=now)
    session.namespace_migrations.replace(inside, ended)
    task = session.tasks.get(inside, migration.task_id or "")
    if task is not None:
        told = {MigrationStatus.COMPLETED: TaskStatus.COMPLETED, MigrationStatus.FAILED: TaskStatus.FAILED}
        state = told.get(status, TaskStatus.CANCELED)
        session.tasks.replace(inside, replace(task, status=state, error=reason, updated_at=now))


def _begin(session: Session, inside: Principal, draft: NamespaceMigration, now: datetime) -> NamespaceMigration:
    _check_alone(session, inside)
    facts: dict[str, JSON] = {"migration_id": draft.migration_id, "namespace_id": draft.namespace_id}
    task = Task(new_id("task"), MIGRATION_TASK, TaskStatus.PENDING, now, now, additional_data=facts)
    session.tasks.insert(inside, task)
    begun = replace(
        draft, status=MigrationStatus.PENDING, task_id=task.task_id, started_at=now, updated_at=now
    )  # fmt: skip
    return session.namespace_migrations.replace(inside, begun)


def _check_startable(config: MigrationConfig, found: Validation, force: bool) -> None:
    if config.dry_run:
        raise ValidationError.at([*_CONFIG, "dry_run"], "this migration is only validated; create one without dry_run")
    if found.errors:
        first, problems = str(found.errors[0]["msg"]), [dict(one) for one in found.errors]
        if found.errors[0]["type"] == _CONFLICT:
            raise ConflictError(first)
        raise ValidationError(first, problems=problems)
    if found.warnings and not force:
        said = "; ".join(str(one["msg"]) for one in found.warnings)
        raise ConflictError(f"send force to start it all the same: {said}")


def _check_alone(session: Session, inside: Principal) -> None:
    """Two at once would each take the other's collections for the namespace's own. Raises: ConflictError."""
    running = next((one for one in session.namespace_migrations.list(inside) if one.status.is_under_way), None)
    if running is not None:
        raise ConflictError(
            f"migration {running.migration_id} of this namespace is under way", migration_id=running.migration_id
        )


def _source(session: Session, principal: Principal, config: MigrationConfig) -> Namespace:
    namespace = session.namespaces.get(principal, config.source)
    if namespace is None:
        raise ValidationError.at([*_CONFIG, "source_namespace_id"], f"namespace {config.source!r} was not found")
    return namespace


def _scopes(session: Session, principal: Principal, source: str | None) -> list[Principal]:
    return [
        principal.within(one.namespace_id)
        for one in session.namespaces.list(principal)
        if source in (None, one.namespace_id, one.name)
    ]


def _looked_over(session: Session, inside: Principal, pairs: Sequence[Replaced]) -> Validation:
    warnings = []
    for pair in pairs:
        written = session.documents.count_written(inside, pair.old.collection_id)
        if written:
            said = f"{written} documents of collection {pair.old.name!r} were sent as they are, and made of no object: "
            said += "they stay in the old collection"
            loc = [*_CONFIG, "filters", "collection_ids"]
            warnings.append({"loc": loc, "msg": said, "type": "not_extracted"})
    counts = {"collection": len(pairs), "bucket": len({one for each in pairs for one in each.old.source.bucket_ids})}
    order = tuple((one.old.collection_id, one.old.source.collection_ids) for one in pairs)
    return Validation((), tuple(warnings), counts, order)


def _copy_looked_over(session: Session, inside: Principal, config: MigrationConfig) -> Validation:
    """Raises: ValidationError, ConflictError."""
    check_copy(session, inside, config)
    loc = [*_CONFIG, "source_namespace_id"]
    warnings = tuple({"loc": loc, "msg": one, "type": "not_copied"} for one in left_behind(session, inside))
    return Validation((), warnings, copy_counts(session, inside))
