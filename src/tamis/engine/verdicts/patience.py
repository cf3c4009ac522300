"""What a filter says of one document, worked out without holding anybody up, whatever its patterns are."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from tamis.errors import ValidationError
from tamis.model.filters import Filter, has_regex
from tamis.model.json import JSON
from tamis.model.matching import pattern_seconds
from tamis.model.patterns import MOST_S

T = TypeVar("T")


async def patiently(
    work: Callable[[], T], wanted: Filter, view: Mapping[str, JSON], place: Sequence[str | int], evaluations: int = 1
) -> T:
    """What `work` gives: beside the event loop where the filter has patterns.

    evaluations: how often it looks for each of them in the view, at most.
    Raises: ValidationError at `place` where that could take longer than a filter may.
    """
    if not has_regex(wanted):
        return work()
    if evaluations * pattern_seconds(wanted, view) > MOST_S:
        raise ValidationError.at(
            [*place],
            f"its patterns could take more than {MOST_S:g} s of computing over this document: it is not worked out "
            "which of them it fails",
        )
    return await asyncio.to_thread(work)
