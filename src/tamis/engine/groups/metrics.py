"""What can be computed over the values that a group of documents has under a path.

Missing values are passed over, arrays count element by element (`collect`, `first` and `last` take them whole), and
the numeric functions pass over what is no finite number. Where nothing is left the answer is null; a count and a sum
are 0, a list is empty.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, product
from typing import Any

from tamis.engine.groups.grouping import identity
from tamis.model.filters import canonical_path
from tamis.model.json import JSON
from tamis.model.matching import elements, is_number, resolve
from tamis.model.ordering import order


class Function(StrEnum):
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    COLLECT = "collect"
    COLLECT_DISTINCT = "collect_distinct"
    PERCENTILE = "percentile"
    STDDEV = "stddev"
    VARIANCE = "variance"
    FREQUENCY = "frequency"
    HISTOGRAM = "histogram"
    CO_OCCURRENCE = "co_occurrence"
    CORRELATION = "correlation"


PAIRED = frozenset({Function.CO_OCCURRENCE, Function.CORRELATION})
WHOLE = frozenset({Function.FIRST, Function.LAST, Function.COLLECT})


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a group, under `alias`.

    field: path of the values; only `count` can do without. field_b: the second one of the paired functions.
    percentiles: 0..100; one gives a number, several an object.  top_k: entries of frequency and co_occurrence.
    interval: width of the buckets of a histogram; without it each value is a bucket.
    """

    alias: str
    function: Function
    field: str | None = None
    field_b: str | None = None
    percentiles: tuple[float, ...] = (50.0,)
    top_k: int = 10
    interval: float | None = None

    def values(self, view: Mapping[str, JSON]) -> list[Any]:
        """What one document gives: its values, or pairs of them for the paired functions."""
        if self.field is None:
            return [None]
        if self.function in PAIRED:
            return _pairs(self, view)
        found = resolve(view, canonical_path(self.field))
        present = found if self.function in WHOLE else elements(found)
        values = [value for value in present if value is not None]
        return values[:1] if self.function is Function.COUNT else values

    def compute(self, values: Sequence[Any]) -> JSON:
        """The figure, from every document's `values` in a row."""
        return _FUNCTIONS[self.function](values, self)


def _pairs(metric: Metric, view: Mapping[str, JSON]) -> list[Any]:
    first, second = (canonical_path(path or "") for path in (metric.field, metric.field_b))
    left, right = _present(view, first), _present(view, second)
    if metric.function is Function.CORRELATION:
        both = (next(_finite(left), None), next(_finite(right), None))
        return [] if None in both else [both]
    if first == second:
        return list(combinations(sorted(_distinct(left), key=order), 2))
    return list(product(_distinct(left), _distinct(right)))


def _present(view: Mapping[str, JSON], path: str) -> list[JSON]:
    return [value for value in elements(resolve(view, path)) if value is not None]


def _distinct(values: Sequence[JSON]) -> list[JSON]:
    """In the order that they first came."""
    found: dict[bytes, JSON] = {}
    for value in values:
        found.setdefault(identity(value), value)
    return list(found.values())


def _finite(values: Sequence[Any]) -> Iterator[float]:
    return (value for value in values if is_number(value) and math.isfinite(value))


def total(values: Sequence[float]) -> float:
    """Exact for whole numbers, correctly rounded for others."""
    return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)


def mean(values: Sequence[float]) -> float | None:
    return total(values) / len(values) if values else None


def variance(values: Sequence[float]) -> float | None:
    """Of a sample (n - 1); null below two values."""
    middle = mean(values)
    if middle is None or len(values) < 2:
        return None
    return math.fsum((value - middle) ** 2 for value in values) / (len(values) - 1)


def deviation(values: Sequence[float]) -> float | None:
    spread = variance(values)
    return None if spread is None else math.sqrt(spread)


def percentile(values: Sequence[float], rank: float) -> float | None:
    """Linear between the two nearest values, as numpy's default.  rank: 0..100."""
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * rank / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's; null below two pairs or where one side does not vary."""
    left, right = [a for a, _ in pairs], [b for _, b in pairs]
    mean_left, mean_right = mean(left), mean(right)
    if mean_left is None or mean_right is None:
        return None
    across = math.fsum((a - mean_left) * (b - mean_right) for a, b in pairs)
    spread_left = math.fsum((a - mean_left) ** 2 for a in left)
    spread_right = math.fsum((b - mean_right) ** 2 for b in right)
    scale = math.sqrt(spread_left) * math.sqrt(spread_right)
    return max(-1.0, min(1.0, across / scale)) if scale else None


def _frequency(values: Sequence[Any], metric: Metric) -> JSON:
    return [{"value": value, "count": count} for value, count in _most(values, metric.top_k)]


def _co_occurrence(values: Sequence[Any], metric: Metric) -> JSON:
    return [{"value": a, "value_b": b, "count": count} for (a, b), count in _most(values, metric.top_k)]


def _most(values: Sequence[Any], top_k: int | None) -> list[tuple[Any, int]]:
    """Count down, then value up."""
    counts = Counter(identity(_listed(value)) for value in values)
    known = {identity(_listed(value)): value for value in reversed(values)}
    return sorted(
        ((known[key], count) for key, count in counts.items()), key=lambda pair: (-pair[1], order(_listed(pair[0])))
    )[:top_k]


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _histogram(values: Sequence[Any], metric: Metric) -> JSON:
    width = metric.interval
    if width is None:
        return {"buckets": [{"key": value, "count": count} for value, count in _most(values, None)]}
    counts = Counter(math.floor(value / width) for value in _finite(values))
    return {
        "buckets": [{"key": f"{n * width:g}-{(n + 1) * width:g}", "count": counts[n]} for n in sorted(counts)],
    }


def _percentiles(values: Sequence[Any], metric: Metric) -> JSON:
    numbers = list(_finite(values))
    if len(metric.percentiles) == 1:
        return percentile(numbers, metric.percentiles[0])
    return {f"{rank:g}": percentile(numbers, rank) for rank in metric.percentiles}


def _numeric(function: Callable[[list[float]], float | None]) -> Callable[[Sequence[Any], Metric], JSON]:
    return lambda values, _metric: function(list(_finite(values)))


_FUNCTIONS: dict[Function, Callable[[Sequence[Any], Metric], JSON]] = {
    Function.COUNT: lambda values, _: len(values),
    Function.COUNT_DISTINCT: lambda values, _: len(_distinct(values)),
    Function.SUM: _numeric(total),
    Function.AVG: _numeric(mean),
    Function.MIN: lambda values, _: min(values, key=order, default=None),
    Function.MAX: lambda values, _: max(values, key=order, default=None),
    Function.FIRST: lambda values, _: values[0] if values else None,
    Function.LAST: lambda values, _: values[-1] if values else None,
    Function.COLLECT: lambda values, _: list(values),
    Function.COLLECT_DISTINCT: lambda values, _: _distinct(values),
    Function.PERCENTILE: _percentiles,
    Function.STDDEV: _numeric(deviation),
    Function.VARIANCE: _numeric(variance),
    Function.FREQUENCY: _frequency,
    Function.HISTOGRAM: _histogram,
    Function.CO_OCCURRENCE: _co_occurrence,
    Function.CORRELATION: lambda values, _: correlation(list(values)),
}
