"""The four forms in which an execution's documents are paged."""

from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, Discriminator, Field, Tag, model_validator

from tamis.api.paging import MAX_OFFSET
from tamis.services.runs import result_pages
from tamis.services.runs.result_pages import PageRequest


class PaginationMethod(StrEnum):
    OFFSET = "offset"
    CURSOR = "cursor"
    SCROLL = "scroll"
    KEYSET = "keyset"


class OffsetPaginationParams(BaseModel):
    """`limit` and `offset` say the same as `page_size` and `page_number`, in documents."""

    method: PaginationMethod = PaginationMethod.OFFSET
    offset: int | None = Field(None, ge=0, le=MAX_OFFSET)
    page_number: int = Field(1, ge=1, le=MAX_OFFSET)
    page_size: int = Field(10, ge=1, le=500)

    @model_validator(mode="before")
    @classmethod
    def _limit(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and "limit" in raw and "page_size" not in raw:
            return {**raw, "page_size": raw["limit"]}
        return raw

    def request(self) -> PageRequest:
        offset = self.offset if self.offset is not None else (self.page_number - 1) * self.page_size
        return PageRequest(result_pages.PageMethod.OFFSET, self.page_size, offset=offset)


class _Limited(BaseModel):
    """`page_size`, as the offset form has it, says the same as `limit`."""

    @model_validator(mode="before")
    @classmethod
    def _page_size(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and "page_size" in raw and "limit" not in raw:
            return {**raw, "limit": raw["page_size"]}
        return raw


class CursorPaginationParams(_Limited):
    cursor: str | None = None
    limit: int = Field(10, ge=1, le=500)
    method: PaginationMethod = PaginationMethod.CURSOR

    def request(self) -> PageRequest:
        return PageRequest(result_pages.PageMethod.CURSOR, self.limit, token=self.cursor)


class ScrollPaginationParams(_Limited):
    limit: int = Field(100, ge=1, le=1000)
    method: PaginationMethod = PaginationMethod.SCROLL
    scroll_id: str | None = None
    scroll_ttl: int = Field(300, ge=60, le=3600)

    def request(self) -> PageRequest:
        return PageRequest(
            result_pages.PageMethod.SCROLL, self.limit, token=self.scroll_id, keep_s=float(self.scroll_ttl)
        )


class KeysetPaginationParams(_Limited):
    after: dict[str, Any] | None = None
    limit: int = Field(10, ge=1, le=500)
    method: PaginationMethod = PaginationMethod.KEYSET

    def request(self) -> PageRequest:
        return PageRequest(result_pages.PageMethod.KEYSET, self.limit, after=self.after)


_TELLING = {"cursor": "cursor", "scroll_id": "scroll", "scroll_ttl": "scroll", "after": "keyset"}


def _method(raw: Any) -> str:
    """The form that is meant: the one named, else the one whose own field is there, else offset."""
    if not isinstance(raw, dict):
        return str(getattr(raw, "method", "offset"))
    if raw.get("method") is not None:
        return str(raw["method"])
    return next((method for name, method in _TELLING.items() if name in raw), "offset")


PaginationParams: TypeAlias = Annotated[
    Annotated[OffsetPaginationParams, Tag("offset")]
    | Annotated[CursorPaginationParams, Tag("cursor")]
    | Annotated[ScrollPaginationParams, Tag("scroll")]
    | Annotated[KeysetPaginationParams, Tag("keyset")],
    Discriminator(
        _method,
        custom_error_type="pagination_method",
        custom_error_message="method is one of offset, cursor, scroll, keyset",
    ),
]
