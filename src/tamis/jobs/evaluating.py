"""The evaluation worker: takes up every unfinished evaluation, of every tenant, and sees it through."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Hold, Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import CreditsSpentError, TamisError, TooManyRequestsError
from tamis.evaluation.measures import grades_of, is_judged, means, measure, scored
from tamis.evaluation.rankings import named
from tamis.jobs.durable import DurableWorker, Stopped
from tamis.model.batch import TaskStatus
from tamis.model.dataset import Dataset, GroundTruth
from tamis.model.evaluation import Evaluation, EvaluationStatus, QueryRun
from tamis.model.principal import Permission, Principal
from tamis.model.retriever import Retriever
from tamis.services.learning.datasets import find_dataset
from tamis.services.learning.evaluations import task_data
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.result_pages import PageMethod, PageRequest
from tamis.services.runs.retrievers import find_version

_QUERIES_AT_ONCE = 4
_CHUNK = 16
_ATTEMPTS = 5
_UNAVAILABLE = 503


class EvaluationWorker(DurableWorker[Evaluation]):
    """Each query's ranking is in the system of record."""

    noun = "evaluation"

    def __init__(
        self, metadata: Metadata, executions: ExecutionService, clock: Clock, locks: Locks | None = None,
        poll_s: float = 2.0,
    ) -> None:  # fmt: skip
        super().__init__(locks, poll_s)
        self._metadata = metadata
        self._executions = executions
        self._clock = clock

    def identifier(self, piece: Evaluation) -> str:
        return piece.evaluation_id

    async def unfinished(self) -> Sequence[tuple[Principal, Evaluation]]:
        return await self._metadata.read(lambda session: session.evaluations.unfinished())

    async def give_up(self, principal: Principal, piece: Evaluation, reason: str, status: TaskStatus) -> None:
        await self._end(principal, piece, reason, status)

    async def see_through(self, principal: Principal, piece: Evaluation, hold: Hold) -> None:
        evaluation = piece
        prepared = await self._metadata.read(lambda session: _prepared(session, principal, evaluation))
        if prepared is None:
            return
        dataset, retriever, asker, done = prepared
        waiting = [
            (place, query) for place, query in enumerate(dataset.queries[: evaluation.query_count]) if place not in done
        ]
        count = len(done)
        for start in range(0, len(waiting), _CHUNK):
            runs = await self._ask(asker, retriever, dataset, evaluation, waiting[start : start + _CHUNK])
            if not await hold.stands():
                return
            count += len(runs)
            await self._keep(principal, evaluation, runs, count)
        await self._finish(principal, evaluation)

    async def _ask(
        self,
        asker: Principal,
        retriever: Retriever,
        dataset: Dataset,
        evaluation: Evaluation,
        some: Sequence[tuple[int, GroundTruth]],
    ) -> Sequence[QueryRun]:
        room = asyncio.Semaphore(_QUERIES_AT_ONCE)

        async def ask(place: int, query: GroundTruth) -> QueryRun:
            async with room:
                return await self._ask_one(asker, retriever, dataset, evaluation.config.depth, place, query)

        found = await asyncio.gather(*(ask(place, query) for place, query in some), return_exceptions=True)
        for one in found:
            if isinstance(one, BaseException):
                raise one
        return [one for one in found if isinstance(one, QueryRun)]

    async def _ask_one(
        self, asker: Principal, retriever: Retriever, dataset: Dataset, depth: int, place: int, query: GroundTruth
    ) -> QueryRun:
        options = RunOptions(inputs=query.query_input, page=PageRequest(PageMethod.OFFSET, depth))
        for attempt in range(_ATTEMPTS):
            try:
                executed = await self._executions.execute_version(asker, retriever, options)
            except CreditsSpentError:
                raise
            except TooManyRequestsError as error:
                if attempt == _ATTEMPTS - 1:
                    raise
                await asyncio.sleep(error.retry_after_s)
            except TamisError as error:
                if error.status == _UNAVAILABLE:
                    raise
                execution_id = error.details.get("execution_id")
                return QueryRun(query.query_id, place, execution_id, error=error.message)
            else:
                ranking = named(executed.documents, dataset.document_field)
                return QueryRun(query.query_id, place, executed.execution_id, ranking)
        raise AssertionError("every attempt returns or raises")

    async def _keep(self, principal: Principal, evaluation: Evaluation, runs: Sequence[QueryRun], done: int) -> None:
        def keep(session: Session) -> None:
            task = session.tasks.get(principal, evaluation.task_id)
            if task is not None and task.status.is_final:
                raise Stopped
            now = self._clock.now()
            session.evaluations.put_runs(principal, evaluation.evaluation_id, runs)
            running = replace(evaluation, status=EvaluationStatus.IN_PROGRESS, updated_at=now)
            session.evaluations.replace(principal, running)
            if task is not None:
                data = task_data(evaluation, done)
                told = replace(task, status=TaskStatus.IN_PROGRESS, updated_at=now, additional_data=data)
                session.tasks.replace(principal, told)

        await self._metadata.write(keep)

    async def _finish(self, principal: Principal, evaluation: Evaluation) -> None:
        """Measured all at once, by the judgements of one moment."""

        def read(session: Session) -> tuple[Dataset, Sequence[QueryRun]]:
            dataset = find_dataset(session, principal, evaluation.dataset_id)
            return dataset, session.evaluations.runs(principal, evaluation.evaluation_id)

        dataset, runs = await self._metadata.read(read)
        measured, ended = await asyncio.to_thread(_measured, evaluation, dataset, runs)
        if runs and ended.skipped == len(runs):
            await self._end(principal, ended, f"no query could be asked: {runs[0].error}", TaskStatus.FAILED, measured)
        else:
            status = TaskStatus.COMPLETED_WITH_ERRORS if ended.skipped else TaskStatus.COMPLETED
            await self._end(principal, ended, None, status, measured)

    async def _end(
        self,
        principal: Principal,
        evaluation: Evaluation,
        error: str | None,
        status: TaskStatus,
        measured: Sequence[QueryRun] = (),
    ) -> None:
        now = self._clock.now()
        became = EvaluationStatus.COMPLETED if error is None else EvaluationStatus.FAILED
        ended = replace(evaluation, status=became, error=error, updated_at=now, completed_at=now)

        def store(session: Session) -> None:
            session.evaluations.put_runs(principal, ended.evaluation_id, measured)
            session.evaluations.replace(principal, ended)
            task = session.tasks.get(principal, ended.task_id)
            if task is not None:
                data = task_data(ended, session.evaluations.count_runs(principal, ended.evaluation_id))
                told = replace(task, status=status, error=error, updated_at=now, additional_data=data)
                session.tasks.replace(principal, told)

        await self._metadata.write(store)


