"""Figures over the hits, in all or by group."""

from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field, field_validator, model_validator

from tamis.engine.groups.aggregation import Aggregation, GroupKey, Row, aggregate
from tamis.engine.groups.grouping import sorted_json
from tamis.engine.groups.metrics import PAIRED, Function, Metric
from tamis.engine.parameters import StageParameters
from tamis.engine.spending.spending import Given, Spending
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON


class AggregationOperation(StageParameters):
    function: Function = Field(
        validation_alias=AliasChoices("function", "type"),
        description="What to compute. stddev and variance are those of a sample; frequency, histogram and "
        "co_occurrence count values.",
    )
    alias: str = Field(min_length=1, validation_alias=AliasChoices("alias", "name"), description="Name of the figure.")
    field: str | None = Field(None, min_length=1, description="Path of the values; only `count` can do without.")
    field_b: str | None = Field(None, min_length=1, description="co_occurrence, correlation: path of the other values.")
    percentile_value: float | None = Field(
        None, ge=0, le=100, description="percentile: which, 0 to 100; 50 if omitted."
    )
    percentiles: list[float] | None = Field(None, min_length=1, description="percentile: several at once.")
    top_k: int = Field(10, ge=1, le=100, description="frequency, co_occurrence: how many entries.")
    interval: float | None = Field(None, gt=0, description="histogram: width of a bucket; else each value is one.")

    @field_validator("function", mode="before")
    @classmethod
    def _other_names(cls, value: Any) -> Any:
        return {"cardinality": "count_distinct"}.get(value, value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fields_given(self) -> "AggregationOperation":
        if self.field is None and self.function is not Function.COUNT:
            raise ValueError(f"{self.function.value} needs a field")
        if self.field_b is None and self.function in PAIRED:
            raise ValueError(f"{self.function.value} needs field_b")
        if any(not 0 <= rank <= 100 for rank in self.percentiles or ()):
            raise ValueError("percentiles are between 0 and 100")
        return self

    def metric(self) -> Metric:
        ranks = tuple(self.percentiles or (50.0 if self.percentile_value is None else self.percentile_value,))
        return Metric(self.alias, self.function, self.field, self.field_b, ranks, self.top_k, self.interval)


class GroupByField(StageParameters):
    field: str = Field(min_length=1, description="Path of the field.")
    alias: str | None = Field(None, min_length=1, description="Its name in the answer; the path if omitted.")


class AggregateParameters(StageParameters):
    aggregations: list[AggregationOperation] = Field(min_length=1, description="The figures to compute.")
    group_by: list[GroupByField] = Field(
        default_factory=list, description="Compute them for each group of these fields."
    )
    sort_by: str | None = Field(None, description="Order the groups by this figure or field.")
    sort_order: Literal["asc", "desc"] = Field("desc", description="Direction of that order.")
    limit: int | None = Field(None, ge=1, le=1000, description="How many groups to keep.")
    include_documents: bool = Field(
        False,
        description="Pass the hits on, the figures among the stage's facts; else the groups replace them.",
    )

    @field_validator("group_by", mode="before")
    @classmethod
    def _paths_too(cls, value: Any) -> Any:
        listed = [value] if isinstance(value, str | dict) else value
        if not isinstance(listed, list):
            return listed
        return [{"field": item} if isinstance(item, str) else item for item in listed]

    @model_validator(mode="after")
    def _names_known(self) -> "AggregateParameters":
        aliases = [operation.alias for operation in self.aggregations]
        names = {*aliases, *(key.alias or key.field for key in self.group_by)}
        if len(set(aliases)) < len(aliases):
            raise ValueError("every aggregation needs an alias of its own")
        if self.sort_by is not None and self.sort_by not in names:
            raise ValueError(f"sort_by names none of {', '.join(sorted(names))}")
        return self

    def aggregation(self) -> Aggregation:
        return Aggregation(
            metrics=tuple(operation.metric() for operation in self.aggregations),
            group_by=tuple(GroupKey(key.field, key.alias) for key in self.group_by),
            sort_by=self.sort_by,
            descending=self.sort_order == "desc",
            limit=self.limit,
        )


def _shown(parameters: AggregateParameters, given: Given) -> float:
    if parameters.include_documents:
        return given.count
    return min(parameters.limit or 1000, max(given.count, 1)) if parameters.group_by else 1


class Aggregate:
    """One row for each group of hits, or one for all."""

    id: ClassVar[str] = "aggregate"
    kind: ClassVar[StageKind] = StageKind.REDUCE
    icon: ClassVar[str] = "sigma"
    description: ClassVar[str] = (
        "Compute figures over the hits: counts, sums, averages, percentiles, distributions, correlation; for all of "
        "them or by groups of one or more fields. The rows replace the hits, or stand beside them."
    )
    Parameters: ClassVar[type[BaseModel]] = AggregateParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    spends: ClassVar[Spending] = Spending(yields=_shown)
    example: ClassVar[dict[str, Any]] = {
        "aggregations": [
            {"function": "count", "alias": "products"},
            {"function": "avg", "field": "metadata.price", "alias": "mean_price"},
        ],
        "group_by": [{"field": "metadata.brand", "alias": "brand"}],
        "sort_by": "products",
    }

    def __init__(self, parameters: AggregateParameters) -> None:
        self._aggregation = parameters.aggregation()
        self._keep_hits = parameters.include_documents

    async def run(self, hits: Hits, context: Context) -> Outcome:
        rows = aggregate((hit.view() for hit in hits), self._aggregation)
        facts: dict[str, JSON] = {
            "aggregations": [{**row.group, **row.metrics} for row in rows.items],
            "total_groups": rows.total,
        }
        answer = hits if self._keep_hits else Hits.of(self._hit(row) for row in rows.items)
        return Outcome(answer, metadata=facts)

    def _hit(self, row: Row) -> Hit:
        """A row as a hit. Its id is its group's, so that it is the same in every run."""
        name = sorted_json(list(row.group.values())).decode() if row.group else "all"
        return Hit(f"group:{name}", 0.0, None, {}, {**row.group, **row.metrics})

    async def explain(self, case: Case, context: Context) -> Verdict:
        rows = len(case.returned)
        return Verdict(
            VerdictKind.REPLACED,
            f"the stage answers {rows} rows of figures in the place of the {len(case.received)} documents",
            {"rank": case.rank, "received": len(case.received), "rows": rows},
            case.setting("include_documents", before=self._keep_hits, to=True),
        )
