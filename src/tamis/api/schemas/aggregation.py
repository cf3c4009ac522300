"""Grouped aggregation of objects and documents."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field


class AggregationFunction(StrEnum):
    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    FIRST = "first"
    LAST = "last"
    PUSH = "push"
    ADD_TO_SET = "add_to_set"


class AggregationOperation(BaseModel):
    alias: str
    distinct_field: str | None = None
    field: str | None = None
    function: AggregationFunction


class DatePartUnit(StrEnum):
    YEAR = "year"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"
    DAYOFWEEK = "dayOfWeek"
    DAYOFYEAR = "dayOfYear"
    HOUR = "hour"
    MINUTE = "minute"
    SECOND = "second"


class DateTruncUnit(StrEnum):
    YEAR = "year"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"
    HOUR = "hour"
    MINUTE = "minute"
    SECOND = "second"


class GroupByField(BaseModel):
    alias: str | None = None
    date_part: DatePartUnit | None = None
    date_trunc: DateTruncUnit | None = None
    field: str


class HavingCondition(BaseModel):
    field: str
    operator: str
    value: int | float | str


class RangeBucket(BaseModel):
    boundaries: list[int | float] = Field(..., min_length=1)
    default_bucket: str | None = None
    field: str


class DocumentAggregationRequest(BaseModel):
    aggregations: list[AggregationOperation] = Field(..., min_length=1)
    filters: dict[str, Any] | None = None
    group_by: list[GroupByField] = Field(..., min_length=1)
    having: list[HavingCondition] | None = None
    limit: int | None = Field(None, gt=0)
    range_buckets: list[RangeBucket] | None = None
    sort_by: str | None = None
    sort_direction: str = "desc"
    unwind: str | None = None


class AggregationResult(BaseModel):
    group: dict[str, Any]
    metrics: dict[str, Any]


class DocumentAggregationResponse(BaseModel):
    query_info: dict[str, Any] = Field(default_factory=dict)
    results: list[AggregationResult]
    total_groups: int
