"""What a taxonomy said of documents, on the wire."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from tamis.api.schemas.taxonomy import StepAnalyticsConfig
from tamis.engine.taxonomies.journeys import Durations, StepFigure
from tamis.model.taxonomy import Taxonomy
from tamis.services.data.taxonomy_analytics import Branch, Confidences, Labels, Series, Span
from tamis.services.data.taxonomy_journeys import Gathered, JourneyQuery, Paths, Transition

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class TimeRange(BaseModel):
    start: datetime
    end: datetime


class AssignmentMetric(BaseModel):
    time_bucket: datetime
    assignment_count: int
    unique_labels: int
    avg_confidence: float


class AssignmentMetricsResponse(BaseModel):
    taxonomy_id: str
    time_range: TimeRange
    metrics: list[AssignmentMetric]
    summary: dict[str, Any] = Field(default_factory=dict)


class EnrichmentMetric(BaseModel):
    """success_count: documents that got a label.  failure_count: that were near to nothing, or not to be compared."""

    time_bucket: datetime
    enrichment_count: int
    success_count: int
    failure_count: int
    success_rate: float
    avg_latency_ms: float = Field(description="A document.")


class EnrichmentHistoryResponse(BaseModel):
    taxonomy_id: str
    time_range: TimeRange
    metrics: list[EnrichmentMetric]
    summary: dict[str, Any] = Field(default_factory=dict)


class ConfidenceDistribution(BaseModel):
    confidence_range: str
    count: int
    percentage: float


class ConfidenceResponse(BaseModel):
    taxonomy_id: str
    avg_confidence: float
    low_confidence_count: int
    distribution: list[ConfidenceDistribution]


class LabelMetric(BaseModel):
    label: str
    count: int
    percentage: float
    avg_confidence: float


class LabelDistributionResponse(BaseModel):
    taxonomy_id: str
    total_labels: int
    labels: list[LabelMetric]


class NodeMetric(BaseModel):
    """is_node: of the taxonomy as it is now; else a document that is a label, or a node of an earlier version."""

    node_id: str
    label: str
    parent: str | None = None
    level: int
    count: int
    avg_confidence: float | None = None
    is_node: bool = True


class NodeDistributionResponse(BaseModel):
    """Depth first."""

    taxonomy_id: str
    nodes: list[NodeMetric]


class StepInfo(BaseModel):
    step_key: str
    event_count: Count
    sequence_count: Count
    first_seen: str
    last_seen: str


class AvailableStepsResponse(BaseModel):
    taxonomy_id: str
    collection_id: str
    steps: list[StepInfo]
    total_events: Count
    total_sequences: Count


class _JourneyRequest(BaseModel):
    """taxonomy_id: the path's own, once more; another is refused. It is no part of the schema, as the path has it."""

    taxonomy_id: SkipJsonSchema[str | None] = None
    collection_id: str
    from_step: str
    to_step: str
    filters: dict[str, Any] | None = None


class StepTransitionRequest(_JourneyRequest):
    max_window_days: Annotated[int, Field(ge=1, le=365)] | None = None
    min_support: int = Field(10, ge=1)
    override_step_analytics: StepAnalyticsConfig | None = None


class PathAnalysisRequest(_JourneyRequest):
    max_path_length: int = Field(10, ge=2, le=20)
    max_window_days: Annotated[int, Field(ge=1)] | None = None
    min_support: int = Field(5, ge=1)


class DurationStats(BaseModel):
    mean: float
    median: float
    min: float
    max: float
    p50: float
    p90: float
    p95: float
    std_dev: float


class PredictorLift(BaseModel):
    field: str
    value: str
    count: Count
    conversion_rate: Share
    lift: float


class StepTransitionResponse(BaseModel):
    from_step: str
    to_step: str
    count: Count
    converted: Count
    conversion_rate: Share
    durations_sec: DurationStats | None = None
    top_predictors: list[PredictorLift] = Field(default_factory=list, max_length=50)
    metadata: dict[str, Any] = Field(default_factory=dict)


class TransitionPath(BaseModel):
    path: list[str] = Field(min_length=2)
    count: Count
    percentage: Annotated[float, Field(ge=0, le=100)]
    avg_duration_sec: float | None = None


class PathAnalysisResponse(BaseModel):
    from_step: str
    to_step: str
    total_sequences: int
    completed_sequences: int
    completion_rate: Share
    paths: list[TransitionPath] = Field(max_length=100)


def transition_query(taxonomy: str, body: StepTransitionRequest) -> JourneyQuery:
    override = body.override_step_analytics
    return JourneyQuery(
        taxonomy, body.collection_id, body.from_step, body.to_step, body.max_window_days, body.filters,
        least=body.min_support, analytics=None if override is None else override.model_dump(mode="json"),
    )  # fmt: skip


def path_query(taxonomy: str, body: PathAnalysisRequest) -> JourneyQuery:
    return JourneyQuery(
        taxonomy, body.collection_id, body.from_step, body.to_step, body.max_window_days, body.filters,
        least=body.min_support, longest=body.max_path_length,
    )  # fmt: skip


