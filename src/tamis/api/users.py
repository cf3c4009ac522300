"""The organisation's users."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from tamis.api.access import OrganizationAdmin, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.page import GenericSuccessResponse
from tamis.api.schemas.user import (
    UserCreateRequest,
    UserListResponse,
    UserModel,
    UserUpdateRequest,
    user_draft,
    user_response,
)
from tamis.errors import ValidationError
from tamis.model.organization import UserRole, UserStatus
from tamis.services.access.users import UserService

router = APIRouter(prefix="/v1/organizations/users", tags=["organizations"], route_class=JsonRoute)

Users = Annotated[UserService, Depends(service(UserService))]
Skip = Annotated[int, Query(ge=0, le=2**31 - 1)]
Limit = Annotated[int, Query(ge=1, le=1000)]

_FIELDS = {"user_name": "name", "role": "role", "status": "status", "avatar_url": "avatar_url", "metadata": "metadata"}


@router.get("")
async def list_users(
    principal: OrganizationAdmin,
    users: Users,
    skip: Skip = 0,
    limit: Limit = 50,
    role: UserRole | None = None,
    status: UserStatus | None = None,
) -> UserListResponse:
    """The organisation's users, the oldest first."""
    every = await users.list(principal, role, status)
    rows = [user_response(user) for user in every[skip : skip + limit]]
    return UserListResponse(users=rows, results=rows, total=len(every), skip=skip, limit=limit)


@router.post("")
async def create_user(principal: OrganizationAdmin, body: UserCreateRequest, users: Users) -> UserModel:
    """Make a user. Keys are made for them beside it; no mail is sent."""
    return user_response(await users.create(principal, user_draft(body)))


@router.get("/{user_email}")
async def get_user(principal: OrganizationAdmin, user_email: str, users: Users) -> UserModel:
    """A user by address, in whatever case, or by id."""
    return user_response(await users.get(principal, user_email))


@router.patch("/{user_email}")
async def update_user(
    principal: OrganizationAdmin, user_email: str, body: UserUpdateRequest, users: Users
) -> UserModel:
    """Change the fields that are sent. What the user's keys may do follows at once."""
    return user_response(await users.update(principal, user_email, _changes(body)))


def _changes(body: UserUpdateRequest) -> dict[str, Any]:
    sent = {_FIELDS[name]: getattr(body, name) for name in _FIELDS if name in body.model_fields_set}
    for name in ("role", "status", "user_name"):
        if name in body.model_fields_set and getattr(body, name) is None:
            raise ValidationError.at(["body", name], "may be left out, but not be null")
    if "metadata" in sent:
        sent["metadata"] = sent["metadata"] or {}
    return sent


@router.delete("/{user_email}")
async def delete_user(principal: OrganizationAdmin, user_email: str, users: Users) -> GenericSuccessResponse:
    """Delete a user, and revoke every key of theirs."""
    deleted = await users.delete(principal, user_email)
    return GenericSuccessResponse(message=f"deleted {deleted.email}")
