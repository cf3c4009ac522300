"""How many hits a stage will give back and what it will use: from what it gave before, within what it can give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pydantic import BaseModel

from tamis.engine.events import StageFinished
from tamis.engine.planning.plan import Plan, PlannedStage
from tamis.engine.spending.spending import Given, Usage, spending_of
from tamis.engine.templating import templates
from tamis.errors import ValidationError
from tamis.model.principal import Principal
from tamis.model.stage_means import Means


class Experience(Protocol):
    """What stages did before, by `PlannedStage.fingerprint`."""

    def known(self, principal: Principal, fingerprint: str) -> Means | None:
        """What is in memory."""
        ...

    async def recall(self, principal: Principal, fingerprints: Sequence[str]) -> Mapping[str, Means]:
        """What is known of these, brought to memory."""
        ...

    def learn(self, principal: Principal, fingerprint: str, stage_id: str, run: Means) -> None:
        """One more run of a stage. Costs next to nothing; what is made of it is made later."""
        ...


class NoExperience:
    """Every stage is new."""

    def known(self, principal: Principal, fingerprint: str) -> Means | None:
        return None

    async def recall(self, principal: Principal, fingerprints: Sequence[str]) -> Mapping[str, Means]:
        return {}

    def learn(self, principal: Principal, fingerprint: str, stage_id: str, run: Means) -> None:
        pass


def teach(experience: Experience, principal: Principal, plan: Plan, ends: Sequence[StageFinished]) -> None:
    """Of what was measured: what a cache answered or a budget cut short says nothing of the stage."""
    for end in ends:
        if not end.cache_hit and not end.shrunk:
            received, returned = len(end.received), len(end.returned)
            calls, tokens = end.llm_calls or 0, end.tokens_used or 0
            run = Means(1, received, returned, end.processed, end.duration_ms, calls, tokens)
            experience.learn(principal, plan.stages[end.index].fingerprint, end.stage_id, run)


@dataclass(frozen=True, slots=True)
class Forecast:
    usage: Usage
    returned: float


def foreseen(planned: PlannedStage, scope: templates.Scope) -> BaseModel | None:
    """The stage's parameters, where the scope is enough to fill its templates."""
    if planned.parameters is not None:
        return planned.parameters
    if planned.roots - scope.keys() - {"DOC"}:
        return None
    try:
        return planned.resolve(scope)[1]
    except ValidationError:
        return None


def at_most(planned: PlannedStage, parameters: BaseModel | None, given: Given) -> Forecast:
    """What the stage can use and give back, whatever the documents are.

    parameters: None where only a run can tell them; then it is taken to look at its input and to give it back.
    """
    if parameters is None:
        return Forecast(Usage(documents=given.count), given.count)
    spending = spending_of(planned.stage)
    usage = spending.usage(parameters, given)
    if usage.documents is None:
        usage = replace(usage, documents=given.count)
    return Forecast(usage, max(0.0, spending.yields(parameters, given)))


def expected(planned: PlannedStage, parameters: BaseModel | None, given: Given, means: Means | None) -> Forecast:
    """What it is likely to use and give back: as before, in proportion to its input, within its limits."""
    bound = at_most(planned, parameters, given)
    if means is None or not means.runs:
        return bound
    scale = given.count / means.received if means.received else 1.0
    returned, processed = means.returned * scale, means.processed * scale
    if parameters is not None:
        returned, processed = min(returned, bound.returned), min(processed, bound.usage.documents or 0.0)
    return Forecast(
        replace(
            bound.usage,
            documents=processed,
            calls=_likely(bound.usage.calls, means.calls * scale),
            tokens=_likely(bound.usage.tokens, means.tokens * scale),
        ),
        returned,
    )


def _likely(declared: float, measured: float) -> float:
    """A stage that meters its calls need not declare them."""
    return min(declared, measured) if declared and measured else max(declared, measured)