def show_assignments(series: Series) -> AssignmentMetricsResponse:
    spans = series.assignments
    count = sum(one.count for one in spans)
    total = sum(one.mean_confidence * one.count for one in spans)
    return AssignmentMetricsResponse(
        taxonomy_id=series.taxonomy.taxonomy_id,
        time_range=_range(series.span),
        metrics=[
            AssignmentMetric(
                time_bucket=one.start, assignment_count=one.count, unique_labels=one.labels,
                avg_confidence=one.mean_confidence,
            )
            for one in spans
        ],
        summary={"total_assignments": count, "avg_confidence": _share(total, count)},
    )  # fmt: skip


def show_enrichments(series: Series) -> EnrichmentHistoryResponse:
    spans = series.enrichments
    labelled, unlabelled = sum(one.labelled for one in spans), sum(one.unlabelled for one in spans)
    return EnrichmentHistoryResponse(
        taxonomy_id=series.taxonomy.taxonomy_id,
        time_range=_range(series.span),
        metrics=[
            EnrichmentMetric(
                time_bucket=one.start,
                enrichment_count=(count := one.labelled + one.unlabelled),
                success_count=one.labelled,
                failure_count=one.unlabelled,
                success_rate=_share(one.labelled, count),
                avg_latency_ms=_share(one.duration_us / 1000, count),
            )
            for one in spans
        ],
        summary={
            "total_enrichments": labelled + unlabelled,
            "success_rate": _share(labelled, labelled + unlabelled),
        },
    )


def show_confidences(found: Confidences) -> ConfidenceResponse:
    count = sum(labels for _, labels in found.tenths)
    return ConfidenceResponse(
        taxonomy_id=found.taxonomy.taxonomy_id,
        avg_confidence=found.mean,
        low_confidence_count=found.low,
        distribution=[
            ConfidenceDistribution(
                confidence_range=f"{tenth / 10:.1f}-{(tenth + 1) / 10:.1f}", count=labels,
                percentage=100 * labels / count,
            )
            for tenth, labels in found.tenths
        ],
    )  # fmt: skip


def show_labels(found: Labels) -> LabelDistributionResponse:
    return LabelDistributionResponse(
        taxonomy_id=found.taxonomy.taxonomy_id,
        total_labels=found.total,
        labels=[
            LabelMetric(
                label=one.label, count=one.count, percentage=100 * one.count / found.count,
                avg_confidence=one.mean_confidence,
            )
            for one in found.labels
        ],
    )  # fmt: skip


def show_nodes(taxonomy: Taxonomy, branches: Sequence[Branch]) -> NodeDistributionResponse:
    return NodeDistributionResponse(
        taxonomy_id=taxonomy.taxonomy_id,
        nodes=[
            NodeMetric(
                node_id=one.node_id, label=one.label, parent=one.parent, level=one.level, count=one.count,
                avg_confidence=one.mean_confidence, is_node=one.is_node,
            )
            for one in branches
        ],
    )  # fmt: skip


def show_steps(gathered: Gathered, steps: Sequence[StepFigure]) -> AvailableStepsResponse:
    return AvailableStepsResponse(
        taxonomy_id=gathered.taxonomy.taxonomy_id,
        collection_id=gathered.collection.collection_id,
        steps=[
            StepInfo(
                step_key=one.step, event_count=one.events, sequence_count=one.sequences,
                first_seen=one.first.isoformat(), last_seen=one.last.isoformat(),
            )
            for one in steps
        ],
        total_events=sum(map(len, gathered.sequences.values())),
        total_sequences=len(gathered.sequences),
    )  # fmt: skip


def show_transition(query: JourneyQuery, found: Transition) -> StepTransitionResponse:
    gathered = found.gathered
    return StepTransitionResponse(
        from_step=query.start,
        to_step=query.end,
        count=found.count,
        converted=found.converted,
        conversion_rate=_share(found.converted, found.count),
        durations_sec=None if found.durations is None else _durations(found.durations),
        top_predictors=[
            PredictorLift(field=one.name, value=one.value, count=one.count, conversion_rate=one.rate, lift=one.lift)
            for one in found.predictors
        ],
        metadata={
            "collection_id": gathered.collection.collection_id,
            "taxonomy_id": gathered.taxonomy.taxonomy_id,
            "is_supported": found.is_supported,
            "total_sequences": len(gathered.sequences),
            "total_events": gathered.events,
            "documents_left_out": gathered.left_out,
            "sequences_too_long": gathered.too_long,
        },
    )


def show_paths(query: JourneyQuery, found: Paths) -> PathAnalysisResponse:
    return PathAnalysisResponse(
        from_step=query.start,
        to_step=query.end,
        total_sequences=found.count,
        completed_sequences=found.arrived,
        completion_rate=_share(found.arrived, found.count),
        paths=[
            TransitionPath(
                path=list(one.path), count=one.count, percentage=100 * one.share, avg_duration_sec=one.mean_duration_s
            )
            for one in found.paths
        ],
    )


def _durations(found: Durations) -> DurationStats:
    return DurationStats(
        mean=found.mean, median=found.median, min=found.min, max=found.max, p50=found.median, p90=found.p90,
        p95=found.p95, std_dev=found.std_dev,
    )  # fmt: skip


def _range(span: Span) -> TimeRange:
    return TimeRange(start=span.start, end=span.end)


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0
