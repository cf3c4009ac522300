"""A namespace's figures: over time, by field, by stage, and the slowest of its executions."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import HTMLResponse, Response

from tamis.errors import BadRequestError
from tamis.services.records.analytics import AnalyticsService
from tamis.services.records.collection_analytics import CollectionAnalytics
from tamis.services.records.engine_analytics import EngineAnalytics, Part
from tamis.services.records.index_suggestions import IndexedUse, IndexSuggestions
from tamis.studio import fields
from tamis.studio.security import HEADERS
from tamis.studio.templating import render
from tamis.studio.visit import Visit

PERIODS = {"24h": 24, "7d": 168, "30d": 720}
"""Name -> hours."""
SLOW_PERIODS = {"24h": 24, "7d": 168}
_USUAL_MS = 100.0
_MOST_MS = 300_000
_SHOWN = 50
_SLOWEST = 100
_TOGETHER = 10


@dataclass(frozen=True, slots=True)
class PartRow:
    """share: of the largest, in percent."""

    part: Part
    share: float


@dataclass(frozen=True, slots=True)
class FieldRow:
    """share: of the most used, in percent."""

    found: IndexedUse
    share: float


async def overview(visit: Visit) -> Response:
    period = _period(visit, PERIODS)
    busiest = await visit.service(AnalyticsService).busiest(visit.principal, PERIODS[period], _SHOWN)
    extractors = await visit.service(CollectionAnalytics).all_extractors(visit.principal, None, PERIODS[period])
    most = max((one.sum.count for one in busiest), default=1)
    return visit.page(
        "analytics.html", busiest=[(one, 100 * one.sum.count / most) for one in busiest], extractors=extractors,
        period=period, periods=PERIODS,
    )  # fmt: skip


async def by_field(visit: Visit) -> Response:
    """What is filtered by, and whether an index serves it."""
    period = _period(visit, PERIODS)
    found = await visit.service(IndexSuggestions).uses(visit.principal, PERIODS[period])
    most = max((one.use.timing.count for one in found.fields), default=1) or 1
    rows = [FieldRow(one, 100 * one.use.timing.count / most) for one in found.fields[:_SHOWN]]
    together = found.found.together[:_TOGETHER]
    return visit.page(
        "field_analytics.html", rows=rows, more=len(found.fields) - len(rows), together=together, period=period,
        periods=PERIODS,
    )  # fmt: skip


async def make_index(visit: Visit) -> Response:
    """Of one field, and what it did, as a part of the page. Raises: ValidationError (field_name)."""
    measured = await visit.service(IndexSuggestions).apply(visit.principal, visit.field("field_name"))
    values = {"t": visit.language, "measured": measured}
    return HTMLResponse(render("_measured.html", values), headers=HEADERS)


async def by_stage(visit: Visit) -> Response:
    """Where the time goes: stages and extractors, those that took most of it first."""
    period = _period(visit, PERIODS)
    engine = visit.service(EngineAnalytics)
    found = await engine.stages(visit.principal, engine.span(PERIODS[period], None, None))
    return visit.page(
        "engine_analytics.html", rows=_ranked(found.parts[:_SHOWN]), more=max(0, len(found.parts) - _SHOWN),
        total_ms=found.total_ms, period=period, periods=PERIODS,
    )  # fmt: skip


async def slowest(visit: Visit) -> Response:
    """Raises: BadRequestError (period, ms)."""
    period = _period(visit, SLOW_PERIODS)
    least = fields.number(visit.asked("ms"), "ms", _MOST_MS)
    threshold_ms = _USUAL_MS if least is None else least
    _, found = await visit.service(EngineAnalytics).slowest(
        visit.principal, SLOW_PERIODS[period], threshold_ms, _SLOWEST
    )
    return visit.page(
        "slow_executions.html", found=found, threshold_ms=threshold_ms, most=_SLOWEST, period=period,
        periods=SLOW_PERIODS,
    )  # fmt: skip


def _period(visit: Visit, known: dict[str, int]) -> str:
    period = visit.asked("period") or "24h"
    if period not in known:
        raise BadRequestError(f"period: one of {', '.join(known)}", field="period")
    return period


def _ranked(parts: Sequence[Part]) -> list[PartRow]:
    most = max((one.timing.total_ms for one in parts), default=1.0) or 1.0
    return [PartRow(one, 100 * one.timing.total_ms / most) for one in parts]
