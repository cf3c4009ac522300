"""A better version of a retriever, found by trying others on a data set's judgements, within time and credits."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

from tamis.engine.planning.inputs import check_inputs
from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.run import RunRequest
from tamis.engine.running.executor import Executor
from tamis.engine.stage import Effect
from tamis.engine.tape import untaped
from tamis.errors import ConflictError, TamisError, ValidationError
from tamis.evaluation.measures import grades_of, is_judged, measure, scored
from tamis.evaluation.rankings import named
from tamis.evaluation.selection import Choice, choose, front
from tamis.model.collection import Collection
from tamis.model.dataset import Dataset, GroundTruth
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Definition, Retriever
from tamis.services.learning.datasets import find_dataset
from tamis.services.learning.tuning_space import Candidate, candidates
from tamis.services.runs.retrievers import RetrieverChanges, RetrieverService, find_collections, find_retriever
from tamis.services.runs.turns import Turns

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class TuningRequest:
    """metric, k: what is to grow.  folds: of the cross-validation.  max_seconds, max_credits: for all of it together.

    apply: make the next version of the retriever of what was found, where held-out queries say that it is better.
    """

    dataset: str
    metric: str = "ndcg"
    k: int = 10
    folds: int = 5
    max_candidates: int = 40
    max_seconds: float = 120.0
    max_credits: float | None = None
    apply: bool = False


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

    untried: candidates that time or credits did not reach.  made: the new version, where one was made.
    """

    retriever: Retriever
    queries: int
    trials: Sequence[Trial]
    choice: Choice
    curve: Sequence[int]
    untried: int
    stopped: str | None
    made: Retriever | None = None


@dataclass(frozen=True, slots=True)
class _Setting:
    retriever: Retriever
    dataset: Dataset
    queries: tuple[GroundTruth, ...]
    collections: tuple[Collection, ...]


class _Purse:
    """Time and credits that are left."""

    def __init__(self, request: TuningRequest) -> None:
        self._ends_at = asyncio.get_running_loop().time() + request.max_seconds
        self._credits = request.max_credits
        self.spent = 0.0
        self._request = request

    def pay(self, credits: float) -> None:
        self.spent += credits

    @property
    def empty(self) -> str | None:
        """Why nothing more can be tried."""
        if asyncio.get_running_loop().time() >= self._ends_at:
            return f"max_seconds {self._request.max_seconds:g} are over"
        if self._credits is not None and self.spent >= self._credits:
            return f"max_credits {self._credits:g} are spent"
        return None


