"""What a taxonomy said of documents: figures, and how documents go from label to label."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Reader, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.taxonomy_analytics import (
    AssignmentMetricsResponse,
    AvailableStepsResponse,
    ConfidenceResponse,
    EnrichmentHistoryResponse,
    LabelDistributionResponse,
    NodeDistributionResponse,
    PathAnalysisRequest,
    PathAnalysisResponse,
    StepTransitionRequest,
    StepTransitionResponse,
    path_query,
    show_assignments,
    show_confidences,
    show_enrichments,
    show_labels,
    show_nodes,
    show_paths,
    show_steps,
    show_transition,
    transition_query,
)
from tamis.errors import ValidationError
from tamis.services.data.taxonomy_analytics import TaxonomyAnalytics
from tamis.services.data.taxonomy_journeys import TaxonomyJourneys

router = APIRouter(tags=["taxonomy analytics"], route_class=JsonRoute)

Analytics = Annotated[TaxonomyAnalytics, Depends(service(TaxonomyAnalytics))]
Journeys = Annotated[TaxonomyJourneys, Depends(service(TaxonomyJourneys))]
Hours = Annotated[int, Query(ge=1, le=720)]
Moment = Annotated[datetime | None, Query(description="UTC where it names no zone; whole hours are counted.")]
Group = Annotated[str, Query(description="hour, day or week.")]
_FIGURES = "/v1/analytics/taxonomies/{taxonomy_id}"
_STEPS = "/v1/taxonomies/{taxonomy_id}/analytics"


@router.get(f"{_FIGURES}/assignments")
async def get_assignment_metrics(
    principal: Reader,
    taxonomy_id: str,
    analytics: Analytics,
    start_date: Moment = None,
    end_date: Moment = None,
    group_by: Group = "day",
) -> AssignmentMetricsResponse:
    """The labels that documents have today, by when they were given."""
    return show_assignments(await analytics.assignments(principal, taxonomy_id, start_date, end_date, group_by))


@router.get(f"{_FIGURES}/confidence")
async def get_confidence_distribution(
    principal: Reader, taxonomy_id: str, analytics: Analytics, hours: Hours = 168
) -> ConfidenceResponse:
    """How sure it was of labels given in the last hours, by tenths; below 0.5 is low."""
    return show_confidences(await analytics.confidences(principal, taxonomy_id, hours))


@router.get(f"{_FIGURES}/enrichments")
async def get_enrichment_history(
    principal: Reader,
    taxonomy_id: str,
    analytics: Analytics,
    start_date: Moment = None,
    end_date: Moment = None,
    group_by: Group = "day",
) -> EnrichmentHistoryResponse:
    """How many documents it was applied to, how many got a label, and how long that took."""
    return show_enrichments(await analytics.enrichments(principal, taxonomy_id, start_date, end_date, group_by))


@router.get(f"{_FIGURES}/labels")
async def get_label_distribution(
    principal: Reader,
    taxonomy_id: str,
    analytics: Analytics,
    hours: Hours = 168,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> LabelDistributionResponse:
    """Labels given in the last hours, the most frequent first."""
    return show_labels(await analytics.labels(principal, taxonomy_id, hours, limit))


@router.get(f"{_FIGURES}/nodes")
async def get_node_distribution(principal: Reader, taxonomy_id: str, analytics: Analytics) -> NodeDistributionResponse:
    """The tree, each node with the labels that documents have of it today; not in the contract."""
    return show_nodes(*await analytics.tree(principal, taxonomy_id))


@router.get(f"{_STEPS}/available-steps")
async def get_available_steps(
    principal: Reader, taxonomy_id: str, collection_id: str, journeys: Journeys
) -> AvailableStepsResponse:
    """The steps that a collection's documents are, as the taxonomy's step_analytics makes sequences of them."""
    return show_steps(*await journeys.steps(principal, taxonomy_id, collection_id))


@router.post(f"{_STEPS}/transitions")
async def compute_step_transitions(
    principal: Reader, taxonomy_id: str, body: StepTransitionRequest, journeys: Journeys
) -> StepTransitionResponse:
    """How many sequences come from one step to another, how soon, and which of their values go with it."""
    _check_own(taxonomy_id, body.taxonomy_id)
    query = transition_query(taxonomy_id, body)
    return show_transition(query, await journeys.transition(principal, query))


@router.post(f"{_STEPS}/paths")
async def analyze_transition_paths(
    principal: Reader, taxonomy_id: str, body: PathAnalysisRequest, journeys: Journeys
) -> PathAnalysisResponse:
    """The ways from one step to another, the most frequent first."""
    _check_own(taxonomy_id, body.taxonomy_id)
    query = path_query(taxonomy_id, body)
    return show_paths(query, await journeys.paths(principal, query))


def _check_own(path: str, sent: str | None) -> None:
    """Raises: ValidationError."""
    if sent is not None and sent != path:
        raise ValidationError.at(["body", "taxonomy_id"], f"the path asks for {path!r}; send the same, or leave it out")
