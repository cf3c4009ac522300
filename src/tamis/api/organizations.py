"""The caller's organisation."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tamis.api.access import OrganizationAdmin, OrganizationReader, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.organization import (
    OrganizationModelResponse,
    OrganizationUpdateRequest,
    organization_response,
    sent_rate_limits,
)
from tamis.errors import ValidationError
from tamis.services.access.organizations import OrganizationService

router = APIRouter(prefix="/v1/organizations", tags=["organizations"], route_class=JsonRoute)

Organizations = Annotated[OrganizationService, Depends(service(OrganizationService))]


@router.get("")
async def get_organization(principal: OrganizationReader, organizations: Organizations) -> OrganizationModelResponse:
    """The organisation that the key belongs to."""
    return organization_response(await organizations.get(principal))


@router.patch("")
async def update_organization(
    principal: OrganizationAdmin, body: OrganizationUpdateRequest, organizations: Organizations
) -> OrganizationModelResponse:
    """Change the fields that are sent."""
    changes = {_FIELDS[name]: getattr(body, name) for name in _FIELDS if name in body.model_fields_set}
    if "rate_limits" in body.model_fields_set:
        changes["rate_limits"] = sent_rate_limits(body.rate_limits)
    if changes.get("name", "") is None:
        raise ValidationError.at(["body", "organization_name"], "an organisation has a name")
    if changes.get("metadata", {}) is None:
        changes["metadata"] = {}
    return organization_response(await organizations.update(principal, changes))


_FIELDS = {
    "organization_name": "name",
    "metadata": "metadata",
    "billing_email": "billing_email",
    "logo_url": "logo_url",
}
