"""What an execution asked, asked again of a retriever's version: on today's data, without effects, without a record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tamis.engine.planning.inputs import check_inputs
from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.ports.metadata import Session
from tamis.engine.run import RunRequest
from tamis.engine.running.executor import Executor
from tamis.engine.tape import Archive, PlaybackTape, Tape
from tamis.errors import TamisError
from tamis.executions.codec import decode
from tamis.executions.record import Record
from tamis.executions.replaying import states_read, why_not_live
from tamis.model.collection import Collection
from tamis.model.filters import parse_filter
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.services.records.large_values import LargeValues
from tamis.services.runs.retrievers import find_collections


@dataclass(frozen=True, slots=True)
class Setting:
    """What an execution is asked again in. collections: of each version, in the order they were named in."""

    record: Record
    inputs: dict[str, JSON]
    archive: Archive
    collections: Sequence[tuple[Collection, ...]]


@dataclass(frozen=True, slots=True)
class Trial:
    """error: why it failed.  unrecorded: what a stage with effects asked that the record has no answer to."""

    ranking: tuple[str, ...] = ()
    took_ms: float = 0.0
    credits: float = 0.0
    error: str | None = None
    unrecorded: str | None = None


def setting_of(
    session: Session, principal: Principal, versions: Sequence[Retriever], execution_id: str
) -> Setting | str:
    """What the versions run in, or why the execution cannot be asked again. Raises: NotFoundError (collections)."""
    stored = session.executions.get(principal, execution_id)
    if stored is None:
        return "its record is gone"
    record = decode(stored)
    refused = why_not_live(record)
    if refused is not None:
        return refused
    inputs: Mapping[str, JSON] = LargeValues(session, principal).restored(dict(record.inputs))
    read = states_read(record)
    archive = Archive(
        session.history.documents(principal, sorted(read.documents)),
        session.history.collections(principal, sorted(read.collections)),
    )
    collections = [
        find_collections(session, principal, one.definition.collection_ids, one.definition.stages) for one in versions
    ]
    return Setting(record, dict(inputs), archive, collections)


class Trials:
    """executor: one that nothing counts or learns from."""

    def __init__(self, planner: Planner, executor: Executor) -> None:
        self._planner = planner
        self._executor = executor

    async def run(self, principal: Principal, retriever: Retriever, setting: Setting, side: int) -> Trial:
        """side: whose of the setting's collections. A stage with effects is answered by the record."""
        record, definition = setting.record, retriever.definition
        try:
            inputs = check_inputs(definition.input_schema, setting.inputs)
            plan = self._planner.plan(definition, setting.collections[side], inputs)
        except TamisError as error:
            return Trial(error=error.message)
        tapes = _tapes(plan, setting)

        def tape(place: int) -> Tape | None:
            return tapes.get(place)

        narrowing = parse_filter(record.narrowing) if record.narrowing is not None else principal.narrowing
        request = RunRequest(
            principal=replace(principal, narrowing=narrowing),
            execution_id=new_id("exec"),
            inputs=inputs,
            collections=setting.collections[side],
            seed=record.seed,
            mode=record.header.mode,
            tapes=tape,
            retriever_id=retriever.retriever_id,
        )
        result = await self._executor.run(plan, request)
        unknown = [one for played in tapes.values() for one in played.unrecorded]
        return Trial(
            tuple(hit.id for hit in result.hits),
            result.duration_ms,
            result.credits_used,
            None if result.error is None else result.error.message,
            f"a stage with effects asks what the record has no answer to: {unknown[0]}" if unknown else None,
        )


def _tapes(plan: Plan, setting: Setting) -> dict[int, PlaybackTape]:
    calls = {stage.stage_name: stage.calls for stage in setting.record.stages}
    return {
        place: PlaybackTape(calls.get(planned.spec.stage_name, ()), setting.archive)
        for place, planned in enumerate(plan.stages)
        if planned.effects
    }
