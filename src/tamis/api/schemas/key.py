"""API keys on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from tamis.model.organization import ApiKey
from tamis.model.principal import NamespaceOperation, Permission
from tamis.services.access.keys import Created, KeyDraft


class ResourceType(StrEnum):
    ORGANIZATION = "organization"
    USER = "user"
    API_KEY = "api_key"
    NAMESPACE = "namespace"
    COLLECTION = "collection"
    BUCKET = "bucket"
    RETRIEVER = "retriever"
    CLUSTER = "cluster"
    TAXONOMY = "taxonomy"
    STORAGE_CONNECTION = "storage_connection"


class ResourceScope(BaseModel):
    operations: list[NamespaceOperation] | None = None
    resource_id: str = Field(..., min_length=1, max_length=100)
    resource_type: ResourceType


class KeyStatus(StrEnum):
    ACTIVE = "active"
    REVOKED = "revoked"
    EXPIRED = "expired"


class APIKeyCreateRequest(BaseModel):
    description: str | None = Field(None, max_length=500)
    expires_at: AwareDatetime | None = None
    name: str = Field(..., min_length=1, max_length=100)
    permissions: list[Permission] = Field(default_factory=list)
    rate_limit_override: int | None = Field(None, ge=1)
    scopes: list[ResourceScope] | None = None


class APIKeyUpdateRequest(BaseModel):
    description: str | None = Field(None, max_length=500)
    expires_at: AwareDatetime | None = None
    name: str | None = Field(None, min_length=1, max_length=100)
    permissions: list[Permission] | None = None
    rate_limit_override: int | None = Field(None, ge=1)
    scopes: list[ResourceScope] | None = None
    status: KeyStatus | None = None


class APIKeyModel(BaseModel):
    created_at: datetime | None = None
    created_by: str | None = None
    description: str = ""
    expires_at: datetime | None = None
    internal_id: str
    key_hash: str
    key_id: str | None = None
    key_prefix: str | None = Field(None, min_length=10, max_length=13)
    last_used_at: datetime | None = None
    name: str
    organization_id: str | None = None
    permissions: list[Permission] = Field(default_factory=list)
    rate_limit_override: int | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    scopes: list[ResourceScope] = Field(default_factory=list)
    status: KeyStatus = KeyStatus.ACTIVE
    user_id: str


class APIKeyCreateResponse(APIKeyModel):
    key: str


class APIKeyListResponse(BaseModel):
    """The contract leaves this answer open. `results`: what other lists call their rows."""

    api_keys: list[APIKeyModel]
    results: list[APIKeyModel]
    total: int


def key_response(key: ApiKey, now: datetime) -> APIKeyModel:
    return APIKeyModel(**_key_fields(key, now))


def created_response(created: Created, now: datetime) -> APIKeyCreateResponse:
    return APIKeyCreateResponse(key=created.secret, **_key_fields(created.key, now))


def key_draft(body: APIKeyCreateRequest) -> KeyDraft:
    return KeyDraft(
        name=body.name,
        permissions=tuple(dict.fromkeys(body.permissions)),
        description=body.description or "",
        expires_at=body.expires_at,
        scopes=tuple(scope.model_dump(mode="json") for scope in body.scopes or []),
        rate_limit_override=body.rate_limit_override,
    )


def _key_fields(key: ApiKey, now: datetime) -> dict[str, Any]:
    return {
        "created_at": key.created_at,
        "created_by": key.created_by,
        "description": key.description,
        "expires_at": key.expires_at,
        "internal_id": key.organization_id,
        "key_hash": key.key_hash,
        "key_id": key.key_id,
        "key_prefix": key.prefix,
        "last_used_at": key.last_used_at,
        "name": key.name,
        "organization_id": key.organization_id,
        "permissions": list(key.permissions),
        "revoked_at": key.revoked_at,
        "revoked_by": key.revoked_by,
        "rate_limit_override": key.rate_limit_override,
        "scopes": [ResourceScope.model_validate(scope) for scope in key.scopes],
        "status": KeyStatus(key.status(now)),
        "user_id": key.user_id,
    }
