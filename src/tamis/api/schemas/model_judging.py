"""A language model's judgements of pooled documents, on the wire."""

from pydantic import BaseModel, Field

from tamis.services.learning.model_judgements import Agreement, ModelJudged, ModelJudging


class ModelJudgingRequest(BaseModel):
    """Which model judges what, how, and what that may take."""

    provider: str | None = Field(None, min_length=1, max_length=100, description="That the operator set up.")
    model: str | None = Field(None, min_length=1, max_length=200, description="Else the operator's default.")
    depth: int = Field(10, ge=1, le=1000, description="The first documents of each query's pool.")
    greatest_grade: int | None = Field(
        None, ge=1, le=3, description="Of the scale, from 0; left out, as people judged: 1 where only relevant or not."
    )
    guideline: str | None = Field(
        None, min_length=1, max_length=4000, description="What the model is to heed besides, in your words."
    )
    compared: int = Field(
        50, ge=0, le=1000, description="Documents that people judged that the model is asked of, too, to compare."
    )
    max_documents: int = Field(500, ge=1, le=10_000, description="To be judged.")
    max_credits: float | None = Field(None, gt=0, description="For all of it; must be said where models cost some.")
    max_seconds: float = Field(120.0, gt=0, le=3600, description="For all of it.")
    again: bool = Field(False, description="Also what a model judged before.")

    def request(self) -> ModelJudging:
        return ModelJudging(
            self.provider, self.model, self.depth, self.greatest_grade, self.guideline, self.compared,
            self.max_documents, self.max_credits, self.max_seconds, self.again,
        )  # fmt: skip


class AgreementModel(BaseModel):
    documents: int = Field(description="That people and the model judged, each without the other's word.")
    same: float = Field(description="The share of equal grades.")
    kappa: float | None = Field(description="Cohen's; null where both gave one grade only.")
    weighted_kappa: float | None = Field(description="Cohen's, with the squared distance of grades.")
    counts: dict[str, dict[str, int]] = Field(description="By people's grade, then the model's.")


class ModelJudgingResponse(BaseModel):
    """judged: documents that stand as the model judged them.  left: that were to be judged and were not."""

    dataset_id: str
    dataset_name: str
    model: str
    judged: int
    left: int
    gone: int = Field(description="Documents of pools that are there no more.")
    failed: int = Field(description="Questions to the model without an answer that fits.")
    agreement: AgreementModel | None = Field(description="Null where people judged nothing that could be compared.")
    calls: int
    tokens: int
    credits: float
    stopped: str | None = Field(description="Why not everything was asked; null where it was.")


def show_judged(found: ModelJudged) -> ModelJudgingResponse:
    return ModelJudgingResponse(
        dataset_id=found.dataset.dataset_id,
        dataset_name=found.dataset.name,
        model=found.model,
        judged=found.judged,
        left=found.left,
        gone=found.gone,
        failed=found.failed,
        agreement=None if found.agreement is None else _agreement(found.agreement),
        calls=found.calls,
        tokens=found.tokens,
        credits=found.credits,
        stopped=found.stopped,
    )


def _agreement(found: Agreement) -> AgreementModel:
    counts = {str(a): {str(b): count for b, count in row.items()} for a, row in found.counts.items()}
    return AgreementModel(
        documents=found.documents,
        same=found.same,
        kappa=found.kappa,
        weighted_kappa=found.weighted_kappa,
        counts=counts,
    )
