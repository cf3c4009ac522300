"""Fields written under a path."""

from collections.abc import Mapping, Sequence

from tamis.model.filters import canonical_path
from tamis.model.hits import Hit
from tamis.model.json import JSON


def with_field(hit: Hit, path: str, value: JSON) -> Hit:
    """The hit with the value at a path such as `metadata.facts.topic`; objects on the way keep their other fields."""
    first, *rest = canonical_path(path).split(".")
    if not rest:
        return hit.with_extra(**{first: value})
    return hit.with_extra(**{first: _placed(hit.view().get(first), rest, value)})


def _placed(held: JSON, rest: Sequence[str], value: JSON) -> JSON:
    if not rest:
        return value
    inside: Mapping[str, JSON] = held if isinstance(held, dict) else {}
    return {**inside, rest[0]: _placed(inside.get(rest[0]), rest[1:], value)}
