"""A user's API keys."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from tamis.api.access import OrganizationAdmin, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.key import (
    APIKeyCreateRequest,
    APIKeyCreateResponse,
    APIKeyListResponse,
    APIKeyModel,
    APIKeyUpdateRequest,
    KeyStatus,
    created_response,
    key_draft,
    key_response,
)
from tamis.api.schemas.page import GenericSuccessResponse
from tamis.errors import ValidationError
from tamis.services.access.keys import LONGEST_GRACE_S, KeyService

router = APIRouter(prefix="/v1/organizations", tags=["organizations"], route_class=JsonRoute)

Keys = Annotated[KeyService, Depends(service(KeyService))]
Grace = Annotated[
    int, Query(ge=0, le=LONGEST_GRACE_S, description="For how many seconds the former secret goes on opening.")
]


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
async def rotate_key(
    principal: OrganizationAdmin, user_email: str, key_name: str, keys: Keys, grace_s: Grace = 0
) -> APIKeyCreateResponse:
    """Give the key another secret; the former one opens nothing from now on, or once its grace has ended."""
    rotated = await keys.rotate(principal, key_name, user_email, grace_s)
    return created_response(rotated, datetime.now(UTC))
