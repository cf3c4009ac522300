"""What was learnt about the searches of a stage, for whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tamis.model.fusion_credit import Agreement, DayOfCredits, FusionCredit
from tamis.model.principal import Principal


@dataclass(frozen=True, slots=True)
class EvidenceQuery:
    """contexts: from everyone's ("") to the finest.  decay: what a day leaves of what was learnt.

    window_days: what is older counts nothing.  timeout_ms: for the answer.
    """

    retriever_id: str
    stage_name: str
    contexts: tuple[str, ...]
    decay: float
    window_days: int
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one context. interactions: as they count today.  agreements: by search."""

    interactions: float = 0.0
    agreements: Mapping[str, Agreement] = field(default_factory=dict)


class Learning(Protocol):
    async def evidence(self, principal: Principal, query: EvidenceQuery) -> Sequence[Evidence] | None:
        """One for each context, in order; None where it could not be had in time."""
        ...


class FusionCredits(Protocol):
    """What interactions taught, in the system of record: one credit each, and their sums by context and day.

    The sums are those of the credits that are there: what is forgotten is taken out of them.
    """

    def add(self, principal: Principal, credits: Sequence[FusionCredit]) -> None: ...
    def days(
        self, principal: Principal, retriever_id: str, stage_name: str, context: str, since_day: int
    ) -> Sequence[DayOfCredits]:
        """From that day on, oldest first."""
        ...

    def places(self, principal: Principal, retriever_id: str, stage_name: str) -> Mapping[int, int]:
        """How often who stood at a place was told of, by everybody."""
        ...

    def forget(self, principal: Principal, interaction_ids: Sequence[str]) -> int: ...
    def forget_person(self, principal: Principal, person: str, limit: int) -> int:
        """At most `limit`; how many there were."""
        ...

    def forget_retriever(self, principal: Principal, retriever_id: str) -> None: ...
