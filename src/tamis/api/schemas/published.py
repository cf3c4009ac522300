"""Published retrievers on the wire: for those who publish."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.schemas.display import DisplayConfig
from tamis.model.published import LimitTier, PublicLimits

_NAME = r"^[a-z0-9][a-z0-9-]*[a-z0-9]$"


class RateLimitConfig(BaseModel):
    """How much may be asked of it. Requests are of all visitors together; the tier has numbers for those left out.

    enable_ip_limits: bound each network address too.  visitor_*: of one visitor, who is a network address unless a
    client token names him.  visitor_credits_per_day: what his searches may cost in 24 hours.
    max_results_per_query: documents that all pages of one question show together.
    """

    enable_ip_limits: bool = False
    enabled: bool = True
    max_requests_per_ip_hour: int | None = Field(None, ge=1)
    max_results_per_query: int = Field(100, ge=1, le=1000)
    requests_per_day: int | None = Field(None, ge=1)
    requests_per_hour: int | None = Field(None, ge=1)
    requests_per_minute: int | None = Field(None, ge=1)
    tier: LimitTier = LimitTier.STANDARD
    visitor_credits_per_day: float | None = Field(None, gt=0, allow_inf_nan=False)
    visitor_requests_per_day: int | None = Field(None, ge=1)
    visitor_requests_per_hour: int | None = Field(None, ge=1)
    visitor_requests_per_minute: int | None = Field(None, ge=1)


class _Opened(BaseModel):
    """password: what visitors have to know; kept as a hash.  password_secret_name: of a secret bound to `published`.

    allowed_origins: pages of other sites whose scripts may ask.  share_template: whether anyone may copy the pipeline.
    """

    allowed_origins: list[str] | None = None
    display_config: DisplayConfig | None = None
    password: str | None = Field(None, max_length=1024)
    password_secret_name: str | None = Field(None, min_length=1, max_length=255)
    share_template: bool | None = None


class PublishRetrieverRequest(_Opened):
    """include_metadata: whether the public configuration tells the kinds of stages."""

    include_metadata: bool = True
    public_name: str = Field(..., min_length=3, max_length=50, pattern=_NAME)
    rate_limit_config: RateLimitConfig = Field(default_factory=RateLimitConfig)


class UpdatePublishedRetrieverRequest(_Opened):
    """What is sent is changed. An empty password, or null as the secret's name, takes the password away."""

    include_metadata: bool | None = None
    is_active: bool | None = None
    rate_limit_config: RateLimitConfig | None = None


class RetrieverMetadata(BaseModel):
    capabilities: dict[str, Any] = Field(default_factory=dict)
    collections: list[dict[str, Any]] = Field(default_factory=list)
    stages: list[dict[str, Any]] = Field(default_factory=list)


class PublishRetrieverResponse(BaseModel):
    public_api_key: str
    public_id: str
    public_url: str
    retriever_id: str
    short_url: str


class PublishedRetrieverResponse(BaseModel):
    allowed_origins: list[str] = Field(default_factory=list)
    created_at: datetime
    display_config: DisplayConfig
    is_active: bool
    password_protected: bool
    public_api_key: str
    public_id: str
    public_name: str
    rate_limit_config: RateLimitConfig
    retriever_id: str
    retriever_metadata: RetrieverMetadata | None = None
    share_template: bool = False
    updated_at: datetime


class PublishedRetriever(BaseModel):
    allowed_origins: list[str] = Field(default_factory=list)
    created_at: datetime | None = None
    display_config: DisplayConfig
    internal_id: str | None = None
    is_active: bool = True
    namespace_id: str | None = None
    password_secret_name: str | None = None
    public_api_key: str
    public_id: str
    public_name: str = Field(..., min_length=3, max_length=50)
    rate_limit_config: RateLimitConfig = Field(default_factory=RateLimitConfig)
    retriever_id: str
    retriever_metadata: RetrieverMetadata | None = None
    retriever_name: str
    share_template: bool = False
    updated_at: datetime | None = None


class PublishedList(BaseModel):
    limit: int
    offset: int
    results: list[PublishedRetrieverResponse]
    total: int


class PublicNameAvailabilityResponse(BaseModel):
    available: bool
    name: str


class OrganizationPublishStatsResponse(BaseModel):
    at_limit: bool
    current_count: int
    max_allowed: int
    remaining: int


_WIRE = {
    "enabled": "enabled",
    "tier": "tier",
    "requests_per_minute": "per_minute",
    "requests_per_hour": "per_hour",
    "requests_per_day": "per_day",
    "enable_ip_limits": "per_address",
    "max_requests_per_ip_hour": "address_per_hour",
    "visitor_requests_per_minute": "visitor_per_minute",
    "visitor_requests_per_hour": "visitor_per_hour",
    "visitor_requests_per_day": "visitor_per_day",
    "visitor_credits_per_day": "visitor_credits_per_day",
    "max_results_per_query": "max_results",
}


def read_limits(config: RateLimitConfig) -> PublicLimits:
    return PublicLimits(**{name: getattr(config, wire) for wire, name in _WIRE.items()})


def show_limits(limits: PublicLimits) -> RateLimitConfig:
    return RateLimitConfig(**{wire: getattr(limits, name) for wire, name in _WIRE.items()})
