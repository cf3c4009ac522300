"""The budget of one execution: what each stage may cost is settled before it starts, for the rest of the pipeline."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tamis.engine.forecasting.estimates import Experience, foreseen
from tamis.engine.forecasting.fitting import ROUNDING, Fitting, Step
from tamis.engine.planning.plan import Plan
from tamis.engine.run import RunRequest
from tamis.engine.spending.allowance import Allowance
from tamis.engine.spending.prices import PriceTable
from tamis.engine.spending.spending import Cap, Usage, changes
from tamis.engine.stage import Outcome
from tamis.engine.templating.templates import Scope
from tamis.model.json import JSON
from tamis.model.retriever import Budget

Shrunk: TypeAlias = Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Admission:
    """What the budget says to the next stage. refusal: why it may not start.  caps: what is lowered in it.

    allowance: of its calls.  lowered: what the caps change, `{parameter: [as written, as run]}`.
    """

    allowance: Allowance
    caps: tuple[Cap, ...] = ()
    refusal: str | None = None
    lowered: Shrunk = field(default_factory=dict)

    def taken(self) -> Shrunk:
        """Once the stage has ended: what was lowered, and `calls: [asked for, granted]` where it had to stop."""
        allowance = self.allowance
        if not allowance.refused:
            return self.lowered
        return {**self.lowered, "calls": [allowance.calls + allowance.refused, allowance.calls]}


def told(stage_name: str, shrunk: Shrunk) -> Iterator[str]:
    """The same as warnings."""
    for name, change in shrunk.items():
        before, after = change if isinstance(change, list) else (None, change)
        if name == "calls":
            yield f"budget max_credits: stage {stage_name!r} stopped after {after} calls, no credits were left for more"
        else:
            yield f"budget max_credits: stage {stage_name!r} ran with {name} = {after} instead of {before}"


@dataclass(slots=True)
class Ledger:
    """Credits of one execution. limit: None is no limit."""

    plan: Plan
    request: RunRequest
    prices: PriceTable
    experience: Experience
    used: float = 0.0

    @property
    def limits(self) -> Budget:
        return self.request.budget or self.plan.definition.budget

    @property
    def limit(self) -> float | None:
        return self.limits.max_credits

    @property
    def left(self) -> float:
        limit = self.limit
        return math.inf if limit is None else limit - self.used

    def left_ms(self, elapsed_ms: float) -> float | None:
        limit = self.limits.max_time_ms
        return None if limit is None else max(0.0, limit - elapsed_ms)

    async def prepare(self) -> None:
        """Bring to memory what the stages did before, where there is a budget to be shared out."""
        if self.limit is not None:
            fingerprints = [planned.fingerprint for planned in self.plan.stages]
            await self.experience.recall(self.request.principal, fingerprints)

    def admission(self, index: int, count: int, scope: Callable[[], Scope], inputs: Scope) -> Admission:
        """Whether this stage may start on `count` hits. scope: of its templates.  inputs: all that later ones know."""
        caps = self.request.caps
        stages = self.plan.stages
        if self.limit is None and not caps:
            return Admission(Allowance(self.prices.of(stages[index].spec.stage_id)))
        steps = [
            Step(
                planned=stages[place],
                parameters=foreseen(stages[place], scope() if place == index else inputs),
                means=self.experience.known(self.request.principal, stages[place].fingerprint),
                is_first=place == 0,
            )
            for place in range(index, len(stages))
            if place == index or not stages[place].is_ruled_out(inputs)
        ]
        return self._admit(steps, count, None if caps is None else caps.get(index, ()))

    def _admit(self, steps: Sequence[Step], count: int, given_caps: Sequence[Cap] | None) -> Admission:
        """The longest run of steps that fits when everything is at its floor is what is paid for; of it, knobs are
        lowered in the order of their kinds, then of the pipeline, no further than is needed.
        """
        fitting = Fitting(self.prices, steps, count)
        caps = fitting.caps(self.left) if given_caps is None else {0: tuple(given_caps)}
        price = self.prices.of(steps[0].planned.spec.stage_id)
        usage, reserve = fitting.first(caps.get(0, ())), fitting.reserve(self.left, caps)
        cost = price.of(usage)
        if cost > max(0.0, self.left) + ROUNDING:
            reason = f"costs {cost:g} credits and {max(0.0, self.left):g} of {self.limit:g} are left"
            return Admission(Allowance(price, 0.0), refusal=reason)
        certain = price.of(replace(usage, calls=0, tokens=0))
        calls = max(self.left - reserve - certain, price.of_calls(usage.calls, usage.tokens))
        first, parameters = caps.get(0, ()), steps[0].parameters
        changed = changes(parameters, first) if parameters is not None and first else {}
        return Admission(Allowance(price, calls), first if changed else (), lowered=changed)

    def charge(self, stage_id: str, outcome: Outcome, processed: int, allowance: Allowance) -> float:
        """The credits of a stage that has ended: what it says that it used, and no less than it asked for."""
        calls = max(allowance.calls, outcome.llm_calls or 0)
        tokens = max(allowance.tokens, outcome.tokens_used or 0)
        return self._charged(self.prices.of(stage_id).of(Usage(processed, calls, tokens)) + allowance.paid)

    def spared(self, stage_id: str, outcome: Outcome, processed: int) -> float:
        """The credits of a stage that a cache answered: what it would have been charged."""
        usage = Usage(processed, outcome.llm_calls or 0, outcome.tokens_used or 0)
        return round(self.prices.of(stage_id).of(usage), 9)

    def end_calls(self, admission: Admission) -> float:
        """What a stage that gave nothing back has spent all the same; it may spend no more."""
        admission.allowance.close()
        return self._charged(admission.allowance.credits)

    def _charged(self, credits: float) -> float:
        self.used += credits
        return credits
