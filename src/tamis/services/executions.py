"""Executions: run a pipeline, write its record, and only then answer; read the records back."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tamis.engine.definition import with_filters
from tamis.engine.executor import Executor
from tamis.engine.inputs import check_inputs
from tamis.engine.plan import Planner
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import ExecutionQuery, Metadata, Session
from tamis.engine.run import RunRequest, RunResult
from tamis.errors import NotFoundError
from tamis.executions.codec import decode
from tamis.executions.record import Record
from tamis.executions.recorder import Recorded
from tamis.model.collection import Collection
from tamis.model.execution import ExecutionHeader, StoredExecution
from tamis.model.filters import parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.matching import check_filter
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.retriever import Definition, Retriever, StageSpec
from tamis.model.vector import Vector
from tamis.services.execution_runs import Executed, Job, RunOptions
from tamis.services.inflight import InFlight
from tamis.services.recording import PAGINATION, Recording, page_of_ranking
from tamis.services.result_pages import describe, window
from tamis.services.retrievers import find_collections, find_retriever
from tamis.services.series import Series, final_ranking
from tamis.services.snapshots import Snapshot, SnapshotStore


@dataclass(frozen=True, slots=True)
class SavedExecution:
    """A saved retriever's execution, read back."""

    record: Record
    documents: Hits


class ExecutionService:
    """Runs pipelines, saved or sent whole, and reads the records of what ran."""

    def __init__(
        self,
        metadata: Metadata,
        planner: Planner,
        executor: Executor,
        clock: Clock,
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
        self._in_flight = InFlight(clock)
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

        await asyncio.shield(asyncio.ensure_future(self._metadata.write(write)))

    def _since(self, job: Job) -> float:
        return self._clock.monotonic_ms() - job.accepted_ms

    async def _models(self) -> Mapping[str, str]:
        """Versions of the models at hand. Looking for them reads files, so it is done once there are some."""
        if not self._model_versions:
            found = await asyncio.to_thread(self._executor.models.available)
            self._model_versions = {model.name: model.version for model in found}
        return self._model_versions

    async def get_anonymous(self, principal: Principal, execution_id: str) -> StoredExecution:
        """One that runs, or its record. Raises: NotFoundError, for a saved retriever's run too."""
        found = self._in_flight.get(principal, execution_id) or await self._metadata.read_now(
            lambda session: session.executions.get(principal, execution_id)
        )
        if found is None or found.header.retriever_id is not None:
            raise NotFoundError.of("execution", execution_id)
        return found

    async def get_saved(self, principal: Principal, retriever: str, execution_id: str) -> SavedExecution:
        """A saved retriever's execution with the documents that it returned, as they are now. Raises: NotFoundError."""

        def read(session: Session) -> tuple[Retriever, StoredExecution | None]:
            return find_retriever(session, principal, retriever), session.executions.get(principal, execution_id)

        owner, stored = await self._metadata.read(read)
        found = self._in_flight.get(principal, execution_id) or stored
        if found is None or found.header.retriever_id != owner.retriever_id:
            raise NotFoundError.of("execution", execution_id)
        record = decode(found)
        return SavedExecution(record, await self._returned(principal, record))

    async def list_anonymous(
        self, principal: Principal, query: ExecutionQuery, count_only: bool = False
    ) -> Page[ExecutionHeader]:
        """Newest first; those that run now are among them."""
        return await self._list(principal, query, count_only)

    async def list_saved(
        self, principal: Principal, retriever: str, query: ExecutionQuery, count_only: bool = False
    ) -> Page[ExecutionHeader]:
        """As `list_anonymous`, of one saved retriever. Raises: NotFoundError."""
        owner = await self._metadata.read(lambda session: find_retriever(session, principal, retriever))
        return await self._list(principal, replace(query, retriever_id=owner.retriever_id), count_only)

    async def _list(self, principal: Principal, query: ExecutionQuery, count_only: bool) -> Page[ExecutionHeader]:
        running = [] if query.filter is not None else self._in_flight.matching(principal, query)
        if count_only:
            total = await self._metadata.read(lambda session: session.executions.count(principal, query))
            return Page([], total + len(running), query.limit, query.offset)
        return await self._page(principal, query, running)

    async def _page(
        self, principal: Principal, query: ExecutionQuery, running: list[ExecutionHeader]
    ) -> Page[ExecutionHeader]:
        """The window over what runs and what is stored, in the order of time."""
        ahead = [] if query.oldest_first else running[query.offset : query.offset + query.limit]
        before = 0 if query.oldest_first else len(running)
        rest = replace(query, offset=max(0, query.offset - before), limit=query.limit - len(ahead))
        page = await self._metadata.read(lambda session: session.executions.page(principal, rest))
        # One that ended between the two readings is in both.
        known = {header.execution_id for header in running}
        stored = [header for header in page.items if header.execution_id not in known]
        total = page.total + len(running) - (len(page.items) - len(stored))
        behind = [*reversed(running)][max(0, query.offset - page.total) :] if query.oldest_first else []
        items = [*ahead, *stored, *behind][: query.limit]
        return Page(items, total, query.limit, query.offset)

    async def _returned(self, principal: Principal, record: Record) -> Hits:
        """The documents that the answer showed; what has been deleted since is left out."""
        start = _shown_from(record)
        shown = final_ranking(record)[start : start + record.header.total_returned]
        ids = [hit.id for hit in shown if hit.is_document]
        found = await self._metadata.read(lambda session: session.documents.get_many(principal, ids))
        return Hits.of(
            Hit(hit.id, hit.score, found.get(hit.id), hit.scores, hit.extra)
            for hit in shown
            if hit.id in found or not hit.is_document
        )


def _run_request(job: Job) -> RunRequest:
    return RunRequest(
        principal=job.principal,
        execution_id=new_id("exec"),
        inputs=job.inputs,
        collections=job.collections,
        mode=job.mode,
    )


def _shown_from(record: Record) -> int:
    start = shown_pagination(record).get("start")
    return start if isinstance(start, int) else 0


def shown_pagination(record: Record) -> Mapping[str, JSON]:
    """What the answer said about its pages."""
    for stage in reversed(record.stages):
        pagination = stage.metadata.get(PAGINATION)
        if isinstance(pagination, dict):
            return pagination
    return {}
