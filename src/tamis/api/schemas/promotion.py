"""Promotion on the wire."""

from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from tamis.api.schemas.dataset import EvaluationDataset
from tamis.api.schemas.retriever import RetrieverConfig
from tamis.errors import ValidationError


class PromoteRequest(BaseModel):
    """What the execution is to become."""

    model_config = ConfigDict(extra="forbid")

    to: Literal["retriever", "dataset", "evaluation"]
    retriever_name: str | None = Field(None, description="retriever: its name.")
    description: str | None = Field(None, description="retriever: what it is for.")
    tags: list[str] = Field(default_factory=list, description="retriever: its tags.")
    dataset_name: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        validation_alias=AliasChoices("dataset_name", "dataset"),
        description="dataset: its name; it is made where there is none.",
    )

    def check_named(self) -> None:
        """Raises: ValidationError where the name is missing that this needs."""
        needed = "retriever_name" if self.to == "retriever" else "dataset_name"
        if not getattr(self, needed):
            raise ValidationError.at(["body", needed], f"needed where `to` is {self.to!r}")


class PromoteResponse(BaseModel):
    """retriever: where it became one; else dataset and the id of its query."""

    execution_id: str
    to: Literal["retriever", "dataset"]
    created: bool = Field(description="Whether the retriever or the data set is new.")
    retriever: RetrieverConfig | None = None
    dataset: EvaluationDataset | None = None
    query_id: str | None = None
