"""A part of the hits, drawn by chance that can be repeated."""

import random
from heapq import heapify, heappop, heappush
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field, model_validator

from tamis.engine.groups.grouping import group
from tamis.engine.parameters import StageParameters
from tamis.engine.spending.spending import Given, Spending
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_MOST = 1000


class SampleParameters(StageParameters):
    count: int | None = Field(
        None,
        ge=1,
        le=_MOST,
        validation_alias=AliasChoices("count", "size", "limit"),
        description="How many hits to draw: 10, or all that `samples_per_group` asks for. Never more than there are.",
    )
    strategy: Literal["random", "stratified", "reservoir", "systematic"] = Field(
        "random",
        validation_alias=AliasChoices("strategy", "method"),
        description="random, reservoir: uniform. stratified: in proportion to the values of `stratify_by`. "
        "systematic: at even distances from the first on.",
    )
    stratify_by: str | None = Field(
        None,
        min_length=1,
        validation_alias=AliasChoices("stratify_by", "group_field"),
        description="Path of the field whose values are the strata; required for `stratified`.",
    )
    min_per_stratum: int = Field(
        1, ge=0, description="stratified: of each stratum at least so many, while `count` lasts."
    )
    samples_per_group: int | None = Field(
        None, ge=1, description="stratified: exactly so many of each, where there are."
    )
    seed: int | None = Field(None, description="What decides the draw; the execution's own seed if omitted.")
    preserve_top_k: int = Field(0, ge=0, description="Keep the best of these by score for sure, and draw the rest.")
    allocation: Literal["proportional"] = Field("proportional", description="stratified: how `count` is shared out.")

    @model_validator(mode="after")
    def _strata_for_stratified(self) -> "SampleParameters":
        if self.strategy == "stratified" and self.stratify_by is None:
            raise ValueError("strategy 'stratified' needs stratify_by, such as 'metadata.category'")
        return self


def _drawn(parameters: SampleParameters, given: Given) -> float:
    if parameters.count is None and parameters.samples_per_group is not None:
        return given.count
    return min(10 if parameters.count is None else parameters.count, given.count)


class Sample:
    """Draw hits; those drawn keep the order that they came in."""

    id: ClassVar[str] = "sample"
    kind: ClassVar[StageKind] = StageKind.REDUCE
    icon: ClassVar[str] = "dices"
    description: ClassVar[str] = (
        "Draw some of the hits: uniformly, in proportion to the values of a field, or at even distances. The seed (or "
        "the execution's) decides the draw, so that it can be repeated. What is drawn keeps its order."
    )
    Parameters: ClassVar[type[BaseModel]] = SampleParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    spends: ClassVar[Spending] = Spending(yields=_drawn)
    example: ClassVar[dict[str, Any]] = {"count": 2, "seed": 7}

    def __init__(self, parameters: SampleParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given = self._parameters
        count = given.count if given.count is not None else 10
        best = sorted(range(len(hits)), key=lambda n: (-hits[n].score, hits[n].id))[: min(given.preserve_top_k, count)]
        rest = sorted(set(range(len(hits))).difference(best))
        seed = context.seed if given.seed is None else given.seed
        chance = random.Random(f"{seed}:{context.stage_index if given.seed is None else ''}")  # noqa: S311 - a draw, no secret
        drawn, facts = self._draw(hits, rest, count - len(best), chance)
        chosen = sorted([*best, *drawn])
        return Outcome(Hits.of(hits[n] for n in chosen), metadata={**facts, "sample_size": len(chosen)})

    async def explain(self, case: Case, context: Context) -> Verdict:
        """The draw is chance; kept for sure is only what is among the best `preserve_top_k` by score."""
        given, document_id = self._parameters, case.document.document_id
        count = given.count if given.count is not None else 10
        by_score = [hit.id for hit in Hits.ranked(case.received)]
        rank = by_score.index(document_id) + 1
        drawn, received = len(case.returned), len(case.received)
        reason = f"{drawn} of {received} were drawn ({given.strategy}), and it was not; by score it is number {rank}"
        facts: dict[str, JSON] = {"rank": rank, "received": received, "drawn": drawn, "strategy": given.strategy}
        edits = case.setting("preserve_top_k", before=given.preserve_top_k, to=rank)
        if rank > count:
            edits += case.setting("count", before=count, to=rank)
        return Verdict(VerdictKind.NOT_DRAWN, reason, facts, edits if rank <= _MOST else ())

    def _draw(
        self, hits: Hits, positions: list[int], count: int, chance: random.Random
    ) -> tuple[list[int], dict[str, JSON]]:
        facts: dict[str, JSON] = {"strategy": self._parameters.strategy, "total_input": len(hits)}
        if self._parameters.strategy == "stratified":
            drawn, strata = self._stratified(hits, positions, count, chance)
            return drawn, {**facts, "strata": strata}
        if self._parameters.strategy == "systematic":
            taken = min(count, len(positions))
            return [positions[n * len(positions) // taken] for n in range(taken)], facts
        return chance.sample(positions, min(count, len(positions))), facts

    def _stratified(
        self, hits: Hits, positions: list[int], count: int, chance: random.Random
    ) -> tuple[list[int], list[JSON]]:
        place = {hits[n].id: n for n in positions}
        groups = group((hits[n] for n in positions), self._parameters.stratify_by or "")
        sizes = [len(found.hits) for found in groups]
        fixed = self._parameters.samples_per_group
        shares = (
            [min(fixed, size) for size in sizes] if fixed else allot(sizes, count, self._parameters.min_per_stratum)
        )
        if fixed and self._parameters.count is not None:
            shares = _cut(shares, count)
        drawn: list[Hit] = []
        for found, share in zip(groups, shares, strict=True):
            drawn += chance.sample(found.hits, share)
        facts: list[JSON] = [
            {"stratum": found.key, "input": size, "sampled": share}
            for found, size, share in zip(groups, sizes, shares, strict=True)
        ]
        return [place[hit.id] for hit in drawn], facts


def allot(sizes: list[int], count: int, least: int) -> list[int]:
    """Share `count` out in proportion to the sizes, each getting `least` first while it lasts.

    Adds up to min(count, sum(sizes)); no share exceeds its size. The next one always goes to the stratum
    that is furthest behind its proportion; ties to the earlier.
    """
    shares = _cut([min(least, size) for size in sizes], count)
    total = sum(sizes)
    wanted = min(count, total)

    def behind(n: int) -> tuple[int, int]:
        return shares[n] * total - wanted * sizes[n], n

    waiting = [behind(n) for n, size in enumerate(sizes) if shares[n] < size]
    heapify(waiting)
    for _ in range(wanted - sum(shares)):
        _, n = heappop(waiting)
        shares[n] += 1
        if shares[n] < sizes[n]:
            heappush(waiting, behind(n))
    return shares


def _cut(shares: list[int], count: int) -> list[int]:
    """Lower the shares to `count` in all, one each in turn from the first on."""
    kept = [0] * len(shares)
    left = min(count, sum(shares))
    while left:
        for n, share in enumerate(shares):
            if left and kept[n] < share:
                kept[n] += 1
                left -= 1
    return kept
