"""Published retrievers on the wire: for their visitors."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tamis.api.schemas.display import DisplayConfig
from tamis.api.schemas.execution import ResultPagination
from tamis.api.schemas.fields import BucketSchemaField
from tamis.api.schemas.pagination import PaginationParams
from tamis.api.schemas.published import RetrieverMetadata
from tamis.model.interaction import InteractionType
from tamis.services.runs.result_pages import PageMethod, PageRequest

_MOST_SHOWN = 10_000_000


class PublicRetrieverListItem(BaseModel):
    created_at: datetime
    description: str | None = None
    is_active: bool
    logo_url: str | None = None
    og_image_url: str | None = None
    password_protected: bool
    public_name: str
    public_url: str
    title: str
    updated_at: datetime


class PublicRetrieverListStats(BaseModel):
    total_active: int = 0
    total_open: int = 0
    total_password_protected: int = 0


class ListPublicRetrieversResponse(BaseModel):
    page: int
    page_size: int
    results: list[PublicRetrieverListItem]
    stats: PublicRetrieverListStats | None = None
    total_count: int
    total_pages: int


class PublicRetrieverConfigResponse(BaseModel):
    display_config: DisplayConfig
    password_protected: bool
    public_api_key: str
    public_name: str
    retriever_metadata: RetrieverMetadata | None = None


class PublicRetrieverTemplateResponse(BaseModel):
    budget_limits: dict[str, Any]
    collection_identifiers: list[str]
    description: str | None = None
    display_config: DisplayConfig | None = None
    input_schema: dict[str, BucketSchemaField]
    retriever_name: str
    source_public_name: str
    source_public_url: str
    stages: list[dict[str, Any]]
    tags: list[str] = Field(default_factory=list)


class VerifyPasswordRequest(BaseModel):
    password: str = Field(..., min_length=1, max_length=1024)


class VerifyPasswordResponse(BaseModel):
    """grant: sent as `X-Retriever-Grant` until it expires, in place of the password; null where that was wrong."""

    expires_at: datetime | None = None
    grant: str | None = None
    public_api_key: str | None = None
    valid: bool


class RetrieverExecutionRequest(BaseModel):
    inputs: dict[str, Any] = Field(default_factory=dict)
    pagination: PaginationParams | None = None
    stream: bool = False

    def page(self) -> PageRequest:
        return self.pagination.request() if self.pagination else PageRequest(PageMethod.OFFSET)


class PublicDocument(BaseModel):
    """Beside its id and its score, the exposed fields."""

    model_config = ConfigDict(extra="allow")

    document_id: str
    score: float


class PublicExecutionAnswer(BaseModel):
    """`results` is the same list as `documents`."""

    documents: list[PublicDocument]
    execution_id: str
    pagination: ResultPagination
    results: list[PublicDocument]
    status: str


class InteractionRequest(BaseModel):
    document_score: float | None = Field(None, allow_inf_nan=False)
    execution_id: str | None = Field(None, max_length=128)
    interaction_type: list[InteractionType] = Field(..., min_length=1, max_length=len(InteractionType))
    metadata: dict[str, Any] | None = None
    position: int = Field(..., ge=0, le=_MOST_SHOWN)
    query_snapshot: dict[str, Any] | None = None
    result_set_size: int | None = Field(None, ge=1, le=_MOST_SHOWN)
    session_id: str | None = Field(None, max_length=255)


class PublicInteractionRequest(InteractionRequest):
    document_id: str = Field(..., min_length=1, max_length=255)


class PublicInteractionBatchRequest(BaseModel):
    interactions: list[PublicInteractionRequest] = Field(..., min_length=1, max_length=100)


class TrackedInteractions(BaseModel):
    interaction_ids: list[str]
    success: bool = True
    tracked: int
