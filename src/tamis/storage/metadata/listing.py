"""Listings that SQL cannot do exactly: filter, search, sort and window over rows as they stream by."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from tamis.model.filters import Filter
from tamis.model.json import JSON, JSONObject
from tamis.model.matching import patient
from tamis.model.ordering import sort_key
from tamis.model.page import Listing, Page

T = TypeVar("T")

_PLACE = ("body", "filters")


def is_plain(listing: Listing) -> bool:
    """Whether the order and the window are all that is asked for: then SQL does it."""
    newest_first = listing.sort in ((), (("created_at", True),))
    return newest_first and listing.filter is None and not listing.search


def window(
    rows: Iterable[T], view: Callable[[T], JSONObject], identity: Callable[[T], str], listing: Listing
) -> Page[T]:
    """The listing's window. rows: all there are, newest first. Holds `offset + limit` of them at most."""
    is_wanted = _wanted(listing)
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
    keeps = patient(filter, _PLACE)
    return (row for row in rows if keeps(view(row)))


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


def _wanted(listing: Listing) -> Callable[[JSONObject], bool]:
    keeps = None if listing.filter is None else patient(listing.filter, _PLACE)
    search = (listing.search or "").casefold()
    return lambda view: (keeps is None or keeps(view)) and (not search or _mentions(view, search))


def _order(view: JSONObject, listing: Listing) -> tuple[Any, ...]:
    return tuple(sort_key(view, path, descending) for path, descending in listing.sort)


def _mentions(value: JSON | JSONObject, search: str) -> bool:
    if isinstance(value, str):
        return search in value.casefold()
    if isinstance(value, Mapping):
        return any(_mentions(part, search) for part in value.values())
    return isinstance(value, list) and any(_mentions(part, search) for part in value)
