"""Evaluation data sets. Mounted before the saved retrievers, whose paths would take these for names."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from tamis.api.access import Deleter, Reader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.departure import while_connected
from tamis.api.schemas.dataset import (
    CreateDatasetRequest,
    DatasetListResponse,
    EvaluationDataset,
    JudgeRequest,
    PoolRequest,
    dataset_draft,
    show_dataset,
)
from tamis.api.schemas.model_judging import ModelJudgingRequest, ModelJudgingResponse, show_judged
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.model.dataset import Dataset
from tamis.model.principal import Principal
from tamis.services.learning.datasets import DatasetService
from tamis.services.learning.model_judgements import ModelJudgements

router = APIRouter(prefix="/v1/retrievers/evaluations/datasets", tags=["retriever evaluations"], route_class=JsonRoute)

Datasets = Annotated[DatasetService, Depends(service(DatasetService))]
ModelJudging = Annotated[ModelJudgements, Depends(service(ModelJudgements))]


@router.post("", status_code=201)
async def create_dataset(principal: Writer, body: CreateDatasetRequest, datasets: Datasets) -> EvaluationDataset:
    """Queries, each with the documents that are relevant to it."""
    return _shown(principal, await datasets.create(principal, dataset_draft(body)))


@router.get("")
async def list_datasets(
    principal: Reader,
    datasets: Datasets,
    page: Annotated[int, Query(ge=1, le=10_000_000)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> DatasetListResponse:
    """Evaluation data sets, newest first."""
    found = await datasets.list(principal, page_size, (page - 1) * page_size)
    shown = [_shown(principal, one) for one in found.items]
    return DatasetListResponse(datasets=shown, total=found.total, page=page, page_size=page_size)


@router.get("/{dataset_identifier}")
async def get_dataset(principal: Reader, dataset_identifier: str, datasets: Datasets) -> EvaluationDataset:
    """By id or name."""
    return _shown(principal, await datasets.get(principal, dataset_identifier))


@router.delete("/{dataset_identifier}")
async def delete_dataset(principal: Deleter, dataset_identifier: str, datasets: Datasets) -> GenericDeleteResponse:
    """Its evaluations stay."""
    await datasets.delete(principal, dataset_identifier)
    return GenericDeleteResponse(message="Data set deleted")


@router.post("/{dataset_identifier}/judgements")
async def judge_documents(
    principal: Writer, dataset_identifier: str, body: JudgeRequest, datasets: Datasets
) -> EvaluationDataset:
    """Say how relevant documents are to queries; of what was judged before, the last word counts."""
    return _shown(principal, await datasets.judge(principal, dataset_identifier, body.judgements))


@router.post("/{dataset_identifier}/judge-by-model")
async def judge_by_model(
    principal: Writer, request: Request, dataset_identifier: str, body: ModelJudgingRequest, judging: ModelJudging
) -> ModelJudgingResponse:
    """Have a language model grade what waits in the pools, and some that people judged, to tell how far both agree.

    Its grades are marked as such and never stand over anybody's; what it was asked is stored as it goes, so that one
    that is broken off goes on where it is called again."""
    return show_judged(await while_connected(request, judging.judge(principal, dataset_identifier, body.request())))


@router.post("/{dataset_identifier}/pool")
async def pool_documents(
    principal: Writer, dataset_identifier: str, body: PoolRequest, datasets: Datasets
) -> EvaluationDataset:
    """Put the first documents that evaluations of it found into its queries' pools, to be judged."""
    return _shown(principal, await datasets.pool(principal, dataset_identifier, body.evaluation_ids, body.depth))


def _shown(principal: Principal, dataset: Dataset) -> EvaluationDataset:
    return show_dataset(dataset, principal.namespace_id, principal.organization_id)
