"""What a stage says of a document that it did not let through, and what would let it through."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Protocol, runtime_checkable

from tamis.engine.planning.spelling import spelled
from tamis.engine.stage import Context, Stage
from tamis.engine.verdicts.patience import patiently
from tamis.model.clauses import deciding
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.edits import Edit, value_at
from tamis.model.filter_edits import admitting
from tamis.model.filters import Filter, parse_filter
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_EVALUATIONS = 5
"""How often each condition is evaluated at most, to say which of them decide and what would let the document in."""
DROPPED = "dropped"
"""In a stage's metadata: its reason for each document that it judged and dropped, by document id."""


class VerdictKind(StrEnum):
    """What a stage did with the document, as answers name it."""

    PASSED = "passed"
    NOT_SEARCHED = "not_searched"
    NOT_YET_THERE = "not_yet_there"
    NO_VECTOR = "no_vector"
    NO_MATCH = "no_match"
    NEVER_A_CANDIDATE = "never_a_candidate"
    BELOW_MIN_SCORE = "below_min_score"
    FILTERED = "filtered"
    CUT = "cut"
    LOST_IN_GROUP = "lost_in_group"
    DUPLICATE = "duplicate"
    NOT_DRAWN = "not_drawn"
    REPLACED = "replaced"
    DROPPED = "dropped"
    CHANGED = "changed"
    RUN_ENDED = "run_ended"
    PASSED_OVER = "passed_over"
    NOT_REACHED = "not_reached"
    ON_ANOTHER_PAGE = "on_another_page"


@dataclass(frozen=True, slots=True)
class Verdict:
    """kind, reason: what happened, for a program and for a person.  facts: the numbers behind it.

    edits: to the frozen definition, all of them together; () where none is known.
    """

    kind: VerdictKind
    reason: str
    facts: Mapping[str, JSON] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One document at one stage that did not let it through.

    document: as it is now.  received, returned: as recorded, with documents as they are now.
    metadata: the stage's, as recorded.  definition: the frozen one.  stage: its class.
    """

    document: Document
    received: Hits
    returned: Hits
    metadata: Mapping[str, JSON]
    definition: Mapping[str, Any]
    index: int
    stage: type[Stage]

    @property
    def rank(self) -> int | None:
        """Its place among what came in, from 1."""
        ids = [hit.id for hit in self.received]
        return ids.index(self.document.document_id) + 1 if self.document.document_id in ids else None

    @property
    def hit(self) -> Hit | None:
        rank = self.rank
        return None if rank is None else self.received[rank - 1]

    def setting(self, *path: str | int, before: JSON, to: JSON) -> tuple[Edit, ...]:
        """An edit of one of the stage's parameters, named by its fields; () where the definition has no such place."""
        place = self.place(*path)
        return () if place is None else (Edit(("stages", self.index, "parameters", *place), before, to),)

    def place(self, *path: str | int) -> tuple[str | int, ...] | None:
        """Where a parameter stands, or would, in the stage's parameters as they were written."""
        return spelled(self.stage.Parameters, self.definition["stages"][self.index]["parameters"], path)

    def without_stage(self) -> tuple[Edit, ...]:
        """The stage left out; () for one that finds the documents."""
        return () if self.index == 0 else (Edit(("stages", self.index), self.definition["stages"][self.index], None),)

    def not_searched(self, searched: Sequence[Collection], edits: tuple[Edit, ...] = ()) -> Verdict:
        """The document is in none of the collections. edits: () adds its own to the pipeline's."""
        mine, ids = self.document.collection_id, [one.collection_id for one in searched]
        reason = f"it is in collection {mine}, and only {', '.join(ids) or 'none'} was searched"
        before = self.definition["collection_ids"]
        wider = edits or (Edit(("collection_ids",), before, [*before, mine]),)
        return Verdict(VerdictKind.NOT_SEARCHED, reason, {"collection_id": mine, "searched": [*ids]}, wider)

    async def refused(self, raw: Any, place: tuple[str | int, ...], hit: Hit | None = None) -> Verdict | None:
        """The verdict of a filter that the document fails; None where it passes.

        raw: its wire JSON, templates filled.  place: where it stands in the stage, such as ("parameters", "filters").
        Raises: ValidationError where its patterns could take too long over this document.
        """
        view = {**(hit.view() if hit else {}), **self.document.view(), **(dict(hit.extra) if hit else {})}
        wanted = parse_filter(raw)
        if wanted is None:
            return None
        work = partial(self._refusal, raw, wanted, place, view)
        return await patiently(work, wanted, view, ("stages", self.index, *place), _EVALUATIONS)

    def _refusal(
        self, raw: Any, wanted: Filter, place: tuple[str | int, ...], view: Mapping[str, JSON]
    ) -> Verdict | None:
        clauses = deciding(wanted, view)
        if not clauses:
            return None
        edits = [edit.under("stages", self.index, *place) for edit in admitting(raw, view)]
        written = [edit for edit in edits if _stands(self.definition, edit)]
        return Verdict(
            VerdictKind.FILTERED,
            f"it fails {_name(place) or 'the condition'}: {'; '.join(clause.text for clause in clauses)}",
            {"filter": _name(place), "clauses": [clause.to_json() for clause in clauses]},
            tuple(written) if len(written) == len(edits) else (),
        )


@runtime_checkable
class Explaining(Protocol):
    """A stage that says itself why it did not let a document through; others are explained from the record alone."""

    async def explain(self, case: Case, context: Context) -> Verdict:
        """Asked only about a document that it received, or about any where it brings documents. Runs no effects."""
        ...


@runtime_checkable
class Bringing(Protocol):
    """A stage that may find documents of its own, whatever it is given."""

    def brings(self, stage_index: int) -> bool: ...


def place_of(document_id: str, ids: Sequence[str]) -> int | None:
    """From 1; None where it is not among them."""
    return ids.index(document_id) + 1 if document_id in ids else None


def _name(place: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in place if step not in ("parameters", "options"))


def _stands(definition: Mapping[str, Any], edit: Edit) -> bool:
    """Whether the place is in the definition as it was written: a template may have made all of it."""
    try:
        value_at(definition, edit.path)
    except LookupError:
        return False
    return True
