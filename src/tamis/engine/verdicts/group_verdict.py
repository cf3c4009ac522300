"""Why a document is not among the hits that were shown of the groups."""

from collections.abc import Sequence
from dataclasses import dataclass

from tamis.engine.groups.grouping import Group, GroupOutput
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind, place_of
from tamis.model.edits import Edit
from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """group_rank, rank: of the group among the groups, of the document in it, from 1."""

    group: Group
    group_rank: int
    rank: int


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """How much is shown, and what the parameters are called. groups: None shows every group."""

    per_group: int
    groups: int | None
    output: GroupOutput
    names: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def placed(groups: Sequence[Group], document_id: str) -> GroupPlace | None:
    """Where the document is in groups that stand in their order."""
    for group_rank, one in enumerate(groups, start=1):
        rank = place_of(document_id, [hit.id for hit in one.hits])
        if rank is not None:
            return GroupPlace(one, group_rank, rank)
    return None


def lost_in_group(case: Case, place: GroupPlace, field: str, limits: GroupLimits) -> Verdict:
    """The group is beyond those shown, or the document beyond what is shown of its group, or both."""
    shown = 1 if limits.output is GroupOutput.FIRST else limits.per_group
    per_group, groups, output = limits.names
    reasons: list[str] = []
    edits: tuple[Edit, ...] = ()
    if place.rank > shown:
        reasons.append(
            f"it is number {place.rank} of {len(place.group.hits)} in its group, and {shown} of each is shown"
        )
        if limits.output is GroupOutput.FIRST:
            edits += case.setting(*output, before=GroupOutput.FIRST.value, to=GroupOutput.ALL.value)
        if place.rank > limits.per_group:
            edits += case.setting(*per_group, before=limits.per_group, to=place.rank)
    if limits.groups is not None and place.group_rank > limits.groups:
        reasons.append(f"its group is number {place.group_rank}, and {limits.groups} groups are shown")
        edits += case.setting(*groups, before=limits.groups, to=place.group_rank)
    facts: dict[str, JSON] = {
        "field": field, "group": place.group.key, "group_rank": place.group_rank, "rank_in_group": place.rank,
        "max_per_group": shown, "max_groups": limits.groups,
    }  # fmt: skip
    if not reasons:
        return Verdict(VerdictKind.CHANGED, "it is within its group's limits now: data has changed since", facts)
    return Verdict(VerdictKind.LOST_IN_GROUP, "; ".join(reasons), facts, edits)
