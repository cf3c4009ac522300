"""Where stages write what they found: a field of the hit, or a place inside one."""

import re
from collections.abc import Sequence
from typing import Any

from tamis.model.filters import canonical_path
from tamis.model.hits import Hit
from tamis.model.json import JSON

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(-?\d+)\]")


def put(hit: Hit, path: str, value: JSON) -> Hit:
    """The hit with the value at a dotted path; what else stands beside it stays."""
    first, *rest = canonical_path(path).split(".")
    return hit.with_extra(**{first: _inside(hit.view().get(first), rest, value)})


def _inside(old: JSON, path: Sequence[str], value: JSON) -> JSON:
    if not path:
        return value
    beside = dict(old) if isinstance(old, dict) else {}
    return {**beside, path[0]: _inside(beside.get(path[0]), path[1:], value)}


def steps_of(path: str) -> list[str | int]:
    """Of `data.items[0].id`, also with `$.` before it. Raises: ValueError."""
    text = path.removeprefix("$")
    found = list(_STEP.finditer(text))
    if "".join(one[0] for one in found) != text:
        raise ValueError("a path such as `data.items[0].name`, of names and indices")
    return [one[1] if one[1] is not None else int(one[2]) for one in found]


def value_at(value: JSON, steps: Sequence[str | int]) -> JSON:
    """Raises: LookupError."""
    found: Any = value
    for step in steps:
        if not isinstance(found, dict if isinstance(step, str) else list):
            raise LookupError(step)
        key: Any = step
        found = found[key]
    read: JSON = found
    return read
