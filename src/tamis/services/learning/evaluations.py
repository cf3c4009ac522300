"""Evaluations: started, read back, and two of them compared."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.evaluations import EvaluationQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.evaluation.comparison import MetricComparison, compare
from tamis.evaluation.measures import check_set_up, grades_of, measure, scored
from tamis.model.batch import Task, TaskStatus
from tamis.model.dataset import Dataset, GroundTruth
from tamis.model.evaluation import Evaluation, EvaluationConfig, EvaluationStatus, QueryRun
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.services.learning.datasets import find_dataset, find_evaluation
from tamis.services.runs.retrievers import find_retriever, find_version

EVALUATION_TASK = "api_evaluations_run"


@dataclass(frozen=True, slots=True)
class ComparedQuery:
    """One query in both. change: of the metric that the worst are found by, candidate less baseline."""

    query: GroundTruth
    change: float
    baseline: QueryRun
    candidate: QueryRun
    baseline_metrics: Mapping[str, float]
    candidate_metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """By the data set's judgements as they are now.  worst: whose `metric` fell most first.

    unjudged: queries of both that have no relevant document: they are not compared.
    """

    baseline: Evaluation
    candidate: Evaluation
    metrics: Mapping[str, MetricComparison]
    metric: str
    worst: Sequence[ComparedQuery]
    queries: int
    unjudged: int


class EvaluationService:
    def __init__(self, metadata: Metadata, clock: Clock, wake: Callable[[], None] = lambda: None) -> None:
        """wake: tells the evaluation worker that there is work."""
        self._metadata = metadata
        self._clock = clock
        self._wake = wake

    async def start(
        self,
        principal: Principal,
        retriever: str,
        dataset: str,
        config: EvaluationConfig,
        version: int | None = None,
    ) -> Evaluation:
        """A durable task that asks the retriever every query. version: of the retriever; None takes its newest.

        Raises: NotFoundError (retriever, version, data set), NotSetUpError.
        """
        check_set_up()
        now = self._clock.now()

        def insert(session: Session) -> Evaluation:
            asked = find_version(session, principal, retriever, version)
            found = find_dataset(session, principal, dataset)
            made = Evaluation(
                new_id("eval"), asked.retriever_id, asked.version, found.dataset_id, found.name, new_id("task"),
                now, now, len(found.queries), config, requested_by=(principal.user_id, principal.key_id),
            )  # fmt: skip
            session.evaluations.insert(principal, made)
            session.tasks.insert(principal, _task(made))
            return made

        made = await self._metadata.write(insert)
        self._wake()
        return made

    async def get(self, principal: Principal, retriever: str, evaluation_id: str) -> Evaluation:
        """Raises: NotFoundError, also for another retriever's."""
        return await self._metadata.read(lambda session: _of(session, principal, retriever, evaluation_id))

    async def list(self, principal: Principal, retriever: str, query: EvaluationQuery) -> Page[Evaluation]:
        """Newest first. query: its data set by name or id. Raises: NotFoundError (retriever)."""

        def read(session: Session) -> Page[Evaluation]:
            owner = find_retriever(session, principal, retriever).retriever_id
            found = session.datasets.get(principal, query.dataset) if query.dataset else None
            dataset = found.dataset_id if found else query.dataset
            return session.evaluations.page(principal, replace(query, retriever_id=owner, dataset=dataset))

        return await self._metadata.read(read)

    async def runs(
        self, principal: Principal, retriever: str, evaluation_id: str, limit: int, offset: int
    ) -> Page[QueryRun]:
        """Its queries, in the data set's order. Raises: NotFoundError."""

        def read(session: Session) -> Page[QueryRun]:
            found = _of(session, principal, retriever, evaluation_id)
            runs = session.evaluations.runs(principal, evaluation_id, limit, offset)
            return Page(runs, session.evaluations.count_runs(principal, found.evaluation_id), limit, offset)

        return await self._metadata.read(read)

    async def delete(self, principal: Principal, retriever: str, evaluation_id: str) -> None:
        """One that has ended, with what it measured; executions stay. Raises: NotFoundError, ConflictError."""

        def remove(session: Session) -> None:
            found = _of(session, principal, retriever, evaluation_id)
            if not found.status.is_final:
                raise ConflictError("this evaluation is still running: kill its task first", task_id=found.task_id)
            session.evaluations.delete(principal, evaluation_id)

        await self._metadata.write(remove)

    async def compare(
        self, principal: Principal, baseline: str, candidate: str, metric: str | None = None
    ) -> Comparison:
        """Two evaluations of one data set, of one retriever or of two. metric: whose losses come first, as `ndcg@10`.

        Raises: NotFoundError, ConflictError (not completed, another data set), ValidationError (metric), NotSetUpError.
        """
        both, runs, dataset = await self._metadata.read(lambda session: _pair(session, principal, baseline, candidate))
        # Away from the event loop: ten thousand assignments of signs take some tenths of a second.
        return await asyncio.to_thread(_compared, both, runs, dataset, metric)


