"""A better version of a retriever, found by trying others on a data set's judgements, within time and credits."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TypeAlias

from tamis.engine.planning.inputs import check_inputs
from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.run import RunRequest
from tamis.engine.running.executor import Executor
from tamis.engine.stage import Effect
from tamis.engine.tape import untaped
from tamis.errors import ConflictError, CreditsSpentError, TamisError, ValidationError
from tamis.evaluation.measures import grades_of, is_judged, measure, scored
from tamis.evaluation.rankings import named
from tamis.evaluation.selection import Choice, choose, front
from tamis.model.collection import Collection
from tamis.model.dataset import Dataset, GroundTruth
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Definition, Retriever
from tamis.services.data.collections import require_collection
from tamis.services.learning.datasets import find_dataset
from tamis.services.learning.tuning_cuts import Cut, check_cuts
from tamis.services.learning.tuning_space import Candidate, candidates
from tamis.services.runs.retrievers import find_collections, find_retriever
from tamis.services.runs.turns import Turns

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class TuningRequest:
    """metric, k: what is to grow.  folds: of the cross-validation.  max_seconds, max_credits: for all of it together.

    apply: make the next version of the retriever of what was found, where held-out queries say that it is better.
    collections: further ones, by id or name, that were made of the same objects: by passages, or of one field.
    """

    dataset: str
    metric: str = "ndcg"
    k: int = 10
    folds: int = 5
    max_candidates: int = 40
    max_seconds: float = 120.0
    max_credits: float | None = None
    apply: bool = False
    collections: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate that was asked every query. values: of the metric, by query.  duration_ms: median of a query.

    credits: of all queries together.  failed: queries that could not be asked; they count as nothing found.
    """

    candidate: Candidate
    values: Mapping[str, float]
    duration_ms: float
    credits: float
    failed: int = 0

    @property
    def mean(self) -> float:
        return fmean(self.values.values())


@dataclass(frozen=True, slots=True)
class Tuning:
    """trials: the retriever as it is first.  curve: places of those that none is better, quicker and cheaper than.

    untried: candidates that time or credits did not reach.  credits: of all that was asked.
    """

    retriever: Retriever
    queries: int
    trials: Sequence[Trial]
    choice: Choice
    curve: Sequence[int]
    untried: int
    stopped: str | None
    credits: float


@dataclass(frozen=True, slots=True)
class Progress:
    """done, total: candidates.  spent: credits."""

    done: int
    total: int
    spent: float


