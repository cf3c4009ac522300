"""Manifests: a namespace exported, and a text of one checked, compared and applied."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import orjson

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import (
    AlreadyExistsError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    TamisError,
    ValidationError,
)
from tamis.model.collection import Collection
from tamis.model.json import JSON
from tamis.model.namespace import Namespace
from tamis.model.principal import Permission, Principal
from tamis.model.remain import Remain
from tamis.services.manifests.kind import Crew, Kind, Stored
from tamis.services.manifests.plan import Action, Plan, Step, There, by_name, plan, removals
from tamis.services.manifests.reading import VERSION, Written, read_manifest
from tamis.services.manifests.rehearsal import Rehearsal
from tamis.services.manifests.yaml_text import write

_SERVER_FAULT = 500
_MOST_OF_ONE_BYTES = 1 << 18


@dataclass
class Aftermath:
    """What services do once their change is durable, kept until then. They take it for the indexer and the clearing."""

    remains: list[tuple[Principal, Remain]] = field(default_factory=list)

    async def ensure(self, principal: Principal, collection: Collection) -> None:
        """Every collection of the namespace is looked at afterwards."""

    async def clear(self, principal: Principal, remains: Sequence[Remain]) -> None:
        self.remains += [(principal, one) for one in remains]


Quota: TypeAlias = Callable[[Principal, str], Callable[..., None] | None]
"""What has to hold where more of a noun are made, called with the session and how many; None where nothing has to."""


@dataclass(frozen=True, slots=True)
class Afterwards:
    """The same for real. forget: what is remembered of namespaces."""

    ensure: Callable[[Principal, Collection], Awaitable[None]]
    clear: Callable[[Principal, Sequence[Remain]], Awaitable[None]]
    forget: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a manifest did, or where it only was tried would do. ids: of what it made, by section and name."""

    plan: Plan
    ids: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def refused(self) -> list[Step]:
        return [step for step in self.plan.steps if step.refused]


