"""Organisations and API keys on the wire."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from tamis.model.limits import UNBOUNDED, OperationKind, RateLimits
from tamis.model.organization import ApiKey
from tamis.model.principal import AccountTier, Permission
from tamis.services.keys import Created, KeyDraft
from tamis.services.organizations import OrganizationView


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


class NamespaceOperation(StrEnum):
    READ_DATA = "read_data"
    WRITE_DATA = "write_data"
    DELETE_DATA = "delete_data"
    EXECUTE_RETRIEVER = "execute_retriever"
    CREATE_RETRIEVER = "create_retriever"
    DELETE_RETRIEVER = "delete_retriever"
    EXECUTE_JOB = "execute_job"
    CANCEL_JOB = "cancel_job"
    CREATE_CLUSTER = "create_cluster"
    DELETE_CLUSTER = "delete_cluster"
    MODIFY_CLUSTER = "modify_cluster"
    MODIFY_INFRASTRUCTURE = "modify_infrastructure"
    MANAGE_PERMISSIONS = "manage_permissions"


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


class GenericSuccessResponse(BaseModel):
    message: str = "Successfully completed"
    success: bool = True


def organization_response(view: OrganizationView) -> OrganizationModelResponse:
    organization = view.organization
    return OrganizationModelResponse(
        account_type=organization.tier,
        billing_email=organization.billing_email,
        created_at=organization.created_at,
        credit_count=0,
        logo_url=organization.logo_url,
        metadata=organization.metadata,
        organization_id=organization.organization_id,
        organization_name=organization.name,
        rate_limits=_rate_limits(view.rate_limits),
        updated_at=organization.updated_at,
        users=[{"user_id": user.user_id, "email": user.email, "created_at": user.created_at} for user in view.users],
    )


def _rate_limits(rates: RateLimits | None) -> BaseRateLimits:
    """The contract has no word for no limit."""
    return BaseRateLimits(**{kind.value: rates.of(kind) if rates else UNBOUNDED for kind in OperationKind})


def sent_rate_limits(body: BaseRateLimits | None) -> dict[OperationKind, int] | None:
    """None where the organisation goes back to its tier's."""
    return None if body is None else {OperationKind(name): getattr(body, name) for name in body.model_fields_set}


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
