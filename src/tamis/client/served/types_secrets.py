# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `secrets` sends and gets."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class CreateSecretRequest(TypedDict):
    hosts: NotRequired[list[str] | None]
    namespaces: NotRequired[list[str] | None]
    secret_name: str
    secret_value: str


class SecretDetails(TypedDict):
    created_at: str
    hosts: list[str]
    namespaces: NotRequired[list[str] | None]
    secret_name: str
    updated_at: str


class SecretResponse(TypedDict):
    created: NotRequired[bool | None]
    deleted: NotRequired[bool | None]
    hosts: NotRequired[list[str] | None]
    secret_name: str
    updated: NotRequired[bool | None]


class SecretsListResponse(TypedDict):
    count: int
    details: list[SecretDetails]
    secrets: list[str]


class UpdateSecretRequest(TypedDict):
    hosts: NotRequired[list[str] | None]
    namespaces: NotRequired[list[str] | None]
    secret_value: NotRequired[str | None]