def _prepared(
    session: Session, principal: Principal, evaluation: Evaluation
) -> tuple[Dataset, Retriever, Principal, set[int]] | None:
    """What it needs, and the places that are done; None where it has ended. Raises: NotFoundError; Stopped."""
    now = session.evaluations.get(principal, evaluation.evaluation_id)
    if now is None or now.status not in (EvaluationStatus.PENDING, EvaluationStatus.IN_PROGRESS):
        return None
    task = session.tasks.get(principal, evaluation.task_id)
    if task is not None and task.status.is_final:
        raise Stopped
    organization = session.organizations.get(principal)
    user_id, key_id = evaluation.requested_by
    asker = replace(principal, permissions=frozenset({Permission.READ}), user_id=user_id, key_id=key_id)
    if organization is not None:
        asker = replace(asker, tier=organization.tier)
    dataset = find_dataset(session, principal, evaluation.dataset_id)
    retriever = find_version(session, principal, evaluation.retriever_id, evaluation.retriever_version)
    done = {run.place for run in session.evaluations.runs(principal, evaluation.evaluation_id)}
    return dataset, retriever, asker, done


def _measured(
    evaluation: Evaluation, dataset: Dataset, runs: Sequence[QueryRun]
) -> tuple[Sequence[QueryRun], Evaluation]:
    asked = {run.query_id for run in runs}
    qrels = {one.query_id: grades_of(one) for one in dataset.queries if one.query_id in asked}
    config = evaluation.config
    values = measure(qrels, {run.query_id: scored(run.ranking) for run in runs}, config.metrics, config.k_values)
    ended = replace(
        evaluation,
        means=means(values),
        skipped=sum(run.error is not None for run in runs),
        judged=sum(is_judged(grades) for grades in qrels.values()),
        dataset_updated_at=dataset.updated_at,
    )
    return [replace(run, metrics=values.get(run.query_id, {})) for run in runs], ended
