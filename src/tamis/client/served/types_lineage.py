# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `lineage` sends and gets."""

from __future__ import annotations

from typing import TypedDict


class DocumentExecution(TypedDict):
    execution_id: str
    query_summary: str | None
    rank: int | None
    retriever_id: str | None
    status: str
    stopped_at: str | None
    timestamp: str


class DocumentExecutionsResponse(TypedDict):
    executions: list[DocumentExecution]
    looked_at: int
    next_cursor: str | None
