"""How much is asked of the server, by day, key and endpoint, and what executions cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from starlette.responses import Response

from tamis.errors import BadRequestError
from tamis.model.usage import Spending, UsageRow, UsageWindow
from tamis.services.access.keys import KeyService
from tamis.services.access.usage import KeyUsage, UsageMeter
from tamis.studio.charts import Chart, bars_chart, lines_chart
from tamis.studio.languages import Language
from tamis.studio.visit import Visit

PERIODS = (7, 30, 90, 365)
USUAL_DAYS = 30
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Share:
    """One row of a ranking. share: of the largest, 0 to 100.  mean_ms: None where nothing was timed."""

    name: str
    value: float
    share: float
    failed: int = 0
    mean_ms: float | None = None
    link: str | None = None


async def show(visit: Visit) -> Response:
    principal = await visit.ruling()
    days = _days(visit.asked("days"))
    today = datetime.now(UTC).date()
    window = UsageWindow(today - timedelta(days=days - 1), today)
    used = await visit.service(UsageMeter).of_organization(principal, window)
    keys = await visit.service(KeyService).list(principal, include_revoked=True)
    return visit.page(
        "usage.html",
        days=days,
        periods=PERIODS,
        charts=charts_of(visit.language, used),
        endpoints=endpoints_of(used.rows),
        by_key=_by_key(used.rows, {one.key_id: one.name for one in keys}),
        spending=_spending(used.spent, {one.namespace_id: one.name for one in visit.namespaces}),
        is_empty=not used.rows and not used.spent,
    )


def charts_of(t: Language, used: KeyUsage) -> list[Chart]:
    """Requests and their mean time, a bar a day."""
    days = list(_each_day(used.window))
    requests, failed, took = (defaultdict[date, int](int) for _ in range(3))
    for row in used.rows:
        requests[row.day] += row.requests
        failed[row.day] += row.failed
        took[row.day] += row.duration_us
    when = [t.figures.day(datetime(day.year, day.month, day.day, tzinfo=UTC)) for day in days]
    good = [requests[day] - failed[day] for day in days]
    bad = [failed[day] for day in days]
    share = sum(bad) / sum(good + bad) if any(good + bad) else 0.0
    mean = [took[day] / requests[day] / 1000 if requests[day] else None for day in days]
    links: list[str | None] = [None] * len(days)
    told = t("chart.failed", share=t.figures.percent(share))
    return [
        bars_chart(t("chart.requests"), {"good": good, "failed": bad}, "count", told, when, links, t.figures),
        lines_chart(t("chart.mean_time"), {"p50": mean}, "ms", when, links, t.figures),
    ]


def endpoints_of(rows: Sequence[UsageRow]) -> list[Share]:
    return _ranked((row.endpoint, row) for row in rows)


def _by_key(rows: Sequence[UsageRow], names: Mapping[str, str]) -> list[Share]:
    ranked = _ranked((row.key_id, row) for row in rows)
    return [
        Share(names.get(one.name, one.name), one.value, one.share, one.failed, one.mean_ms,
              f"/settings/keys/{one.name}" if one.name in names else None)
        for one in ranked
    ]  # fmt: skip


def _ranked(named: Iterable[tuple[str, UsageRow]]) -> list[Share]:
    """Most asked first."""
    grouped: defaultdict[str, list[UsageRow]] = defaultdict(list)
    for name, row in named:
        grouped[name].append(row)
    counted = {name: sum(row.requests for row in rows) for name, rows in grouped.items()}
    most = max(counted.values(), default=1)
    names = sorted(counted, key=lambda name: (-counted[name], name))[:_MOST_SHOWN]
    return [
        Share(name, counted[name], 100 * counted[name] / most, sum(row.failed for row in grouped[name]),
              sum(row.duration_us for row in grouped[name]) / counted[name] / 1000)
        for name in names
    ]  # fmt: skip


def _spending(spent: Sequence[Spending], names: Mapping[str, str]) -> list[tuple[Spending, str, float]]:
    """With the namespace's name and the share of the largest, what cost most first."""
    most = max((one.credits for one in spent), default=0) or 1.0
    ordered = sorted(spent, key=lambda one: (-one.credits, one.namespace_id, one.operation))
    return [(one, names.get(one.namespace_id, one.namespace_id), 100 * one.credits / most) for one in ordered]


def _each_day(window: UsageWindow) -> Iterable[date]:
    return (window.start + timedelta(days=n) for n in range((window.end - window.start).days + 1))


def _days(text: str) -> int:
    if text and text not in map(str, PERIODS):
        raise BadRequestError(f"days: one of {', '.join(map(str, PERIODS))}", field="days")
    return int(text or USUAL_DAYS)
