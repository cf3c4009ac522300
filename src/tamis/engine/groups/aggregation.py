"""Grouped aggregation of views: documents, objects, or the hits of a run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tamis.engine.groups.grouping import identity, value_at
from tamis.engine.groups.metrics import Metric
from tamis.errors import ValidationError
from tamis.model.filters import Condition, Operator, canonical_path
from tamis.model.instants import instant
from tamis.model.json import JSON
from tamis.model.matching import is_number, matches
from tamis.model.ordering import sort_key


@dataclass(frozen=True, slots=True)
class GroupKey:
    """One field to group by, under `alias`.

    date_trunc: year, month, week, day, hour, minute, second.  date_part: those, dayOfWeek and dayOfYear. Weeks are
    ISO 8601's: they start on Monday, which is day 1. Times are UTC; what is no time becomes null.
    """

    field: str
    alias: str | None = None
    date_trunc: str | None = None
    date_part: str | None = None

    @property
    def name(self) -> str:
        return self.alias or self.field


@dataclass(frozen=True, slots=True)
class RangeBuckets:
    """Group a number by ranges, under its field's name: `0-10` holds more than 0 up to 10; the first also its 0.

    boundaries: ascending.  outside: the name of everything else.
    """

    field: str
    boundaries: tuple[float, ...]
    outside: str = "other"

    def bucket(self, value: JSON) -> str:
        if not is_number(value) or not isinstance(value, int | float):
            return self.outside
        for low, high in zip(self.boundaries, self.boundaries[1:], strict=False):
            if low < value <= high or value == low == self.boundaries[0]:
                return f"{low:g}-{high:g}"
        return self.outside


@dataclass(frozen=True, slots=True)
class Having:
    """Keep the groups whose figure compares so. operator: eq, ne, gt, gte, lt, lte."""

    field: str
    operator: str
    value: float | str


@dataclass(frozen=True, slots=True)
class Aggregation:
    """unwind: path of an array, each of whose elements counts as a document of its own.

    sort_by: an alias, or a name of the groups; without it groups come in the order of their first document.
    """

    metrics: tuple[Metric, ...]
    group_by: tuple[GroupKey, ...] = ()
    range_buckets: tuple[RangeBuckets, ...] = ()
    having: tuple[Having, ...] = ()
    unwind: str | None = None
    sort_by: str | None = None
    descending: bool = True
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """group: value by name, in the order asked for.  metrics: figure by alias."""

    group: Mapping[str, JSON]
    metrics: Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Rows:
    """total: groups that passed `having`, whatever the limit.  views: documents that were counted."""

    items: tuple[Row, ...]
    total: int
    views: int


@dataclass(slots=True)
class _Gathered:
    group: dict[str, JSON]
    values: list[list[Any]] = field(default_factory=list)


def aggregate(views: Iterable[Mapping[str, JSON]], wanted: Aggregation) -> Rows:
    """Group the views and compute every metric of every group; without `group_by` all views are one group.

    Raises: ValidationError.   Cost: one pass; memory for the values of the metrics.
    """
    _check(wanted)
    groups: dict[bytes, _Gathered] = {}
    count = 0
    if not wanted.group_by and not wanted.range_buckets:
        groups[identity([])] = _Gathered({}, [[] for _ in wanted.metrics])
    for view in _unwound(views, wanted.unwind):
        count += 1
        group = _group_of(view, wanted)
        gathered = groups.setdefault(identity(list(group.values())), _Gathered(group, [[] for _ in wanted.metrics]))
        for metric, values in zip(wanted.metrics, gathered.values, strict=True):
            values.extend(metric.values(view))
    rows = [row for row in (_row(found, wanted) for found in groups.values()) if _passes(row, wanted)]
    return Rows(tuple(_sorted(rows, wanted)[: wanted.limit]), len(rows), count)


def _check(wanted: Aggregation) -> None:
    aliases = [metric.alias for metric in wanted.metrics]
    groups = [key.name for key in wanted.group_by] + [bucket.field for bucket in wanted.range_buckets]
    for alias in aliases:
        if aliases.count(alias) > 1:
            raise ValidationError.at(["aggregations"], f"two of them are called {alias!r}")
    known = ", ".join([*aliases, *groups])
    for having in wanted.having:
        if having.operator not in ("eq", "ne", "gt", "gte", "lt", "lte"):
            raise ValidationError.at(["having"], f"unknown operator {having.operator!r}; eq, ne, gt, gte, lt, lte")
        if having.field not in aliases and having.field not in groups:
            raise ValidationError.at(["having"], f"{having.field!r} is not computed; there are: {known}")
    if wanted.sort_by is not None and wanted.sort_by not in aliases and wanted.sort_by not in groups:
        raise ValidationError.at(["sort_by"], f"{wanted.sort_by!r} is not computed; there are: {known}")
    for buckets in wanted.range_buckets:
        if list(buckets.boundaries) != sorted(set(buckets.boundaries)):
            raise ValidationError.at(["range_buckets"], "boundaries have to ascend")


def _unwound(views: Iterable[Mapping[str, JSON]], path: str | None) -> Iterator[Mapping[str, JSON]]:
    for view in views:
        if path is None:
            yield view
            continue
        value = value_at(view, path)
        parts = canonical_path(path).split(".")
        for element in value if isinstance(value, list) else [value]:
            if element is not None:
                yield _with(view, parts, element)


def _with(view: Mapping[str, JSON], parts: list[str], value: JSON) -> Mapping[str, JSON]:
    head, *rest = parts
    inner = view.get(head)
    if rest and isinstance(inner, dict):
        value = dict(_with(inner, rest, value))
    return {**view, head: value}


def _group_of(view: Mapping[str, JSON], wanted: Aggregation) -> dict[str, JSON]:
    group = {key.name: _grouped(value_at(view, key.field), key) for key in wanted.group_by}
    for buckets in wanted.range_buckets:
        group[buckets.field] = buckets.bucket(value_at(view, buckets.field))
    return group


def _grouped(value: JSON, key: GroupKey) -> JSON:
    if key.date_trunc is None and key.date_part is None:
        return value
    moment = _moment(value)
    if moment is None:
        return None
    return truncated(moment, key.date_trunc).isoformat() if key.date_trunc else part(moment, key.date_part or "")


def _moment(value: JSON) -> datetime | None:
    """Text in ISO 8601, or seconds since 1970."""
    if isinstance(value, str):
        return instant(value)
    if not is_number(value) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None


_UNITS = ("year", "month", "day", "hour", "minute", "second")


def truncated(moment: datetime, unit: str) -> datetime:
    """The start of the unit that the moment is in."""
    if unit == "week":
        return truncated(moment - timedelta(days=moment.weekday()), "day")
    first = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
    smaller = {name: first[name] for name in _UNITS[_UNITS.index(unit) + 1 :]}
    return moment.replace(**smaller, microsecond=0)  # type: ignore[arg-type]  # the names are replace's own


def part(moment: datetime, unit: str) -> int:
    """One number of the calendar or the clock."""
    if unit == "week":
        return moment.isocalendar().week
    if unit == "dayOfWeek":
        return moment.isoweekday()
    if unit == "dayOfYear":
        return moment.timetuple().tm_yday
    return int(getattr(moment, unit))


def _row(found: _Gathered, wanted: Aggregation) -> Row:
    figures = zip(wanted.metrics, found.values, strict=True)
    return Row(found.group, {metric.alias: metric.compute(values) for metric, values in figures})


def _passes(row: Row, wanted: Aggregation) -> bool:
    figures = {**row.group, **row.metrics}
    return all(
        matches(Condition(having.field, Operator(having.operator), having.value, case_sensitive=True), figures)
        for having in wanted.having
    )


def _sorted(rows: list[Row], wanted: Aggregation) -> list[Row]:
    """Ties keep the order of the groups' first documents; null comes last."""
    name = wanted.sort_by
    if name is None:
        return rows
    return sorted(rows, key=lambda row: sort_key({**row.group, **row.metrics}, name, wanted.descending))
