# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `templates`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_templates import BaseTemplateModel


class Templates(Noun):
    def list_namespace(self, *, category: str | None = None) -> Sequence[BaseTemplateModel]:
        """Namespaces to begin with; a `configuration` is the body of `POST /v1/namespaces`."""
        return self._ask(Call("GET", "/public/templates/namespaces", query={"category": category}))

    def get_namespace(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return self._ask(Call("GET", f"/public/templates/namespaces/{part(template_id)}"))

    def list_retriever(self, *, category: str | None = None) -> Sequence[BaseTemplateModel]:
        """Pipelines to begin with; a `configuration` is the body of `POST /v1/retrievers`."""
        return self._ask(Call("GET", "/public/templates/retrievers", query={"category": category}))

    def get_retriever(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return self._ask(Call("GET", f"/public/templates/retrievers/{part(template_id)}"))


class AsyncTemplates(AsyncNoun):
    async def list_namespace(self, *, category: str | None = None) -> Sequence[BaseTemplateModel]:
        """Namespaces to begin with; a `configuration` is the body of `POST /v1/namespaces`."""
        return await self._ask(Call("GET", "/public/templates/namespaces", query={"category": category}))

    async def get_namespace(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return await self._ask(Call("GET", f"/public/templates/namespaces/{part(template_id)}"))

    async def list_retriever(self, *, category: str | None = None) -> Sequence[BaseTemplateModel]:
        """Pipelines to begin with; a `configuration` is the body of `POST /v1/retrievers`."""
        return await self._ask(Call("GET", "/public/templates/retrievers", query={"category": category}))

    async def get_retriever(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return await self._ask(Call("GET", f"/public/templates/retrievers/{part(template_id)}"))
