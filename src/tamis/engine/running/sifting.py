"""Documents that a filter lets through, without keeping the others waiting.

A regular expression is linear in its text, yet a hostile one costs microseconds a character, and a stage may look at
ten thousand documents. RE2 works without the interpreter's lock, so such a filter runs on a thread.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from tamis.model.filters import Filter, has_regex
from tamis.model.hits import Hit
from tamis.model.matching import matches
from tamis.model.patterns import Patience

_AT_ONCE = 32
"""Between so many documents a run that was cancelled ends."""


async def meant(hits: Iterable[Hit], wanted: Filter | None) -> list[Hit]:
    """In their order; None lets all through."""
    if wanted is None:
        return list(hits)
    return await sifted(hits, lambda hit: matches(wanted, hit.view()), has_regex(wanted))


async def sifted(hits: Iterable[Hit], keeps: Callable[[Hit], bool], is_long_work: bool) -> list[Hit]:
    """In their order. Raises: ValidationError where patterns take too much computing."""
    if not is_long_work:
        return [hit for hit in hits if keeps(hit)]
    every, kept, patience = list(hits), list[Hit](), Patience(("filter",))
    for begin in range(0, len(every), _AT_ONCE):
        kept += await asyncio.to_thread(_kept, every[begin : begin + _AT_ONCE], keeps, patience)
    return kept


def _kept(hits: Sequence[Hit], keeps: Callable[[Hit], bool], patience: Patience) -> list[Hit]:
    return [hit for hit in hits if patience.spend(lambda hit=hit: keeps(hit))]  # type: ignore[misc]
