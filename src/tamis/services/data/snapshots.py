"""Snapshots: begun, listed, forgotten, and put back under a new name."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, ConflictError, ForbiddenError, NotFoundError
from tamis.model.batch import Task, TaskStatus
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.namespace import Namespace
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.remain import Remain, RemainKind
from tamis.model.snapshot import Included, Snapshot, SnapshotStatus
from tamis.services.data.collections import check_collection_name, require_collection
from tamis.services.data.namespaces import RESERVED
from tamis.services.data.restorations import (
    SNAPSHOT_TASK,
    Restoration,
    begin_restoration,
    broken_off,
    unfinished_restorations,
)
from tamis.services.data.row_writes import put_rows
from tamis.services.data.snapshot_rows import rows_of
from tamis.services.listing import ListQuery, select, timestamp
from tamis.services.naming import check_name
from tamis.services.upkeep.clearing import Clears
from tamis.services.upkeep.indexing import Shards


@dataclass(frozen=True, slots=True)
class Restored:
    """What is being made: a namespace, or a collection by its id."""

    task: Task
    namespace: Namespace | None = None
    collection_id: str | None = None


@dataclass(frozen=True, slots=True)
class Cloned:
    """counts: by kind, what is cloned.  task: what fills it; None where it is whole."""

    source_id: str
    namespace: Namespace
    counts: Mapping[str, int]
    task: Task | None = None


class SnapshotService:
    def __init__(
        self, metadata: Metadata, shards: Shards, clearing: Clears, clock: Clock, wake: Callable[[], None],
        forget: Callable[[], None],
    ) -> None:  # fmt: skip
        """wake: called when there is work.  forget: when a namespace was made."""
        self._metadata = metadata
        self._shards = shards
        self._clearing = clearing
        self._clock = clock
        self.wake = wake
        self._forget = forget

    async def create(
        self, principal: Principal, name: str, collection: str | None = None, description: str | None = None
    ) -> Snapshot:
        """Of the namespace, or of one collection. Raises: NotFoundError, ValidationError, AlreadyExistsError."""
        check_name(name, ["body", "snapshot_name"], frozenset({"list"}))
        now = self._clock.now()

        def create(session: Session) -> Snapshot:
            found = None if collection is None else require_collection(session, principal, collection)
            snapshot = Snapshot(
                new_id("snap"), name, now, now, new_id("task"), description=description,
                collection_id=None if found is None else found.collection_id,
                requested_by=(principal.user_id, principal.key_id),
            )  # fmt: skip
            return begin_snapshot(session, principal, snapshot)

        made = await self._metadata.write(create)
        self.wake()
        return made

    async def get(self, principal: Principal, identifier: str) -> Snapshot:
        """By id or name. Raises: NotFoundError."""
        return await self._metadata.read(lambda session: find_snapshot(session, principal, identifier))

    async def list(self, principal: Principal, query: ListQuery) -> Page[Snapshot]:
        return await self._metadata.read(lambda session: select(_shown(session, principal), _view, query))

    async def delete(self, principal: Principal, identifier: str) -> str:
        """With its files; returns its id. Raises: NotFoundError, ConflictError while it is put back."""

        def delete(session: Session) -> tuple[str, list[Remain]]:
            found = find_snapshot(session, principal, identifier)
            busy = _restorations(session, principal, found.snapshot_id)
            if busy:
                raise ConflictError(f"task {busy[0]} puts it back; wait for it or kill it", task_id=busy[0])
            return found.snapshot_id, drop_snapshot(session, principal, found)

        snapshot_id, remains = await self._metadata.write(delete)
        await self._clearing.clear(principal, remains)
        return snapshot_id

    async def restore(self, principal: Principal, identifier: str, name: str) -> Restored:
        """Make a namespace of a namespace's, a collection beside the others of a collection's. Where a namespace of
        that name is what a restoration of this snapshot left as it broke off, that goes on.

        Raises: NotFoundError, ConflictError where it is not whole, AlreadyExistsError, ValidationError,
        ForbiddenError where a key with scopes would make a namespace.
        """
        found = await self.get(principal, identifier)
        if found.status is not SnapshotStatus.COMPLETED:
            raise ConflictError(f"this snapshot is {found.status}; only one that is completed can be put back")
        if found.collection_id is not None:
            check_collection_name(name)
            made = await self._metadata.write(lambda session: self._into_collection(session, principal, found, name))
        else:
            if principal.scopes:
                raise ForbiddenError("a namespace of its own is made by a key without scopes")
            check_name(name, ["body", "name"], RESERVED)
            made = await self._metadata.write(lambda session: self._into_namespace(session, principal, found, name))
            self._forget()
        self.wake()
        return made

    async def clone(
        self, principal: Principal, identifier: str, name: str, included: Included, description: str | None = None
    ) -> Cloned:
        """A namespace that is made as the source is; where data are included, a task fills it. One that broke off goes
        on, as it was begun. Raises: as `restore`.
        """
        check_name(name, ["body", "namespace_name"], RESERVED)

        def clone(session: Session) -> Cloned:
            source = session.namespaces.get(principal, identifier)
            if source is None:
                raise NotFoundError.of("namespace", identifier)
            outside = principal.within(source.namespace_id)
            described = source.description if description is None else description
            rows = list(rows_of(session, outside, replace(included, data=False)))
            counts = Counter(row.kind for row in rows)
            if not included.data:
                made = self._made(session, principal, source, name, described)
                put_rows(session, principal.within(made.namespace_id), rows, Restoration(source.namespace_id, ""))
                return Cloned(source.namespace_id, made, counts)
            counts.update(_data_counts(session, outside))
            half = _half_cloned(session, principal, source, name, included, self._clock.now())
            if half is not None:
                return Cloned(source.namespace_id, half[0], counts, half[1])
            made = self._made(session, principal, source, name, described)
            inside = principal.within(made.namespace_id)
            task = begin_clone(session, inside, source, included, self._clock.now())
            return Cloned(source.namespace_id, made, counts, task)

        cloned = await self._metadata.write(clone)
        self._forget()
        self.wake()
        inside = principal.within(cloned.namespace.namespace_id)
        for collection in await self._metadata.read(lambda session: session.collections.list(inside)):
            await self._shards.ensure(inside, collection)
        return cloned

    def _into_namespace(self, session: Session, principal: Principal, found: Snapshot, name: str) -> Restored:
        home = session.namespaces.get(principal, principal.namespace_id)
        if home is None:
            raise NotFoundError.of("namespace", principal.namespace_id)
        wanted, now = Restoration(principal.namespace_id, found.snapshot_id), self._clock.now()
        half = _half_made(session, principal, name)
        if half is not None and replace(Restoration.of(half[1]), part=0) == wanted:
            made, before = half
            inside = principal.within(made.namespace_id)
            return Restored(begin_restoration(session, inside, Restoration.of(before), now, before), made)
        made = self._made(session, principal, home, name, found.description)
        return Restored(begin_restoration(session, principal.within(made.namespace_id), wanted, now), made)

    def _into_collection(self, session: Session, principal: Principal, found: Snapshot, name: str) -> Restored:
        if session.collections.get(principal, name) is not None:
            raise AlreadyExistsError(f"a collection named {name!r} exists already", resource="collection", name=name)
        collection_id = new_id("col")
        wanted = Restoration(
            principal.namespace_id, found.snapshot_id, collection_id=collection_id, collection_name=name
        )
        return Restored(begin_restoration(session, principal, wanted, self._clock.now()), None, collection_id)

    def _made(
        self, session: Session, principal: Principal, source: Namespace, name: str, description: str | None
    ) -> Namespace:
        """Raises: AlreadyExistsError."""
        return session.namespaces.insert(principal, named_anew(source, name, description, self._clock.now()))


def named_anew(source: Namespace, name: str, description: str | None, now: datetime) -> Namespace:
    """A namespace that is as the source is, and as yet nowhere."""
    return replace(
        source, namespace_id=new_id("ns"), name=name, description=description, created_at=now, updated_at=now
    )


def _half_made(session: Session, principal: Principal, name: str) -> tuple[Namespace, Task] | None:
    """The namespace of that name, and what broke off in filling it; None where nothing did."""
    found = session.namespaces.get(principal, name)
    before = None if found is None else broken_off(session, principal.within(found.namespace_id))
    return None if found is None or found.name != name or before is None else (found, before)


def _half_cloned(
    session: Session, principal: Principal, source: Namespace, name: str, included: Included, now: datetime
) -> tuple[Namespace, Task] | None:
    """A clone of the source that broke off, and the task that goes on with it; None where there is none."""
    half = _half_made(session, principal, name)
    if half is None:
        return None
    made, before = half
    inside = principal.within(made.namespace_id)
    snapshot = session.snapshots.get(inside, Restoration.of(before).snapshot_id)
    if snapshot is None or (snapshot.source_id, snapshot.included) != (source.namespace_id, included):
        return None
    if snapshot.status is not SnapshotStatus.FAILED:
        return made, begin_restoration(session, inside, Restoration.of(before), now, before)
    drop_snapshot(session, inside, snapshot)
    return made, begin_clone(session, inside, source, included, now)


def begin_clone(session: Session, inside: Principal, source: Namespace, included: Included, now: datetime) -> Task:
    """Of a namespace that was just made: what fills it from the source, as that is by then."""
    snapshot = Snapshot(
        new_id("snap"), f"clone of {source.name}", now, now, new_id("task"), source_id=source.namespace_id,
        included=included, requested_by=(inside.user_id, inside.key_id),
    )  # fmt: skip
    begin_snapshot(session, inside, snapshot)
    clone = Restoration(inside.namespace_id, snapshot.snapshot_id, is_clones=True)
    return begin_restoration(session, inside, clone, now)


def begin_snapshot(session: Session, inside: Principal, snapshot: Snapshot) -> Snapshot:
    data: dict[str, JSON] = {"snapshot_id": snapshot.snapshot_id, "collection_id": snapshot.collection_id}
    now = snapshot.created_at
    task = Task(snapshot.task_id, SNAPSHOT_TASK, TaskStatus.PENDING, now, now, additional_data=data)
    session.tasks.insert(inside, task)
    return session.snapshots.insert(inside, snapshot)


def drop_snapshot(session: Session, inside: Principal, snapshot: Snapshot) -> list[Remain]:
    """What is to be cleared away then."""
    session.snapshots.delete(inside, snapshot.snapshot_id)
    remains = [Remain(RemainKind.FILES, snapshot.prefix)]
    session.remains.note(inside, remains)
    return remains


def find_snapshot(session: Session, principal: Principal, identifier: str) -> Snapshot:
    """Raises: NotFoundError."""
    found = session.snapshots.get(principal, identifier)
    if found is None or found.source_id is not None:
        raise NotFoundError.of("snapshot", identifier)
    return found


def _restorations(session: Session, principal: Principal, snapshot_id: str) -> list[str]:
    return [
        task.task_id
        for _, task in unfinished_restorations(session)
        if Restoration.of(task).snapshot_id == snapshot_id and Restoration.of(task).home_id == principal.namespace_id
    ]


def _data_counts(session: Session, inside: Principal) -> dict[str, int]:
    buckets, collections = session.buckets.list(inside), session.collections.list(inside)
    return {
        "object": sum(session.objects.totals(inside, one.bucket_id)[0] for one in buckets),
        "document": sum(session.documents.count(inside, one.collection_id) for one in collections),
    }


def _shown(session: Session, principal: Principal) -> list[Snapshot]:
    return [one for one in session.snapshots.list(principal) if one.source_id is None]


def _view(snapshot: Snapshot) -> Mapping[str, JSON]:
    return {
        "snapshot_id": snapshot.snapshot_id,
        "snapshot_name": snapshot.name,
        "description": snapshot.description,
        "status": str(snapshot.status),
        "collection_id": snapshot.collection_id,
        "size_bytes": snapshot.size_bytes,
        "created_at": timestamp(snapshot.created_at),
        "updated_at": timestamp(snapshot.updated_at),
    }
