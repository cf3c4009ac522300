"""Pages, totals and the answer to a deletion."""

from pydantic import BaseModel, Field


class PaginationResponse(BaseModel):
    """next_cursor is what later clients go on with; the rest is the contract's."""

    next_cursor: str | None = None
    next_page: str | None = None
    page: int
    page_size: int
    previous_page: str | None = None
    total: int
    total_pages: int


class PaginationMetadata(BaseModel):
    has_next: bool
    limit: int = Field(..., ge=0)
    offset: int = Field(..., ge=0)
    total: int = Field(..., ge=0)


class GenericDeleteResponse(BaseModel):
    message: str = "Successfully deleted"
    success: bool = True


class GenericSuccessResponse(BaseModel):
    message: str = "Successfully completed"
    success: bool = True