class ManifestService:
    """crew_of: services over a `Metadata`, which do by the aftermath what is for when their change is durable."""

    def __init__(
        self,
        metadata: Metadata,
        kinds: Sequence[Kind],
        crew_of: Callable[[Metadata, Aftermath], Crew],
        afterwards: Afterwards,
        quota: Quota = lambda principal, noun: None,
    ) -> None:
        self._metadata = metadata
        self._kinds = kinds
        self._crew_of = crew_of
        self._afterwards = afterwards
        self._quota = quota

    async def export(self, principal: Principal, namespace: str | None, name: str) -> dict[str, JSON]:
        """What is there, as a manifest of this name: no objects, no documents, no secrets.

        What is larger than a manifest is read with, such as a data set of thousands of queries, is named as left out.

        namespace: by id or name; None is the one that the caller is in.  Raises: NotFoundError, BadRequestError.
        """

        def read(session: Session) -> There:
            found = _target(session, principal, namespace)
            if found is None:
                raise NotFoundError.of("namespace", str(namespace))
            return self._there(session, principal.within(found.namespace_id))

        there = await self._metadata.read(read)
        sections: dict[str, JSON] = {}
        left_out: list[JSON] = []
        for kind in self._kinds:
            mine = sorted((one for other, one in there.values() if other is kind), key=lambda one: one.name)
            bodies: list[JSON] = []
            for one in mine:
                if len(orjson.dumps(one.body)) > _MOST_OF_ONE_BYTES:
                    left_out.append(f"{kind.section}/{one.name}")
                else:
                    bodies.append(one.body)
            if bodies:
                sections[kind.section] = bodies
        said: JSON = {"name": name, **({"left_out": left_out} if left_out else {})}
        return {"version": VERSION, "metadata": said, **sections}

    async def enter(self, principal: Principal, namespace: str) -> Principal:
        """Who asks, inside a namespace by id or name. Raises: NotFoundError."""
        found = await self._metadata.read(lambda session: session.namespaces.get(principal, namespace))
        if found is None:
            raise NotFoundError.of("namespace", namespace)
        return principal.within(found.namespace_id)

    async def entry(self, principal: Principal, section: str, identifier: str) -> Stored:
        """One resource of the caller's namespace, by id or name, as a manifest has it. Raises: NotFoundError."""
        there = await self._metadata.read(lambda session: self._there(session, principal))
        mine = [(kind, one) for (of, _), (kind, one) in there.items() if of == section]
        for _, one in mine:
            if identifier in (one.resource_id, one.name):
                return one
        label = next(kind.label for kind in self._kinds if kind.section == section)
        raise NotFoundError.of(label, identifier)

    async def found(self, principal: Principal, manifest: dict[str, JSON]) -> str:
        """Make a namespace that is not there as a manifest says, all of it or nothing; its id.

        Raises: AlreadyExistsError; ValidationError for what the manifest needs and is not there.
        """
        outside = principal.within("")
        written = await self.read(write(manifest).encode())
        written.refuse()
        trial = await self._trial(outside, written)
        if trial.inside.namespace_id:
            name = str(written.namespace)
            raise AlreadyExistsError(f"a namespace named {name!r} exists already", resource="namespace", name=name)
        planned = plan(written, {}, frozenset(), trial.crew)
        await trial.run(planned)
        written.refuse()
        await trial.rehearsal.commit(self._bounds(outside, planned))
        await self._follow(trial)
        return trial.inside.namespace_id

    async def read(self, data: bytes) -> Written:
        """With every fault of form. Raises: ValidationError for what is no YAML, or is too large."""
        return await asyncio.to_thread(read_manifest, data, self._kinds)

    async def diff(self, principal: Principal, data: bytes) -> Plan:
        """Raises: ValidationError with every fault of form."""
        written = await self.read(data)
        written.refuse()
        crew = self._crew_of(self._metadata, Aftermath())
        there, _ = await self._metadata.read(lambda session: self._around(session, principal, written))
        return plan(written, there, frozenset(), crew)

    async def validate(self, principal: Principal, data: bytes) -> Written:
        """With every fault, also those that only show where it is applied: it is tried, and undone.

        What it would lose is no fault of the manifest.
        """
        written = await self.read(data)
        if not written.faults:
            trial = await self._trial(principal, written)
            every = frozenset(f"{section}/{name}" for section, name in trial.there)
            await trial.run(plan(written, trial.there, every & _named(written), trial.crew))
        return written

    async def apply(self, principal: Principal, data: bytes, losing: frozenset[str], dry_run: bool) -> Outcome:
        """Make what is there as the manifest says: all of it in one transaction, or nothing.

        losing: what may be deleted, or deleted and made anew, as `collections/notes`.
        Raises: ValidationError with every fault; ForbiddenError; ConflictError for what would lose data and is not
        named, unless it is only tried.
        """
        written = await self.read(data)
        written.refuse()
        trial = await self._trial(principal, written)
        planned = plan(written, trial.there, losing, trial.crew)
        _check_names(losing, planned)
        _check_permissions(principal, trial.inside, planned)
        refused = {f"{step.kind.section}/{step.name}": step.refused for step in planned.steps if step.refused}
        if refused and not dry_run:
            message = "; ".join(f"{name}: {why}" for name, why in refused.items())
            raise ConflictError(f"this would lose data, and nothing was changed: {message}", refused=refused)
        if not refused:
            await trial.run(planned)
            written.refuse()
        if not dry_run:
            await trial.rehearsal.commit(self._bounds(principal, planned))
            await self._follow(trial)
        return Outcome(planned, trial.ids)

    def _bounds(self, principal: Principal, planned: Plan) -> list[Callable[[Session], None]]:
        """What has to hold of quotas in the transaction that makes it all."""
        made = Counter(step.kind.section for step in planned.steps if step.action is Action.CREATE)
        checks = ((self._quota(principal, noun), count) for noun, count in made.items())
        return [partial(check, more=count) for check, count in checks if check is not None]

    async def _trial(self, principal: Principal, written: Written) -> "_Trial":
        rehearsal, aftermath = Rehearsal(self._metadata), Aftermath()
        there, inside = await self._metadata.read(lambda session: self._around(session, principal, written))
        return _Trial(self._crew_of(rehearsal, aftermath), principal, inside, written, there, rehearsal, aftermath)

    async def _follow(self, trial: "_Trial") -> None:
        """A kill before this leaves nothing that a start, or applying it again, does not make up for."""
        self._afterwards.forget()
        for collection in await self._metadata.read(lambda session: session.collections.list(trial.inside)):
            await self._afterwards.ensure(trial.inside, collection)
        for principal, remain in trial.aftermath.remains:
            await self._afterwards.clear(principal, [remain])

    def _around(self, session: Session, principal: Principal, written: Written) -> tuple[There, Principal]:
        """What is in the namespace that the manifest is for, which may not be there yet, and who asks, inside it."""
        found = _target(session, principal, written.namespace)
        if found is None:
            return {}, principal.within("")
        inside = principal.within(found.namespace_id)
        there = dict(self._there(session, inside))
        if written.namespace is not None and written.namespace != found.name:
            # It is for the namespace that the caller is in, whatever it is called there.
            there["namespaces", written.namespace] = there.pop(("namespaces", found.name))
        return there, inside

    def _there(self, session: Session, inside: Principal) -> There:
        return by_name((kind, one) for kind in self._kinds for one in kind.stored(session, inside))


