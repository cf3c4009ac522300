"""One stage of a record as a sieve: what it let through, held back, brought in, moved and scored anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from tamis.executions.opening import OpenedRecord, Side, Window
from tamis.executions.record import Record, RecordedHit, StageOutcome


class Group(StrEnum):
    """RETURNED: all that came out.  The others are parts: of what came out, and DROPPED of what went in."""

    RETURNED = "returned"
    DROPPED = "dropped"
    BROUGHT = "brought"
    MOVED = "moved"
    RESCORED = "rescored"


@dataclass(frozen=True, slots=True)
class Sifted:
    """One document at one stage. before, after: as it went in and came out; one of the two is there.

    rank_in, rank_out: from 1.  climbed: places won (below 0: lost) among those that came through, so that what is
    merely closed up, because others were dropped, has not moved.
    """

    before: RecordedHit | None
    after: RecordedHit | None
    rank_in: int | None
    rank_out: int | None
    climbed: int = 0

    @property
    def hit(self) -> RecordedHit:
        found = self.after or self.before
        if found is None:
            raise ValueError("a document is on one side of a stage at least")
        return found

    @property
    def is_rescored(self) -> bool:
        if self.before is None or self.after is None:
            return False
        return (self.before.score, self.before.scores) != (self.after.score, self.after.scores)


@dataclass(frozen=True)
class Sieve:
    """returned: in the order out.  dropped: in the order in."""

    returned: Sequence[Sifted]
    dropped: Sequence[Sifted]

    @cached_property
    def groups(self) -> dict[Group, Sequence[Sifted]]:
        return {
            Group.RETURNED: self.returned,
            Group.DROPPED: self.dropped,
            Group.BROUGHT: [one for one in self.returned if one.before is None],
            Group.MOVED: [one for one in self.returned if one.climbed],
            Group.RESCORED: [one for one in self.returned if one.is_rescored],
        }


def sift(received: Sequence[RecordedHit], returned: Sequence[RecordedHit]) -> Sieve:
    """Ids are unique on each side. Cost: linear, and a sort."""
    before = {hit.id: (rank, hit) for rank, hit in enumerate(received, start=1)}
    through = sorted(before[hit.id][0] for hit in returned if hit.id in before)
    place_in = {rank: place for place, rank in enumerate(through)}
    out: list[Sifted] = []
    place_out = 0
    for rank, hit in enumerate(returned, start=1):
        if hit.id not in before:
            out.append(Sifted(None, hit, None, rank))
            continue
        rank_in, then = before[hit.id]
        out.append(Sifted(then, hit, rank_in, rank, place_in[rank_in] - place_out))
        place_out += 1
    kept = {hit.id for hit in returned}
    dropped = [Sifted(hit, None, rank, None) for rank, hit in before.values() if hit.id not in kept]
    return Sieve(out, dropped)


@dataclass(frozen=True, slots=True)
class StageFlow:
    """How many documents went into a stage and came out. seen: those that it looked at, which a search finds itself."""

    received: int
    seen: int
    returned: int


def flows(opened: OpenedRecord) -> list[StageFlow]:
    """Of the stages that began, in order."""
    return [
        StageFlow(
            opened.count(Side(place, is_out=False)), stage.processed, _came_out(opened, place, stage.outcome)
        )
        for place, stage in enumerate(opened.record.stages)
    ]  # fmt: skip


def sieve_at(opened: OpenedRecord, place: int) -> Sieve:
    """place: in the record's stages, of those that began."""
    sides = Side(place, is_out=False), Side(place, is_out=True)
    received, returned = opened.read([Window(side, 0, opened.count(side)) for side in sides])
    return sift(received, returned if _has_returned(opened.record, place) else ())


def _has_returned(record: Record, place: int) -> bool:
    return record.stages[place].outcome is not StageOutcome.FAILED


def _came_out(opened: OpenedRecord, place: int, outcome: StageOutcome) -> int:
    return 0 if outcome is StageOutcome.FAILED else opened.count(Side(place, is_out=True))
