"""Two records compared: stage by stage what came out of them, and what explains the first place where they part."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tamis.executions.causes import Cause, Ground, grounds_of
from tamis.executions.record import Record, RecordedHit, RecordedStage


@dataclass(frozen=True, slots=True)
class Placed:
    """rank: from 1."""

    id: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Moved:
    id: str
    rank_a: int
    rank_b: int


@dataclass(frozen=True, slots=True)
class Rescored:
    """scores: by name, those on the way that differ, as (in a, in b); None where a side has none of the name."""

    id: str
    score_a: float
    score_b: float
    scores: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RankingDiff:
    """What turns ranking a into ranking b.

    entered: in b alone, in b's order.  left: in a alone, in a's order.  The others are in both, in b's order.
    moved: at another rank.  rescored: with another score, or other scores on the way.
    altered: ids of those to which stages had added other fields.
    """

    entered: tuple[Placed, ...] = ()
    left: tuple[Placed, ...] = ()
    moved: tuple[Moved, ...] = ()
    rescored: tuple[Rescored, ...] = ()
    altered: tuple[str, ...] = ()

    @property
    def is_identical(self) -> bool:
        return not (self.entered or self.left or self.moved or self.rescored or self.altered)


def compare_rankings(a: Sequence[RecordedHit], b: Sequence[RecordedHit]) -> RankingDiff:
    """Where two rankings differ; ids are unique in each. Cost: linear."""
    if a is b or a == b:
        return RankingDiff()
    in_a = {hit.id: (rank, hit) for rank, hit in enumerate(a, start=1)}
    in_b = {hit.id: (rank, hit) for rank, hit in enumerate(b, start=1)}
    both = [(in_a[key], now) for key, now in in_b.items() if key in in_a]
    return RankingDiff(
        entered=tuple(Placed(key, rank, hit.score) for key, (rank, hit) in in_b.items() if key not in in_a),
        left=tuple(Placed(key, rank, hit.score) for key, (rank, hit) in in_a.items() if key not in in_b),
        moved=tuple(Moved(hit.id, then, now) for (then, _), (now, hit) in both if then != now),
        rescored=tuple(_rescored(old, new) for (_, old), (_, new) in both if not _same_scores(old, new)),
        altered=tuple(new.id for (_, old), (_, new) in both if not _same_fields(old, new)),
    )


@dataclass(frozen=True, slots=True)
class StageDiff:
    """One stage of the one pipeline, of the other or of both.

    place_a, place_b: where it stands in each pipeline; None where that has no such stage.
    a, b: how it ran; None where it did not run.  returned: compared where it ran in both.
    """

    stage_name: str
    place_a: int | None
    place_b: int | None
    a: RecordedStage | None
    b: RecordedStage | None
    returned: RankingDiff

    @property
    def is_identical(self) -> bool:
        if self.place_a is None or self.place_b is None:
            return False
        if self.a is None or self.b is None:
            return self.a is self.b
        same_end = (self.a.outcome, self.a.limit) == (self.b.outcome, self.b.limit)
        return same_end and self.returned.is_identical


@dataclass(frozen=True)
class RecordDiff:
    """stages: in order, those of both pipelines aligned."""

    a: Record
    b: Record
    stages: tuple[StageDiff, ...]

    @cached_property
    def first_divergence(self) -> StageDiff | None:
        return next((stage for stage in self.stages if not stage.is_identical), None)

    @cached_property
    def grounds(self) -> tuple[Ground, ...]:
        """What may explain the first divergence, the strongest first; empty where nothing diverges."""
        first = self.first_divergence
        if first is None:
            return ()
        return grounds_of(self.a, self.b, (first.place_a, first.place_b), (first.a, first.b))

    @property
    def identical(self) -> bool:
        """The same stages ended alike and gave the same documents, ranks, scores and added fields."""
        return self.first_divergence is None

    @property
    def cause(self) -> Cause | None:
        return self.grounds[0].cause if self.grounds else None


def compare(a: Record, b: Record) -> RecordDiff:
    """Compare two records whole. Cost: linear in their hits, quadratic in their stages."""
    ran_a = {stage.index: stage for stage in a.stages}
    ran_b = {stage.index: stage for stage in b.stages}
    stages = []
    for name, place_a, place_b in aligned(stage_names(a), stage_names(b)):
        one = None if place_a is None else ran_a.get(place_a)
        other = None if place_b is None else ran_b.get(place_b)
        returned = compare_rankings(one.returned, other.returned) if one and other else RankingDiff()
        stages.append(StageDiff(name, place_a, place_b, one, other, returned))
    return RecordDiff(a, b, tuple(stages))


def stage_names(record: Record) -> list[str]:
    """Of the whole pipeline, as far as it ran or not."""
    stages = record.definition.get("stages")
    return [str(one["stage_name"]) for one in stages if isinstance(one, dict)] if isinstance(stages, list) else []


def aligned(a: Sequence[str], b: Sequence[str]) -> Iterator[tuple[str, int | None, int | None]]:
    """Each name with its places in a and b: a longest common subsequence stands side by side.

    Where several are as long, the choice does not depend on which comes first: aligned(b, a) is the mirror image.
    """
    longest = _common_lengths(a, b)
    i = j = 0
    while i < len(a) or j < len(b):
        if i < len(a) and j < len(b) and a[i] == b[j]:
            yield a[i], i, j
            i, j = i + 1, j + 1
        elif _a_is_next(a, b, i, j, longest):
            yield a[i], i, None
            i += 1
        else:
            yield b[j], None, j
            j += 1


def _a_is_next(a: Sequence[str], b: Sequence[str], i: int, j: int, longest: list[list[int]]) -> bool:
    if i == len(a) or j == len(b):
        return j == len(b)
    without_a, without_b = longest[i + 1][j], longest[i][j + 1]
    return without_a > without_b or (without_a == without_b and a[i] < b[j])


def _common_lengths(a: Sequence[str], b: Sequence[str]) -> list[list[int]]:
    """[i][j]: the length of the longest common subsequence of a[i:] and b[j:]."""
    longest = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in reversed(range(len(a))):
        for j in reversed(range(len(b))):
            same = a[i] == b[j]
            longest[i][j] = longest[i + 1][j + 1] + 1 if same else max(longest[i + 1][j], longest[i][j + 1])
    return longest


def _rescored(a: RecordedHit, b: RecordedHit) -> Rescored:
    names = sorted({*a.scores, *b.scores})
    pairs = {name: (a.scores.get(name), b.scores.get(name)) for name in names}
    return Rescored(a.id, a.score, b.score, {name: pair for name, pair in pairs.items() if not _equal(*pair)})


def _same_scores(a: RecordedHit, b: RecordedHit) -> bool:
    if a.scores is not b.scores and a.scores != b.scores:
        return False
    return _equal(a.score, b.score)


def _same_fields(a: RecordedHit, b: RecordedHit) -> bool:
    return a.is_document == b.is_document and (a.extra is b.extra or a.extra == b.extra)


def _equal(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return a == b or (math.isnan(a) and math.isnan(b))
