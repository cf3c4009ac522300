"""How far the rest of a pipeline must be lowered to be paid for by what is left."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from tamis.engine.forecasting import estimates
from tamis.engine.planning.plan import PlannedStage
from tamis.engine.spending.prices import PriceTable
from tamis.engine.spending.spending import Cap, Given, Knob, Usage, highest, lowered, spending_of
from tamis.model.stage_means import Means

ROUNDING = 1e-9
"""Sums of credits are floats: a budget that is met to the last digit is not exceeded."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage that is still to run. parameters: None where only the run can tell.  means: of its earlier runs."""

    planned: PlannedStage
    parameters: BaseModel | None
    means: Means | None = None
    is_first: bool = False


@dataclass(slots=True)
class Fitting:
    """The steps that are left, their likely cost under any caps, and the caps that make it fit."""

    prices: PriceTable
    steps: Sequence[Step]
    count: int
    stop: int = field(default=0)
    _made: dict[tuple[int, tuple[Cap, ...]], BaseModel | None] = field(default_factory=dict)

    def caps(self, left: float) -> dict[int, tuple[Cap, ...]]:
        """By position, what is lowered. Nothing is, where that would not help."""
        caps: dict[int, tuple[Cap, ...]] = {}
        if self._cost(caps, len(self.steps)) <= left + ROUNDING:
            self.stop = len(self.steps)
            return caps
        knobs = sorted(self._knobs(), key=lambda one: (one[1].kind, one[0]))
        floors = {position: self._floors(position) for position, _ in knobs}
        self.stop = self._longest(floors, left)
        for position, knob in knobs:
            if self._cost(caps, self.stop) <= left + ROUNDING:
                break
            if position < self.stop:
                caps = self._turned(caps, position, knob, left)
        return caps

    def first(self, caps: Sequence[Cap]) -> Usage:
        """The most that the next step can use."""
        step = self.steps[0]
        given = Given(self.count, step.is_first)
        return estimates.at_most(step.planned, self._with(0, tuple(caps)), given).usage

    def bears_first(self, caps: Mapping[int, tuple[Cap, ...]], left: float) -> bool:
        """Whether the next step may start at all."""
        return self.prices.of(self.steps[0].planned.spec.stage_id).of(self.first(caps.get(0, ()))) <= left + ROUNDING

    def reserve(self, left: float, caps: Mapping[int, tuple[Cap, ...]]) -> float:
        """What is kept back for the steps behind the next one, of those that fit."""
        if len(self.steps) == 1:
            return 0.0
        stop = self.stop or self._longest(caps, left)
        return sum(list(self._costs(caps, stop))[1:])

    def _longest(self, caps: Mapping[int, tuple[Cap, ...]], left: float) -> int:
        total = 0.0
        for number, cost in enumerate(self._costs(caps, len(self.steps))):
            total += cost
            if total > left + ROUNDING:
                return max(number, 1)
        return len(self.steps)

    def _turned(
        self, caps: dict[int, tuple[Cap, ...]], position: int, knob: Knob, left: float
    ) -> dict[int, tuple[Cap, ...]]:
        """The highest setting of the knob that fits, else its floor; as it was, where the knob changes nothing."""
        high = highest(self.steps[position].parameters, knob)
        if high is None or high <= knob.floor:
            return caps

        def at(value: int) -> dict[int, tuple[Cap, ...]]:
            return {**caps, position: (*caps.get(position, ()), Cap(knob.path, value))}

        if self._cost(at(knob.floor), self.stop) >= self._cost(caps, self.stop) - ROUNDING:
            return caps
        low = knob.floor
        while low < high:
            middle = (low + high + 1) // 2
            if self._cost(at(middle), self.stop) <= left + ROUNDING:
                low = middle
            else:
                high = middle - 1
        return at(low)

    def _knobs(self) -> Iterator[tuple[int, Knob]]:
        for position, step in enumerate(self.steps):
            if step.parameters is not None:
                yield from ((position, knob) for knob in spending_of(step.planned.stage).knobs)

    def _floors(self, position: int) -> tuple[Cap, ...]:
        return tuple(Cap(knob.path, knob.floor) for at, knob in self._knobs() if at == position)

    def _cost(self, caps: Mapping[int, tuple[Cap, ...]], stop: int) -> float:
        """What the steps are likely to cost, and no less than what the next one can: it is about to be paid."""
        price = self.prices.of(self.steps[0].planned.spec.stage_id)
        return max(price.of(self.first(caps.get(0, ()))), sum(self._costs(caps, stop)))

    def _costs(self, caps: Mapping[int, tuple[Cap, ...]], stop: int) -> Iterator[float]:
        count: float = self.count
        for position, step in enumerate(self.steps[:stop]):
            parameters = self._with(position, caps.get(position, ()))
            forecast = estimates.expected(step.planned, parameters, Given(count, step.is_first), step.means)
            yield self.prices.of(step.planned.spec.stage_id).of(forecast.usage)
            count = forecast.returned

    def _with(self, position: int, caps: tuple[Cap, ...]) -> BaseModel | None:
        """The step's parameters under caps; making them is the costly part, so each is made once."""
        parameters = self.steps[position].parameters
        if parameters is None or not caps:
            return parameters
        key = position, caps
        if key not in self._made:
            self._made[key] = lowered(parameters, caps)
        return self._made[key]
