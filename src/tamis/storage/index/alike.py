"""Whether what an index gives back is what it was given."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

_CLOSE = 1e-4
"""For a component of a vector of unit length, which may have gone through a text on its way."""


def same_payload(left: Any, right: Any) -> bool:
    """The engine reads some fractions back as their neighbours."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same_payload(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same_payload, left, right))
    if isinstance(left, float) or isinstance(right, float):
        return isinstance(left, int | float) and isinstance(right, int | float) and _near(left, right)
    return bool(left == right)


def same_vector(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Both as `native.raw_vector` gives them."""
    if left[0] != right[0]:
        return False
    if left[0] == "s":
        ours, theirs = _sparse(left), _sparse(right)
        return ours.keys() == theirs.keys() and all(math.isclose(ours[at], theirs[at], rel_tol=_CLOSE) for at in ours)
    ours_dense, theirs_dense = _floats("f", left[-1]), _floats("f", right[-1])
    return len(ours_dense) == len(theirs_dense) and all(
        abs(one - other) <= _CLOSE for one, other in zip(ours_dense, theirs_dense, strict=True)
    )


def _sparse(raw: Sequence[Any]) -> dict[int, float]:
    return dict(zip(_floats("I", raw[1]), _floats("f", raw[2]), strict=True))


def _floats(code: Literal["I", "f"], data: bytes) -> list[Any]:
    return memoryview(data).cast(code).tolist()


def _near(left: float, right: float) -> bool:
    return left == right or math.isclose(left, right, rel_tol=1e-9)
