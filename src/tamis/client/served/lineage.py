# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `lineage`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_lineage import DocumentExecutionsResponse


class Lineage(Noun):
    def list_document_executions(
        self, collection_id: str, document_id: str, *, limit: int | None = None, after: str | None = None
    ) -> DocumentExecutionsResponse:
        """The newest executions that saw the document, with its rank, or the stage that it stopped at."""
        return self._ask(
            Call(
                "GET",
                f"/collections/{part(collection_id)}/documents/{part(document_id)}/executions",
                query={"limit": limit, "after": after},
            )
        )

    def get_document(self, collection_id: str, document_id: str) -> dict[str, Any]:
        """The chain from the object at the root to this document, and what was made of it."""
        return self._ask(Call("GET", f"/collections/{part(collection_id)}/documents/{part(document_id)}/lineage"))

    def get_decomposition_tree(self, object_id: str, *, include_document_ids: bool | None = None) -> dict[str, Any]:
        """What became of an object, as a tree of collections."""
        return self._ask(
            Call(
                "GET",
                f"/objects/{part(object_id)}/decomposition-tree",
                query={"include_document_ids": include_document_ids},
            )
        )

    def get_object_documents(self, object_id: str, *, collection_ids: Sequence[str] | None = None) -> dict[str, Any]:
        """All documents that go back to an object, in any collection."""
        return self._ask(Call("GET", f"/objects/{part(object_id)}/documents", query={"collection_ids": collection_ids}))


class AsyncLineage(AsyncNoun):
    async def list_document_executions(
        self, collection_id: str, document_id: str, *, limit: int | None = None, after: str | None = None
    ) -> DocumentExecutionsResponse:
        """The newest executions that saw the document, with its rank, or the stage that it stopped at."""
        return await self._ask(
            Call(
                "GET",
                f"/collections/{part(collection_id)}/documents/{part(document_id)}/executions",
                query={"limit": limit, "after": after},
            )
        )

    async def get_document(self, collection_id: str, document_id: str) -> dict[str, Any]:
        """The chain from the object at the root to this document, and what was made of it."""
        return await self._ask(Call("GET", f"/collections/{part(collection_id)}/documents/{part(document_id)}/lineage"))

    async def get_decomposition_tree(
        self, object_id: str, *, include_document_ids: bool | None = None
    ) -> dict[str, Any]:
        """What became of an object, as a tree of collections."""
        return await self._ask(
            Call(
                "GET",
                f"/objects/{part(object_id)}/decomposition-tree",
                query={"include_document_ids": include_document_ids},
            )
        )

    async def get_object_documents(
        self, object_id: str, *, collection_ids: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """All documents that go back to an object, in any collection."""
        return await self._ask(
            Call("GET", f"/objects/{part(object_id)}/documents", query={"collection_ids": collection_ids})
        )
