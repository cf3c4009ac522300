"""Aggregations between the wire and the engine."""

from tamis.api.schemas.aggregation import (
    AggregationFunction,
    AggregationOperation,
    AggregationResult,
    DocumentAggregationRequest,
    DocumentAggregationResponse,
)
from tamis.engine.groups.aggregation import Aggregation, GroupKey, Having, RangeBuckets, Rows
from tamis.engine.groups.metrics import Function, Metric
from tamis.errors import ValidationError

_FUNCTIONS = {
    AggregationFunction.PUSH: Function.COLLECT,
    AggregationFunction.ADD_TO_SET: Function.COLLECT_DISTINCT,
}
_OPERATORS = {"==": "eq", "=": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}


def aggregation_of(body: DocumentAggregationRequest) -> Aggregation:
    """Raises: ValidationError naming the place."""
    direction = body.sort_direction.lower()
    if direction not in ("asc", "desc"):
        raise ValidationError.at(["body", "sort_direction"], "'asc' or 'desc'")
    return Aggregation(
        metrics=tuple(_metric(operation, place) for place, operation in enumerate(body.aggregations)),
        group_by=tuple(
            GroupKey(
                key.field,
                key.alias,
                key.date_trunc.value if key.date_trunc else None,
                key.date_part.value if key.date_part else None,
            )
            for key in body.group_by
        ),
        range_buckets=tuple(
            RangeBuckets(buckets.field, tuple(buckets.boundaries), buckets.default_bucket or "other")
            for buckets in body.range_buckets or ()
        ),
        having=tuple(_having(each.field, each.operator, each.value) for each in body.having or ()),
        unwind=body.unwind,
        sort_by=body.sort_by,
        descending=direction == "desc",
        limit=body.limit,
    )


def aggregation_model(rows: Rows) -> DocumentAggregationResponse:
    return DocumentAggregationResponse(
        query_info={"documents": rows.views, "groups_returned": len(rows.items)},
        results=[AggregationResult(group=dict(row.group), metrics=dict(row.metrics)) for row in rows.items],
        total_groups=rows.total,
    )


def _metric(operation: AggregationOperation, place: int) -> Metric:
    function = _FUNCTIONS.get(operation.function) or Function(operation.function.value)
    field = operation.field
    if function is Function.COUNT_DISTINCT:
        field = operation.distinct_field or field
    if field is None and function is not Function.COUNT:
        raise ValidationError.at(["body", "aggregations", place, "field"], f"{operation.function.value} needs a field")
    return Metric(operation.alias, function, field)


def _having(field: str, operator: str, value: float | str) -> Having:
    plain = operator.strip().removeprefix("$").lower()
    return Having(field, _OPERATORS.get(plain, plain), value)
