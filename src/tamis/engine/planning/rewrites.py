"""What the planner made of a pipeline before it ran, shown as before and after.

A rewrite is made only where documents, scores, order, `total_processed` and everything that the record holds of every
stage stay as they were. A record holds each stage's documents in and out, so no stage may be spared the documents that
it would have given: what is left to rewrite are filters that by their meaning hold before a search.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tamis.engine.planning.definition import SEARCH
from tamis.model.json import JSON
from tamis.model.retriever import StageSpec


@dataclass(frozen=True, slots=True)
class Rewrite:
    """kind: `filter_into_search` or `filter_behind_first_stage`.  before, after: what changed of the stage."""

    kind: str
    stage_name: str
    before: dict[str, JSON]
    after: dict[str, JSON]

    def told(self) -> dict[str, JSON]:
        """As the stage's own facts, its record and an outlook show it."""
        return {"kind": self.kind, "before": self.before, "after": self.after, "note": self.note}

    @property
    def note(self) -> str:
        if self.kind == "filter_into_search":
            return "the request's filters narrow the search itself: what does not match is never a candidate"
        return "the request's filters are applied to what this stage gives"


REWRITE = "rewrite"
"""The fact of a stage that says how it was rewritten."""


def rewrites(before: Sequence[StageSpec], after: Sequence[StageSpec]) -> Iterator[Rewrite]:
    """What `with_filters` did, stage by stage."""
    for one, other in zip(before, after, strict=True):
        if one is other:
            continue
        if one.stage_id == SEARCH:
            kind, name = "filter_into_search", "filters"
            changed = one.parameters.get(name), other.parameters.get(name)
        else:
            kind, name = "filter_behind_first_stage", "post_filters"
            changed = one.options.get(name), other.options.get(name)
        yield Rewrite(kind, one.stage_name, {name: changed[0]}, {name: changed[1]})
