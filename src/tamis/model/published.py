"""A retriever that is open to the public: under which name, what of its answers leaves, and how much anyone may ask."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tamis.model.json import JSON


class LimitTier(StrEnum):
    STANDARD = "standard"
    ELEVATED = "elevated"
    ENTERPRISE = "enterprise"
    UNLIMITED = "unlimited"


@dataclass(frozen=True, slots=True)
class PublicLimits:
    """How much may be asked of a published retriever. None: the tier's number, for all visitors together; else none.

    per_address: whether one network address is bounded by itself, by `address_per_hour` or by what the tier says.
    visitor_*: of one visitor, who is a signed visitor id where a client token brings one, else a network address.
    max_results: documents that all pages of one question show together.
    """

    enabled: bool = True
    tier: LimitTier = LimitTier.STANDARD
    per_minute: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    per_address: bool = False
    address_per_hour: int | None = None
    visitor_per_minute: int | None = None
    visitor_per_hour: int | None = None
    visitor_per_day: int | None = None
    visitor_credits_per_day: float | None = None
    max_results: int = 100


@dataclass(frozen=True, slots=True)
class PublishedRetriever:
    """name: unique on the server.  public_key: names the page's traffic and is no secret.

    display: the contract's display_config, of which `exposed_fields` says what leaves.
    password_hash: argon2id; None where none is asked for.  allowed_origins: of browsers, `*` for every one.
    shows_stages: whether the public configuration tells the kinds of stages.
    shares_template: whether anyone may copy the pipeline.
    """

    public_id: str
    retriever_id: str
    name: str
    public_key: str
    display: dict[str, JSON]
    created_at: datetime
    updated_at: datetime
    limits: PublicLimits = field(default_factory=PublicLimits)
    is_active: bool = True
    password_hash: str | None = None
    password_secret_name: str | None = None
    allowed_origins: tuple[str, ...] = ()
    shows_stages: bool = True
    shares_template: bool = False

    @property
    def exposed_fields(self) -> tuple[str, ...]:
        fields = self.display.get("exposed_fields")
        return tuple(str(name) for name in fields) if isinstance(fields, list) else ()
