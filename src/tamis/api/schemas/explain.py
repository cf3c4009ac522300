"""Plans and prices on the wire."""

from typing import Any

from pydantic import BaseModel, Field

from tamis.api.schemas.retriever import BudgetLimits, NamesCollections
from tamis.api.schemas.retriever_wire import read_budget, stage_type
from tamis.engine.forecasting.advice import Suggestion, bottlenecks, suggestions, warnings
from tamis.engine.forecasting.outlook import StageOutlook
from tamis.engine.planning.rewrites import Rewrite
from tamis.engine.spending.prices import PriceTable
from tamis.engine.stages import STAGES
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.explain import Explained

_ANONYMOUS = "anonymous"


class ExplainRetrieverRequest(NamesCollections):
    """What an execution would be asked. Inputs may be left out: what depends on them is then told by earlier runs."""

    budget_limits: BudgetLimits | None = None
    collection_identifiers: list[str] = Field(default_factory=list)
    filters: dict[str, Any] | list[Any] | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)

    def options(self) -> RunOptions:
        return RunOptions(
            inputs=self.inputs,
            filters=self.filters,
            collections=tuple(self.collection_identifiers),
            budget=read_budget(self.budget_limits) if self.budget_limits else None,
        )


class ExplainStagePlan(BaseModel):
    """basis: `measured` on earlier runs, `counted` by the index, or `declared` by the parameters alone.

    estimated_input, estimated_output: hits, as `stage_statistics` of an answer count them.
    shrunk: what `max_credits` is likely to take, `{parameter: [as written, as run]}`.
    """

    basis: str
    cache_likely: bool
    estimated_cost_credits: float = Field(..., ge=0)
    estimated_duration_ms: float = Field(..., ge=0)
    estimated_efficiency: float = Field(..., ge=0)
    estimated_input: int = Field(..., ge=0)
    estimated_output: int = Field(..., ge=0)
    estimated_processed: int = Field(..., ge=0)
    is_reached: bool
    measured_runs: int = Field(..., ge=0)
    optimization_notes: list[str] = Field(default_factory=list)
    shrunk: dict[str, Any] = Field(default_factory=dict)
    stage_id: str
    stage_index: int = Field(..., ge=0)
    stage_name: str
    stage_type: str
    warnings: list[str] = Field(default_factory=list)


class ExplainRetrieverResponse(BaseModel):
    """estimated_cost: `credits` and `duration_ms` of what the budget reaches; `max_credits`, `max_time_ms` if set.

    A pipeline that was sent whole has the id and the name `anonymous`.
    """

    bottleneck_stages: list[str] = Field(default_factory=list)
    estimated_cost: dict[str, float]
    execution_plan: list[ExplainStagePlan] = Field(default_factory=list)
    optimization_applied: bool = False
    optimization_details: dict[str, Any] | None = None
    optimization_level: str = "mvp"
    optimization_suggestions: list[dict[str, Any]] = Field(default_factory=list)
    retriever_id: str
    retriever_name: str
    total_estimated_stages: int = Field(..., ge=0)


class StagePrice(BaseModel):
    """Credits: for each run, document that the stage looks at, call to a model, and 1,000 tokens."""

    per_1k_tokens: float
    per_call: float
    per_document: float
    per_run: float
    stage_id: str


class PriceList(BaseModel):
    """Every stage that there is; one without a price is free."""

    prices: list[StagePrice]
    unit: str = "credits"


def show_explained(explained: Explained) -> ExplainRetrieverResponse:
    retriever, budget = explained.retriever, explained.plan.definition.budget
    reached = [one for one in explained.outlooks if one.is_reached]
    cost = {
        "credits": round(sum(one.credits for one in reached), 9),
        "duration_ms": round(sum(one.duration_ms for one in reached), 3),
        "max_credits": budget.max_credits,
        "max_time_ms": budget.max_time_ms,
    }
    return ExplainRetrieverResponse(
        retriever_id=retriever.retriever_id if retriever else _ANONYMOUS,
        retriever_name=retriever.name if retriever else _ANONYMOUS,
        estimated_cost={name: value for name, value in cost.items() if value is not None},
        execution_plan=[_show_stage(n, one, explained) for n, one in enumerate(explained.outlooks)],
        total_estimated_stages=len(explained.outlooks),
        bottleneck_stages=bottlenecks(reached),
        optimization_applied=bool(explained.rewrites),
        optimization_details={"rewrites": [show_rewrite(one) for one in explained.rewrites]}
        if explained.rewrites
        else None,
        optimization_suggestions=[_show_suggestion(one) for one in suggestions(explained.outlooks)],
    )


def show_rewrite(rewrite: Rewrite) -> dict[str, Any]:
    return {"stage_name": rewrite.stage_name, **rewrite.told()}


def show_prices(table: PriceTable) -> PriceList:
    shown = []
    for stage_id in STAGES:
        price = table.of(stage_id)
        shown.append(
            StagePrice(
                stage_id=stage_id,
                per_run=price.per_run,
                per_document=price.per_document,
                per_call=price.per_call,
                per_1k_tokens=price.per_1k_tokens,
            )
        )
    return PriceList(prices=shown)


def _show_stage(index: int, one: StageOutlook, explained: Explained) -> ExplainStagePlan:
    spec = one.prospect.planned.spec
    means = one.prospect.means
    kind = stage_type(spec.stage_id)
    return ExplainStagePlan(
        stage_index=index,
        stage_name=spec.stage_name,
        stage_id=spec.stage_id,
        stage_type=kind.value if kind else one.prospect.planned.stage.kind.value,
        basis=one.basis.value,
        measured_runs=means.runs if means else 0,
        estimated_input=round(one.received),
        estimated_output=round(one.returned),
        estimated_processed=round(one.processed),
        estimated_efficiency=round(one.efficiency, 6),
        estimated_cost_credits=round(one.credits, 9),
        estimated_duration_ms=round(one.duration_ms, 3),
        cache_likely=_is_cached(explained, spec.stage_name),
        is_reached=one.is_reached,
        shrunk=dict(one.shrunk),
        optimization_notes=[each.note for each in explained.rewrites if each.stage_name == spec.stage_name],
        warnings=list(warnings(one)),
    )


def _is_cached(explained: Explained, stage_name: str) -> bool:
    config = explained.plan.definition.cache_config
    if not config or config.get("enabled") is False:
        return False
    names = config.get("cache_stage_names")
    return not isinstance(names, list) or not names or stage_name in names


def _show_suggestion(suggestion: Suggestion) -> dict[str, Any]:
    return {"kind": suggestion.kind, "stage_name": suggestion.stage_name, "suggestion": suggestion.text}
