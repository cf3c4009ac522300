"""Tunings as durable tasks: begun, looked at, listed. What they come to stands in their tasks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from tamis.engine.planning.definition import to_json
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.model.batch import Task, TaskStatus
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.services.learning.evaluations import EVALUATION_TASK
from tamis.services.learning.tuning import Progress, Trial, Tuning, TuningRequest, TuningService
from tamis.services.runs.retrievers import find_retriever

_KIND = "tuning"
CHARGED_AS = "tuning"
"""Among what the organisation's credits went to."""
UNFINISHED = (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class TuningRun:
    """task: of the contract's kind of evaluations, which it is one of.  result: None until it has ended well."""

    task: Task

    @property
    def request(self) -> TuningRequest:
        return TuningRequest(**cast(Any, self._told["request"]))

    @property
    def retriever_id(self) -> str:
        return str(self._told["retriever_id"])

    @property
    def requested_by(self) -> tuple[str, str]:
        user_id, key_id = cast(Sequence[str], self._told["requested_by"])
        return user_id, key_id

    @property
    def progress(self) -> Progress:
        told = cast(Mapping[str, Any], self.task.additional_data)
        return Progress(told["candidates_done"], told["candidates_total"], told["credits"])

    @property
    def applies_over(self) -> int | None:
        """The version that what was found is being made the next of."""
        return cast("int | None", self._told.get("applies_over"))

    @property
    def result(self) -> Mapping[str, JSON] | None:
        return cast("Mapping[str, JSON] | None", next(iter(self.task.outputs), None))

    @property
    def _told(self) -> Mapping[str, JSON]:
        return cast(Mapping[str, JSON], self.task.additional_data[_KIND])

    def at(self, progress: Progress) -> "TuningRun":
        share = progress.done / progress.total if progress.total else 0.0
        data: dict[str, JSON] = {
            **self.task.additional_data, "candidates_done": progress.done, "candidates_total": progress.total,
            "credits": progress.spent, "progress": share,
        }  # fmt: skip
        return TuningRun(replace(self.task, additional_data=data))

    def found(self, result: Mapping[str, JSON], applies_over: int | None = None) -> "TuningRun":
        """applies_over: the version that it is to be applied to; None where nothing is left to be done."""
        told: dict[str, JSON] = {**self._told, "applies_over": applies_over}
        data = {**self.task.additional_data, _KIND: told}
        return TuningRun(replace(self.task, outputs=(dict(result),), additional_data=data))


def is_tuning(task: Task) -> bool:
    return task.type == EVALUATION_TASK and _KIND in task.additional_data


class TuningRuns:
    def __init__(self, metadata: Metadata, tuning: TuningService, clock: Clock, wake: Callable[[], None]) -> None:
        """wake: called when one has begun."""
        self._metadata = metadata
        self._tuning = tuning
        self._clock = clock
        self._wake = wake

    async def start(self, principal: Principal, retriever: str, request: TuningRequest) -> TuningRun:
        """Raises: NotFoundError, ConflictError (nothing judged), ValidationError (effects without credits),
        CreditsSpentError.
        """
        setting = await self._tuning.prepare(principal, retriever, request)
        now = self._clock.now()
        cuts = [one.collection.collection_id for one in setting.cuts]
        told: dict[str, JSON] = {
            "request": cast(JSON, asdict(replace(request, dataset=setting.dataset.dataset_id, collections=cuts))),
            "retriever_id": setting.retriever.retriever_id,
            "requested_by": [principal.user_id, principal.key_id],
        }
        data: dict[str, JSON] = {_KIND: told, "dataset_name": setting.dataset.name}
        task = Task(
            new_id("task"), EVALUATION_TASK, TaskStatus.PENDING, now, now,
            inputs=(setting.retriever.retriever_id, setting.dataset.dataset_id), additional_data=data,
        )  # fmt: skip
        run = TuningRun(task).at(Progress(0, 0, 0.0))
        await self._metadata.write(lambda session: session.tasks.insert(principal, run.task))
        self._wake()
        return run

    async def get(self, principal: Principal, retriever: str, task_id: str) -> TuningRun:
        """Raises: NotFoundError."""

        def read(session: Session) -> TuningRun:
            owner = find_retriever(session, principal, retriever)
            task = session.tasks.get(principal, task_id)
            if task is None or not is_tuning(task) or TuningRun(task).retriever_id != owner.retriever_id:
                raise NotFoundError.of("tuning", task_id)
            return TuningRun(task)

        return await self._metadata.read(read)

    async def list(self, principal: Principal, retriever: str) -> Sequence[TuningRun]:
        """Newest first. Raises: NotFoundError."""

        def read(session: Session) -> Sequence[TuningRun]:
            owner = find_retriever(session, principal, retriever)
            every = (TuningRun(one) for one in session.tasks.list(principal, None, EVALUATION_TASK) if is_tuning(one))
            return [one for one in every if one.retriever_id == owner.retriever_id]

        return await self._metadata.read(read)


def result_of(found: Tuning, request: TuningRequest) -> dict[str, JSON]:
    """As it is stored and shown."""
    trials = [_trial(one, place in found.curve) for place, one in enumerate(found.trials)]
    best = found.trials[found.choice.best]
    return {
        "retriever": version_of(found.retriever),
        "metric": f"{request.metric}@{request.k}",
        "queries": found.queries,
        "better": found.choice.is_better,
        "baseline": found.choice.baseline,
        "held_out": found.choice.held_out,
        "p": found.choice.p,
        "best": trials[found.choice.best],
        "stages": to_json(best.candidate.definition)["stages"],
        "trials": cast(JSON, trials),
        "untried": found.untried,
        "stopped": found.stopped,
        "made": None,
    }


def version_of(retriever: Retriever) -> dict[str, JSON]:
    return {
        "retriever_id": retriever.retriever_id, "retriever_name": retriever.name, "version": retriever.version,
    }  # fmt: skip


def _trial(one: Trial, on_curve: bool) -> dict[str, JSON]:
    return {
        "changes": [*one.candidate.changes],
        "value": one.mean,
        "duration_ms": one.duration_ms,
        "credits": one.credits,
        "failed": one.failed,
        "on_curve": on_curve,
    }