Tell: TypeAlias = Callable[[Progress], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What is tuned, and by what."""

    retriever: Retriever
    dataset: Dataset
    queries: tuple[GroundTruth, ...]
    collections: tuple[Collection, ...]
    cuts: tuple[Cut, ...] = ()


class _Purse:
    """Time and credits that are left."""

    def __init__(self, request: TuningRequest, spent: float) -> None:
        self._ends_at = asyncio.get_running_loop().time() + request.max_seconds
        self._credits = request.max_credits
        self.spent = spent
        self._request = request
        self._stopped: str | None = None

    def pay(self, credits: float) -> None:
        self.spent += credits

    def stop(self, reason: str) -> None:
        self._stopped = reason

    @property
    def is_stopped(self) -> bool:
        return self._stopped is not None

    @property
    def empty(self) -> str | None:
        """Why nothing more can be tried."""
        if self._stopped is not None:
            return self._stopped
        if asyncio.get_running_loop().time() >= self._ends_at:
            return f"max_seconds {self._request.max_seconds:g} are over"
        if self._credits is not None and self.spent >= self._credits:
            return f"max_credits {self._credits:g} are spent"
        return None


class TuningService:
    def __init__(self, metadata: Metadata, planner: Planner, executor: Executor, turns: Turns) -> None:
        """What is tried is no execution: nothing counts it, learns from it or keeps a record."""
        self._metadata = metadata
        self._planner = planner
        self._executor = Executor(executor.environment, executor.prices)
        self._turns = turns

    async def prepare(self, principal: Principal, retriever: str, request: TuningRequest) -> Setting:
        """Whether it can be done.

        Raises: NotFoundError, ConflictError (nothing judged), ValidationError (effects), CreditsSpentError.
        """
        await self._turns.check_credits(principal)
        setting = await self._metadata.read(lambda session: _setting(session, principal, retriever, request))
        planned = self._planner.plan(setting.retriever.definition, setting.collections, setting.queries[0].query_input)
        reaching = [one.spec.stage_name for one in planned.stages if one.effects & {Effect.OUTSIDE, Effect.SPENDS}]
        if reaching and request.max_credits is None:
            message = f"stage {reaching[0]!r} reaches outside or spends: say how much may be spent, as max_credits"
            raise ValidationError.at(["body", "max_credits"], message)
        return setting

    async def tune(
        self, principal: Principal, setting: Setting, request: TuningRequest, tell: Tell, spent: float = 0.0
    ) -> Tuning:
        """Nothing is changed. tell: heard now and then, and may end it.  spent: credits, before a kill.

        Raises: ConflictError where not even the retriever as it is could be asked; what `tell` raises.
        """
        purse = _Purse(request, spent)
        trials, untried, stopped = await self._tried(principal, setting, request, purse, tell)
        default = next((place for place, one in enumerate(trials) if one.candidate.is_default), None)
        choice = await asyncio.to_thread(choose, [one.values for one in trials], request.folds, default)
        curve = front([(one.mean, one.duration_ms, one.credits) for one in trials])
        return Tuning(setting.retriever, len(setting.queries), trials, choice, curve, untried, stopped, purse.spent)

    async def _tried(
        self, principal: Principal, setting: Setting, request: TuningRequest, purse: _Purse, tell: Tell
    ) -> tuple[list[Trial], int, str | None]:
        """(those that were asked everything, how many were not, why)."""
        every = candidates(setting.retriever.definition, request.max_candidates, setting.cuts)
        trials: list[Trial] = []

        async def heard() -> None:
            await tell(Progress(len(trials), len(every), purse.spent))

        for candidate in every:
            trial = await self._try(principal, setting, candidate, request, purse, heard)
            if trial is None:
                break
            trials.append(trial)
        if not trials:
            raise ConflictError(f"not even the retriever as it is could be asked every query: {purse.empty}")
        return trials, len(every) - len(trials), purse.empty if len(trials) < len(every) else None

    async def _try(
        self, principal: Principal, setting: Setting, candidate: Candidate, request: TuningRequest, purse: _Purse,
        heard: Callable[[], Awaitable[None]],
    ) -> Trial | None:  # fmt: skip
        """None where the purse did not last."""
        rankings: dict[str, tuple[str, ...]] = {}
        took: list[float] = []
        before, failed = purse.spent, 0
        for start in range(0, len(setting.queries), _AT_ONCE):
            await heard()
            if purse.empty is not None:
                return None
            some = setting.queries[start : start + _AT_ONCE]
            asked = [self._ask(principal, setting, candidate, one, request.k, purse) for one in some]
            ran = await asyncio.gather(*asked)
            for query, (ranking, duration_ms, credits) in zip(some, ran, strict=True):
                purse.pay(credits)
                failed += ranking is None
                rankings[query.query_id] = ranking or ()
                took.append(duration_ms)
            if purse.is_stopped:
                await heard()
                return None
        values = await asyncio.to_thread(_measured, setting.queries, rankings, request)
        return Trial(candidate, values, median(took), purse.spent - before, failed)

    async def _ask(
        self, principal: Principal, setting: Setting, candidate: Candidate, query: GroundTruth, k: int, purse: _Purse
    ) -> tuple[tuple[str, ...] | None, float, float]:
        """(ranking, milliseconds, credits); no ranking where it failed. An account that is empty stops the purse."""
        try:
            plan, inputs = self._planned(setting, candidate.definition, query)
        except TamisError:
            return None, 0.0, 0.0
        request = RunRequest(principal, new_id("exec"), inputs, setting.collections, mode="tuning", tapes=untaped)
        try:
            async with self._turns.taken(principal):
                result = await self._executor.run(plan, request)
                self._turns.spent(principal, result.credits_used)
        except CreditsSpentError as error:
            purse.stop(error.message)
            return None, 0.0, 0.0
        if result.error is not None:
            return None, result.duration_ms, result.credits_used
        return named(result.hits, setting.dataset.document_field)[:k], result.duration_ms, result.credits_used

    def _planned(self, setting: Setting, definition: Definition, query: GroundTruth) -> tuple[Plan, dict[str, JSON]]:
        inputs = check_inputs(definition.input_schema, query.query_input)
        return self._planner.plan(definition, setting.collections, inputs), inputs


def _setting(session: Session, principal: Principal, retriever: str, request: TuningRequest) -> Setting:
    found, judged = find_retriever(session, principal, retriever), find_dataset(session, principal, request.dataset)
    queries = tuple(one for one in judged.queries if is_judged(grades_of(one)))
    if not queries:
        raise ConflictError(f"no query of data set {judged.name!r} has a relevant document")
    definition = found.definition
    collections = find_collections(session, principal, definition.collection_ids, definition.stages)
    named = [require_collection(session, principal, one) for one in request.collections]
    cuts = tuple(Cut(one) for one in {one.collection_id: one for one in named}.values())
    check_cuts(found, collections, judged, cuts)
    return Setting(found, judged, queries, collections, cuts)


def _measured(
    queries: Sequence[GroundTruth], rankings: Mapping[str, Sequence[str]], request: TuningRequest
) -> dict[str, float]:
    qrels = {one.query_id: grades_of(one) for one in queries}
    run = {query: scored(ranking) for query, ranking in rankings.items()}
    values = measure(qrels, run, [request.metric], [request.k])
    return {query: found[f"{request.metric}@{request.k}"] for query, found in values.items()}
