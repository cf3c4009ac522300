"""Between executions on the wire and executions as values."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tamis.api.paging import ListParameters
from tamis.api.schemas.execution import (
    AnonymousExecutionDetail,
    AnonymousExecutionSummary,
    ExecutionOptions,
    ListAnonymousExecutionsRequest,
    ListAnonymousExecutionsResponse,
    ListExecutionsRequest,
    ListExecutionsResponse,
    RetrieverExecutionSummary,
)
from tamis.api.schemas.page import PaginationMetadata
from tamis.api.schemas.retriever_wire import read_budget
from tamis.engine.ports.executions import ExecutionQuery
from tamis.errors import ValidationError
from tamis.model.execution import ExecutionHeader, ExecutionStatus, StoredExecution
from tamis.model.instants import instant
from tamis.model.page import Page
from tamis.services.listing import build_query, timestamp
from tamis.services.runs.execution_runs import RunOptions

_SORTABLE = ("created_at", "timestamp", "started_at")


def read_options(body: ExecutionOptions, return_vectors: bool, skip_cache: bool) -> RunOptions:
    """Raises: ValidationError."""
    page, warnings = body.page()
    return RunOptions(
        inputs=body.inputs,
        filters=body.filters,
        collections=tuple(body.collection_identifiers),
        budget=read_budget(body.budget_limits) if body.budget_limits else None,
        page=page,
        skip_cache=body.skip_cache or skip_cache,
        return_vectors=return_vectors if body.return_vectors is None else body.return_vectors,
        warnings=tuple(warnings),
    )


def anonymous_query(body: ListAnonymousExecutionsRequest, paging: ListParameters) -> tuple[ExecutionQuery, bool]:
    """The query, and whether only the total is wanted. Raises: ValidationError."""
    window = paging.query(default_limit=10)
    query = ExecutionQuery(
        status=_status(body.status),
        start=read_moment(body.start_time, "start_time"),
        end=read_moment(body.end_time, "end_time"),
        limit=body.limit or window.limit,
        offset=window.offset if body.offset is None else body.offset,
    )
    return query, body.count_only or window.count_only


def saved_query(body: ListExecutionsRequest, paging: ListParameters) -> tuple[ExecutionQuery, bool]:
    """As `anonymous_query`. filters: over the summary's fields; an order by time alone is understood."""
    window = paging.query(default_limit=10)
    asked = build_query(body.filters, sort=body.sorts)
    if any(path not in _SORTABLE for path, _ in asked.sort):
        raise ValidationError.at(["body", "sorts"], "executions are ordered by created_at")
    query = ExecutionQuery(
        status=_status(body.status),
        limit=body.limit or window.limit,
        offset=window.offset if body.offset is None else body.offset,
        oldest_first=bool(asked.sort) and not asked.sort[0][1],
        filter=asked.filter,
    )
    return query, body.count_only or window.count_only


def _status(text: str | None) -> ExecutionStatus | None:
    if not text:
        return None
    try:
        return ExecutionStatus(text.lower())
    except ValueError:
        known = ", ".join(status.value for status in ExecutionStatus)
        raise ValidationError.at(["body", "status"], f"unknown status {text!r}; known: {known}") from None


def read_moment(value: Any, name: str, where: str = "body") -> datetime | None:
    """RFC 3339 text, or seconds since 1970."""
    if value is None or value == "":
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, ValueError, OSError):
            value = None
    moment = instant(value) if isinstance(value, str) else None
    if moment is None:
        raise ValidationError.at([where, name], "a time as RFC 3339 text, such as 2026-01-31T08:00:00Z")
    return moment


def show_anonymous(execution: StoredExecution) -> AnonymousExecutionDetail:
    header = execution.header
    return AnonymousExecutionDetail(**_summary(header), inputs=execution.inputs or None, inputs_hash=header.inputs_hash)


def show_anonymous_page(page: Page[ExecutionHeader]) -> ListAnonymousExecutionsResponse:
    shown = [AnonymousExecutionSummary(**_summary(header)) for header in page.items]
    return ListAnonymousExecutionsResponse(
        executions=shown, results=shown, total=page.total, pagination=_pagination(page)
    )


def show_saved_page(page: Page[ExecutionHeader]) -> ListExecutionsResponse:
    shown = [_saved_summary(header) for header in page.items]
    return ListExecutionsResponse(executions=shown, results=shown, total=page.total, pagination=_pagination(page))


def _pagination(page: Page[ExecutionHeader]) -> PaginationMetadata:
    has_next = bool(page.items) and page.has_next
    return PaginationMetadata(has_next=has_next, limit=page.limit, offset=page.offset, total=page.total)


def _summary(header: ExecutionHeader) -> dict[str, Any]:
    return {
        "execution_id": header.execution_id,
        "execution_mode": header.mode,
        "status": header.status.value,
        "timestamp": timestamp(header.started_at),
        "duration_ms": header.duration_ms,
        "credits_used": header.credits_used,
        "total_processed": header.total_processed,
        "total_returned": header.total_returned,
        "cache_hit_rate": header.cache_hit_rate,
        "query_summary": header.query_summary,
        "stages_completed": header.stages_completed,
        "total_stages": header.total_stages,
        "collection_ids": list(header.collection_ids),
    }


def _saved_summary(header: ExecutionHeader) -> RetrieverExecutionSummary:
    ended = header.started_at + timedelta(milliseconds=header.duration_ms)
    return RetrieverExecutionSummary(
        execution_id=header.execution_id,
        status=header.status.value,
        created_at=header.started_at,
        completed_at=None if header.status is ExecutionStatus.PROCESSING else ended,
        duration_ms=header.duration_ms,
        credits_used=header.credits_used,
        total_processed=header.total_processed,
        total_returned=header.total_returned,
        cache_hit_rate=header.cache_hit_rate,
        query_summary=header.query_summary,
        inputs_hash=header.inputs_hash,
    )
