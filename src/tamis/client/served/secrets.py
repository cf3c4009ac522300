# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `secrets`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_secrets import (
        CreateSecretRequest,
        SecretResponse,
        SecretsListResponse,
        UpdateSecretRequest,
    )


class Secrets(Noun):
    def list(self) -> SecretsListResponse:
        """Names, and where each may go."""
        return self._ask(Call("GET", "/organizations/secrets"))

    def create(self, *, idempotency_key: str | None = None, **body: Unpack[CreateSecretRequest]) -> SecretResponse:
        """Keep a secret, sealed. It goes to the hosts that it is bound to and nowhere else; no answer has it again."""
        return self._ask(Call("POST", "/organizations/secrets", body=body, key=idempotency_key or ""))

    def delete(self, secret_name: str) -> SecretResponse:
        """Forget a secret. What names it fails from now on, and says so."""
        return self._ask(Call("DELETE", f"/organizations/secrets/{part(secret_name)}"))

    def update(self, secret_name: str, **body: Unpack[UpdateSecretRequest]) -> SecretResponse:
        """Give it another value, or bind it to other hosts."""
        return self._ask(Call("PUT", f"/organizations/secrets/{part(secret_name)}", body=body))


class AsyncSecrets(AsyncNoun):
    async def list(self) -> SecretsListResponse:
        """Names, and where each may go."""
        return await self._ask(Call("GET", "/organizations/secrets"))

    async def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateSecretRequest]
    ) -> SecretResponse:
        """Keep a secret, sealed. It goes to the hosts that it is bound to and nowhere else; no answer has it again."""
        return await self._ask(Call("POST", "/organizations/secrets", body=body, key=idempotency_key or ""))

    async def delete(self, secret_name: str) -> SecretResponse:
        """Forget a secret. What names it fails from now on, and says so."""
        return await self._ask(Call("DELETE", f"/organizations/secrets/{part(secret_name)}"))

    async def update(self, secret_name: str, **body: Unpack[UpdateSecretRequest]) -> SecretResponse:
        """Give it another value, or bind it to other hosts."""
        return await self._ask(Call("PUT", f"/organizations/secrets/{part(secret_name)}", body=body))
