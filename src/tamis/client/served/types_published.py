# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `published` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import DisplayConfigInput, DisplayConfigOutput, RetrieverMetadata

LimitTier: TypeAlias = Literal["standard", "elevated", "enterprise", "unlimited"]


class OrganizationPublishStatsResponse(TypedDict):
    at_limit: bool
    current_count: int
    max_allowed: int
    remaining: int


class PublicNameAvailabilityResponse(TypedDict):
    available: bool
    name: str


class PublishRetrieverRequest(TypedDict):
    allowed_origins: NotRequired[list[str] | None]
    display_config: NotRequired[DisplayConfigInput | None]
    include_metadata: NotRequired[bool]
    password: NotRequired[str | None]
    password_secret_name: NotRequired[str | None]
    public_name: str
    rate_limit_config: NotRequired[RateLimitConfig]
    share_template: NotRequired[bool | None]


class PublishRetrieverResponse(TypedDict):
    public_api_key: str
    public_id: str
    public_url: str
    retriever_id: str
    short_url: str


class PublishedList(TypedDict):
    limit: int
    offset: int
    results: list[PublishedRetrieverResponse]
    total: int


class PublishedRetriever(TypedDict):
    allowed_origins: NotRequired[list[str]]
    created_at: NotRequired[str | None]
    display_config: DisplayConfigOutput
    internal_id: NotRequired[str | None]
    is_active: NotRequired[bool]
    namespace_id: NotRequired[str | None]
    password_secret_name: NotRequired[str | None]
    public_api_key: str
    public_id: str
    public_name: str
    rate_limit_config: NotRequired[RateLimitConfig]
    retriever_id: str
    retriever_metadata: NotRequired[RetrieverMetadata | None]
    retriever_name: str
    share_template: NotRequired[bool]
    updated_at: NotRequired[str | None]


class PublishedRetrieverResponse(TypedDict):
    allowed_origins: NotRequired[list[str]]
    created_at: str
    display_config: DisplayConfigOutput
    is_active: bool
    password_protected: bool
    public_api_key: str
    public_id: str
    public_name: str
    rate_limit_config: RateLimitConfig
    retriever_id: str
    retriever_metadata: NotRequired[RetrieverMetadata | None]
    share_template: NotRequired[bool]
    updated_at: str


class RateLimitConfig(TypedDict):
    enable_ip_limits: NotRequired[bool]
    enabled: NotRequired[bool]
    max_requests_per_ip_hour: NotRequired[int | None]
    max_results_per_query: NotRequired[int]
    requests_per_day: NotRequired[int | None]
    requests_per_hour: NotRequired[int | None]
    requests_per_minute: NotRequired[int | None]
    tier: NotRequired[LimitTier]
    visitor_credits_per_day: NotRequired[float | None]
    visitor_requests_per_day: NotRequired[int | None]
    visitor_requests_per_hour: NotRequired[int | None]
    visitor_requests_per_minute: NotRequired[int | None]


class UpdatePublishedRetrieverRequest(TypedDict):
    allowed_origins: NotRequired[list[str] | None]
    display_config: NotRequired[DisplayConfigInput | None]
    include_metadata: NotRequired[bool | None]
    is_active: NotRequired[bool | None]
    password: NotRequired[str | None]
    password_secret_name: NotRequired[str | None]
    rate_limit_config: NotRequired[RateLimitConfig | None]
    share_template: NotRequired[bool | None]
