"""Lists of small resources: filter, search, order and window them in memory.

Kinds that grow large (objects, documents, executions) are listed by the system of record, which takes the same
`Listing`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from tamis.errors import ValidationError
from tamis.model.filters import canonical_path, parse_filter
from tamis.model.json import JSONObject
from tamis.model.matching import check_filter, patient
from tamis.model.ordering import sort_key
from tamis.model.page import Listing, Page

T = TypeVar("T")

_MOST_PATTERNS_S = 0.5
"""Of computing: lists of these are made beside everybody's requests."""
_DESCENDING = {"asc": False, "desc": True, "ascending": False, "descending": True, "1": False, "-1": True}


@dataclass(frozen=True, slots=True)
class ListQuery(Listing):
    """A Listing as a caller asked for it. count_only: the total is wanted, the items are not."""

    case_sensitive: bool = False
    count_only: bool = False

    @property
    def window(self) -> "ListQuery":
        """This query as the system of record should run it: no items where none are wanted."""
        return replace(self, limit=0) if self.count_only else self

    @property
    def is_plain(self) -> bool:
        """Newest first, all of them: the system of record can cut the window."""
        return self.filter is None and not self.search and self.sort in ((), (("created_at", True),))


def build_query(
    filters: Any = None,
    search: str | None = None,
    sort: Any = None,
    *,
    case_sensitive: bool = False,
    limit: int = 10,
    offset: int = 0,
    count_only: bool = False,
) -> ListQuery:
    """Read a list request's wire values. Raises: ValidationError naming the place."""
    if case_sensitive and isinstance(filters, dict):
        filters = {"case_sensitive": True, **filters}
    wanted = parse_filter(filters, ["body", "filters"])
    check_filter(wanted, ["body", "filters"])
    return ListQuery(
        filter=wanted,
        sort=parse_sort(sort),
        search=search or None,
        limit=limit,
        offset=offset,
        case_sensitive=case_sensitive,
        count_only=count_only,
    )


def parse_sort(raw: Any, loc: Sequence[str | int] = ("body", "sort")) -> tuple[tuple[str, bool], ...]:
    """(path, descending) pairs from `{field, direction}`, `{name: "desc"}`, `"-name"`, or a list of these.

    Raises: ValidationError naming the place.
    """
    if raw is None or raw == {} or raw == "":
        return ()
    if isinstance(raw, list):
        return tuple(pair for place, item in enumerate(raw) for pair in parse_sort(item, [*loc, place]))
    if isinstance(raw, str):
        return ((canonical_path(raw.lstrip("-+")), raw.startswith("-")),)
    if not isinstance(raw, dict):
        raise ValidationError.at([*loc], "expected {'field': ..., 'direction': 'asc' or 'desc'}")
    if "field" not in raw:
        return tuple((canonical_path(name), _descending(value, [*loc, name])) for name, value in raw.items())
    if not isinstance(raw["field"], str) or not raw["field"]:
        raise ValidationError.at([*loc, "field"], "the name of a field, such as 'created_at'")
    direction = raw.get("direction", raw.get("order")) or "asc"
    return ((canonical_path(raw["field"]), _descending(direction, [*loc, "direction"])),)


def _descending(direction: Any, loc: list[str | int]) -> bool:
    found = _DESCENDING.get(str(direction).lower())
    if found is None:
        raise ValidationError.at(loc, f"'asc' or 'desc', not {direction!r}")
    return found


def select(items: Iterable[T], view: Callable[[T], JSONObject], query: ListQuery) -> Page[T]:
    """The window of `items` that the query asks for; where it names no order, theirs is kept.

    view: what filters, search and sort see of one item. A `metadata` object in it is seen at the root too, since
    `metadata.x` and `x` name the same field.
    """
    rows = [(item, _flattened(view(item))) for item in items]
    if query.filter is not None:
        keeps = patient(query.filter, ("body", "filters"), _MOST_PATTERNS_S)
        rows = [row for row in rows if keeps(row[1])]
    if query.search:
        rows = [row for row in rows if _mentions(row[1], query.search, query.case_sensitive)]
    if query.sort:
        order = query.sort
        rows.sort(key=lambda row: tuple(sort_key(row[1], path, descending) for path, descending in order))
    window = [] if query.count_only else rows[query.offset : query.offset + query.limit]
    return Page([item for item, _ in window], total=len(rows), limit=query.limit, offset=query.offset)


def _flattened(view: JSONObject) -> JSONObject:
    metadata = view.get("metadata")
    return {**metadata, **view} if isinstance(metadata, dict) else view


def _mentions(value: Any, search: str, case_sensitive: bool) -> bool:
    if isinstance(value, str):
        return search in value if case_sensitive else search.casefold() in value.casefold()
    if isinstance(value, Mapping):
        return any(_mentions(child, search, case_sensitive) for child in value.values())
    return isinstance(value, list) and any(_mentions(child, search, case_sensitive) for child in value)


def timestamp(moment: datetime | None) -> str | None:
    """RFC 3339 with milliseconds, UTC: text that sorts as time does, for views and the wire."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
