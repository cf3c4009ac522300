"""Promotion and evaluation data sets on the wire."""

from datetime import datetime
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from tamis.api.schemas.retriever import RetrieverConfig
from tamis.errors import ValidationError
from tamis.model.dataset import Dataset, GroundTruth


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


class PooledModel(BaseModel):
    document_id: str
    rank: int = Field(description="The best that an execution gave it.")
    execution_id: str = Field(description="That execution.")


class GroundTruthQuery(BaseModel):
    """The contract's, and the pool beside it."""

    query_id: str
    query_input: dict[str, Any]
    relevant_documents: list[str]
    relevance_scores: dict[str, int] | None = None
    pool: list[PooledModel] = Field(default_factory=list, description="What executions returned, to be judged.")


class EvaluationDataset(BaseModel):
    dataset_id: str
    dataset_name: str
    description: str | None = None
    metadata: dict[str, Any] | None = None
    queries: list[GroundTruthQuery]
    query_count: int
    created_at: datetime
    updated_at: datetime
    namespace_id: str
    internal_id: str


class DatasetListResponse(BaseModel):
    datasets: list[EvaluationDataset]
    total: int
    page: int
    page_size: int


class PromoteResponse(BaseModel):
    """retriever: where it became one; else dataset and the id of its query."""

    execution_id: str
    to: Literal["retriever", "dataset"]
    created: bool = Field(description="Whether the retriever or the data set is new.")
    retriever: RetrieverConfig | None = None
    dataset: EvaluationDataset | None = None
    query_id: str | None = None


def show_dataset(dataset: Dataset, namespace_id: str, internal_id: str) -> EvaluationDataset:
    return EvaluationDataset(
        dataset_id=dataset.dataset_id,
        dataset_name=dataset.name,
        description=dataset.description,
        metadata=dataset.metadata or None,
        queries=[_query(one) for one in dataset.queries],
        query_count=len(dataset.queries),
        created_at=dataset.created_at,
        updated_at=dataset.updated_at,
        namespace_id=namespace_id,
        internal_id=internal_id,
    )


def _query(query: GroundTruth) -> GroundTruthQuery:
    return GroundTruthQuery(
        query_id=query.query_id,
        query_input=dict(query.query_input),
        relevant_documents=[*query.relevant_documents],
        relevance_scores=dict(query.relevance_scores) if query.relevance_scores is not None else None,
        pool=[
            PooledModel(document_id=one.document_id, rank=one.rank, execution_id=one.execution_id) for one in query.pool
        ],
    )
