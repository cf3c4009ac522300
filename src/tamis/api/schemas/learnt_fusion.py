"""What a retriever's fusions have learnt, on the wire."""

from collections.abc import Sequence

from pydantic import BaseModel, Field

from tamis.services.learning.learnt_fusions import Learnt


class SearchAgreement(BaseModel):
    agreement: float = Field(description="How often it puts liked documents in front, 0 to 1; a half says nothing.")
    pairs: float = Field(description="Comparisons that it is known from, as they count today.")


class LearntFusion(BaseModel):
    """Of one stage, for everybody (`global`), a group (`demographic`) or a person (`personal`)."""

    stage_name: str
    level: str
    interactions: float
    searches: dict[str, SearchAgreement]


class LearntFusionsResponse(BaseModel):
    learnt: list[LearntFusion]


def show_learnt(found: Sequence[Learnt]) -> LearntFusionsResponse:
    return LearntFusionsResponse(learnt=[_learnt(one) for one in found])


def _learnt(one: Learnt) -> LearntFusion:
    searches = {
        name: SearchAgreement(agreement=known.agreed / known.pairs, pairs=known.pairs)
        for name, known in one.evidence.agreements.items()
        if known.pairs
    }
    return LearntFusion(
        stage_name=one.stage_name, level=one.level, interactions=one.evidence.interactions, searches=searches
    )
