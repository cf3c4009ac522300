"""Evaluations of retrievers. Mounted before the saved retrievers, whose paths would take `evaluations` for a name."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.evaluation import (
    ComparisonResponse,
    EvaluationConfigModel,
    EvaluationListResponse,
    EvaluationRecord,
    QueryRunsResponse,
    StartEvaluationRequest,
    StartEvaluationResponse,
    show_comparison,
    show_evaluation,
    show_run,
    show_started,
)
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.engine.ports.evaluations import EvaluationQuery
from tamis.model.evaluation import EvaluationStatus
from tamis.services.learning.evaluations import EvaluationService

router = APIRouter(prefix="/v1/retrievers", tags=["retriever evaluations"], route_class=JsonRoute)

Evaluations = Annotated[EvaluationService, Depends(service(EvaluationService))]
PageNumber = Annotated[int, Query(ge=1, le=10_000_000)]
PageSize = Annotated[int, Query(ge=1, le=100)]


@router.get("/evaluations/compare")
async def compare_evaluations(
    principal: Reader,
    evaluations: Evaluations,
    baseline: Annotated[str, Query(description="An evaluation's id.")],
    candidate: Annotated[str, Query(description="Another's, of the same data set.")],
    metric: Annotated[str | None, Query(description="Whose losses come first, as `ndcg@10`.")] = None,
    limit: Annotated[int, Query(ge=0, le=1000, description="How many of the worst queries.")] = 20,
) -> ComparisonResponse:
    """Whether the candidate is better, metric by metric with its significance, and the queries that it lost most on."""
    found = await evaluations.compare(principal, baseline, candidate, metric)
    return show_comparison(found, limit, principal.namespace_id, principal.organization_id)


@router.post("/{retriever_id}/evaluations", status_code=202)
async def start_evaluation(
    principal: Writer, retriever_id: str, body: StartEvaluationRequest, evaluations: Evaluations
) -> StartEvaluationResponse:
    """Ask the retriever every query of a data set, as a task that goes on after a restart."""
    config = (body.evaluation_config or EvaluationConfigModel()).config()
    made = await evaluations.start(principal, retriever_id, body.dataset_name, config, body.retriever_version)
    return show_started(made)


@router.get("/{retriever_id}/evaluations")
async def list_evaluations(
    principal: Reader,
    retriever_id: str,
    evaluations: Evaluations,
    status: EvaluationStatus | None = None,
    dataset_name: str | None = None,
    page: PageNumber = 1,
    page_size: PageSize = 20,
) -> EvaluationListResponse:
    """Its evaluations, newest first."""
    query = EvaluationQuery("", status, dataset_name, page_size, (page - 1) * page_size)
    found = await evaluations.list(principal, retriever_id, query)
    shown = [show_evaluation(one, principal.namespace_id, principal.organization_id) for one in found.items]
    return EvaluationListResponse(evaluations=shown, total=found.total, page=page, page_size=page_size)


@router.get("/{retriever_id}/evaluations/{evaluation_id}")
async def get_evaluation(
    principal: Reader, retriever_id: str, evaluation_id: str, evaluations: Evaluations
) -> EvaluationRecord:
    """How far it is, and what it came to."""
    found = await evaluations.get(principal, retriever_id, evaluation_id)
    return show_evaluation(found, principal.namespace_id, principal.organization_id)


@router.get("/{retriever_id}/evaluations/{evaluation_id}/queries")
async def list_evaluation_queries(
    principal: Reader,
    retriever_id: str,
    evaluation_id: str,
    evaluations: Evaluations,
    page: PageNumber = 1,
    page_size: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> QueryRunsResponse:
    """Each query with its ranking, its metrics and its execution, in the data set's order."""
    found = await evaluations.runs(principal, retriever_id, evaluation_id, page_size, (page - 1) * page_size)
    shown = [show_run(one) for one in found.items]
    return QueryRunsResponse(queries=shown, total=found.total, page=page, page_size=page_size)


@router.delete("/{retriever_id}/evaluations/{evaluation_id}")
async def delete_evaluation(
    principal: Deleter, retriever_id: str, evaluation_id: str, evaluations: Evaluations
) -> GenericDeleteResponse:
    """One that has ended, with what it measured; the executions of its queries stay."""
    await evaluations.delete(principal, retriever_id, evaluation_id)
    return GenericDeleteResponse(message="Evaluation deleted")
