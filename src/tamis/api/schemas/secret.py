"""Secrets on the wire: names and where they may go, never a value."""

from datetime import datetime

from pydantic import BaseModel, Field, SecretStr

from tamis.model.stored_secret import StoredSecret
from tamis.services.access.secrets import SecretDraft


class CreateSecretRequest(BaseModel):
    """hosts: exact names, without port, that the value may be sent to; as `http://name` where it may go unencrypted.

    namespaces: ids or names of those that may use it; without them every one may.
    """

    hosts: list[str] | None = Field(None, max_length=100)
    namespaces: list[str] | None = Field(None, max_length=1000)
    secret_name: str = Field(..., min_length=1, max_length=100)
    secret_value: SecretStr = Field(..., min_length=8)


class UpdateSecretRequest(BaseModel):
    """What is left out stays as it is."""

    hosts: list[str] | None = Field(None, max_length=100)
    namespaces: list[str] | None = Field(None, max_length=1000)
    secret_value: SecretStr | None = Field(None, min_length=8)


class SecretResponse(BaseModel):
    created: bool | None = None
    deleted: bool | None = None
    hosts: list[str] | None = None
    secret_name: str
    updated: bool | None = None


class SecretDetails(BaseModel):
    created_at: datetime
    hosts: list[str]
    namespaces: list[str] | None = None
    secret_name: str
    updated_at: datetime


class SecretsListResponse(BaseModel):
    count: int
    details: list[SecretDetails]
    secrets: list[str]


def secret_draft(body: CreateSecretRequest | UpdateSecretRequest) -> SecretDraft:
    return SecretDraft(
        body.secret_value,
        None if body.hosts is None else tuple(body.hosts),
        None if body.namespaces is None else tuple(body.namespaces),
    )


def details(secret: StoredSecret) -> SecretDetails:
    return SecretDetails(
        created_at=secret.created_at,
        hosts=list(secret.hosts),
        namespaces=None if secret.namespaces is None else list(secret.namespaces),
        secret_name=secret.name,
        updated_at=secret.updated_at,
    )
