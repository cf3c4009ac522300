"""One total order over every JSON value, the same for every sort."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import total_ordering
from typing import Any, TypeAlias

from tamis.model.instants import instant
from tamis.model.json import JSON
from tamis.model.matching import elements, is_number, resolve

SortKey: TypeAlias = tuple[int, Any]

_MISSING: tuple[int, Any] = (9, 0)


def sort_key(view: Mapping[str, JSON], path: str, descending: bool = False, nulls_last: bool = True) -> SortKey:
    """A key by which views sort: booleans, numbers, dates and times, text, objects; each among its own kind.

    Of an array the least element counts, the greatest where descending. Missing values stand last, or first where
    `nulls_last` is false, in both directions. Equal keys are ties: order them by id.
    """
    keys = [order(value) for value in elements(resolve(view, path)) if value is not None]
    if not keys:
        return (1 if nulls_last else -1, 0)
    return (0, _Reversed(max(keys)) if descending else min(keys))


def order(value: JSON) -> tuple[int, Any]:
    """Where one value stands among all values."""
    if isinstance(value, bool):
        return (0, value)
    if is_number(value):
        return (1, value)
    if isinstance(value, str):
        moment = instant(value)
        return (3, value) if moment is None else (2, moment)
    if value is None:
        return _MISSING
    # Not orjson: integers may be longer than 64 bits here.
    return (4, json.dumps(value, sort_keys=True))


@total_ordering
@dataclass(frozen=True, slots=True, eq=True, order=False)
class _Reversed:
    value: Any

    def __lt__(self, other: "_Reversed") -> bool:
        return bool(other.value < self.value)
