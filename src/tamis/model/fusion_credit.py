"""What one interaction says of the searches that brought the document, and what many of them say together."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a search's own order agrees with what was liked. agreed: of `pairs`, such that half of them is chance."""

    agreed: float
    pairs: float


@dataclass(frozen=True, slots=True)
class FusionCredit:
    """What one interaction taught one stage of a retriever.

    contexts: whose weights it changes, from everyone's ("") to the finest.  person: of the execution; None where it
    names nobody.  place: in the whole ranking, from 0.  day: since 1970, UTC.  agreements: by search.
    """

    interaction_id: str
    retriever_id: str
    stage_name: str
    contexts: tuple[str, ...]
    person: str | None
    place: int
    day: int
    agreements: Mapping[str, Agreement]


@dataclass(frozen=True, slots=True)
class DayOfCredits:
    """Sums over the interactions of one day in one context."""

    day: int
    interactions: int = 0
    agreements: Mapping[str, Agreement] = field(default_factory=dict)
