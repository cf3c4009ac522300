"""How a list is asked for and how its answer says where it stands, for every list route alike.

A route takes `paging: Paging` (the query parameters) and a body whose model extends `ListRequest`:

    query = paging.query(body)                     # services.listing.ListQuery, also a Listing for the storage
    page = await service.list(principal, query)
    pagination(page, request, query)               # the contract's PaginationResponse
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field

from tamis.api.schemas.page import PaginationResponse
from tamis.errors import ValidationError
from tamis.model.page import Page
from tamis.services.listing import ListQuery, build_query

MAX_LIMIT = 1000
MAX_OFFSET = 2**31 - 1
DEFAULT_LIMIT = 10

Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT)]
Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET)]


class ListRequest(BaseModel):
    """The body of a list: what the contract's list requests hold, and what later clients send."""

    case_sensitive: bool = False
    count_only: bool = False
    cursor: str | None = None
    filters: dict[str, Any] | list[Any] | None = None
    limit: Limit | None = None
    offset: Offset | None = None
    page: Annotated[int, Field(ge=1, le=MAX_OFFSET)] | None = None
    page_size: Limit | None = None
    search: str | None = None
    sort: dict[str, Any] | list[Any] | str | None = None
    sorts: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class ListParameters:
    """A list's query parameters. Where the body says something else, the body wins."""

    limit: int | None = None
    offset: int | None = None
    page_size: int | None = None
    page: int | None = None
    cursor: str | None = None
    count_only: bool = False

    def query(self, body: ListRequest | None = None, default_limit: int = DEFAULT_LIMIT) -> ListQuery:
        """Raises: ValidationError naming the place."""
        asked = body or ListRequest()
        limit = asked.limit or asked.page_size or self.limit or self.page_size or default_limit
        return build_query(
            asked.filters,
            asked.search,
            asked.sort or asked.sorts,
            case_sensitive=asked.case_sensitive,
            limit=limit,
            offset=self._offset(asked, limit),
            count_only=asked.count_only or self.count_only,
        )

    def _offset(self, asked: ListRequest, limit: int) -> int:
        cursor = asked.cursor or self.cursor
        if cursor:
            return _decode(cursor)
        for source in (asked, self):
            if source.offset is not None:
                return source.offset
            if source.page is not None:
                return (source.page - 1) * limit
        return 0


def _parameters(
    limit: Annotated[int | None, Query(ge=1, le=MAX_LIMIT)] = None,
    offset: Annotated[int | None, Query(ge=0, le=MAX_OFFSET)] = None,
    page_size: Annotated[int | None, Query(ge=1, le=MAX_LIMIT, include_in_schema=False)] = None,
    page: Annotated[int | None, Query(ge=1, le=MAX_OFFSET, include_in_schema=False)] = None,
    cursor: Annotated[str | None, Query(include_in_schema=False)] = None,
    next_cursor: Annotated[str | None, Query(include_in_schema=False)] = None,
    count_only: Annotated[bool, Query(include_in_schema=False)] = False,
) -> ListParameters:
    return ListParameters(limit, offset, page_size, page, cursor or next_cursor, count_only)


Paging = Annotated[ListParameters, Depends(_parameters)]


def pagination(page: Page[Any], request: Request, query: ListQuery) -> PaginationResponse:
    """Where a page stands among all; links keep the caller's path and carry limit and offset."""
    limit, offset, total = query.limit, query.offset, page.total
    more = offset + limit < total and not query.count_only
    return PaginationResponse(
        total=total,
        page=offset // limit + 1,
        page_size=limit,
        total_pages=-(-total // limit),
        next_page=_link(request, limit, offset + limit) if more else None,
        previous_page=_link(request, limit, max(0, offset - limit)) if offset > 0 else None,
        next_cursor=_encode(offset + limit) if more else None,
    )


def _link(request: Request, limit: int, offset: int) -> str:
    return f"{request.url.path}?{urlencode({'limit': limit, 'offset': offset})}"


def _encode(offset: int) -> str:
    return base64.urlsafe_b64encode(f"offset:{offset}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> int:
    try:
        kind, _, offset = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(":")
    except (ValueError, binascii.Error):
        kind, offset = "", ""
    if kind != "offset" or not (offset.isascii() and offset.isdigit() and len(offset) < 11):
        raise ValidationError.at(["body", "cursor"], "the next_cursor of an answer, as it was given")
    return int(offset)
