"""One window over an execution's ranked documents: the contract's four forms, and what an answer says to go on.

Only the first page runs the pipeline. Every later one is cut from the ranking that the first left behind, so that
none repeats or skips a document while others write.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tamis.errors import BadRequestError, ValidationError
from tamis.model.hits import Hits
from tamis.model.json import JSON

_LOC: list[str | int] = ["body", "pagination"]


class PageMethod(StrEnum):
    OFFSET = "offset"
    CURSOR = "cursor"
    SCROLL = "scroll"
    KEYSET = "keyset"


class CursorExpiredError(BadRequestError):
    """The ranking that this cursor goes through is no longer kept; ask for the first page again."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which window is asked for. size None: all that there is.

    offset: where an `offset` page starts.  token: the cursor or scroll id of the last answer.
    after: the keyset object of the last answer.  keep_s: how long the ranking is kept for the next page.
    """

    method: PageMethod
    size: int | None = 10
    offset: int = 0
    token: str | None = None
    after: Mapping[str, JSON] | None = None
    keep_s: float = 300.0

    @property
    def is_first(self) -> bool:
        """True where the pipeline has to run; a later offset page runs only where no ranking is kept."""
        return not (self.token or self.after or self.offset)

    def continues(self) -> "Position | None":
        """The execution and the place in its ranking that the request names. Raises: ValidationError."""
        if self.token is not None:
            key = "cursor" if self.method is PageMethod.CURSOR else "scroll_id"
            return _decode(self.token, [*_LOC, key])
        if self.after:
            _last_shown(self.after)
            if self.after.get("execution_id") is not None:
                return Position(str(self.after["execution_id"]), 0)
        return None


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the ranking of the execution that began the series."""

    execution_id: str
    offset: int

    @property
    def token(self) -> str:
        return base64.urlsafe_b64encode(f"{self.execution_id}:{self.offset}".encode()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Window:
    """start, stop: the window in the ranking of `total` documents."""

    start: int
    stop: int
    total: int

    @property
    def has_next(self) -> bool:
        return self.stop < self.total


def window(page: PageRequest, ranking: Hits) -> Window:
    """Cut the window that the request asks for. Raises: ValidationError."""
    start = min(_start(page, ranking), len(ranking))
    stop = len(ranking) if page.size is None else min(start + page.size, len(ranking))
    return Window(start, stop, len(ranking))


def _start(page: PageRequest, ranking: Hits) -> int:
    if page.after:
        return _after(page.after, ranking)
    position = page.continues()
    return position.offset if position else page.offset


def _after(after: Mapping[str, JSON], ranking: Hits) -> int:
    """The place behind the document that `after` names; where it is gone, behind its score and id."""
    document_id, score = _last_shown(after)
    for place, hit in enumerate(ranking):
        if hit.id == document_id:
            return place + 1
    ahead = (place for place, hit in enumerate(ranking) if (-hit.score, hit.id) > (-score, document_id))
    return next(ahead, len(ranking))


def _last_shown(after: Mapping[str, JSON]) -> tuple[str, float]:
    """Found wrong before the pipeline runs, not after. Raises: ValidationError."""
    document_id, score = after.get("document_id"), after.get("score")
    if not isinstance(document_id, str) or isinstance(score, bool) or not isinstance(score, int | float):
        raise ValidationError.at([*_LOC, "after"], "the `after` object of the last answer: document_id and score")
    return document_id, score


def describe(page: PageRequest, cut: Window, ranking: Hits, series_id: str) -> dict[str, JSON]:
    """The answer's `pagination`. series_id: the execution whose ranking the next page is cut from."""
    size = page.size if page.size is not None else cut.total
    common: dict[str, JSON] = {"method": page.method.value, "total": cut.total, "has_next": cut.has_next}
    if page.method is PageMethod.OFFSET:
        return {**common, **_numbers(size, cut)}
    following: JSON = Position(series_id, cut.stop).token if cut.has_next else None
    if page.method is PageMethod.CURSOR:
        return {**common, "limit": size, "next_cursor": following}
    if page.method is PageMethod.SCROLL:
        return {**common, "limit": size, "scroll_id": following}
    last = ranking[cut.stop - 1] if cut.has_next and cut.stop else None
    after: JSON = {"score": last.score, "document_id": last.id, "execution_id": series_id} if last else None
    return {**common, "limit": size, "after": after}


def _numbers(size: int, cut: Window) -> dict[str, JSON]:
    number = cut.start // size + 1 if size else 1
    return {
        "limit": size,
        "offset": cut.start,
        "page_number": number,
        "page_size": size,
        "total_pages": -(-cut.total // size) if size else 1,
        "next_page": number + 1 if cut.has_next else None,
        "has_previous": cut.start > 0,
    }


def _decode(token: str, loc: list[str | int]) -> Position:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (ValueError, binascii.Error):
        text = ""
    execution_id, _, offset = text.rpartition(":")
    if not execution_id or not (offset.isascii() and offset.isdigit() and len(offset) < 10):
        raise ValidationError.at(loc, "not the one that an answer gave")
    return Position(execution_id, int(offset))
