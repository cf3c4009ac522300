"""What a record shows of itself: everything but hits at once, hits by the window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tamis.executions.diff import stage_names
from tamis.executions.opening import OpenedRecord, Side, Window
from tamis.executions.record import Record, RecordedHit


@dataclass(frozen=True, slots=True)
class View:
    """Which windows are asked for. stage: a place in the pipeline, None for every stage.

    is_out: of what came out, or of what went in; None for both.
    """

    stage: int | None = None
    is_out: bool | None = None
    offset: int = 0
    limit: int = 10


@dataclass(frozen=True, slots=True)
class HitPage:
    """total: all there are on this side of the stage.  hits: those from `offset` on, None where not asked for."""

    total: int
    offset: int
    hits: tuple[RecordedHit, ...] | None


@dataclass(frozen=True, slots=True)
class Present:
    """How the things that the record names stand today.

    documents: revision by id, of those looked up that are still there; None where this server never had them.
    collections: revision by id, likewise.
    """

    documents: Mapping[str, int] | None = None
    collections: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """record: without hits and calls.  pages: by side, of the stages that were asked for.

    calls: how many each stage left.  inputs: as far as they were asked for and are kept.
    """

    record: Record
    view: View
    pages: Mapping[Side, HitPage]
    calls: Sequence[int]
    inputs: Mapping[str, Any]
    present: Present

    @property
    def stages(self) -> Sequence[tuple[int, str]]:
        """(place, name) of those asked for, whether they ran or not."""
        named = list(enumerate(stage_names(self.record)))
        return named if self.view.stage is None else [named[self.view.stage]]

    @property
    def document_ids(self) -> list[str]:
        """Of every page together."""
        hits = [hit for page in self.pages.values() for hit in page.hits or ()]
        return list(dict.fromkeys(hit.id for hit in hits if hit.is_document))


def read_pages(opened: OpenedRecord, view: View) -> dict[Side, HitPage]:
    """Every side's size, and the hits of those windows that the view asks for."""
    stages = opened.record.stages
    positions = [n for n, stage in enumerate(stages) if view.stage is None or stage.index == view.stage]
    sides = [Side(position, is_out) for position in positions for is_out in (False, True)]
    wanted = [side for side in sides if view.is_out is None or side.is_out == view.is_out]
    found = dict(
        zip(wanted, opened.read([Window(side, view.offset, view.limit) for side in wanted]), strict=True)
    )  # fmt: skip
    return {side: HitPage(opened.count(side), view.offset, found.get(side)) for side in sides}
