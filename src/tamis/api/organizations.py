"""The caller's organisation and its API keys."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from tamis.api.access import OrganizationAdmin, OrganizationReader, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.organization import (
    APIKeyCreateRequest,
    APIKeyCreateResponse,
    APIKeyListResponse,
    APIKeyModel,
    APIKeyUpdateRequest,
    GenericSuccessResponse,
    KeyStatus,
    OrganizationModelResponse,
    OrganizationUpdateRequest,
    created_response,
    key_draft,
    key_response,
    organization_response,
    sent_rate_limits,
)
from tamis.errors import ValidationError
from tamis.services.keys import KeyService
from tamis.services.organizations import OrganizationService

router = APIRouter(prefix="/v1/organizations", tags=["organizations"], route_class=JsonRoute)

Organizations = Annotated[OrganizationService, Depends(service(OrganizationService))]
Keys = Annotated[KeyService, Depends(service(KeyService))]


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


@router.get("/users/{user_email}/api-keys")
async def list_keys(
    principal: OrganizationAdmin,
    user_email: str,
    keys: Keys,
    include_revoked: Annotated[bool, Query()] = False,
) -> APIKeyListResponse:
    """The user's keys, newest first: their prefixes and hashes, never themselves."""
    now = datetime.now(UTC)
    rows = [key_response(key, now) for key in await keys.list(principal, user_email, include_revoked)]
    return APIKeyListResponse(api_keys=rows, results=rows, total=len(rows))


@router.post("/users/{user_email}/api-keys")
async def create_key(
    principal: OrganizationAdmin, user_email: str, body: APIKeyCreateRequest, keys: Keys
) -> APIKeyCreateResponse:
    """Make a key. Its secret is in this answer and nowhere else."""
    return created_response(await keys.create(principal, key_draft(body), user_email), datetime.now(UTC))


@router.patch("/users/{user_email}/api-keys/{key_name}")
async def update_key(
    principal: OrganizationAdmin, user_email: str, key_name: str, body: APIKeyUpdateRequest, keys: Keys
) -> APIKeyModel:
    """Change the fields that are sent; status `revoked` revokes."""
    now = datetime.now(UTC)
    if body.status is KeyStatus.REVOKED:
        return key_response(await keys.revoke(principal, key_name, user_email), now)
    if body.status is KeyStatus.EXPIRED:
        raise ValidationError.at(["body", "status"], "'active' or 'revoked'; a key expires by 'expires_at'")
    return key_response(await keys.update(principal, key_name, _changes(body), user_email), now)


def _changes(body: APIKeyUpdateRequest) -> dict[str, Any]:
    sent = {name: getattr(body, name) for name in body.model_fields_set if name != "status"}
    for name in ("name", "permissions"):
        if name in sent and not sent[name]:
            raise ValidationError.at(["body", name], "may be left out, but not be empty")
    if "permissions" in sent:
        sent["permissions"] = tuple(dict.fromkeys(sent["permissions"]))
    if "description" in sent:
        sent["description"] = sent["description"] or ""
    if "scopes" in sent:
        sent["scopes"] = tuple(scope.model_dump(mode="json") for scope in sent["scopes"] or [])
    return sent


@router.delete("/users/{user_email}/api-keys/{key_name}")
async def revoke_key(
    principal: OrganizationAdmin, user_email: str, key_name: str, keys: Keys
) -> GenericSuccessResponse:
    """Revoke a key: it opens nothing from now on."""
    key = await keys.revoke(principal, key_name, user_email)
    return GenericSuccessResponse(message=f"revoked {key.name}")


@router.post("/users/{user_email}/api-keys/{key_name}/rotate")
async def rotate_key(principal: OrganizationAdmin, user_email: str, key_name: str, keys: Keys) -> APIKeyCreateResponse:
    """Give the key another secret; the old one opens nothing from now on."""
    return created_response(await keys.rotate(principal, key_name, user_email), datetime.now(UTC))
