"""The error envelope."""

from typing import Any

from pydantic import BaseModel, Field


class ErrorDetail(BaseModel):
    details: dict[str, Any] | None = None
    message: str
    type: str


class ErrorResponse(BaseModel):
    error: ErrorDetail
    status: int
    success: bool = False


class ValidationError(BaseModel):
    loc: list[str | int]
    msg: str
    type: str


class HTTPValidationError(BaseModel):
    detail: list[ValidationError] = Field(default_factory=list)
