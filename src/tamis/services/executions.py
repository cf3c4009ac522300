"""Executions: run a pipeline, write its record, and only then answer."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tamis.engine.caller import caller_traceparent
from tamis.engine.definition import with_filters
from tamis.engine.executor import Executor
from tamis.engine.inputs import check_inputs
from tamis.engine.plan import Planner
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.run import RunRequest, RunResult
from tamis.executions.recorder import Recorded
from tamis.model.collection import Collection
from tamis.model.filters import parse_filter
from tamis.model.hits import Hits
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.matching import check_filter
from tamis.model.principal import Principal
from tamis.model.retriever import Definition, Retriever, StageSpec
from tamis.model.vector import Vector
from tamis.services.execution_runs import Executed, Job, RunOptions
from tamis.services.inflight import InFlight
from tamis.services.recording import Recording, page_of_ranking
from tamis.services.result_pages import describe, window
from tamis.services.retrievers import find_collections, find_retriever
from tamis.services.series import Series
from tamis.services.snapshots import Snapshot, SnapshotStore


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
    ) -> None:
        """results_alias: whether answers repeat `documents` as `results`; the edge reads it."""
        self.results_alias = results_alias
        self._metadata = metadata
        self._planner = planner
        self._executor = executor
        self._clock = clock
        self._series = Series(metadata, snapshots or SnapshotStore())
        self._in_flight = in_flight
        self._model_versions: Mapping[str, str] = {}

    async def execute_anonymous(
        self, principal: Principal, stages: Sequence[StageSpec], input_schema: Mapping[str, JSON], options: RunOptions
    ) -> Executed:
        """Run a pipeline that is not stored; without collections it runs over those that its stages name, else all.

        Raises: ValidationError, NotFoundError before the run; else what failed, with `execution_id` in its details.
        """
        accepted_ms = self._clock.monotonic_ms()
        collections = await self._metadata.read_now(
            lambda session: find_collections(session, principal, options.collections, stages)
        )
        definition = Definition(tuple(stages), dict(input_schema))
        return await self._execute(self._job(principal, definition, collections, options, accepted_ms))

    async def execute_saved(self, principal: Principal, identifier: str, options: RunOptions) -> Executed:
        """Run a saved retriever, over its own collections or over those that the options name. Raises: as above."""
        accepted_ms = self._clock.monotonic_ms()

        def find(session: Session) -> tuple[Retriever, tuple[Collection, ...]]:
            retriever = find_retriever(session, principal, identifier)
            definition = retriever.definition
            named = options.collections or definition.collection_ids
            return retriever, find_collections(session, principal, named, definition.stages)

        retriever, collections = await self._metadata.read_now(find)
        return await self._execute(
            self._job(principal, retriever.definition, collections, options, accepted_ms, retriever)
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
        check_filter(parse_filter(options.filters, ["body", "filters"]), ["body", "filters"])
        definition = replace(
            definition,
            stages=with_filters(definition.stages, options.filters),
            collection_ids=tuple(collection.collection_id for collection in collections),
            budget=options.budget or definition.budget,
        )
        inputs = check_inputs(definition.input_schema, options.inputs)
        plan = self._planner.plan(definition, collections, inputs)
        return Job(principal, plan, collections, inputs, options, accepted_ms, retriever)

    async def _execute(self, job: Job) -> Executed:
        snapshot = await self._series.find(job)
        recording = Recording(job.plan, _run_request(job), job.retriever, await self._models())
        with self._in_flight.entered(recording, job.accepted_ms):
            return await (self._run(job, recording) if snapshot is None else self._turn_page(job, recording, snapshot))

    async def _run(self, job: Job, recording: Recording) -> Executed:
        """Run the pipeline; its record is durable before this returns, raises or is cancelled."""
        try:
            result = await self._executor.run(job.plan, recording.request, recording)
        except asyncio.CancelledError:
            await self._store(job, recording.record(duration_ms=self._since(job)))
            raise
        execution_id = recording.request.execution_id
        if result.error is not None:
            await self._store(job, recording.record(duration_ms=self._since(job)))
            result.error.details["execution_id"] = execution_id
            raise result.error
        cut = window(job.options.page, result.hits)
        pagination = describe(job.options.page, cut, result.hits, execution_id)
        answer = await self._answer(job, recording, result, result.hits[cut.start : cut.stop], pagination, cut.start)
        if cut.total > cut.stop - cut.start:
            self._series.keep(job, execution_id, result.hits)
        return answer

    async def _turn_page(self, job: Job, recording: Recording, snapshot: Snapshot) -> Executed:
        """Answer from the ranking that an earlier execution left; an execution with a record of its own."""
        at, began_ms = self._clock.now(), self._clock.monotonic_ms()
        cut = window(job.options.page, snapshot.ranking)
        shown = snapshot.ranking[cut.start : cut.stop]
        documents, gone = await self._series.documents(job.principal, snapshot, shown)
        warnings = (f"{gone} documents of this page have been deleted since the first page",) if gone else ()
        pagination = describe(job.options.page, cut, snapshot.ranking, snapshot.execution_id)
        took_ms = self._clock.monotonic_ms() - began_ms
        recording.events, result = page_of_ranking(
            job.plan, recording.request, at, snapshot.execution_id, documents, warnings, took_ms
        )
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
            await self._store(job, recording.record(duration_ms=self._since(job)))
            raise
        duration_ms = self._since(job)
        await self._store(job, recording.record(len(documents), duration_ms, {**pagination, "start": start}))
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
        )

    async def _vectors(self, job: Job, documents: Hits) -> Mapping[str, Mapping[str, Vector]] | None:
        if not job.options.return_vectors:
            return None
        ids = [hit.id for hit in documents if hit.document]
        return await self._metadata.read(lambda session: session.documents.vectors(job.principal, ids))

    async def _store(self, job: Job, recorded: Recorded) -> None:
        """A caller that goes away does not take the record with it."""

        def write(session: Session) -> None:
            for sha1, data in recorded.blobs.items():
                session.input_blobs.put(job.principal, sha1, data)
            session.executions.insert(job.principal, recorded.execution)

        async def write_and_tell() -> None:
            await self._metadata.write(write)
            if self._executor.watch is not None:
                header = recorded.execution.header
                self._executor.watch.recorded(header, self._since(job) - header.duration_ms)

        await asyncio.shield(asyncio.ensure_future(write_and_tell()))

    def _since(self, job: Job) -> float:
        return self._clock.monotonic_ms() - job.accepted_ms

    async def _models(self) -> Mapping[str, str]:
        """Versions of the models at hand. Looking for them reads files, so it is done once there are some."""
        if not self._model_versions:
            found = await asyncio.to_thread(self._executor.environment.models.available)
            self._model_versions = {model.name: model.version for model in found}
        return self._model_versions


def _run_request(job: Job) -> RunRequest:
    return RunRequest(
        principal=job.principal,
        execution_id=new_id("exec"),
        inputs=job.inputs,
        collections=job.collections,
        mode=job.mode,
        traceparent=caller_traceparent(),
    )
