"""Hits that share a field's value, as groups."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson

from tamis.model.filters import canonical_path
from tamis.model.hits import Hit
from tamis.model.json import JSON
from tamis.model.matching import resolve


class GroupOutput(StrEnum):
    """What is shown of a group: its best hit, all of its hits with the group named on each, or its hits as they are."""

    FIRST = "first"
    ALL = "all"
    FLATTEN = "flatten"


@dataclass(frozen=True, slots=True)
class Group:
    """hits: in the order they came in, at least one."""

    key: JSON
    hits: tuple[Hit, ...]

    @property
    def score(self) -> float:
        return max(hit.score for hit in self.hits)


def value_at(view: Mapping[str, JSON], path: str) -> JSON:
    """The one value at a path; a list where the path leads through arrays to several; None where it is missing."""
    values = resolve(view, canonical_path(path))
    if not values:
        return None
    return values[0] if len(values) == 1 else values


def identity(value: JSON) -> bytes:
    """Equal for equal JSON, apart for true and 1; 1 and 1.0 are one number."""
    number = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return sorted_json(int(value) if number and isinstance(value, float) else value)


def sorted_json(value: JSON) -> bytes:
    """JSON with its keys in order, also of integers beyond 64 bits."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def group(hits: Iterable[Hit], path: str) -> list[Group]:
    """Groups in the order of their first hit. Hits without the field are one group, whose key is None."""
    members: dict[bytes, list[Hit]] = {}
    keys: dict[bytes, JSON] = {}
    for hit in hits:
        key = value_at(hit.view(), path)
        members.setdefault(identity(key), []).append(hit)
        keys.setdefault(identity(key), key)
    return [Group(keys[name], tuple(found)) for name, found in members.items()]


def ungroup(groups: Iterable[Group], per_group: int, output: GroupOutput) -> list[Hit]:
    """The groups' hits in a row, group after group; `all` and `first` name the group on each hit."""
    kept = 1 if output is GroupOutput.FIRST else per_group
    rows: list[Hit] = []
    for rank, found in enumerate(groups, start=1):
        chosen = found.hits[:kept]
        if output is not GroupOutput.FLATTEN:
            label: JSON = {"key": found.key, "count": len(found.hits), "rank": rank}
            chosen = tuple(hit.with_extra(group=label) for hit in chosen)
        rows.extend(chosen)
    return rows
