"""Organisations on the wire."""

import math
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from tamis.api.schemas.user import user_response
from tamis.model.limits import UNBOUNDED, OperationKind, RateLimits
from tamis.model.principal import AccountTier
from tamis.services.access.organizations import OrganizationView


class BaseRateLimits(BaseModel):
    compute: int = Field(10, ge=1)
    data: int = Field(10, ge=1)
    metadata: int = Field(10, ge=1)
    search: int = Field(10, ge=1)
    upload: int = Field(10, ge=1)


class OrganizationModelResponse(BaseModel):
    account_type: AccountTier
    billing_email: str | None = None
    created_at: datetime
    credit_count: int
    logo_url: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    organization_id: str
    organization_name: str
    rate_limits: BaseRateLimits
    updated_at: datetime
    users: list[dict[str, Any]] | None = None


class OrganizationUpdateRequest(BaseModel):
    billing_email: str | None = None
    logo_url: str | None = None
    metadata: dict[str, Any] | None = None
    organization_name: str | None = None
    rate_limits: BaseRateLimits | None = None


def organization_response(view: OrganizationView) -> OrganizationModelResponse:
    organization = view.organization
    return OrganizationModelResponse(
        account_type=organization.tier,
        billing_email=organization.billing_email,
        created_at=organization.created_at,
        credit_count=math.floor(view.balance or 0),
        logo_url=organization.logo_url,
        metadata=organization.metadata,
        organization_id=organization.organization_id,
        organization_name=organization.name,
        rate_limits=_rate_limits(view.rate_limits),
        updated_at=organization.updated_at,
        users=[user_response(user).model_dump(mode="json") for user in view.users],
    )


def _rate_limits(rates: RateLimits | None) -> BaseRateLimits:
    """The contract has no word for no limit."""
    return BaseRateLimits(**{kind.value: rates.of(kind) if rates else UNBOUNDED for kind in OperationKind})


def sent_rate_limits(body: BaseRateLimits | None) -> dict[OperationKind, int] | None:
    """None where the organisation goes back to its tier's."""
    return None if body is None else {OperationKind(name): getattr(body, name) for name in body.model_fields_set}
