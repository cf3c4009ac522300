"""Replays: an execution run again, from its record or on today's data, and set against what it came to then."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tamis.engine.caller import caller_traceparent
from tamis.engine.events import Event
from tamis.engine.planning.definition import from_json
from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.run import RunRequest
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import PriceTable
from tamis.engine.tape import Archive, PlaybackTape, Tape, recording
from tamis.errors import ValidationError
from tamis.executions.causes import Cause
from tamis.executions.codec import decode
from tamis.executions.diff import stage_names
from tamis.executions.record import Record
from tamis.executions.recorder import Recorded
from tamis.executions.replaying import (
    Divergence,
    ReplayMode,
    Verdict,
    as_far_as_it_came,
    caps_of,
    divergence,
    frozen_divergence,
    is_running,
    states_read,
    why_not_frozen,
    why_not_live,
)
from tamis.model.canonical import sha1_of, sha256_of
from tamis.model.collection import Collection
from tamis.model.filters import parse_filter
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Budget, Retriever
from tamis.services.records.execution_records import ANY_RETRIEVER, ExecutionRecords
from tamis.services.records.large_values import LargeValues
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.recording import Recording
from tamis.services.runs.retrievers import find_retriever
from tamis.services.runs.turns import Turns

_PATIENCE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """execution_id: of the new execution; None where nothing could be run.  reason: why it is not replayable.

    status: of the new execution.  from_record: stages whose effects were not repeated, but answered from the record.
    """

    replay_of: str
    mode: ReplayMode
    verdict: Verdict
    execution_id: str | None = None
    first_divergence: Divergence | None = None
    reason: str | None = None
    from_record: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Past:
    """A past execution with everything that its record refers to.

    record: as far as it came.  collections: those that it ran over, as they were or, for a live replay, as they are.
    gone: of those, how many there are not any more.  missing: what a replay cannot do without and is not known.
    is_whole: whether every document that was read is known as it was.
    """

    record: Record
    definition: Mapping[str, JSON]
    inputs: dict[str, JSON]
    collections: tuple[Collection, ...]
    archive: Archive
    retriever: Retriever | None
    gone: int = 0
    missing: tuple[str, ...] = ()
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class _Ran:
    recorded: Recorded
    record: Record
    tapes: Mapping[int, PlaybackTape] = field(default_factory=dict)
    events: Sequence[Event] = ()


class ReplayService:
    def __init__(
        self,
        metadata: Metadata,
        records: ExecutionRecords,
        planner: Planner,
        executor: Executor,
        in_flight: InFlight,
        turns: Turns | None = None,
    ) -> None:
        self._metadata = metadata
        self._records = records
        self._planner = planner
        self._executor = executor
        self._in_flight = in_flight
        self._turns = turns or Turns()
        # Nothing is bought that was bought before, and what a record answers says nothing of what stages do today.
        self._at_no_cost = Executor(executor.environment, PriceTable({}), watch=executor.watch)
        self._untold = Executor(executor.environment, PriceTable({}))

    async def replay(
        self,
        principal: Principal,
        execution_id: str,
        mode: ReplayMode,
        allow_effects: bool = False,
        retriever: str | None = None,
    ) -> Replayed:
        """Run it again and say whether it comes to the same. The new execution has a record, linked to the first.

        allow_effects: in a live replay, let stages that reach outside or spend do so again; else they are answered
        from the record.  Raises: NotFoundError.
        """
        record = decode(await self._records.find(principal, execution_id, retriever))
        refused = (why_not_frozen if mode is ReplayMode.FROZEN else why_not_live)(record)
        if is_running(record):
            refused = "it has not ended yet"
        if refused is not None:
            return Replayed(execution_id, mode, Verdict.NOT_REPLAYABLE, reason=refused)
        past = await self._metadata.read(lambda session: _past(session, principal, record, mode, retriever))
        if past.missing:
            return Replayed(execution_id, mode, Verdict.NOT_REPLAYABLE, reason="; ".join(past.missing))
        try:
            plan = self._planner.plan(from_json(dict(past.definition)), past.collections, past.inputs)
        except ValidationError as error:
            return Replayed(execution_id, mode, Verdict.DRIFTED, first_divergence=_unplannable(past, error))
        if mode is ReplayMode.FROZEN:
            return await self._frozen(principal, past, plan)
        return await self._live(principal, past, plan, allow_effects)

    async def _frozen(self, principal: Principal, past: _Past, plan: Plan) -> Replayed:
        ran = await self._run_frozen(self._at_no_cost, principal, past, plan)
        await self._store(principal, ran.recorded)
        return _replayed(past, ran, ReplayMode.FROZEN, frozen_divergence(past.record, ran.record, ran.tapes))

    async def _run_frozen(self, executor: Executor, principal: Principal, past: _Past, plan: Plan) -> _Ran:
        record = past.record
        tapes = {stage.index: PlaybackTape(stage.calls, past.archive) for stage in record.stages}
        request = replace(
            _request(principal, past, ReplayMode.FROZEN),
            budget=Budget(max_time_ms=round(10 * record.header.duration_ms) + _PATIENCE_MS),
            caps=caps_of(record),
            tapes=lambda index: tapes.get(index, PlaybackTape((), past.archive)),
        )
        ended = replace(plan, stages=plan.stages[: len(record.stages)])
        return await self._run(executor, ended, request, past, tapes)

    async def _live(self, principal: Principal, past: _Past, plan: Plan, allow_effects: bool) -> Replayed:
        record = past.record
        frozen = set() if allow_effects else {n for n, planned in enumerate(plan.stages) if planned.effects}
        names = tuple(plan.stages[n].spec.stage_name for n in sorted(frozen))
        refused = why_not_frozen(record)
        if refused is None and not past.is_whole:
            refused = "states that it read, of documents or collections, are not kept any more"
        if frozen and refused is not None:
            reason = f"{', '.join(names)} would reach outside: allow_effects lets it, for {refused}"
            return Replayed(record.header.execution_id, ReplayMode.LIVE, Verdict.NOT_REPLAYABLE, reason=reason)
        calls = {stage.index: stage.calls for stage in record.stages}

        def tape(index: int) -> Tape | None:
            return PlaybackTape(calls.get(index, ()), past.archive) if index in frozen else recording(index)

        request = replace(_request(principal, past, ReplayMode.LIVE), tapes=tape)
        ran = await self._run(self._executor, plan, request, past)
        await self._store(principal, ran.recorded, ran.events)
        found = await self._explained(principal, past, plan, ran.record)
        return replace(_replayed(past, ran, ReplayMode.LIVE, found), from_record=names)

    async def _explained(self, principal: Principal, past: _Past, plan: Plan, now: Record) -> Divergence | None:
        """Whether it is the code is tried out: frozen, everything that came from outside is the same."""
        found = divergence(past.record, now)
        if found is None or why_not_frozen(past.record) is not None or not past.is_whole:
            return _with_gone(past, found)
        then = replace(past, collections=_as_they_were(past.record, past.archive))
        frozen = await self._run_frozen(self._untold, principal, then, plan)
        by_code = frozen_divergence(past.record, frozen.record, frozen.tapes)
        if by_code is not None and by_code.stage_index <= found.stage_index:
            return replace(by_code, returned=found.returned)
        return _with_gone(past, divergence(past.record, now, without=(Cause.CODE,)))

    async def _run(
        self, executor: Executor, plan: Plan, request: RunRequest, past: _Past,
        tapes: Mapping[int, PlaybackTape] | None = None,
    ) -> _Ran:  # fmt: skip
        clock = self._executor.clock
        models = await asyncio.to_thread(self._executor.environment.models.available)
        versions = {model.name: model.version for model in models}
        told = Recording(plan, request, past.retriever, versions)
        accepted_ms = clock.monotonic_ms()
        async with self._turns.taken(request.principal):
            with self._in_flight.entered(told, accepted_ms):
                try:
                    result = await executor.run(plan, request, told)
                except asyncio.CancelledError:
                    if executor is not self._untold:
                        await self._store_left(request.principal, told, clock.monotonic_ms() - accepted_ms)
                    raise
        duration_ms = clock.monotonic_ms() - accepted_ms
        whole = told.record(len(result.hits), duration_ms)
        # A policy younger than the record that is repeated says what is written, not what is compared.
        told.left_out = await self._left_out(request.principal)
        recorded = told.record(len(result.hits), duration_ms) if told.left_out else whole
        return _Ran(recorded, decode(whole.execution), tapes or {}, told.events)

    async def _left_out(self, principal: Principal) -> tuple[str, ...]:
        namespace = await self._metadata.read(lambda session: session.namespaces.get(principal, principal.namespace_id))
        return namespace.record_policy.exclude if namespace else ()

    async def _store_left(self, principal: Principal, told: Recording, duration_ms: float) -> None:
        """The caller went away: what was begun has a record all the same."""

        async def write() -> None:
            told.left_out = await self._left_out(principal)
            await self._store(principal, told.record(duration_ms=duration_ms))

        writing = asyncio.ensure_future(write())
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait((writing,))

    async def _store(self, principal: Principal, recorded: Recorded, events: Sequence[Event] = ()) -> None:
        """events: as `Watch.recorded` has them. How long stages take on a record's answers is nobody's question."""
        began_ms = self._executor.clock.monotonic_ms()
        await self._metadata.write(
            lambda session: session.executions.insert(principal, recorded.execution, recorded.blobs)
        )
        if self._executor.watch is not None:
            lag_ms = self._executor.clock.monotonic_ms() - began_ms
            self._executor.watch.recorded(recorded.execution.header, lag_ms, events)


def _past(session: Session, principal: Principal, record: Record, mode: ReplayMode, retriever: str | None) -> _Past:
    large = LargeValues(session, principal)
    inputs, definition = large.restored(dict(record.inputs)), large.restored(dict(record.definition))
    missing = []
    if sha1_of(inputs) != record.header.inputs_hash or sha256_of(definition) != record.definition_hash:
        missing.append("large values of its request are not kept any more")
    archive, unknown = _archive(session, principal, record)
    if unknown and mode is ReplayMode.FROZEN:
        missing.append(f"{unknown} of the states that it read, of documents and collections, are not kept any more")
    collections = _as_they_were(record, archive) if mode is ReplayMode.FROZEN else _today(session, principal, record)
    owner = _owner(session, principal, record, retriever)
    version = record.retriever_version
    return _Past(
        record=as_far_as_it_came(record),
        definition=definition,
        inputs=inputs,
        collections=collections,
        archive=archive,
        retriever=owner if owner is None or version is None else replace(owner, version=version),
        gone=len(record.collections) - len(collections),
        missing=tuple(missing),
        is_whole=not unknown,
    )


def _owner(session: Session, principal: Principal, record: Record, retriever: str | None) -> Retriever | None:
    """None for an anonymous execution, and where any was asked for and it is gone. Raises: NotFoundError."""
    if retriever is ANY_RETRIEVER:
        known = record.header.retriever_id
        return session.retrievers.get(principal, known) if known else None
    return None if retriever is None else find_retriever(session, principal, retriever)


def _archive(session: Session, principal: Principal, record: Record) -> tuple[Archive, int]:
    """What the record refers to, and how many of those states are not known any more."""
    read = states_read(record)
    designs = {*read.collections, *((one.collection_id, one.version) for one in record.collections)}
    documents = session.history.documents(principal, sorted(read.documents))
    collections = session.history.collections(principal, sorted(designs))
    unknown = len(read.documents) - len(documents) + len(designs) - len(collections)
    return Archive(documents, collections), unknown


def _as_they_were(record: Record, archive: Archive) -> tuple[Collection, ...]:
    keys = [(one, (one.collection_id, one.version)) for one in record.collections]
    return tuple(
        replace(archive.collections[key], revision=one.revision) for one, key in keys if key in archive.collections
    )


def _today(session: Session, principal: Principal, record: Record) -> tuple[Collection, ...]:
    found = [session.collections.get(principal, one.collection_id) for one in record.collections]
    return tuple(one for one in found if one is not None)


def _request(principal: Principal, past: _Past, mode: ReplayMode) -> RunRequest:
    header = past.record.header
    if past.record.narrowing is not None:
        principal = replace(principal, narrowing=parse_filter(past.record.narrowing))
    return RunRequest(
        principal=principal,
        execution_id=new_id("exec"),
        inputs=past.inputs,
        collections=past.collections,
        seed=past.record.seed,
        mode=header.mode,
        replay=(header.execution_id, mode.value),
        traceparent=caller_traceparent(),
        retriever_id=header.retriever_id,
    )


def _replayed(past: _Past, ran: _Ran, mode: ReplayMode, found: Divergence | None) -> Replayed:
    return Replayed(
        replay_of=past.record.header.execution_id,
        mode=mode,
        verdict=Verdict.IDENTICAL if found is None else Verdict.DRIFTED,
        execution_id=ran.record.header.execution_id,
        first_divergence=found,
    )


def _with_gone(past: _Past, found: Divergence | None) -> Divergence | None:
    """Collections that are gone stand in no record: what is missing with them is told here."""
    if found is None or not past.gone or found.cause in (Cause.DEFINITION, Cause.CODE):
        return found
    return replace(found, cause=Cause.DATA, says=(_gone(past), *found.says))


def _gone(past: _Past) -> str:
    return f"{past.gone} of the collections that it ran over are gone"


def _unplannable(past: _Past, error: ValidationError) -> Divergence:
    """What was run then is no pipeline today: a stage or parameter is not known any more, or collections are gone."""
    loc = error.problems[0]["loc"]
    index = loc[2] if loc[:2] == ["body", "stages"] and len(loc) > 2 and isinstance(loc[2], int) else 0
    cause = Cause.DATA if past.gone else Cause.DEFINITION
    stage = past.record.stages[min(index, len(past.record.stages) - 1)]
    names = stage_names(past.record)
    name = names[index] if index < len(names) else stage.stage_name
    return Divergence(index, name, cause, (_gone(past), error.message) if past.gone else (error.message,))
