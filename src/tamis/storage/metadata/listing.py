"""Listings that SQL cannot do exactly: filter, search, sort and window over rows as they stream by."""

import heapq
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeAlias, TypeVar

from tamis.errors import TooManyRequestsError
from tamis.model.filters import Filter, has_regex
from tamis.model.json import JSON, JSONObject
from tamis.model.matching import matcher
from tamis.model.ordering import sort_key
from tamis.model.page import Listing, Page
from tamis.model.patterns import Patience

T = TypeVar("T")

Keeps: TypeAlias = Callable[[JSONObject], bool]
_PLACE = ("body", "filters")
_LONG_S = 0.05
_LONG_LISTS = threading.BoundedSemaphore(1)


def is_plain(listing: Listing) -> bool:
    """Whether the order and the window are all that is asked for: then SQL does it."""
    newest_first = listing.sort in ((), (("created_at", True),))
    return newest_first and listing.filter is None and not listing.search


def window(
    rows: Iterable[T], view: Callable[[T], JSONObject], identity: Callable[[T], str], listing: Listing
) -> Page[T]:
    """The listing's window. rows: all there are, newest first. Holds `offset + limit` of them at most."""
    with _turn(listing.filter) as keeps:
        return _window(rows, view, identity, listing, keeps)


def _window(
    rows: Iterable[T], view: Callable[[T], JSONObject], identity: Callable[[T], str], listing: Listing, keeps: Keeps
) -> Page[T]:
    search = (listing.search or "").casefold()

    def is_wanted(seen: JSONObject) -> bool:
        return keeps(seen) and (not search or _mentions(seen, search))

    kept = _Counted(row for row in rows if is_wanted(view(row)))
    end = listing.offset + listing.limit
    if listing.sort:
        first = heapq.nsmallest(end, kept, key=lambda row: (_order(view(row), listing), identity(row)))
    else:
        first = list(islice(kept, end))
    kept.exhaust()
    return Page(first[listing.offset :], kept.count, listing.limit, listing.offset)


def matching_only(rows: Iterable[T], view: Callable[[T], JSONObject], filter: Filter | None) -> Iterator[T]:
    if filter is None:
        return iter(rows)
    return _matching(rows, view, filter)


def _matching(rows: Iterable[T], view: Callable[[T], JSONObject], filter: Filter) -> Iterator[T]:
    with _turn(filter) as keeps:
        yield from (row for row in rows if keeps(view(row)))


class _Counted(Iterator[T]):
    """Counts what passes."""

    def __init__(self, rows: Iterator[T]) -> None:
        self._rows = rows
        self.count = 0

    def __next__(self) -> T:
        row = next(self._rows)
        self.count += 1
        return row

    def exhaust(self) -> None:
        for _ in self:
            pass


@contextmanager
def _turn(filter: Filter | None) -> Iterator[Keeps]:
    """Patterns that take long hold up the threads that read for everybody: one such list has its turn at a time.

    Raises: TooManyRequestsError where there is another.
    """
    if filter is None or not has_regex(filter):
        yield (lambda _: True) if filter is None else matcher(filter)
        return
    patience, matched, has_turn = Patience(_PLACE), matcher(filter), False

    def keeps(view: JSONObject) -> bool:
        nonlocal has_turn
        kept = patience.spend(lambda: matched(view))
        if not has_turn and patience.spent_s > _LONG_S:
            has_turn = _LONG_LISTS.acquire(blocking=False)
            if not has_turn:
                raise TooManyRequestsError("a list with patterns that takes long is made already: try again shortly")
        return kept

    try:
        yield keeps
    finally:
        if has_turn:
            _LONG_LISTS.release()


def _order(view: JSONObject, listing: Listing) -> tuple[Any, ...]:
    return tuple(sort_key(view, path, descending) for path, descending in listing.sort)


def _mentions(value: JSON | JSONObject, search: str) -> bool:
    if isinstance(value, str):
        return search in value.casefold()
    if isinstance(value, Mapping):
        return any(_mentions(part, search) for part in value.values())
    return isinstance(value, list) and any(_mentions(part, search) for part in value)
