"""Two executions side by side: stage by stage, with lines between the documents that both came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from tamis.errors import BadRequestError
from tamis.executions.diff import RecordDiff, StageDiff
from tamis.executions.record import RecordedHit, RecordedStage
from tamis.services.records.diffs import DiffService
from tamis.services.records.execution_records import ANY_RETRIEVER
from tamis.studio.faces import title_of
from tamis.studio.visit import Visit

PAGE_SIZE = 25
ROW = 40
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of one side. other: its rank on the other side, None where it is not there.

    fate: same, up, down (from the first to the second), entered, left.
    """

    id: str
    title: str
    rank: int
    score: float
    other: int | None
    fate: str


@dataclass(frozen=True, slots=True)
class Link:
    """A line from a row of the first to a row of the second; one end may lie beyond what is shown."""

    path: str
    fate: str


@dataclass(frozen=True, slots=True)
class Sides:
    a: Sequence[Entry]
    b: Sequence[Entry]
    links: Sequence[Link]
    height: int
    total: int
    offset: int


async def show(visit: Visit) -> Response:
    a, b = visit.asked("a"), visit.asked("b")
    if not a or not b:
        return visit.page("compare.html", a=a, b=b, diff=None)
    diffs = visit.service(DiffService)
    diff = await diffs.diff(visit.principal, a, b, ANY_RETRIEVER)
    place = _place(visit, diff)
    stage = diff.stages[place] if diff.stages else None
    sides = await _sides(visit, diffs, diff, stage, _offset(visit)) if stage else None
    values: dict[str, Any] = {"a": a, "b": b, "diff": diff, "place": place, "stage": stage, "sides": sides}
    template = "_compared.html" if visit.is_partial else "compare.html"
    return visit.page(template, **values, page_size=PAGE_SIZE, row=ROW, address=f"/compare?a={a}&b={b}")


def _place(visit: Visit, diff: RecordDiff) -> int:
    """Of the stage that is shown: the one asked for, else where they part, else the last. Raises: BadRequestError."""
    asked = visit.asked("stage")
    if asked:
        if not (asked.isascii() and asked.isdigit() and int(asked[:6]) < len(diff.stages)):
            raise BadRequestError(f"stage: a place from 0 to {len(diff.stages) - 1}", field="stage")
        return int(asked)
    first = diff.first_divergence
    return max(0, len(diff.stages) - 1) if first is None else diff.stages.index(first)


def _offset(visit: Visit) -> int:
    page = visit.asked("page", "1")
    if not (page.isascii() and page.isdigit()) or int(page[:9]) < 1:
        raise BadRequestError("page: a number from 1", field="page")
    return (int(page[:9]) - 1) * PAGE_SIZE


async def _sides(visit: Visit, diffs: DiffService, diff: RecordDiff, stage: StageDiff, offset: int) -> Sides:
    one, other = _returned(stage.a), _returned(stage.b)
    window = slice(offset, offset + PAGE_SIZE)
    ids = list(dict.fromkeys(hit.id for hit in (*one[window], *other[window]) if hit.is_document))
    documents = await diffs.documents(visit.principal, diff, ids)
    names = {key: title_of(document.fields, key) for key, document in documents.items()}
    ranks_a = {hit.id: rank for rank, hit in enumerate(one, start=1)}
    ranks_b = {hit.id: rank for rank, hit in enumerate(other, start=1)}
    left = [
        Entry(hit.id, names.get(hit.id, hit.id), ranks_a[hit.id], hit.score, ranks_b.get(hit.id),
              _fate(ranks_a[hit.id], ranks_b.get(hit.id)))
        for hit in one[window]
    ]  # fmt: skip
    right = [
        Entry(hit.id, names.get(hit.id, hit.id), ranks_b[hit.id], hit.score, ranks_a.get(hit.id),
              _fate(ranks_a.get(hit.id), ranks_b[hit.id]))
        for hit in other[window]
    ]  # fmt: skip
    rows = max(len(left), len(right))
    links = _links(left, right, offset, rows)
    return Sides(left, right, links, rows * ROW, max(len(one), len(other)), offset)


def _returned(stage: RecordedStage | None) -> Sequence[RecordedHit]:
    return stage.returned if stage else ()


def _fate(before: int | None, after: int | None) -> str:
    if before is None:
        return "entered"
    if after is None:
        return "left"
    return "same" if before == after else "up" if after < before else "down"


def _links(left: Sequence[Entry], right: Sequence[Entry], offset: int, rows: int) -> list[Link]:
    shown = {entry.id for entry in left}
    ends = [(one.rank, one.other, one.fate) for one in left if one.other is not None]
    # Those whose first end lies beyond what is shown.
    ends += [(one.other, one.rank, one.fate) for one in right if one.other is not None and one.id not in shown]
    found = []
    for rank_a, rank_b, fate in ends:
        y_a, y_b = _y(rank_a - offset, rows), _y(rank_b - offset, rows)
        half = _WIDTH / 2
        found.append(Link(f"M0 {y_a:g}C{half:g} {y_a:g} {half:g} {y_b:g} {_WIDTH} {y_b:g}", fate))
    return found


def _y(row: int, rows: int) -> float:
    """The middle of a row; the edge for what lies beyond."""
    return min(max((row - 0.5) * ROW, 0.0), float(rows * ROW))
