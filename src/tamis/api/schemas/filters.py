"""Filters and sorts on the wire."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class FilterOperator(StrEnum):
    EQ = "eq"
    NE = "ne"
    GT = "gt"
    LT = "lt"
    GTE = "gte"
    LTE = "lte"
    IN = "in"
    NIN = "nin"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    REGEX = "regex"
    EXISTS = "exists"
    IS_NULL = "is_null"
    TEXT = "text"


class DynamicValue(BaseModel):
    field: str
    type: Literal["dynamic"] = "dynamic"


class FilterCondition(BaseModel):
    field: str
    operator: FilterOperator = FilterOperator.EQ
    value: DynamicValue | Any


class LogicalOperator(BaseModel):
    model_config = ConfigDict(extra="allow")

    AND: "list[LogicalOperator | FilterCondition] | None" = None
    NOT: "list[LogicalOperator | FilterCondition] | None" = None
    OR: "list[LogicalOperator | FilterCondition] | None" = None
    case_sensitive: bool | None = False


class SortDirection(StrEnum):
    ASC = "asc"
    DESC = "desc"


class SortOption(BaseModel):
    direction: SortDirection = SortDirection.ASC
    field: str
