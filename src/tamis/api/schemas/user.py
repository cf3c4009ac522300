"""Users on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field

from tamis.model.organization import User, UserRole, UserStatus
from tamis.model.principal import NamespaceOperation
from tamis.services.access.users import UserDraft


class NamespaceRole(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    VIEWER = "viewer"


class NamespacePermissions(BaseModel):
    granted_at: datetime | None = None
    granted_by: str | None = None
    namespace_id: str
    operations: list[NamespaceOperation] | None = None
    role: NamespaceRole = NamespaceRole.MEMBER


class UserCreateRequest(BaseModel):
    avatar_url: str | None = Field(None, max_length=2000)
    email: str = Field(..., min_length=3, max_length=320)
    metadata: dict[str, Any] | None = None
    role: UserRole = UserRole.MEMBER
    user_name: str = Field(..., min_length=2, max_length=100)


class UserUpdateRequest(BaseModel):
    avatar_url: str | None = Field(None, max_length=2000)
    metadata: dict[str, Any] | None = None
    role: UserRole | None = None
    status: UserStatus | None = None
    user_name: str | None = Field(None, min_length=2, max_length=100)


class UserModel(BaseModel):
    """namespace_permissions: none are kept; a key's scopes are what binds it to namespaces."""

    avatar_url: str | None = None
    created_at: datetime
    email: str
    internal_id: str
    last_login: datetime | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    namespace_permissions: list[NamespacePermissions] = Field(default_factory=list)
    organization_id: str
    role: UserRole = UserRole.MEMBER
    status: UserStatus = UserStatus.ACTIVE
    updated_at: datetime
    user_id: str
    user_name: str


class UserListResponse(BaseModel):
    """The contract leaves this answer open. `results`: what other lists call their rows."""

    limit: int
    results: list[UserModel]
    skip: int
    total: int
    users: list[UserModel]


def user_draft(body: UserCreateRequest) -> UserDraft:
    return UserDraft(body.email, body.user_name, body.role, body.avatar_url, body.metadata or {})


def user_response(user: User) -> UserModel:
    return UserModel(
        avatar_url=user.avatar_url,
        created_at=user.created_at,
        email=user.email,
        internal_id=user.organization_id,
        metadata=user.metadata,
        organization_id=user.organization_id,
        role=user.role,
        status=user.status,
        updated_at=user.updated_at or user.created_at,
        user_id=user.user_id,
        user_name=user.name or user.email,
    )
