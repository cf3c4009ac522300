# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `documents`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun
from tamis.client.tables import Rows, json_lines

if TYPE_CHECKING:
    from tamis.client.served.types_documents import (
        BatchDeleteDocumentsRequest,
        BatchDeleteDocumentsResponse,
        BatchUpdateDocumentsRequest,
        BatchUpdateDocumentsResponse,
        BulkUpdateDocumentsRequest,
        BulkUpdateDocumentsResponse,
        DocumentAggregationRequest,
        DocumentAggregationResponse,
        DocumentImportResponse,
        DocumentResponse,
        Existing,
        ExportFormat,
        ListDocumentsRequest,
        ListDocumentsResponse,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse


class Documents(Noun):
    def create(
        self, collection_identifier: str, *, idempotency_key: str | None = None, **body: Any
    ) -> DocumentResponse:
        """A document of the caller's own, with his own vectors if he has them; the next search finds it."""
        return self._ask(
            Call("POST", f"/collections/{part(collection_identifier)}/documents", body=body, key=idempotency_key or "")
        )

    def aggregate(
        self, collection_identifier: str, **body: Unpack[DocumentAggregationRequest]
    ) -> DocumentAggregationResponse:
        """Group documents by fields, dates or ranges and compute figures of each group."""
        return self._ask(
            Call("POST", f"/collections/{part(collection_identifier)}/documents/aggregate", body=body, is_reading=True)
        )

    def batch_delete(
        self, collection_identifier: str, **body: Unpack[BatchDeleteDocumentsRequest]
    ) -> BatchDeleteDocumentsResponse:
        """Delete documents by id, or all that the filters let in."""
        return self._ask(Call("DELETE", f"/collections/{part(collection_identifier)}/documents/batch", body=body))

    def batch_update(
        self,
        collection_identifier: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[BatchUpdateDocumentsRequest],
    ) -> BatchUpdateDocumentsResponse:
        """Patch documents one by one (`updates`), or all that the filters let in (`update_data`)."""
        return self._ask(
            Call(
                "POST",
                f"/collections/{part(collection_identifier)}/documents/batch",
                body=body,
                key=idempotency_key or "",
            )
        )

    def bulk_update(
        self, collection_identifier: str, **body: Unpack[BulkUpdateDocumentsRequest]
    ) -> BulkUpdateDocumentsResponse:
        """Patch every document that the filters let in."""
        return self._ask(Call("PATCH", f"/collections/{part(collection_identifier)}/documents/bulk", body=body))

    def export(
        self,
        collection_identifier: str,
        *,
        format: ExportFormat | None = None,
        vectors: bool | None = None,
        filters: str | None = None,
        after: str | None = None,
    ) -> Generator[bytes, None, None]:
        """All documents of a collection, or those that the filters let in, by id. An import of them gives the same
        again.
        """
        return self._pieces(
            Call(
                "GET",
                f"/collections/{part(collection_identifier)}/documents/export",
                query={"format": format, "vectors": vectors, "filters": filters, "after": after},
            )
        )

    def import_(
        self, collection_identifier: str, documents: Rows, *, existing: Existing | None = None
    ) -> DocumentImportResponse:
        """Documents as JSON lines, each with its vectors; searchable when this answers. A bad line fails alone."""
        return self._ask(
            Call(
                "POST",
                f"/collections/{part(collection_identifier)}/documents/import",
                query={"existing": existing},
                content=json_lines(documents),
            )
        )

    def list(self, collection_identifier: str, **body: Unpack[ListDocumentsRequest]) -> ListDocumentsResponse:
        """Filter, search, sort, group and page through a collection; newest first where no order is asked for."""
        return self._ask(
            Call("POST", f"/collections/{part(collection_identifier)}/documents/list", body=body, is_reading=True)
        )

    def delete(self, collection_identifier: str, document_id: str) -> GenericDeleteResponse:
        """Delete a document; the next search does not find it."""
        return self._ask(Call("DELETE", f"/collections/{part(collection_identifier)}/documents/{part(document_id)}"))

    def get(
        self,
        collection_identifier: str,
        document_id: str,
        *,
        return_url: bool | None = None,
        return_vectors: bool | None = None,
    ) -> DocumentResponse:
        """A document by id."""
        return self._ask(
            Call(
                "GET",
                f"/collections/{part(collection_identifier)}/documents/{part(document_id)}",
                query={"return_url": return_url, "return_vectors": return_vectors},
            )
        )

    def patch(self, collection_identifier: str, document_id: str, **body: Any) -> DocumentResponse:
        """Replace the fields that are named, keep the others."""
        return self._ask(
            Call("PATCH", f"/collections/{part(collection_identifier)}/documents/{part(document_id)}", body=body)
        )

    def update(self, collection_identifier: str, document_id: str, **body: Any) -> DocumentResponse:
        """Replace all fields of a document; its vectors stay unless `features` brings others."""
        return self._ask(
            Call("PUT", f"/collections/{part(collection_identifier)}/documents/{part(document_id)}", body=body)
        )


class AsyncDocuments(AsyncNoun):
    async def create(
        self, collection_identifier: str, *, idempotency_key: str | None = None, **body: Any
    ) -> DocumentResponse:
        """A document of the caller's own, with his own vectors if he has them; the next search finds it."""
        return await self._ask(
            Call("POST", f"/collections/{part(collection_identifier)}/documents", body=body, key=idempotency_key or "")
        )

    async def aggregate(
        self, collection_identifier: str, **body: Unpack[DocumentAggregationRequest]
    ) -> DocumentAggregationResponse:
        """Group documents by fields, dates or ranges and compute figures of each group."""
        return await self._ask(
            Call("POST", f"/collections/{part(collection_identifier)}/documents/aggregate", body=body, is_reading=True)
        )

    async def batch_delete(
        self, collection_identifier: str, **body: Unpack[BatchDeleteDocumentsRequest]
    ) -> BatchDeleteDocumentsResponse:
        """Delete documents by id, or all that the filters let in."""
        return await self._ask(Call("DELETE", f"/collections/{part(collection_identifier)}/documents/batch", body=body))

    async def batch_update(
        self,
        collection_identifier: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[BatchUpdateDocumentsRequest],
    ) -> BatchUpdateDocumentsResponse:
        """Patch documents one by one (`updates`), or all that the filters let in (`update_data`)."""
        return await self._ask(
            Call(
                "POST",
                f"/collections/{part(collection_identifier)}/documents/batch",
                body=body,
                key=idempotency_key or "",
            )
        )

    async def bulk_update(
        self, collection_identifier: str, **body: Unpack[BulkUpdateDocumentsRequest]
    ) -> BulkUpdateDocumentsResponse:
        """Patch every document that the filters let in."""
        return await self._ask(Call("PATCH", f"/collections/{part(collection_identifier)}/documents/bulk", body=body))

    def export(
        self,
        collection_identifier: str,
        *,
        format: ExportFormat | None = None,
        vectors: bool | None = None,
        filters: str | None = None,
        after: str | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """All documents of a collection, or those that the filters let in, by id. An import of them gives the same
        again.
        """
        return self._pieces(
            Call(
                "GET",
                f"/collections/{part(collection_identifier)}/documents/export",
                query={"format": format, "vectors": vectors, "filters": filters, "after": after},
            )
        )

    async def import_(
        self, collection_identifier: str, documents: Rows, *, existing: Existing | None = None
    ) -> DocumentImportResponse:
        """Documents as JSON lines, each with its vectors; searchable when this answers. A bad line fails alone."""
        return await self._ask(
            Call(
                "POST",
                f"/collections/{part(collection_identifier)}/documents/import",
                query={"existing": existing},
                content=json_lines(documents),
            )
        )

    async def list(self, collection_identifier: str, **body: Unpack[ListDocumentsRequest]) -> ListDocumentsResponse:
        """Filter, search, sort, group and page through a collection; newest first where no order is asked for."""
        return await self._ask(
            Call("POST", f"/collections/{part(collection_identifier)}/documents/list", body=body, is_reading=True)
        )

    async def delete(self, collection_identifier: str, document_id: str) -> GenericDeleteResponse:
        """Delete a document; the next search does not find it."""
        return await self._ask(
            Call("DELETE", f"/collections/{part(collection_identifier)}/documents/{part(document_id)}")
        )

    async def get(
        self,
        collection_identifier: str,
        document_id: str,
        *,
        return_url: bool | None = None,
        return_vectors: bool | None = None,
    ) -> DocumentResponse:
        """A document by id."""
        return await self._ask(
            Call(
                "GET",
                f"/collections/{part(collection_identifier)}/documents/{part(document_id)}",
                query={"return_url": return_url, "return_vectors": return_vectors},
            )
        )

    async def patch(self, collection_identifier: str, document_id: str, **body: Any) -> DocumentResponse:
        """Replace the fields that are named, keep the others."""
        return await self._ask(
            Call("PATCH", f"/collections/{part(collection_identifier)}/documents/{part(document_id)}", body=body)
        )

    async def update(self, collection_identifier: str, document_id: str, **body: Any) -> DocumentResponse:
        """Replace all fields of a document; its vectors stay unless `features` brings others."""
        return await self._ask(
            Call("PUT", f"/collections/{part(collection_identifier)}/documents/{part(document_id)}", body=body)
        )
