# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `organizations` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import AccountTier


class APIKeyCreateRequest(TypedDict):
    description: NotRequired[str | None]
    expires_at: NotRequired[str | None]
    name: str
    permissions: NotRequired[list[Permission]]
    rate_limit_override: NotRequired[int | None]
    scopes: NotRequired[list[ResourceScope] | None]


class APIKeyCreateResponse(TypedDict):
    created_at: NotRequired[str | None]
    created_by: NotRequired[str | None]
    description: NotRequired[str]
    expires_at: NotRequired[str | None]
    internal_id: str
    key: str
    key_hash: str
    key_id: NotRequired[str | None]
    key_prefix: NotRequired[str | None]
    last_used_at: NotRequired[str | None]
    name: str
    organization_id: NotRequired[str | None]
    permissions: NotRequired[list[Permission]]
    rate_limit_override: NotRequired[int | None]
    revoked_at: NotRequired[str | None]
    revoked_by: NotRequired[str | None]
    scopes: NotRequired[list[ResourceScope]]
    status: NotRequired[KeyStatus]
    user_id: str


class APIKeyListResponse(TypedDict):
    api_keys: list[APIKeyModel]
    results: list[APIKeyModel]
    total: int


class APIKeyModel(TypedDict):
    created_at: NotRequired[str | None]
    created_by: NotRequired[str | None]
    description: NotRequired[str]
    expires_at: NotRequired[str | None]
    internal_id: str
    key_hash: str
    key_id: NotRequired[str | None]
    key_prefix: NotRequired[str | None]
    last_used_at: NotRequired[str | None]
    name: str
    organization_id: NotRequired[str | None]
    permissions: NotRequired[list[Permission]]
    rate_limit_override: NotRequired[int | None]
    revoked_at: NotRequired[str | None]
    revoked_by: NotRequired[str | None]
    scopes: NotRequired[list[ResourceScope]]
    status: NotRequired[KeyStatus]
    user_id: str


class APIKeyUpdateRequest(TypedDict):
    description: NotRequired[str | None]
    expires_at: NotRequired[str | None]
    name: NotRequired[str | None]
    permissions: NotRequired[list[Permission] | None]
    rate_limit_override: NotRequired[int | None]
    scopes: NotRequired[list[ResourceScope] | None]
    status: NotRequired[KeyStatus | None]


class BaseRateLimits(TypedDict):
    compute: NotRequired[int]
    data: NotRequired[int]
    metadata: NotRequired[int]
    search: NotRequired[int]
    upload: NotRequired[int]


class GenericSuccessResponse(TypedDict):
    message: NotRequired[str]
    success: NotRequired[bool]


KeyStatus: TypeAlias = Literal["active", "revoked", "expired"]

NamespaceOperation: TypeAlias = Literal[
    "read_data",
    "write_data",
    "delete_data",
    "execute_retriever",
    "create_retriever",
    "delete_retriever",
    "execute_job",
    "cancel_job",
    "create_cluster",
    "delete_cluster",
    "modify_cluster",
    "modify_infrastructure",
    "manage_permissions",
]


class NamespacePermissions(TypedDict):
    granted_at: NotRequired[str | None]
    granted_by: NotRequired[str | None]
    namespace_id: str
    operations: NotRequired[list[NamespaceOperation] | None]
    role: NotRequired[NamespaceRole]


NamespaceRole: TypeAlias = Literal["owner", "admin", "member", "viewer"]


class OrganizationModelResponse(TypedDict):
    account_type: AccountTier
    billing_email: NotRequired[str | None]
    created_at: str
    credit_count: int
    logo_url: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any]]
    organization_id: str
    organization_name: str
    rate_limits: BaseRateLimits
    updated_at: str
    users: NotRequired[list[dict[str, Any]] | None]


class OrganizationUpdateRequest(TypedDict):
    billing_email: NotRequired[str | None]
    logo_url: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    organization_name: NotRequired[str | None]
    rate_limits: NotRequired[BaseRateLimits | None]


Permission: TypeAlias = Literal["read", "write", "delete", "admin"]


class ResourceScope(TypedDict):
    operations: NotRequired[list[NamespaceOperation] | None]
    resource_id: str
    resource_type: ResourceType


ResourceType: TypeAlias = Literal[
    "organization",
    "user",
    "api_key",
    "namespace",
    "collection",
    "bucket",
    "retriever",
    "cluster",
    "taxonomy",
    "storage_connection",
]


class UserCreateRequest(TypedDict):
    avatar_url: NotRequired[str | None]
    email: str
    metadata: NotRequired[dict[str, Any] | None]
    role: NotRequired[UserRole]
    user_name: str


class UserListResponse(TypedDict):
    limit: int
    results: list[UserModel]
    skip: int
    total: int
    users: list[UserModel]


class UserModel(TypedDict):
    avatar_url: NotRequired[str | None]
    created_at: str
    email: str
    internal_id: str
    last_login: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any]]
    namespace_permissions: NotRequired[list[NamespacePermissions]]
    organization_id: str
    role: NotRequired[UserRole]
    status: NotRequired[UserStatus]
    updated_at: str
    user_id: str
    user_name: str


UserRole: TypeAlias = Literal["admin", "member", "viewer"]

UserStatus: TypeAlias = Literal["active", "suspended", "pending"]


class UserUpdateRequest(TypedDict):
    avatar_url: NotRequired[str | None]
    metadata: NotRequired[dict[str, Any] | None]
    role: NotRequired[UserRole | None]
    status: NotRequired[UserStatus | None]
    user_name: NotRequired[str | None]
