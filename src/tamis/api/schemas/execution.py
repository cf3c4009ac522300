"""Executions on the wire: what is asked, and what is answered."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tamis.api.paging import Limit, Offset
from tamis.api.schemas.fields import BucketSchemaField
from tamis.api.schemas.page import PaginationMetadata
from tamis.api.schemas.pagination import PaginationParams
from tamis.api.schemas.retriever import BudgetLimits, NamesCollections, StageConfig
from tamis.errors import ValidationError
from tamis.services.runs.result_pages import PageMethod, PageRequest


class ExecutionOptions(NamesCollections):
    """What both execute paths understand beside the contract's fields.

    filters: documents that do not match are never candidates.  limit, page_size: the size of a cursor page, where
    `pagination` does not say.  include_legacy_results: whether the answer repeats `documents` as `results`.
    """

    budget_limits: BudgetLimits | None = None
    collection_identifiers: list[str] = Field(default_factory=list)
    filters: dict[str, Any] | list[Any] | None = None
    include_legacy_results: bool | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)
    limit: int | None = Field(None, ge=1, le=1000)
    page_size: int | None = Field(None, ge=1, le=1000)
    pagination: PaginationParams | None = None
    return_urls: bool | None = None
    return_vectors: bool | None = None
    settings: dict[str, Any] | None = None
    skip_cache: bool = False
    stream: bool = False

    @model_validator(mode="before")
    @classmethod
    def _aliases(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        known = {key: value for key, value in raw.items() if value is not None}
        for alias, name in (("pre_filters", "filters"), ("return_presigned_urls", "return_urls")):
            if alias in known:
                known.setdefault(name, known[alias])
        return known

    def page(self) -> tuple[PageRequest, list[str]]:
        """The window that is asked for, and what to warn of. Raises: ValidationError."""
        if self.limit and self.page_size and self.limit != self.page_size:
            raise ValidationError.at(["body", "page_size"], "limit and page_size mean the same; send one of them")
        size = self.limit or self.page_size or self._settings_limit()
        if self.pagination is None:
            return PageRequest(PageMethod.CURSOR, size), []
        page = self.pagination.request()
        if size and size != page.size:
            return page, [f"pagination asks for {page.size} documents a page and stands over limit {size}"]
        return page, []

    def _settings_limit(self) -> int | None:
        limit = (self.settings or {}).get("limit")
        if limit is None or (isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= 1000):
            return limit
        raise ValidationError.at(["body", "settings", "limit"], "a whole number from 1 to 1000")


class ExecuteRetrieverRequest(ExecutionOptions):
    """Run a saved retriever. Collections named here stand over its own."""


class AnonymousExecuteRequest(ExecutionOptions):
    """Run a pipeline that is sent whole and never stored. Without collections, it runs over the namespace's."""

    input_schema: dict[str, BucketSchemaField] = Field(default_factory=dict)
    stages: list[StageConfig] = Field(..., min_length=1)


class BatchQuery(BaseModel):
    filters: dict[str, Any] | list[Any] | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)


class ExecuteBatchRequest(BaseModel):
    concurrency: int = Field(5, ge=1, le=20)
    queries: list[BatchQuery] = Field(..., min_length=1, max_length=50)
    return_presigned_urls: bool = False
    return_vectors: bool = False
    settings: dict[str, Any] | None = None
    stream: bool = False


class StageStatistics(BaseModel):
    """credits_saved: what it would have cost without a cache.

    shrunk: what `max_credits` took from it, `{parameter: [as written, as run]}`.
    """

    cache_hit: bool | None = None
    credits_saved: float = Field(0.0, ge=0)
    credits_used: float = Field(0.0, ge=0)
    duration_ms: float = Field(..., ge=0)
    efficiency: float = Field(..., ge=0)
    error: str | None = None
    input_count: int = Field(..., ge=0)
    llm_calls: int | None = Field(None, ge=0)
    metadata: dict[str, Any] = Field(default_factory=dict)
    output_count: int = Field(..., ge=0)
    shrunk: dict[str, Any] = Field(default_factory=dict)
    tokens_used: int | None = Field(None, ge=0)


class RetrieverExecutionStatistics(BaseModel):
    """stages: by name, in the order in which they ran."""

    credits_used: float = Field(0.0, ge=0)
    stages: dict[str, StageStatistics] = Field(default_factory=dict)
    total_time_ms: float = Field(0.0, ge=0)


class ResultDocument(BaseModel):
    """The document's own fields stand at the root and under `metadata`; what stages added stands at the root.

    score: what the last scoring stage said.  scores: by feature and by stage, every score on the way.
    """

    model_config = ConfigDict(extra="allow")

    collection_id: str | None
    document_id: str
    metadata: dict[str, Any]
    root_bucket_id: str | None = None
    root_object_id: str | None = None
    score: float
    scores: dict[str, float]
    source_collection_id: str | None = None
    source_document_id: str | None = None
    source_object_id: str | None = None


