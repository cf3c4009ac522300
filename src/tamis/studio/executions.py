"""The list of executions: filtered, live, and as bars over time that lead back to the list."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from tamis.errors import BadRequestError
from tamis.model.execution import ExecutionStatus
from tamis.services.records.execution_overviews import Bar, Cursor, ExecutionOverviews, Kind, Wanted
from tamis.studio import fields
from tamis.studio.charts import Chart, bars_chart, lines_chart
from tamis.studio.visit import Visit

PAGE_SIZE = 30
PERIODS: Mapping[str, tuple[int, int]] = {"1h": (60, 60), "24h": (24, 3600), "7d": (56, 10_800), "30d": (30, 86_400)}
"""Name -> how many bars, of how many seconds."""
_FIELDS = ("kind", "retriever", "status", "period", "start", "end", "text", "credits", "ms")


async def show(visit: Visit) -> Response:
    overviews = visit.service(ExecutionOverviews)
    wanted, after = _wanted(visit), cursor_of(visit.asked("after"))
    found = await overviews.find(visit.principal, wanted, PAGE_SIZE, after)
    asked = {name: visit.asked(name) for name in _FIELDS if visit.asked(name)}
    values: dict[str, Any] = {
        "found": found,
        "asked": asked,
        "wanted": wanted,
        "is_first": after is None,
        "here": _address(asked),
        "older": _address({**asked, "after": found.more.text}) if found.more else None,
        "is_filtered": bool(asked),
    }
    if visit.is_partial:
        return visit.page("_executions.html", **values)
    retrievers = await overviews.retrievers(visit.principal)
    choices: dict[str, Any] = {"kinds": list(Kind), "statuses": list(ExecutionStatus), "periods": ["", *PERIODS]}
    return visit.page("executions.html", **values, **choices, retrievers=retrievers)


async def charts(visit: Visit) -> Response:
    """Asked for by the page once it stands, so that nobody waits for sums."""
    wanted, period = _wanted(visit), visit.asked("period") or "24h"
    count, bar_s = PERIODS[period]
    found = await visit.service(ExecutionOverviews).over_time(visit.principal, wanted, count, bar_s, datetime.now(UTC))
    asked = {name: visit.asked(name) for name in ("kind", "retriever", "status") if visit.asked(name)}
    return visit.page("_charts.html", charts=_charts(visit, found.bars, asked), period=period, is_whole=found.is_whole)


def _wanted(visit: Visit) -> Wanted:
    """Raises: BadRequestError naming the part of the address."""
    kind, status = visit.asked("kind") or Kind.ANY.value, visit.asked("status")
    if kind not in list(Kind):
        raise BadRequestError(f"kind: one of {', '.join(Kind)}", field="kind")
    if status and status not in list(ExecutionStatus):
        raise BadRequestError(f"status: one of {', '.join(ExecutionStatus)}", field="status")
    start, end = (fields.moment(visit.asked(name), name) for name in ("start", "end"))
    if start is None and end is None and visit.asked("period"):
        start = datetime.now(UTC) - timedelta(seconds=_period_s(visit.asked("period")))
    return Wanted(
        kind=Kind(kind),
        retriever_id=visit.asked("retriever") or None,
        status=ExecutionStatus(status) if status else None,
        start=start,
        end=end,
        text=visit.asked("text"),
        credits=fields.number(visit.asked("credits"), "credits") or 0.0,
        duration_ms=fields.number(visit.asked("ms"), "ms") or 0.0,
    )


def _period_s(period: str) -> int:
    if period not in PERIODS:
        raise BadRequestError(f"period: one of {', '.join(PERIODS)}", field="period")
    count, bar_s = PERIODS[period]
    return count * bar_s


def cursor_of(text: str) -> Cursor | None:
    """Raises: BadRequestError."""
    try:
        return Cursor.read(text) if text else None
    except ValueError:
        raise BadRequestError("after: as the link to older executions has it", field="after") from None


def _address(asked: Mapping[str, str]) -> str:
    return f"/executions?{urlencode(asked)}" if asked else "/executions"


def _charts(visit: Visit, bars: Sequence[Bar], asked: Mapping[str, str]) -> list[Chart]:
    t = visit.language
    links = [
        _address({**asked, "start": _iso(one.start), "end": _iso(one.end)}) if one.total else None for one in bars
    ]  # fmt: skip
    when = [t.figures.minute(one.start) for one in bars]
    good = [one.total - one.failed for one in bars]
    failed = [one.failed for one in bars]
    share = sum(failed) / sum(good + failed) if any(good + failed) else 0.0
    slow: dict[str, list[float | None]] = {
        "p50": [one.p50_ms for one in bars],
        "p95": [one.p95_ms for one in bars],
        "p99": [one.p99_ms for one in bars],
    }
    shared: dict[str, Any] = {"when": when, "links": links, "figures": t.figures}
    told = t("chart.failed", share=t.figures.percent(share))
    paid = {"good": [one.credits for one in bars]}
    return [
        bars_chart(t("chart.executions"), {"good": good, "failed": failed}, "count", told, **shared),
        lines_chart(t("chart.latency"), slow, "ms", **shared),
        bars_chart(t("chart.credits"), paid, "credits", "", **shared),
        lines_chart(t("chart.cache"), {"p50": [one.cache_hit_rate for one in bars]}, "share", **shared),
    ]


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
