# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `executions`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun
from tamis.client.shown import Diff, Named, Replay, Trace, WhyNot, execution_path

if TYPE_CHECKING:
    from tamis.client.served.types_executions import (
        AnonymousExecutionDetail,
        DeleteExecutionsRequest,
        DeleteExecutionsResponse,
        ExecutionDetail,
        ListAnonymousExecutionsRequest,
        ListAnonymousExecutionsResponse,
        ListExecutionsRequest,
        ListExecutionsResponse,
        PromoteRequest,
        PromoteResponse,
        ReplayRequest,
        WhyRequest,
    )


class Executions(Noun):
    def delete_executions(
        self, *, retriever_id: str | None = None, **body: Unpack[DeleteExecutionsRequest]
    ) -> DeleteExecutionsResponse:
        """Delete the records of anonymous executions that every condition sent holds for, in the URL or in a body."""
        return self._ask(Call("DELETE", f"{execution_path(None, retriever_id)}", body=body))

    def import_(self, *, idempotency_key: str | None = None, **body: Any) -> AnonymousExecutionDetail:
        """Store an exported execution under its id, among the anonymous ones, with `execution_mode: imported`."""
        return self._ask(Call("POST", "/retrievers/executions/import", body=body, key=idempotency_key or ""))

    def list(self, **body: Unpack[ListAnonymousExecutionsRequest]) -> ListAnonymousExecutionsResponse:
        """Anonymous executions, newest first."""
        return self._ask(Call("POST", "/retrievers/executions/list", body=body, is_reading=True))

    def delete(self, execution_id: str | Named, *, retriever_id: str | None = None) -> DeleteExecutionsResponse:
        """Delete the record of one anonymous execution."""
        return self._ask(Call("DELETE", f"{execution_path(execution_id, retriever_id)}"))

    def get(self, execution_id: str | Named) -> AnonymousExecutionDetail:
        """The record of an anonymous execution; a saved retriever's has its own path."""
        return self._ask(Call("GET", f"/retrievers/executions/{part(execution_id)}"))

    def diff(
        self,
        execution_id: str | Named,
        other: str | Named,
        *,
        retriever_id: str | None = None,
        stage: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> Diff:
        """What differs, stage by stage, between an anonymous execution (a) and any other of the namespace (b), and
        why.
        """
        return Diff(
            self._ask(
                Call(
                    "GET",
                    f"{execution_path(execution_id, retriever_id)}/diff/{part(other)}",
                    query={"stage": stage, "limit": limit, "offset": offset},
                )
            )
        )

    def export(
        self, execution_id: str | Named, *, retriever_id: str | None = None, documents: bool | None = None
    ) -> dict[str, Any]:
        """An anonymous execution as one self-contained file, `tamis.execution/1`."""
        return self._ask(
            Call("GET", f"{execution_path(execution_id, retriever_id)}/export", query={"documents": documents})
        )

    def promote(
        self,
        execution_id: str | Named,
        *,
        retriever_id: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[PromoteRequest],
    ) -> PromoteResponse:
        """Make it a saved retriever, or a query of an evaluation data set with its documents as the pool to judge."""
        return self._ask(
            Call("POST", f"{execution_path(execution_id, retriever_id)}/promote", body=body, key=idempotency_key or "")
        )

    def replay(
        self,
        execution_id: str | Named,
        *,
        retriever_id: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ReplayRequest],
    ) -> Replay:
        """Run an anonymous execution again and say whether it comes to the same, and if not, where and why it
        parts.
        """
        return Replay(
            self._ask(
                Call(
                    "POST", f"{execution_path(execution_id, retriever_id)}/replay", body=body, key=idempotency_key or ""
                )
            )
        )

    def trace(
        self,
        execution_id: str | Named,
        *,
        retriever_id: str | None = None,
        stage: str | None = None,
        side: Literal["in", "out"] | None = None,
        limit: int | None = None,
        offset: int | None = None,
        inputs: Literal["references", "full"] | None = None,
    ) -> Trace:
        """Everything that is known of an anonymous execution; of each stage the first documents in and out, or the
        window asked for. One that still runs is shown as far as it has come.
        """
        return Trace(
            self._ask(
                Call(
                    "GET",
                    f"{execution_path(execution_id, retriever_id)}/trace",
                    query={"stage": stage, "side": side, "limit": limit, "offset": offset, "inputs": inputs},
                )
            )
        )

    def why(self, execution_id: str | Named, *, retriever_id: str | None = None, **body: Unpack[WhyRequest]) -> WhyNot:
        """Stage by stage, one verdict each, and the smallest change that would let the document in."""
        return WhyNot(
            self._ask(Call("POST", f"{execution_path(execution_id, retriever_id)}/why", body=body, is_reading=True))
        )

    def list_saved(self, retriever_id: str, **body: Unpack[ListExecutionsRequest]) -> ListExecutionsResponse:
        """A saved retriever's executions, newest first where no order is asked for."""
        return self._ask(Call("POST", f"/retrievers/{part(retriever_id)}/executions/list", body=body, is_reading=True))

    def get_saved(
        self, retriever_id: str, execution_id: str | Named, *, return_urls: bool | None = None
    ) -> ExecutionDetail:
        """The record of a saved retriever's execution, with the documents that it returned as they are now."""
        return self._ask(
            Call(
                "GET",
                f"/retrievers/{part(retriever_id)}/executions/{part(execution_id)}",
                query={"return_urls": return_urls},
            )
        )


