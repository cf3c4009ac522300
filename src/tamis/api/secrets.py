"""The organisation's secrets, which definitions use by name."""

from typing import Annotated

from fastapi import APIRouter, Depends, status

from tamis.api.access import OrganizationAdmin, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.secret import (
    CreateSecretRequest,
    SecretResponse,
    SecretsListResponse,
    UpdateSecretRequest,
    details,
    secret_draft,
)
from tamis.services.access.secrets import SecretService

router = APIRouter(prefix="/v1/organizations/secrets", tags=["secrets"], route_class=JsonRoute)

Secrets = Annotated[SecretService, Depends(service(SecretService))]


@router.get("")
async def list_secrets(principal: OrganizationAdmin, secrets: Secrets) -> SecretsListResponse:
    """Names, and where each may go."""
    every = await secrets.list(principal)
    return SecretsListResponse(
        secrets=[secret.name for secret in every], details=[details(secret) for secret in every], count=len(every)
    )


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_secret(principal: OrganizationAdmin, body: CreateSecretRequest, secrets: Secrets) -> SecretResponse:
    """Keep a secret, sealed. It goes to the hosts that it is bound to and nowhere else; no answer has it again."""
    made = await secrets.create(principal, body.secret_name, secret_draft(body))
    return SecretResponse(secret_name=made.name, hosts=list(made.hosts), created=True)


@router.put("/{secret_name}")
async def update_secret(
    principal: OrganizationAdmin, secret_name: str, body: UpdateSecretRequest, secrets: Secrets
) -> SecretResponse:
    """Give it another value, or bind it to other hosts."""
    changed = await secrets.update(principal, secret_name, secret_draft(body))
    return SecretResponse(secret_name=changed.name, hosts=list(changed.hosts), updated=True)


@router.delete("/{secret_name}")
async def delete_secret(principal: OrganizationAdmin, secret_name: str, secrets: Secrets) -> SecretResponse:
    """Forget a secret. What names it fails from now on, and says so."""
    await secrets.delete(principal, secret_name)
    return SecretResponse(secret_name=secret_name, deleted=True)