def _target(session: Session, principal: Principal, named: str | None) -> Namespace | None:
    """The namespace of the request's header, else the one named, else the only one; None for one to be made.

    Raises: BadRequestError where nothing says which.
    """
    if principal.namespace_id:
        return session.namespaces.get(principal, principal.namespace_id)
    if named is not None:
        return session.namespaces.get(principal, named)
    every = session.namespaces.list(principal)
    if len(every) != 1:
        raise BadRequestError(
            "say which namespace: by `namespaces` in the manifest, or the header X-Namespace", header="X-Namespace"
        )
    return every[0]


def _check_names(losing: frozenset[str], planned: Plan) -> None:
    known = {f"{step.kind.section}/{step.name}" for step in planned.steps}
    known |= {f"{kind.section}/{one.name}" for kind, one in planned.beside}
    for name in sorted(losing - known):
        raise ValidationError.at(["query", "lose"], f"{name!r} is nothing that is there; write it as collections/notes")


def _check_permissions(principal: Principal, inside: Principal, planned: Plan) -> None:
    """Raises: ForbiddenError."""
    for step in planned.steps:
        if step.action is Action.KEEP or step.refused:
            continue
        if principal.doing(step.kind.operation) is None:
            raise ForbiddenError(f"no scope of this key is for the operation '{step.kind.operation}' here")
        if step.action in (Action.DELETE, Action.REPLACE) and not principal.may(Permission.DELETE):
            raise ForbiddenError("this key lacks the permission 'delete'", permission="delete")
    if not inside.namespace_id and principal.scopes:
        raise ForbiddenError("this key has scopes, and the manifest's namespace is not there: it may not make one")


def _named(written: Written) -> frozenset[str]:
    return frozenset(f"{section}/{name}" for section, name in (entry.key for entry in written.entries))


@dataclass
class _Trial:
    """A plan's steps, one after the other, as far as they go: each that fails is blamed on its entry.

    inside: who asks, in the namespace that it is about.  ids: of what is made.
    """

    crew: Crew
    principal: Principal
    inside: Principal
    written: Written
    there: There
    rehearsal: Rehearsal
    aftermath: Aftermath
    ids: dict[tuple[str, str], str] = field(default_factory=dict)
    failed: bool = False

    async def run(self, planned: Plan) -> None:
        done = [step for step in planned.steps if not step.refused]
        for step in removals(done):
            await self._attempt(step, self._removed)
        made = [step for step in done if step.action not in (Action.KEEP, Action.DELETE)]
        for step in made:
            await self._attempt(step, self._made)
            if self.failed and step.kind.section == "namespaces":
                return
        for step in made:
            if _late(step):
                await self._attempt(step, self._completed)

    async def _attempt(self, step: Step, do: Callable[[Step], Awaitable[None]]) -> None:
        try:
            await do(step)
        except TamisError as error:
            if error.status >= _SERVER_FAULT:
                raise
            self.failed = True
            if step.entry is None:
                raise
            self.written.blame_error(step.entry, error)

    async def _removed(self, step: Step) -> None:
        if step.stored is not None:
            await step.kind.delete(self.crew, self.inside, step.stored)

    async def _made(self, step: Step) -> None:
        if step.action is Action.UPDATE and step.stored is not None:
            fields = step.fields - step.kind.late
            if fields:
                await step.kind.change(self.crew, self.inside, step.stored, step.body, fields)
            return
        early = {name: value for name, value in step.body.items() if name not in step.kind.late}
        self.ids[step.key] = made = await step.kind.create(self.crew, self.inside, early)
        if step.kind.section == "namespaces":
            self.inside = self.principal.within(made)

    async def _completed(self, step: Step) -> None:
        """What names something that was made later."""
        made = self.ids.get(step.key)
        stored = Stored(made, step.name, step.body) if made is not None else step.stored
        if stored is not None:
            await step.kind.change(self.crew, self.inside, stored, step.body, _late(step))


def _late(step: Step) -> frozenset[str]:
    fields = step.fields if step.action is Action.UPDATE else step.body.keys()
    return step.kind.late & fields


def as_text(manifest: dict[str, JSON]) -> str:
    return write(manifest)


__all__ = ["Aftermath", "Afterwards", "ManifestService", "Outcome", "as_text"]
