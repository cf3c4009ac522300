# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `interactions`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_evaluations import EvaluationDataset
    from tamis.client.served.types_interactions import (
        BulkInteractionsRequest,
        BulkInteractionsResponse,
        DeletedInteractions,
        GenerateFromInteractionsRequest,
        InteractionResponse,
        ListInteractionsRequest,
        ListInteractionsResponse,
        SearchInteraction,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse


class Interactions(Noun):
    def create(self, *, idempotency_key: str | None = None, **body: Unpack[SearchInteraction]) -> InteractionResponse:
        """Keep what somebody did with a document that a search showed. Who may search may tell of it."""
        return self._ask(Call("POST", "/retrievers/interactions", body=body, key=idempotency_key or ""))

    def create_interactions(
        self, *, idempotency_key: str | None = None, **body: Unpack[BulkInteractionsRequest]
    ) -> BulkInteractionsResponse:
        """As one interaction, of up to a thousand; all are kept or none."""
        return self._ask(Call("POST", "/retrievers/interactions/batch", body=body, key=idempotency_key or ""))

    def list(self, **body: Unpack[ListInteractionsRequest]) -> ListInteractionsResponse:
        """Interactions, newest first where no order is asked for."""
        return self._ask(Call("POST", "/retrievers/interactions/list", body=body, is_reading=True))

    def delete_user(self, user_id: str) -> DeletedInteractions:
        """Forget everything that somebody did, in this namespace. Sent again after a crash, it goes on."""
        return self._ask(Call("DELETE", f"/retrievers/interactions/users/{part(user_id)}"))

    def delete(self, interaction_id: str) -> GenericDeleteResponse:
        """Forget it."""
        return self._ask(Call("DELETE", f"/retrievers/interactions/{part(interaction_id)}"))

    def get(self, interaction_id: str) -> InteractionResponse:
        """An interaction by id."""
        return self._ask(Call("GET", f"/retrievers/interactions/{part(interaction_id)}"))

    def generate_dataset_from(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[GenerateFromInteractionsRequest]
    ) -> EvaluationDataset:
        """Work grades out of what was clicked, with where it stood taken out; what somebody judged stays as it is."""
        return self._ask(
            Call(
                "POST",
                f"/retrievers/{part(retriever_id)}/evaluations/generate-from-interactions",
                body=body,
                key=idempotency_key or "",
            )
        )


class AsyncInteractions(AsyncNoun):
    async def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[SearchInteraction]
    ) -> InteractionResponse:
        """Keep what somebody did with a document that a search showed. Who may search may tell of it."""
        return await self._ask(Call("POST", "/retrievers/interactions", body=body, key=idempotency_key or ""))

    async def create_interactions(
        self, *, idempotency_key: str | None = None, **body: Unpack[BulkInteractionsRequest]
    ) -> BulkInteractionsResponse:
        """As one interaction, of up to a thousand; all are kept or none."""
        return await self._ask(Call("POST", "/retrievers/interactions/batch", body=body, key=idempotency_key or ""))

    async def list(self, **body: Unpack[ListInteractionsRequest]) -> ListInteractionsResponse:
        """Interactions, newest first where no order is asked for."""
        return await self._ask(Call("POST", "/retrievers/interactions/list", body=body, is_reading=True))

    async def delete_user(self, user_id: str) -> DeletedInteractions:
        """Forget everything that somebody did, in this namespace. Sent again after a crash, it goes on."""
        return await self._ask(Call("DELETE", f"/retrievers/interactions/users/{part(user_id)}"))

    async def delete(self, interaction_id: str) -> GenericDeleteResponse:
        """Forget it."""
        return await self._ask(Call("DELETE", f"/retrievers/interactions/{part(interaction_id)}"))

    async def get(self, interaction_id: str) -> InteractionResponse:
        """An interaction by id."""
        return await self._ask(Call("GET", f"/retrievers/interactions/{part(interaction_id)}"))

    async def generate_dataset_from(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[GenerateFromInteractionsRequest]
    ) -> EvaluationDataset:
        """Work grades out of what was clicked, with where it stood taken out; what somebody judged stays as it is."""
        return await self._ask(
            Call(
                "POST",
                f"/retrievers/{part(retriever_id)}/evaluations/generate-from-interactions",
                body=body,
                key=idempotency_key or "",
            )
        )
