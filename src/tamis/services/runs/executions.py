"""Executions: run a pipeline, write its record, and only then answer."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from tamis.engine.caller import caller_traceparent
from tamis.engine.events import Sink, fan_out, ignore
from tamis.engine.planning.definition import with_filters
from tamis.engine.planning.inputs import check_inputs
from tamis.engine.planning.lacking import check_needs
from tamis.engine.planning.plan import Planner
from tamis.engine.planning.programs import check_programs
from tamis.engine.planning.rewrites import Rewrite, rewrites
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.executions import Entry
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.run import RunRequest, RunResult
from tamis.engine.running.executor import Executor
from tamis.engine.tape import untaped
from tamis.errors import ForbiddenError, ValidationError
from tamis.executions.recorder import Recorded
from tamis.model.collection import Collection
from tamis.model.execution import ExecutionHeader
from tamis.model.filters import parse_filter
from tamis.model.hits import Hits
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.matching import check_filter
from tamis.model.principal import Principal
from tamis.model.retriever import Budget, Definition, Retriever, StageSpec
from tamis.model.rollout import Rollout
from tamis.model.vector import Vector
from tamis.services.access.visitor_budgets import Purse, VisitorBudgets
from tamis.services.runs.answer_cache import AnswerCache
from tamis.services.runs.execution_runs import Executed, Job, RunOptions
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.known_plans import KnownPlans
from tamis.services.runs.lookups import Lookups
from tamis.services.runs.record_policies import RecordPolicies
from tamis.services.runs.recording import Recording, page_of_ranking
from tamis.services.runs.result_pages import describe, window
from tamis.services.runs.retrievers import collection_names, collections_of, find_collections
from tamis.services.runs.series import Series
from tamis.services.runs.serving import Served, find_served
from tamis.services.runs.snapshots import Snapshot, SnapshotStore
from tamis.services.runs.streaming import Streaming
from tamis.services.runs.turns import Turns


class ExecutionService:
    """Runs pipelines, saved or sent whole."""

    def __init__(
        self,
        metadata: Metadata,
        planner: Planner,
        executor: Executor,
        clock: Clock,
        in_flight: InFlight,
        snapshots: SnapshotStore | None = None,
        results_alias: bool = True,
        streaming: Streaming | None = None,
        answers: AnswerCache | None = None,
        policies: RecordPolicies | None = None,
        turns: Turns | None = None,
        budgets: VisitorBudgets | None = None,
        shadow: Callable[[Principal, ExecutionHeader, Rollout], None] | None = None,
    ) -> None:
        """results_alias: whether answers repeat `documents` as `results`.  streaming: how a run is followed.

        The edge reads both.  answers: the executor with caches before it; None has none.  turns: how many run at once.
        budgets: of visitors; None bounds nobody.  shadow: is told of executions that a roll-out's baseline answered.
        """
        self.results_alias = results_alias
        self.streaming = streaming or Streaming(clock)
        self._metadata = metadata
        self._lookups = Lookups(metadata)
        self._plans = KnownPlans(planner)
        self._executor = executor
        self._answers = answers or AnswerCache(executor, metadata)
        self._policies = policies or RecordPolicies(metadata)
        self._clock = clock
        self._series = Series(metadata, snapshots or SnapshotStore())
        self._in_flight = in_flight
        self._turns = turns or Turns()
        self._budgets = budgets
        self._shadow = shadow
        self._model_versions: Mapping[str, str] = {}

    async def execute_anonymous(
        self,
        principal: Principal,
        stages: Sequence[StageSpec],
        input_schema: dict[str, JSON],
        options: RunOptions,
        sink: Sink = ignore,
    ) -> Executed:
        """Run a pipeline that is not stored; without collections it runs over those that its stages name, else all.

        sink: is told every event of the run as it happens, after the recorder.
        Raises: ValidationError, NotFoundError before the run; else what failed, with `execution_id` in its details.
        """
        accepted_ms = self._clock.monotonic_ms()
        if principal.client is not None and not principal.client.may_send_pipelines:
            raise ForbiddenError("this client token runs saved retrievers; others need its claim 'pipelines'")
        names = collection_names(options.collections, stages)
        collections = await self._lookups.find(
            (principal, names), lambda session: collections_of(session, principal, names)
        )
        definition = Definition(tuple(stages), input_schema)
        return await self._execute(self._job(principal, definition, collections, options, accepted_ms), sink)

    async def execute_saved(
        self, principal: Principal, identifier: str, options: RunOptions, sink: Sink = ignore
    ) -> Executed:
        """Run a saved retriever, over its own collections or over those that the options name. Raises: as above."""
        accepted_ms = self._clock.monotonic_ms()
        if options.collections and not principal.may_choose_collections:
            message = "who may run this retriever alone runs it over its own collections; leave this out"
            raise ValidationError.at(["body", "collection_identifiers"], message)

        def find(session: Session) -> Served:
            return find_served(session, principal, identifier, options.collections)

        served = await self._lookups.find((principal, identifier, options.collections), find)
        version = served.answering(options.inputs)
        retriever = version.retriever
        job = self._job(principal, retriever.definition, version.collections, options, accepted_ms, retriever)
        if version.rollout is not None and options.filters is None and options.page.is_first:
            job = replace(job, rollout=version.rollout)
        return await self._execute(job, sink)

    async def execute_version(self, principal: Principal, retriever: Retriever, options: RunOptions) -> Executed:
        """Run a saved retriever as it was in one of its versions. Raises: as above."""
        accepted_ms = self._clock.monotonic_ms()
        definition = retriever.definition
        collections = await self._metadata.read(
            lambda session: find_collections(session, principal, definition.collection_ids, definition.stages)
        )
        return await self._execute(
            self._job(principal, definition, collections, options, accepted_ms, retriever), ignore
        )

    def _job(
        self,
        principal: Principal,
        definition: Definition,
        collections: tuple[Collection, ...],
        options: RunOptions,
        accepted_ms: float,
        retriever: Retriever | None = None,
    ) -> Job:
        """Everything that can be wrong before a run is found here. Raises: ValidationError."""
        made: tuple[Rewrite, ...] = ()
        if options.filters is not None:
            check_filter(parse_filter(options.filters, ["body", "filters"]), ["body", "filters"])
            written, definition = (
                definition.stages,
                replace(definition, stages=with_filters(definition.stages, options.filters)),
            )
            made = tuple(rewrites(written, definition.stages)) if options.filters else ()
        inputs = check_inputs(definition.input_schema, options.inputs)
        plan = self._plans.plan(definition, collections, options.budget or definition.budget, inputs)
        return Job(principal, plan, collections, inputs, options, accepted_ms, retriever, made)

    async def _execute(self, job: Job, sink: Sink) -> Executed:
        reach = self._executor.environment.reach
        check_needs(job.plan, reach.lacks)
        await check_programs(job.plan, reach.code)
        if self._budgets is None or job.principal.client is None:
            return await self._carry_out(job, sink, Purse())
        async with self._budgets.opened(job.principal) as purse:
            return await self._carry_out(job, sink, purse)

    async def _carry_out(self, job: Job, sink: Sink, purse: Purse) -> Executed:
        snapshot = await self._series.find(job)
        recording = Recording(job.plan, _run_request(job, purse), job.retriever, await self._models())
        recording.left_out = (await self._policies.of(job.principal)).exclude
        try:
            async with self._turns.taken(job.principal):
                with self._in_flight.entered(recording, job.accepted_ms):
                    if snapshot is None:
                        return await self._run(job, recording, sink)
                    return await self._turn_page(job, recording, snapshot, sink)
        finally:
            purse.spent = recording.credits_used

    async def _run(self, job: Job, recording: Recording, sink: Sink) -> Executed:
        """Run the pipeline; its record is durable before this returns, raises or is cancelled."""
        told = fan_out(recording, sink)
        try:
            result, recording.cached = await self._answers.run(job, recording.request, recording.models, told)
        except asyncio.CancelledError:
            await self._store(job, recording, recording.record(duration_ms=self._since(job)))
            raise
        execution_id = recording.request.execution_id
        if result.error is not None:
            await self._store(job, recording, recording.record(duration_ms=self._since(job)))
            result.error.details["execution_id"] = execution_id
            raise result.error
        if job.options.most is not None:
            result = replace(result, hits=result.hits[: job.options.most])
        cut = window(job.options.page, result.hits)
        pagination = describe(job.options.page, cut, result.hits, execution_id)
        answer = await self._answer(job, recording, result, result.hits[cut.start : cut.stop], pagination, cut.start)
        if cut.total > cut.stop - cut.start:
            self._series.keep(job, execution_id, result)
        return answer

    async def _turn_page(self, job: Job, recording: Recording, snapshot: Snapshot, sink: Sink) -> Executed:
        """Answer from the ranking that an earlier execution left; an execution with a record of its own."""
        at, began_ms = self._clock.now(), self._clock.monotonic_ms()
        cut = window(job.options.page, snapshot.ranking)
        shown = snapshot.ranking[cut.start : cut.stop]
        documents, gone = await self._series.documents(job.principal, snapshot, shown)
        warnings = (f"{gone} documents of this page have been deleted since the first page",) if gone else ()
        pagination = describe(job.options.page, cut, snapshot.ranking, snapshot.execution_id)
        took_ms = self._clock.monotonic_ms() - began_ms
        recording.events, result = page_of_ranking(
            job.plan, recording.request, at, snapshot, documents, warnings, took_ms
        )
        recording.request = replace(recording.request, tapes=untaped)
        watch = self._executor.watch
        told = sink if watch is None else fan_out(sink, watch.begin(job.plan, recording.request))
        for event in recording.events:
            told(event)
        return await self._answer(job, recording, result, documents, pagination, 0)

    async def _answer(
        self,
        job: Job,
        recording: Recording,
        result: RunResult,
        documents: Hits,
        pagination: dict[str, JSON],
        start: int,
    ) -> Executed:
        """Write the record, then let the answer go. start: where `documents` stand in the record's last ranking."""
        try:
            vectors = await self._vectors(job, documents)
        except asyncio.CancelledError:
            recording.cancel()
            await self._store(job, recording, recording.record(duration_ms=self._since(job)))
            raise
        duration_ms = self._since(job)
        recorded = recording.record(len(documents), duration_ms, {**pagination, "start": start})
        await self._store(job, recording, recorded)
        return Executed(
            execution_id=recording.request.execution_id,
            status=result.status,
            documents=documents,
            pagination=pagination,
            stages=result.stages,
            duration_ms=duration_ms,
            credits_used=result.credits_used,
            budget=job.plan.definition.budget,
            warnings=(*job.options.warnings, *result.warnings),
            retriever=job.retriever,
            vectors=vectors,
            cache=recording.cached,
        )

    async def _vectors(self, job: Job, documents: Hits) -> Mapping[str, Mapping[str, Vector]] | None:
        if not job.options.return_vectors:
            return None
        ids = [hit.id for hit in documents if hit.document]
        return await self._metadata.read(lambda session: session.documents.vectors(job.principal, ids))

    async def _store(self, job: Job, recording: Recording, recorded: Recorded) -> None:
        """A caller that goes away does not take the record with it: this ends, cancelled or not, with the write."""
        header = recorded.execution.header
        beside = len(self._in_flight) - 1
        writing = self._metadata.keep(Entry(job.principal, recorded.execution, recorded.blobs, beside))
        self._turns.spent(job.principal, header.credits_used)
        try:
            await writing
            if job.rollout is not None and self._shadow is not None:
                self._shadow(job.principal, header, job.rollout)
        finally:
            if self._executor.watch is not None and writing.exception() is None:
                lag_ms = self._since(job) - header.duration_ms
                self._executor.watch.recorded(header, lag_ms, recording.events)

    def _since(self, job: Job) -> float:
        return self._clock.monotonic_ms() - job.accepted_ms

    async def _models(self) -> Mapping[str, str]:
        """Versions of the models at hand. Looking for them reads files, so it is done once there are some."""
        if not self._model_versions:
            found = await asyncio.to_thread(self._executor.environment.models.available)
            self._model_versions = {model.name: model.version for model in found}
        return self._model_versions


def _run_request(job: Job, purse: Purse) -> RunRequest:
    own = job.plan.definition.budget
    most = min(purse.left, math.inf if own.max_credits is None else own.max_credits)
    return RunRequest(
        budget=None if math.isinf(purse.left) else Budget(most, own.max_time_ms),
        principal=job.principal,
        execution_id=new_id("exec"),
        inputs=job.inputs,
        collections=job.collections,
        mode=job.mode,
        rewrites=job.rewrites,
        traceparent=caller_traceparent(),
        retriever_id=job.retriever.retriever_id if job.retriever else None,
    )