class ResultPagination(BaseModel):
    """How to go on: `next_cursor`, `scroll_id`, `after` or `next_page` of one answer is sent with the next request."""

    model_config = ConfigDict(extra="allow")

    after: dict[str, Any] | None = None
    has_next: bool
    limit: int
    method: str
    next_cursor: str | None = None
    next_page: int | None = None
    scroll_id: str | None = None
    total: int


class BudgetCut(BaseModel):
    """What a limit took from one stage. limit: `max_credits`, `max_time_ms`.

    shrunk: parameters that were lowered, `{parameter: [as written, as run]}`, and `calls: [asked for, granted]`.
    reason: why the run ended before or in this stage; null where it only shrank.
    """

    limit: str | None
    reason: str | None = None
    shrunk: dict[str, Any] = Field(default_factory=dict)
    stage_name: str


class ExecutionBudget(BaseModel):
    """credits_used: spent afresh.  credits_saved: what caches spared.  cut: empty where everything ran as written."""

    credits_limit: float | None
    credits_saved: float = 0.0
    credits_used: float
    cut: list[BudgetCut] = Field(default_factory=list)
    time_elapsed_ms: float
    time_limit_ms: int | None


class ExecutionMetadata(BaseModel):
    execution_mode: str
    retriever_name: str | None
    retriever_persisted: bool
    retriever_version: int | None


class ExecutionAnswer(BaseModel):
    """What both execute paths answer. `results` is the same list as `documents`, unless a setting drops it."""

    budget: ExecutionBudget
    documents: list[ResultDocument]
    error: str | None
    execution_id: str
    execution_metadata: ExecutionMetadata
    optimization_applied: bool
    optimization_summary: dict[str, Any] | None
    pagination: ResultPagination
    results: list[ResultDocument] | None = None
    retriever_id: str | None
    stage_statistics: RetrieverExecutionStatistics
    status: str
    warnings: list[str]


class ExecutionDetail(BaseModel):
    """A saved retriever's execution, read back; `documents` are those that were returned, as they are now."""

    budget: dict[str, Any] = Field(default_factory=dict)
    completed_at: datetime | None = None
    created_at: datetime
    current_stage: str | None = None
    documents: list[dict[str, Any]] = Field(default_factory=list)
    error: str | None = None
    execution_id: str
    optimization_applied: bool = False
    optimization_summary: dict[str, Any] | None = None
    pagination: dict[str, Any] = Field(default_factory=dict)
    retriever_id: str | None = None
    stage_statistics: RetrieverExecutionStatistics = Field(default_factory=RetrieverExecutionStatistics)
    stages_completed: int = Field(0, ge=0)
    status: str
    total_stages: int = Field(0, ge=0)


class ListAnonymousExecutionsRequest(BaseModel):
    count_only: bool = False
    end_time: Any | None = None
    limit: Limit | None = None
    offset: Offset | None = None
    start_time: Any | None = None
    status: str | None = None


class AnonymousExecutionSummary(BaseModel):
    cache_hit_rate: float | None = Field(None, ge=0, le=1)
    collection_ids: list[str] = Field(default_factory=list)
    credits_used: float = Field(..., ge=0)
    duration_ms: float = Field(..., ge=0)
    execution_id: str
    execution_mode: str
    query_summary: str | None = None
    stages_completed: int = Field(..., ge=0)
    status: str
    timestamp: Any
    total_processed: int = Field(..., ge=0)
    total_returned: int = Field(..., ge=0)
    total_stages: int = Field(..., ge=0)


class AnonymousExecutionDetail(AnonymousExecutionSummary):
    inputs: str | None = None
    inputs_hash: str | None = None


class ListAnonymousExecutionsResponse(BaseModel):
    """`results` is the same list as `executions`, for later clients."""

    executions: list[AnonymousExecutionSummary] = Field(default_factory=list)
    pagination: Any
    results: list[AnonymousExecutionSummary] = Field(default_factory=list)
    total: int = 0


class ListExecutionsRequest(BaseModel):
    count_only: bool = False
    filters: dict[str, Any] | None = None
    limit: Limit | None = None
    offset: Offset | None = None
    sorts: list[dict[str, Any]] | None = None
    status: str | None = None


class RetrieverExecutionSummary(BaseModel):
    cache_hit_rate: float | None = Field(None, ge=0, le=1)
    completed_at: datetime | None = None
    created_at: datetime
    credits_used: float = Field(..., ge=0)
    duration_ms: float = Field(..., ge=0)
    execution_id: str
    inputs_hash: str | None = None
    query_summary: str | None = None
    status: str
    total_processed: int = Field(..., ge=0)
    total_returned: int = Field(..., ge=0)


class ListExecutionsResponse(BaseModel):
    """`results` is the same list as `executions`, for later clients."""

    executions: list[RetrieverExecutionSummary] = Field(default_factory=list)
    pagination: PaginationMetadata
    results: list[RetrieverExecutionSummary] = Field(default_factory=list)
    total: int = 0
