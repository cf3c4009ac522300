"""What a pipeline is likely to do, stage by stage, without running it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from pydantic import BaseModel

from tamis.engine.forecasting.estimates import Forecast, expected
from tamis.engine.forecasting.fitting import Fitting, Step
from tamis.engine.planning.plan import PlannedStage
from tamis.engine.spending.prices import PriceTable
from tamis.engine.spending.spending import Cap, Given, changes, lowered
from tamis.model.json import JSON
from tamis.model.stage_means import Means

Caps: TypeAlias = Mapping[int, tuple[Cap, ...]]


class Basis(StrEnum):
    """What an estimate rests on: earlier runs, the index's own count, or no more than the parameters."""

    MEASURED = "measured"
    COUNTED = "counted"
    DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class Counted:
    """Documents of a stage's collections: those that its filter lets through, and all."""

    matching: int
    total: int


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is known of one stage. parameters: None where only a run can tell.  means: of its own earlier runs.

    usual_ms: how long a stage of its kind takes here, where it has not run itself.
    is_passed_over: the inputs alone show that its condition is false.
    """

    planned: PlannedStage
    parameters: BaseModel | None
    means: Means | None = None
    counted: Counted | None = None
    usual_ms: float | None = None
    is_passed_over: bool = False


@dataclass(frozen=True, slots=True)
class StageOutlook:
    """received, returned: hits in and out.  shrunk: what the budget would take.  is_reached: the budget bears it.

    duration_ms: 0 where nothing is known.
    """

    prospect: Prospect
    received: float
    returned: float
    processed: float
    credits: float
    duration_ms: float
    basis: Basis
    shrunk: Mapping[str, JSON] = field(default_factory=dict)
    is_reached: bool = True

    @property
    def name(self) -> str:
        return self.prospect.planned.spec.stage_name

    @property
    def efficiency(self) -> float:
        """Hits out for each hit in; 1 where none comes in, as in an answer's statistics."""
        return self.returned / self.received if self.received else 1.0


def outlook(prospects: Sequence[Prospect], prices: PriceTable, max_credits: float | None) -> list[StageOutlook]:
    """Every stage in order, under the budget."""
    caps, stop = _fitted(prospects, prices, max_credits)
    found: list[StageOutlook] = []
    count = 0.0
    for position, prospect in enumerate(prospects):
        one = _stage(prospect, Given(count, position == 0), caps.get(position, ()), prices)
        found.append(one if position < stop else replace(one, is_reached=False))
        count = one.returned
    return found


def _fitted(prospects: Sequence[Prospect], prices: PriceTable, max_credits: float | None) -> tuple[Caps, int]:
    if max_credits is None:
        return {}, len(prospects)
    places = [place for place, one in enumerate(prospects) if not one.is_passed_over]
    if not places:
        return {}, len(prospects)
    steps = [Step(one.planned, one.parameters, one.means, place == 0) for place, one in _at(prospects, places)]
    fitting = Fitting(prices, steps, 0)
    caps = fitting.caps(max_credits)
    stop = fitting.stop if fitting.bears_first(caps, max_credits) else 0
    return {places[step]: cap for step, cap in caps.items()}, [*places, len(prospects)][stop]


def _at(prospects: Sequence[Prospect], places: Sequence[int]) -> list[tuple[int, Prospect]]:
    return [(place, prospects[place]) for place in places]


def _stage(prospect: Prospect, given: Given, caps: Sequence[Cap], prices: PriceTable) -> StageOutlook:
    if prospect.is_passed_over:
        return StageOutlook(prospect, given.count, given.count, 0.0, 0.0, 0.0, Basis.DECLARED)
    written = prospect.parameters
    parameters = lowered(written, caps) if written is not None and caps else written
    forecast = _counted(expected(prospect.planned, parameters, given, prospect.means), prospect, given)
    means = prospect.means
    return StageOutlook(
        prospect=prospect,
        received=given.count,
        returned=forecast.returned,
        processed=forecast.usage.documents or 0.0,
        credits=prices.of(prospect.planned.spec.stage_id).of(forecast.usage),
        duration_ms=means.duration_ms if means else prospect.usual_ms or 0.0,
        basis=_basis(prospect),
        shrunk=changes(written, caps) if written is not None else {},
    )


def _counted(forecast: Forecast, prospect: Prospect, given: Given) -> Forecast:
    """No more than the documents that match; behind another stage, where it never ran, their share of its hits."""
    counted = prospect.counted
    if counted is None:
        return forecast
    if given.is_first:
        documents = min(forecast.usage.documents or 0.0, counted.matching)
        usage = replace(forecast.usage, documents=documents)
        return Forecast(usage, min(forecast.returned, counted.matching))
    if prospect.means is None and counted.total:
        return replace(forecast, returned=min(forecast.returned, given.count * counted.matching / counted.total))
    return forecast


def _basis(prospect: Prospect) -> Basis:
    if prospect.means is not None:
        return Basis.MEASURED
    return Basis.COUNTED if prospect.counted is not None else Basis.DECLARED