class AsyncExecutions(AsyncNoun):
    async def delete_executions(
        self, *, retriever_id: str | None = None, **body: Unpack[DeleteExecutionsRequest]
    ) -> DeleteExecutionsResponse:
        """Delete the records of anonymous executions that every condition sent holds for, in the URL or in a body."""
        return await self._ask(Call("DELETE", f"{execution_path(None, retriever_id)}", body=body))

    async def import_(self, *, idempotency_key: str | None = None, **body: Any) -> AnonymousExecutionDetail:
        """Store an exported execution under its id, among the anonymous ones, with `execution_mode: imported`."""
        return await self._ask(Call("POST", "/retrievers/executions/import", body=body, key=idempotency_key or ""))

    async def list(self, **body: Unpack[ListAnonymousExecutionsRequest]) -> ListAnonymousExecutionsResponse:
        """Anonymous executions, newest first."""
        return await self._ask(Call("POST", "/retrievers/executions/list", body=body, is_reading=True))

    async def delete(self, execution_id: str | Named, *, retriever_id: str | None = None) -> DeleteExecutionsResponse:
        """Delete the record of one anonymous execution."""
        return await self._ask(Call("DELETE", f"{execution_path(execution_id, retriever_id)}"))

    async def get(self, execution_id: str | Named) -> AnonymousExecutionDetail:
        """The record of an anonymous execution; a saved retriever's has its own path."""
        return await self._ask(Call("GET", f"/retrievers/executions/{part(execution_id)}"))

    async def diff(
        self,
        execution_id: str | Named,
        other: str | Named,
        *,
        retriever_id: str | None = None,
        stage: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> Diff:
        """What differs, stage by stage, between an anonymous execution (a) and any other of the namespace (b), and
        why.
        """
        return Diff(
            await self._ask(
                Call(
                    "GET",
                    f"{execution_path(execution_id, retriever_id)}/diff/{part(other)}",
                    query={"stage": stage, "limit": limit, "offset": offset},
                )
            )
        )

    async def export(
        self, execution_id: str | Named, *, retriever_id: str | None = None, documents: bool | None = None
    ) -> dict[str, Any]:
        """An anonymous execution as one self-contained file, `tamis.execution/1`."""
        return await self._ask(
            Call("GET", f"{execution_path(execution_id, retriever_id)}/export", query={"documents": documents})
        )

    async def promote(
        self,
        execution_id: str | Named,
        *,
        retriever_id: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[PromoteRequest],
    ) -> PromoteResponse:
        """Make it a saved retriever, or a query of an evaluation data set with its documents as the pool to judge."""
        return await self._ask(
            Call("POST", f"{execution_path(execution_id, retriever_id)}/promote", body=body, key=idempotency_key or "")
        )

    async def replay(
        self,
        execution_id: str | Named,
        *,
        retriever_id: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ReplayRequest],
    ) -> Replay:
        """Run an anonymous execution again and say whether it comes to the same, and if not, where and why it
        parts.
        """
        return Replay(
            await self._ask(
                Call(
                    "POST", f"{execution_path(execution_id, retriever_id)}/replay", body=body, key=idempotency_key or ""
                )
            )
        )

    async def trace(
        self,
        execution_id: str | Named,
        *,
        retriever_id: str | None = None,
        stage: str | None = None,
        side: Literal["in", "out"] | None = None,
        limit: int | None = None,
        offset: int | None = None,
        inputs: Literal["references", "full"] | None = None,
    ) -> Trace:
        """Everything that is known of an anonymous execution; of each stage the first documents in and out, or the
        window asked for. One that still runs is shown as far as it has come.
        """
        return Trace(
            await self._ask(
                Call(
                    "GET",
                    f"{execution_path(execution_id, retriever_id)}/trace",
                    query={"stage": stage, "side": side, "limit": limit, "offset": offset, "inputs": inputs},
                )
            )
        )

    async def why(
        self, execution_id: str | Named, *, retriever_id: str | None = None, **body: Unpack[WhyRequest]
    ) -> WhyNot:
        """Stage by stage, one verdict each, and the smallest change that would let the document in."""
        return WhyNot(
            await self._ask(
                Call("POST", f"{execution_path(execution_id, retriever_id)}/why", body=body, is_reading=True)
            )
        )

    async def list_saved(self, retriever_id: str, **body: Unpack[ListExecutionsRequest]) -> ListExecutionsResponse:
        """A saved retriever's executions, newest first where no order is asked for."""
        return await self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/executions/list", body=body, is_reading=True)
        )

    async def get_saved(
        self, retriever_id: str, execution_id: str | Named, *, return_urls: bool | None = None
    ) -> ExecutionDetail:
        """The record of a saved retriever's execution, with the documents that it returned as they are now."""
        return await self._ask(
            Call(
                "GET",
                f"/retrievers/{part(retriever_id)}/executions/{part(execution_id)}",
                query={"return_urls": return_urls},
            )
        )
