"""Retrievers on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tamis.api.paging import ListRequest
from tamis.api.schemas.display import DisplayConfig
from tamis.api.schemas.fields import BucketSchemaField
from tamis.api.schemas.page import PaginationResponse

_LONGEST_MS = 2**31 - 1


class BudgetLimits(BaseModel):
    max_credits: float | None = Field(None, ge=0, allow_inf_nan=False)
    max_time_ms: int | None = Field(None, ge=0, le=_LONGEST_MS)


class StageType(StrEnum):
    FILTER = "filter"
    SORT = "sort"
    REDUCE = "reduce"
    APPLY = "apply"
    ENRICH = "enrich"


class StageConfig(BaseModel):
    """One stage. `config` is `{stage_id, parameters}`; later clients put these two at the root, or the parameters
    themselves beside a `type`."""

    model_config = ConfigDict(extra="allow")

    batch_size: str | int | None = None
    config: dict[str, Any] | None = None
    description: str | None = None
    stage_name: str | None = Field(None, min_length=1)
    stage_type: str | None = None


class StageConfigAnswer(BaseModel):
    """`parameters` repeats those of `config`, where later clients read them."""

    batch_size: str | int | None = None
    config: dict[str, Any]
    description: str | None = None
    parameters: dict[str, Any]
    stage_name: str = Field(..., min_length=1)
    stage_type: StageType | None = None


class NamesCollections(BaseModel):
    """Collections by id or name, under whichever key the client's version writes."""

    @model_validator(mode="before")
    @classmethod
    def _one_key(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or raw.get("collection_identifiers") is not None:
            return raw
        for key in ("collection_ids", "collection_id", "collections", "collection"):
            given = raw.get(key)
            if given is not None:
                return {**raw, "collection_identifiers": [given] if isinstance(given, str) else given}
        return raw


class CreateRetrieverRequest(NamesCollections):
    budget_limits: BudgetLimits = Field(default_factory=BudgetLimits)
    cache_config: dict[str, Any] | None = None
    collection_identifiers: list[str] | None = None
    description: str | None = None
    display_config: DisplayConfig | None = None
    input_schema: dict[str, BucketSchemaField] | None = None
    retriever_name: str = Field(..., min_length=1)
    stages: list[StageConfig] = Field(..., min_length=1)
    tags: list[str] | None = None


class PatchRetrieverRequest(NamesCollections):
    """What is sent is changed; a change to what is run (stages and on) makes a new version."""

    budget_limits: BudgetLimits | None = None
    cache_config: dict[str, Any] | None = None
    collection_identifiers: list[str] | None = None
    description: str | None = None
    display_config: DisplayConfig | None = None
    input_schema: dict[str, BucketSchemaField] | None = None
    retriever_name: str | None = Field(None, min_length=1)
    stages: list[StageConfig] | None = Field(None, min_length=1)
    tags: list[str] | None = None


class CloneRetrieverRequest(NamesCollections):
    """What is sent stands over the source's; an omitted or null field is copied."""

    budget_limits: BudgetLimits | None = None
    cache_config: dict[str, Any] | None = None
    collection_identifiers: list[str] | None = None
    description: str | None = None
    display_config: DisplayConfig | None = None
    input_schema: dict[str, BucketSchemaField] | None = None
    retriever_name: str = Field(..., min_length=1)
    stages: list[StageConfig] | None = Field(None, min_length=1)
    tags: list[str] | None = None


class DroppedCache(BaseModel):
    """Whatever was kept before then is not given any more."""

    last_invalidated_at: datetime
    retriever_id: str


class ListRetrieversRequest(ListRequest):
    """As every list."""


class FeatureAddress(BaseModel):
    extractor: str
    output: str | None = None
    scheme: str = "mixpeek"
    version: str


class RetrieverConfig(BaseModel):
    budget_limits: BudgetLimits = Field(default_factory=BudgetLimits)
    cache_config: dict[str, Any] = Field(default_factory=dict)
    collection_identifiers: list[str] = Field(default_factory=list)
    collection_ids: list[str] = Field(default_factory=list)
    created_at: datetime | None = None
    created_by: str | None = None
    description: str | None = None
    display_config: dict[str, Any] | None = None
    feature_dependencies: list[FeatureAddress] | None = None
    input_schema: dict[str, BucketSchemaField] = Field(default_factory=dict)
    retriever_id: str | None = None
    retriever_name: str = Field(..., min_length=1)
    stages: list[StageConfigAnswer] = Field(..., min_length=1)
    tags: list[str] = Field(default_factory=list)
    updated_at: datetime | None = None
    updated_by: str | None = None
    version: int = Field(1, ge=1)


class RetrieverModel(RetrieverConfig):
    is_published: bool = False


class CreateRetrieverResponse(RetrieverConfig):
    """The contract's `retriever`; its fields also at the root, where later clients read them."""

    retriever: RetrieverConfig


class PatchRetrieverResponse(BaseModel):
    retriever: RetrieverConfig


class CloneRetrieverResponse(BaseModel):
    retriever: RetrieverConfig
    source_retriever_id: str


class ListRetrieversResponse(BaseModel):
    """`results` is the same list as `retrievers`, for later clients."""

    pagination: PaginationResponse
    results: list[RetrieverModel] = Field(default_factory=list)
    retrievers: list[RetrieverModel] = Field(default_factory=list)
    total: int = 0
