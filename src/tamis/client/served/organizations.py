# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `organizations`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_organizations import (
        APIKeyCreateRequest,
        APIKeyCreateResponse,
        APIKeyListResponse,
        APIKeyModel,
        APIKeyUpdateRequest,
        GenericSuccessResponse,
        OrganizationModelResponse,
        OrganizationUpdateRequest,
        UserCreateRequest,
        UserListResponse,
        UserModel,
        UserRole,
        UserStatus,
        UserUpdateRequest,
    )


class Organizations(Noun):
    def get(self) -> OrganizationModelResponse:
        """The organisation that the key belongs to."""
        return self._ask(Call("GET", "/organizations"))

    def update(self, **body: Unpack[OrganizationUpdateRequest]) -> OrganizationModelResponse:
        """Change the fields that are sent."""
        return self._ask(Call("PATCH", "/organizations", body=body))

    def list_users(
        self,
        *,
        skip: int | None = None,
        limit: int | None = None,
        role: UserRole | None = None,
        status: UserStatus | None = None,
    ) -> UserListResponse:
        """The organisation's users, the oldest first."""
        return self._ask(
            Call("GET", "/organizations/users", query={"skip": skip, "limit": limit, "role": role, "status": status})
        )

    def create_user(self, *, idempotency_key: str | None = None, **body: Unpack[UserCreateRequest]) -> UserModel:
        """Make a user. Keys are made for them beside it; no mail is sent."""
        return self._ask(Call("POST", "/organizations/users", body=body, key=idempotency_key or ""))

    def delete_user(self, user_email: str) -> GenericSuccessResponse:
        """Delete a user, and revoke every key of theirs."""
        return self._ask(Call("DELETE", f"/organizations/users/{part(user_email)}"))

    def get_user(self, user_email: str) -> UserModel:
        """A user by address, in whatever case, or by id."""
        return self._ask(Call("GET", f"/organizations/users/{part(user_email)}"))

    def update_user(self, user_email: str, **body: Unpack[UserUpdateRequest]) -> UserModel:
        """Change the fields that are sent. What the user's keys may do follows at once."""
        return self._ask(Call("PATCH", f"/organizations/users/{part(user_email)}", body=body))

    def list_keys(self, user_email: str, *, include_revoked: bool | None = None) -> APIKeyListResponse:
        """The user's keys, newest first: their prefixes and hashes, never themselves."""
        return self._ask(
            Call("GET", f"/organizations/users/{part(user_email)}/api-keys", query={"include_revoked": include_revoked})
        )

    def create_key(
        self, user_email: str, *, idempotency_key: str | None = None, **body: Unpack[APIKeyCreateRequest]
    ) -> APIKeyCreateResponse:
        """Make a key. Its secret is in this answer and nowhere else."""
        return self._ask(
            Call("POST", f"/organizations/users/{part(user_email)}/api-keys", body=body, key=idempotency_key or "")
        )

    def revoke_key(self, user_email: str, key_name: str) -> GenericSuccessResponse:
        """Revoke a key: it opens nothing from now on."""
        return self._ask(Call("DELETE", f"/organizations/users/{part(user_email)}/api-keys/{part(key_name)}"))

    def update_key(self, user_email: str, key_name: str, **body: Unpack[APIKeyUpdateRequest]) -> APIKeyModel:
        """Change the fields that are sent; status `revoked` revokes."""
        return self._ask(Call("PATCH", f"/organizations/users/{part(user_email)}/api-keys/{part(key_name)}", body=body))

    def rotate_key(
        self, user_email: str, key_name: str, *, grace_s: int | None = None, idempotency_key: str | None = None
    ) -> APIKeyCreateResponse:
        """Give the key another secret; the former one opens nothing from now on, or once its grace has ended."""
        return self._ask(
            Call(
                "POST",
                f"/organizations/users/{part(user_email)}/api-keys/{part(key_name)}/rotate",
                query={"grace_s": grace_s},
                key=idempotency_key or "",
            )
        )


class AsyncOrganizations(AsyncNoun):
    async def get(self) -> OrganizationModelResponse:
        """The organisation that the key belongs to."""
        return await self._ask(Call("GET", "/organizations"))

    async def update(self, **body: Unpack[OrganizationUpdateRequest]) -> OrganizationModelResponse:
        """Change the fields that are sent."""
        return await self._ask(Call("PATCH", "/organizations", body=body))

    async def list_users(
        self,
        *,
        skip: int | None = None,
        limit: int | None = None,
        role: UserRole | None = None,
        status: UserStatus | None = None,
    ) -> UserListResponse:
        """The organisation's users, the oldest first."""
        return await self._ask(
            Call("GET", "/organizations/users", query={"skip": skip, "limit": limit, "role": role, "status": status})
        )

    async def create_user(self, *, idempotency_key: str | None = None, **body: Unpack[UserCreateRequest]) -> UserModel:
        """Make a user. Keys are made for them beside it; no mail is sent."""
        return await self._ask(Call("POST", "/organizations/users", body=body, key=idempotency_key or ""))

    async def delete_user(self, user_email: str) -> GenericSuccessResponse:
        """Delete a user, and revoke every key of theirs."""
        return await self._ask(Call("DELETE", f"/organizations/users/{part(user_email)}"))

    async def get_user(self, user_email: str) -> UserModel:
        """A user by address, in whatever case, or by id."""
        return await self._ask(Call("GET", f"/organizations/users/{part(user_email)}"))

    async def update_user(self, user_email: str, **body: Unpack[UserUpdateRequest]) -> UserModel:
        """Change the fields that are sent. What the user's keys may do follows at once."""
        return await self._ask(Call("PATCH", f"/organizations/users/{part(user_email)}", body=body))

    async def list_keys(self, user_email: str, *, include_revoked: bool | None = None) -> APIKeyListResponse:
        """The user's keys, newest first: their prefixes and hashes, never themselves."""
        return await self._ask(
            Call("GET", f"/organizations/users/{part(user_email)}/api-keys", query={"include_revoked": include_revoked})
        )

    async def create_key(
        self, user_email: str, *, idempotency_key: str | None = None, **body: Unpack[APIKeyCreateRequest]
    ) -> APIKeyCreateResponse:
        """Make a key. Its secret is in this answer and nowhere else."""
        return await self._ask(
            Call("POST", f"/organizations/users/{part(user_email)}/api-keys", body=body, key=idempotency_key or "")
        )

    async def revoke_key(self, user_email: str, key_name: str) -> GenericSuccessResponse:
        """Revoke a key: it opens nothing from now on."""
        return await self._ask(Call("DELETE", f"/organizations/users/{part(user_email)}/api-keys/{part(key_name)}"))

    async def update_key(self, user_email: str, key_name: str, **body: Unpack[APIKeyUpdateRequest]) -> APIKeyModel:
        """Change the fields that are sent; status `revoked` revokes."""
        return await self._ask(
            Call("PATCH", f"/organizations/users/{part(user_email)}/api-keys/{part(key_name)}", body=body)
        )

    async def rotate_key(
        self, user_email: str, key_name: str, *, grace_s: int | None = None, idempotency_key: str | None = None
    ) -> APIKeyCreateResponse:
        """Give the key another secret; the former one opens nothing from now on, or once its grace has ended."""
        return await self._ask(
            Call(
                "POST",
                f"/organizations/users/{part(user_email)}/api-keys/{part(key_name)}/rotate",
                query={"grace_s": grace_s},
                key=idempotency_key or "",
            )
        )
