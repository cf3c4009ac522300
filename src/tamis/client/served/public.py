# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `public`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_public import (
        ListPublicRetrieversResponse,
        PublicExecutionAnswer,
        PublicInteractionBatchRequest,
        PublicInteractionRequest,
        PublicRetrieverConfigResponse,
        PublicRetrieverTemplateResponse,
        RetrieverExecutionRequest,
        TrackedInteractions,
        VerifyPasswordRequest,
        VerifyPasswordResponse,
    )


class Public(Noun):
    def list(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        include_inactive: bool | None = None,
        search: str | None = None,
    ) -> ListPublicRetrieversResponse:
        """What this server shows to everybody, newest first. One that is not active is shown to nobody here."""
        return self._ask(
            Call(
                "GET",
                "/public/retrievers/",
                query={"page": page, "page_size": page_size, "include_inactive": include_inactive, "search": search},
            )
        )

    def get_config(self, public_name: str) -> PublicRetrieverConfigResponse:
        """What a page needs to show itself and to ask: how it looks, its inputs, its public key."""
        return self._ask(Call("GET", f"/public/retrievers/{part(public_name)}/config"))

    def execute(
        self,
        public_name: str,
        *,
        return_urls: bool | None = None,
        public_api_key: str | None = None,
        retriever_password: str | None = None,
        **body: Unpack[RetrieverExecutionRequest],
    ) -> PublicExecutionAnswer:
        """Search. Answers hold the exposed fields of documents, their ids and their scores."""
        return self._ask(
            Call(
                "POST",
                f"/public/retrievers/{part(public_name)}/execute",
                query={"return_urls": return_urls},
                headers={"x-public-api-key": public_api_key, "x-retriever-password": retriever_password},
                body=body,
                is_reading=True,
            )
        )

    def track_interaction(
        self, public_name: str, *, public_api_key: str | None = None, **body: Unpack[PublicInteractionRequest]
    ) -> TrackedInteractions:
        """Tell what the visitor did with a document that he was shown."""
        return self._ask(
            Call(
                "POST",
                f"/public/retrievers/{part(public_name)}/interactions",
                headers={"x-public-api-key": public_api_key},
                body=body,
                is_reading=True,
            )
        )

    def track_interaction_batch(
        self,
        public_name: str,
        *,
        public_api_key: str | None = None,
        session_id: str | None = None,
        **body: Unpack[PublicInteractionBatchRequest],
    ) -> TrackedInteractions:
        """As one interaction, of up to a hundred; all are kept or none."""
        return self._ask(
            Call(
                "POST",
                f"/public/retrievers/{part(public_name)}/interactions/batch",
                headers={"x-public-api-key": public_api_key, "x-session-id": session_id},
                body=body,
                is_reading=True,
            )
        )

    def get_template(self, public_name: str) -> PublicRetrieverTemplateResponse:
        """The pipeline behind a published retriever, to be made one's own; only where its publisher shares it."""
        return self._ask(Call("GET", f"/public/retrievers/{part(public_name)}/template"))

    def verify_password(self, public_name: str, **body: Unpack[VerifyPasswordRequest]) -> VerifyPasswordResponse:
        """Whether this is the password; if so, a grant that stands for it for an hour."""
        return self._ask(Call("POST", f"/public/retrievers/{part(public_name)}/verify", body=body, is_reading=True))


class AsyncPublic(AsyncNoun):
    async def list(
        self,
        *,
        page: int | None = None,
        page_size: int | None = None,
        include_inactive: bool | None = None,
        search: str | None = None,
    ) -> ListPublicRetrieversResponse:
        """What this server shows to everybody, newest first. One that is not active is shown to nobody here."""
        return await self._ask(
            Call(
                "GET",
                "/public/retrievers/",
                query={"page": page, "page_size": page_size, "include_inactive": include_inactive, "search": search},
            )
        )

    async def get_config(self, public_name: str) -> PublicRetrieverConfigResponse:
        """What a page needs to show itself and to ask: how it looks, its inputs, its public key."""
        return await self._ask(Call("GET", f"/public/retrievers/{part(public_name)}/config"))

    async def execute(
        self,
        public_name: str,
        *,
        return_urls: bool | None = None,
        public_api_key: str | None = None,
        retriever_password: str | None = None,
        **body: Unpack[RetrieverExecutionRequest],
    ) -> PublicExecutionAnswer:
        """Search. Answers hold the exposed fields of documents, their ids and their scores."""
        return await self._ask(
            Call(
                "POST",
                f"/public/retrievers/{part(public_name)}/execute",
                query={"return_urls": return_urls},
                headers={"x-public-api-key": public_api_key, "x-retriever-password": retriever_password},
                body=body,
                is_reading=True,
            )
        )

    async def track_interaction(
        self, public_name: str, *, public_api_key: str | None = None, **body: Unpack[PublicInteractionRequest]
    ) -> TrackedInteractions:
        """Tell what the visitor did with a document that he was shown."""
        return await self._ask(
            Call(
                "POST",
                f"/public/retrievers/{part(public_name)}/interactions",
                headers={"x-public-api-key": public_api_key},
                body=body,
                is_reading=True,
            )
        )

    async def track_interaction_batch(
        self,
        public_name: str,
        *,
        public_api_key: str | None = None,
        session_id: str | None = None,
        **body: Unpack[PublicInteractionBatchRequest],
    ) -> TrackedInteractions:
        """As one interaction, of up to a hundred; all are kept or none."""
        return await self._ask(
            Call(
                "POST",
                f"/public/retrievers/{part(public_name)}/interactions/batch",
                headers={"x-public-api-key": public_api_key, "x-session-id": session_id},
                body=body,
                is_reading=True,
            )
        )

    async def get_template(self, public_name: str) -> PublicRetrieverTemplateResponse:
        """The pipeline behind a published retriever, to be made one's own; only where its publisher shares it."""
        return await self._ask(Call("GET", f"/public/retrievers/{part(public_name)}/template"))

    async def verify_password(self, public_name: str, **body: Unpack[VerifyPasswordRequest]) -> VerifyPasswordResponse:
        """Whether this is the password; if so, a grant that stands for it for an hour."""
        return await self._ask(
            Call("POST", f"/public/retrievers/{part(public_name)}/verify", body=body, is_reading=True)
        )
