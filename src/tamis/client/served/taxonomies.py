# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `taxonomies`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_shared import GenericDeleteResponse
    from tamis.client.served.types_taxonomies import (
        CloneTaxonomyRequest,
        CloneTaxonomyResponse,
        CreateTaxonomyRequest,
        CreateTaxonomyVersionRequest,
        ExecuteTaxonomyRequest,
        JoinResponse,
        ListTaxonomiesRequest,
        ListTaxonomiesResponse,
        PatchTaxonomyRequest,
        TaxonomyResponse,
    )


class Taxonomies(Noun):
    def create_taxonomy(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateTaxonomyRequest]
    ) -> TaxonomyResponse:
        """A tree of classes, written out or inferred, and how documents are matched to them."""
        return self._ask(Call("POST", "/taxonomies", body=body, key=idempotency_key or ""))

    def execute_taxonomy(
        self,
        taxonomy_identifier: str,
        *,
        version: int | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ExecuteTaxonomyRequest],
    ) -> JoinResponse:
        """Try it out on some documents; nothing is stored."""
        return self._ask(
            Call(
                "POST",
                f"/taxonomies/execute/{part(taxonomy_identifier)}",
                query={"version": version},
                body=body,
                key=idempotency_key or "",
            )
        )

    def list(self, **body: Unpack[ListTaxonomiesRequest]) -> ListTaxonomiesResponse:
        """The namespace's taxonomies, newest first where no order is asked for."""
        return self._ask(Call("POST", "/taxonomies/list", body=body, is_reading=True))

    def delete_taxonomy(self, taxonomy_identifier: str) -> GenericDeleteResponse:
        """With its versions and analytics; labels stay in documents."""
        return self._ask(Call("DELETE", f"/taxonomies/{part(taxonomy_identifier)}"))

    def get_taxonomy(self, taxonomy_identifier: str, *, version: int | None = None) -> TaxonomyResponse:
        """A taxonomy by id or name."""
        return self._ask(Call("GET", f"/taxonomies/{part(taxonomy_identifier)}", query={"version": version}))

    def patch_taxonomy(self, taxonomy_identifier: str, **body: Unpack[PatchTaxonomyRequest]) -> TaxonomyResponse:
        """Change its name, description or metadata; its config changes by a new version."""
        return self._ask(Call("PATCH", f"/taxonomies/{part(taxonomy_identifier)}", body=body))

    def clone_taxonomy(
        self, taxonomy_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[CloneTaxonomyRequest]
    ) -> CloneTaxonomyResponse:
        """Copy it under a new name; what is sent stands over the source's."""
        return self._ask(
            Call("POST", f"/taxonomies/{part(taxonomy_identifier)}/clone", body=body, key=idempotency_key or "")
        )

    def list_taxonomy_versions(self, taxonomy_id: str) -> ListTaxonomiesResponse:
        """Every version, newest first."""
        return self._ask(Call("GET", f"/taxonomies/{part(taxonomy_id)}/versions"))

    def create_taxonomy_version(
        self, taxonomy_id: str, *, idempotency_key: str | None = None, **body: Unpack[CreateTaxonomyVersionRequest]
    ) -> TaxonomyResponse:
        """The next version, which is what the taxonomy is from now on; earlier ones can be read and tried out."""
        return self._ask(
            Call("POST", f"/taxonomies/{part(taxonomy_id)}/versions", body=body, key=idempotency_key or "")
        )


class AsyncTaxonomies(AsyncNoun):
    async def create_taxonomy(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateTaxonomyRequest]
    ) -> TaxonomyResponse:
        """A tree of classes, written out or inferred, and how documents are matched to them."""
        return await self._ask(Call("POST", "/taxonomies", body=body, key=idempotency_key or ""))

    async def execute_taxonomy(
        self,
        taxonomy_identifier: str,
        *,
        version: int | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ExecuteTaxonomyRequest],
    ) -> JoinResponse:
        """Try it out on some documents; nothing is stored."""
        return await self._ask(
            Call(
                "POST",
                f"/taxonomies/execute/{part(taxonomy_identifier)}",
                query={"version": version},
                body=body,
                key=idempotency_key or "",
            )
        )

    async def list(self, **body: Unpack[ListTaxonomiesRequest]) -> ListTaxonomiesResponse:
        """The namespace's taxonomies, newest first where no order is asked for."""
        return await self._ask(Call("POST", "/taxonomies/list", body=body, is_reading=True))

    async def delete_taxonomy(self, taxonomy_identifier: str) -> GenericDeleteResponse:
        """With its versions and analytics; labels stay in documents."""
        return await self._ask(Call("DELETE", f"/taxonomies/{part(taxonomy_identifier)}"))

    async def get_taxonomy(self, taxonomy_identifier: str, *, version: int | None = None) -> TaxonomyResponse:
        """A taxonomy by id or name."""
        return await self._ask(Call("GET", f"/taxonomies/{part(taxonomy_identifier)}", query={"version": version}))

    async def patch_taxonomy(self, taxonomy_identifier: str, **body: Unpack[PatchTaxonomyRequest]) -> TaxonomyResponse:
        """Change its name, description or metadata; its config changes by a new version."""
        return await self._ask(Call("PATCH", f"/taxonomies/{part(taxonomy_identifier)}", body=body))

    async def clone_taxonomy(
        self, taxonomy_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[CloneTaxonomyRequest]
    ) -> CloneTaxonomyResponse:
        """Copy it under a new name; what is sent stands over the source's."""
        return await self._ask(
            Call("POST", f"/taxonomies/{part(taxonomy_identifier)}/clone", body=body, key=idempotency_key or "")
        )

    async def list_taxonomy_versions(self, taxonomy_id: str) -> ListTaxonomiesResponse:
        """Every version, newest first."""
        return await self._ask(Call("GET", f"/taxonomies/{part(taxonomy_id)}/versions"))

    async def create_taxonomy_version(
        self, taxonomy_id: str, *, idempotency_key: str | None = None, **body: Unpack[CreateTaxonomyVersionRequest]
    ) -> TaxonomyResponse:
        """The next version, which is what the taxonomy is from now on; earlier ones can be read and tried out."""
        return await self._ask(
            Call("POST", f"/taxonomies/{part(taxonomy_id)}/versions", body=body, key=idempotency_key or "")
        )
