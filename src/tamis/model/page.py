"""A window over a list, and the list's total."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tamis.model.filters import Filter

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """total: how many there are in all, whatever the window."""

    items: Sequence[T]
    total: int
    limit: int
    offset: int

    @property
    def has_next(self) -> bool:
        return self.offset + len(self.items) < self.total


@dataclass(frozen=True, slots=True)
class Listing:
    """How to list a large kind. sort: (path, descending) pairs over the view, then id; empty is newest first.

    search: case-insensitive text found in any string of the view.
    """

    filter: Filter | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    search: str | None = None
    limit: int = 10
    offset: int = 0
