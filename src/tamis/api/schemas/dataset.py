"""Evaluation data sets on the wire."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from tamis.model.dataset import Dataset, GroundTruth
from tamis.services.learning.datasets import DatasetDraft

Grade = Annotated[int, Field(ge=-10, le=1000, description="1 and more is relevant, and better the greater.")]


class PooledModel(BaseModel):
    document_id: str
    rank: int = Field(description="The best that an execution gave it.")
    execution_id: str = Field(description="That execution.")


class GroundTruthQuery(BaseModel):
    """The contract's, and the pool beside it."""

    query_id: Annotated[str, Field(min_length=1, max_length=200)]
    query_input: dict[str, Any]
    relevant_documents: list[str]
    relevance_scores: dict[str, Grade] | None = None
    pool: list[PooledModel] = Field(default_factory=list, description="What executions returned, to be judged.")

    inferred_documents: list[str] = Field(
        default_factory=list, description="Those whose judgement was worked out of interactions."
    )
    model_judged_documents: list[str] = Field(
        default_factory=list, description="Those that a language model judged and nobody else."
    )

    def query(self) -> GroundTruth:
        relevant = tuple(dict.fromkeys(self.relevant_documents))
        return GroundTruth(self.query_id, self.query_input, relevant, self.relevance_scores)


class CreateDatasetRequest(BaseModel):
    dataset_name: str = Field(min_length=1, max_length=200)
    description: str | None = None
    metadata: dict[str, Any] | None = None
    queries: list[GroundTruthQuery] = Field(min_length=1)
    document_field: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The field by whose value judgements name documents; left out, they name them by their ids.",
    )


def dataset_draft(body: CreateDatasetRequest) -> DatasetDraft:
    queries = tuple(one.query() for one in body.queries)
    return DatasetDraft(body.dataset_name, queries, body.description, body.metadata or {}, body.document_field)


class JudgeRequest(BaseModel):
    """Judgements by query id, then document; null takes one back."""

    judgements: dict[str, dict[str, Grade | None]] = Field(min_length=1)


class PoolRequest(BaseModel):
    """Evaluations of the data set whose findings are to be judged."""

    evaluation_ids: list[str] = Field(min_length=1, max_length=100)
    depth: int = Field(10, ge=1, le=1000, description="How many documents of each ranking.")


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
    document_field: str | None = None


class DatasetListResponse(BaseModel):
    datasets: list[EvaluationDataset]
    total: int
    page: int
    page_size: int


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
        document_field=dataset.document_field,
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
        inferred_documents=[*query.inferred],
        model_judged_documents=[*query.by_model],
    )
