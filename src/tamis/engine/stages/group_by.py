"""Hits that share a value, side by side."""

from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field

from tamis.engine.groups.grouping import Group, GroupOutput, group, ungroup
from tamis.engine.parameters import StageParameters
from tamis.engine.spending.spending import Given, Spending
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.group_verdict import GroupLimits, lost_in_group, placed
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.model.filters import canonical_path
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON
from tamis.model.ordering import order, sort_key


class GroupByParameters(StageParameters):
    group_by_field: str = Field(
        "source_object_id",
        min_length=1,
        validation_alias=AliasChoices("group_by_field", "field"),
        description="Path of the field whose equal values make a group.",
    )
    max_per_group: int = Field(
        10,
        ge=1,
        le=1000,
        validation_alias=AliasChoices("max_per_group", "docs_per_group", "group_size"),
        description="How many hits of a group to keep.",
    )
    output_mode: GroupOutput = Field(
        GroupOutput.ALL,
        description="first: the best hit of each group. all: its hits, each with `group` (key, count, rank). "
        "flatten: its hits without that.",
    )
    max_groups: int | None = Field(
        None,
        ge=1,
        le=10_000,
        validation_alias=AliasChoices("max_groups", "limit"),
        description="How many groups to keep.",
    )
    sort_groups_by: Literal["score", "count", "field"] = Field(
        "score", description="Order of the groups: by best score, by number of hits, or by the value."
    )
    sort_order: Literal["asc", "desc"] = Field("desc", description="Direction of that order.")
    sort_docs_by: str = Field("score", min_length=1, description="Field that orders a group's hits, greatest first.")
    exclude_null: bool = Field(False, description="Leave out hits without the field, instead of one group of them.")


def _kept(parameters: GroupByParameters, given: Given) -> float:
    of_each = 1 if parameters.output_mode is GroupOutput.FIRST else parameters.max_per_group
    return given.count if parameters.max_groups is None else min(parameters.max_groups * of_each, given.count)


class GroupBy:
    """Group by a field's value: groups by best score, then each group's hits by score; ties by id."""

    id: ClassVar[str] = "group_by"
    kind: ClassVar[StageKind] = StageKind.GROUP
    icon: ClassVar[str] = "group"
    description: ClassVar[str] = (
        "Bring hits with the same value of a field together: the best groups first, within a group the best hits "
        "first, at most so many of each. Hits without the field are one group, unless left out."
    )
    Parameters: ClassVar[type[BaseModel]] = GroupByParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    spends: ClassVar[Spending] = Spending(yields=_kept)
    example: ClassVar[dict[str, Any]] = {"group_by_field": "metadata.brand", "max_per_group": 2}

    def __init__(self, parameters: GroupByParameters) -> None:
        self._parameters = parameters
        self._doc_path = canonical_path(parameters.sort_docs_by)

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given = self._parameters
        ordered = sorted(Hits.ranked(hits), key=self._document_key)
        groups = [g for g in group(ordered, given.group_by_field) if g.key is not None or not given.exclude_null]
        kept = self._sorted(groups)[: given.max_groups]
        rows = ungroup(kept, given.max_per_group, given.output_mode)
        facts: dict[str, JSON] = {
            "total_groups": len(groups),
            "total_documents": len(hits),
            "field": given.group_by_field,
        }
        return Outcome(Hits.of(rows), metadata=facts)

    async def explain(self, case: Case, context: Context) -> Verdict:
        given = self._parameters
        ordered = sorted(Hits.ranked(case.received), key=self._document_key)
        groups = group(ordered, given.group_by_field)
        kept = self._sorted([one for one in groups if one.key is not None or not given.exclude_null])
        without = [hit.id for one in groups if one.key is None for hit in one.hits]
        if given.exclude_null and case.document.document_id in without:
            reason = f"it has no {given.group_by_field!r}, and what has none is left out"
            edits = case.setting("exclude_null", before=True, to=False)
            return Verdict(VerdictKind.LOST_IN_GROUP, reason, {"group": None}, edits)
        place = placed(kept, case.document.document_id)
        if place is None:
            return Verdict(VerdictKind.CHANGED, "it was not among what came in")
        names = (("max_per_group",), ("max_groups",), ("output_mode",))
        limits = GroupLimits(given.max_per_group, given.max_groups, given.output_mode, names)
        return lost_in_group(case, place, given.group_by_field, limits)

    def _document_key(self, hit: Hit) -> Any:
        return -hit.score if self._doc_path == "score" else sort_key(hit.view(), self._doc_path, descending=True)

    def _sorted(self, groups: list[Group]) -> list[Group]:
        """Ties by best score down, then by the id of the best hit."""
        ranked = sorted(groups, key=lambda g: min((-hit.score, hit.id) for hit in g.hits))
        descending = self._parameters.sort_order == "desc"
        if self._parameters.sort_groups_by == "score":
            return ranked if descending else sorted(ranked, key=lambda g: g.score)
        if self._parameters.sort_groups_by == "count":
            return sorted(ranked, key=lambda g: len(g.hits), reverse=descending)
        null = [g for g in ranked if g.key is None]
        return sorted((g for g in ranked if g.key is not None), key=lambda g: order(g.key), reverse=descending) + null