Both = tuple[Evaluation, Evaluation]
Runs = tuple[Mapping[str, QueryRun], Mapping[str, QueryRun]]


def _pair(session: Session, principal: Principal, baseline: str, candidate: str) -> tuple[Both, Runs, Dataset]:
    a, b = (find_evaluation(session, principal, one) for one in (baseline, candidate))
    for one in (a, b):
        if one.status is not EvaluationStatus.COMPLETED:
            raise ConflictError(f"evaluation {one.evaluation_id!r} is {one.status.value}, not completed")
    if a.dataset_id != b.dataset_id:
        raise ConflictError(f"one is of data set {a.dataset_name!r}, the other of {b.dataset_name!r}")
    each = ({run.query_id: run for run in session.evaluations.runs(principal, one.evaluation_id)} for one in (a, b))
    return (a, b), (next(each), next(each)), find_dataset(session, principal, a.dataset_id)


def _compared(both: Both, runs: Runs, dataset: Dataset, metric: str | None) -> Comparison:
    names = tuple(one for one in both[0].config.metrics if one in both[1].config.metrics)
    depths = tuple(k for k in both[0].config.k_values if k in both[1].config.k_values)
    chosen = _metric(metric, [f"{name}@{k}" for name in names for k in depths])
    asked = {
        query.query_id: query for query in dataset.queries if query.query_id in runs[0] and query.query_id in runs[1]
    }
    qrels = {query_id: grades_of(query) for query_id, query in asked.items()}
    a, b = (measure(qrels, _scores(one), names, depths) for one in runs)
    changed = [
        ComparedQuery(asked[one], b[one][chosen] - a[one][chosen], runs[0][one], runs[1][one], a[one], b[one])
        for one in a
    ]
    worst = sorted(changed, key=lambda one: (one.change, one.query.query_id))
    return Comparison(both[0], both[1], compare(a, b), chosen, worst, len(a), len(asked) - len(a))


def _metric(wanted: str | None, known: Sequence[str]) -> str:
    if not known:
        raise ConflictError("the two evaluations have no metric at the same k")
    if wanted is None:
        return "ndcg@10" if "ndcg@10" in known else known[-1]
    if wanted not in known:
        raise ValidationError.at(["query", "metric"], f"both evaluations have {', '.join(known)}")
    return wanted


def _scores(runs: Mapping[str, QueryRun]) -> dict[str, dict[str, float]]:
    return {query_id: scored(run.ranking) for query_id, run in runs.items()}


def _of(session: Session, principal: Principal, retriever: str, evaluation_id: str) -> Evaluation:
    owner = find_retriever(session, principal, retriever)
    found = session.evaluations.get(principal, evaluation_id)
    if found is None or found.retriever_id != owner.retriever_id:
        raise NotFoundError.of("evaluation", evaluation_id)
    return found


def _task(evaluation: Evaluation) -> Task:
    return Task(
        evaluation.task_id, EVALUATION_TASK, TaskStatus.PENDING, evaluation.created_at, evaluation.created_at,
        inputs=(evaluation.retriever_id, evaluation.dataset_id),
        additional_data=task_data(evaluation, 0),
    )  # fmt: skip


def task_data(evaluation: Evaluation, done: int) -> dict[str, JSON]:
    """What the task tells of its evaluation."""
    return {
        "evaluation_id": evaluation.evaluation_id,
        "retriever_id": evaluation.retriever_id,
        "dataset_name": evaluation.dataset_name,
        "queries_total": evaluation.query_count,
        "queries_done": done,
        "progress": done / evaluation.query_count if evaluation.query_count else 1.0,
    }