class TuningService:
    def __init__(
        self, metadata: Metadata, planner: Planner, executor: Executor, turns: Turns, retrievers: RetrieverService
    ) -> None:
        """What is tried is no execution: nothing counts it, learns from it or keeps a record."""
        self._metadata = metadata
        self._planner = planner
        self._executor = Executor(executor.environment, executor.prices)
        self._turns = turns
        self._retrievers = retrievers

    async def tune(self, principal: Principal, retriever: str, request: TuningRequest) -> Tuning:
        """Raises: NotFoundError, ConflictError (nothing judged, or changed meanwhile), ValidationError (effects)."""
        setting = await self._metadata.read(lambda session: _setting(session, principal, retriever, request.dataset))
        planned = self._planner.plan(setting.retriever.definition, setting.collections, setting.queries[0].query_input)
        reaching = [one.spec.stage_name for one in planned.stages if one.effects & {Effect.OUTSIDE, Effect.SPENDS}]
        if reaching and request.max_credits is None:
            message = f"stage {reaching[0]!r} reaches outside or spends: say how much may be spent, as max_credits"
            raise ValidationError.at(["body", "max_credits"], message)
        trials, untried, stopped = await self._tried(principal, setting, request)
        choice = await asyncio.to_thread(choose, [one.values for one in trials], request.folds)
        curve = front([(one.mean, one.duration_ms, one.credits) for one in trials])
        found = Tuning(setting.retriever, len(setting.queries), trials, choice, curve, untried, stopped)
        if not request.apply or not choice.is_better:
            return found
        return replace(found, made=await self._applied(principal, setting.retriever, trials[choice.best].candidate))

    async def _tried(
        self, principal: Principal, setting: _Setting, request: TuningRequest
    ) -> tuple[list[Trial], int, str | None]:
        """(those that were asked everything, how many were not, why)."""
        every, purse = candidates(setting.retriever.definition, request.max_candidates), _Purse(request)
        trials: list[Trial] = []
        for candidate in every:
            trial = await self._try(principal, setting, candidate, request, purse)
            if trial is None:
                break
            trials.append(trial)
        if not trials:
            raise ConflictError(f"not even the retriever as it is could be asked every query: {purse.empty}")
        return trials, len(every) - len(trials), purse.empty if len(trials) < len(every) else None

    async def _try(
        self, principal: Principal, setting: _Setting, candidate: Candidate, request: TuningRequest, purse: _Purse
    ) -> Trial | None:
        """None where the purse did not last."""
        rankings: dict[str, tuple[str, ...]] = {}
        took: list[float] = []
        before, failed = purse.spent, 0
        for start in range(0, len(setting.queries), _AT_ONCE):
            if purse.empty is not None:
                return None
            some = setting.queries[start : start + _AT_ONCE]
            ran = await asyncio.gather(*(self._ask(principal, setting, candidate, one, request.k) for one in some))
            for query, (ranking, duration_ms, credits) in zip(some, ran, strict=True):
                purse.pay(credits)
                failed += ranking is None
                rankings[query.query_id] = ranking or ()
                took.append(duration_ms)
        values = await asyncio.to_thread(_measured, setting.queries, rankings, request)
        return Trial(candidate, values, median(took), purse.spent - before, failed)

    async def _ask(
        self, principal: Principal, setting: _Setting, candidate: Candidate, query: GroundTruth, k: int
    ) -> tuple[tuple[str, ...] | None, float, float]:
        """(ranking, milliseconds, credits); no ranking where it failed."""
        try:
            plan, inputs = self._planned(setting, candidate.definition, query)
        except TamisError:
            return None, 0.0, 0.0
        request = RunRequest(principal, new_id("exec"), inputs, setting.collections, mode="tuning", tapes=untaped)
        async with self._turns.taken(principal):
            result = await self._executor.run(plan, request)
        if result.error is not None:
            return None, result.duration_ms, result.credits_used
        return named(result.hits, setting.dataset.document_field)[:k], result.duration_ms, result.credits_used

    def _planned(self, setting: _Setting, definition: Definition, query: GroundTruth) -> tuple[Plan, dict[str, JSON]]:
        inputs = check_inputs(definition.input_schema, query.query_input)
        return self._planner.plan(definition, setting.collections, inputs), inputs

    async def _applied(self, principal: Principal, before: Retriever, candidate: Candidate) -> Retriever:
        """The next version. Raises: ConflictError where somebody changed the retriever meanwhile."""
        now = await self._retrievers.get(principal, before.retriever_id)
        if now.version != before.version:
            raise ConflictError(f"retriever {before.name!r} was changed meanwhile; tune it again")
        changes = RetrieverChanges(frozenset({"stages"}), stages=candidate.definition.stages)
        return await self._retrievers.patch(principal, before.retriever_id, changes)


def _setting(session: Session, principal: Principal, retriever: str, dataset: str) -> _Setting:
    found, judged = find_retriever(session, principal, retriever), find_dataset(session, principal, dataset)
    queries = tuple(one for one in judged.queries if is_judged(grades_of(one)))
    if not queries:
        raise ConflictError(f"no query of data set {judged.name!r} has a relevant document")
    definition = found.definition
    collections = find_collections(session, principal, definition.collection_ids, definition.stages)
    return _Setting(found, judged, queries, collections)


def _measured(
    queries: Sequence[GroundTruth], rankings: Mapping[str, Sequence[str]], request: TuningRequest
) -> dict[str, float]:
    qrels = {one.query_id: grades_of(one) for one in queries}
    run = {query: scored(ranking) for query, ranking in rankings.items()}
    values = measure(qrels, run, [request.metric], [request.k])
    return {query: found[f"{request.metric}@{request.k}"] for query, found in values.items()}
