"""Retrievers tuned by judgements, and advice out of what was clicked."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from tamis.api.access import Deleter, Reader, RetrieverReader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.learnt_fusion import LearntFusionsResponse, show_learnt
from tamis.api.schemas.page import GenericDeleteResponse
from tamis.api.schemas.tuning import (
    InteractionTuningResponse,
    TuneRequest,
    TuningListResponse,
    TuningResponse,
    show_advice,
    show_tuning,
)
from tamis.services.learning.learnt_fusions import LearntFusions
from tamis.services.learning.tuning_advice import TuningAdvice
from tamis.services.learning.tuning_runs import TuningRuns

router = APIRouter(prefix="/v1", tags=["retrievers"], route_class=JsonRoute)

Service = Annotated[TuningRuns, Depends(service(TuningRuns))]
Learning = Annotated[LearntFusions, Depends(service(LearntFusions))]
Advising = Annotated[TuningAdvice, Depends(service(TuningAdvice))]


@router.post("/retrievers/{retriever_id}/tune", status_code=202)
async def tune_retriever(principal: Writer, retriever_id: str, tuning: Service, body: TuneRequest) -> TuningResponse:
    """Try other fusions, weights, passages, fields, depths and reranking by a data set, within time and credits.

    What it promises is cross-validated. A task: it begins anew after a restart, within the credits that are left, and
    killing the task ends it. Nothing is changed unless `apply` says so: then what is better on held-out queries is the
    next version."""
    return show_tuning(await tuning.start(principal, retriever_id, body.request()))


@router.get("/retrievers/{retriever_id}/tunings")
async def list_tunings(principal: Reader, retriever_id: str, tuning: Service) -> TuningListResponse:
    """Newest first."""
    return TuningListResponse(tunings=[show_tuning(one) for one in await tuning.list(principal, retriever_id)])


@router.get("/retrievers/{retriever_id}/tunings/{task_id}")
async def get_tuning(principal: Reader, retriever_id: str, task_id: str, tuning: Service) -> TuningResponse:
    """How far it is, and what it came to."""
    return show_tuning(await tuning.get(principal, retriever_id, task_id))


@router.get("/retrievers/{retriever_id}/learned-fusion")
async def show_learned_fusion(
    principal: Reader,
    retriever_id: str,
    learnt: Learning,
    user_id: Annotated[str | None, Query(max_length=200, description="What is known of this person, too.")] = None,
    segment: Annotated[str | None, Query(max_length=200, description="What is known of this group, too.")] = None,
) -> LearntFusionsResponse:
    """What interactions taught the fusions that learn, as it counts today."""
    inputs = {"user_id": user_id, "segment": segment}
    return show_learnt(await learnt.show(principal, retriever_id, inputs))


@router.delete("/retrievers/{retriever_id}/learned-fusion")
async def forget_learned_fusion(principal: Deleter, retriever_id: str, learnt: Learning) -> GenericDeleteResponse:
    """Begin anew with the weights as written; interactions stay, and teach nothing again."""
    await learnt.forget(principal, retriever_id)
    return GenericDeleteResponse(message="Forgotten")


@router.post("/analytics/retrievers/{retriever_id}/analyze-tuning", tags=["analytics"])
async def analyze_for_tuning(
    principal: RetrieverReader,
    retriever_id: str,
    advice: Advising,
    days: Annotated[int, Query(ge=1, le=90, description="Of interactions, back from now.")] = 7,
) -> InteractionTuningResponse:
    """What interactions of the last days say about weights and depths; nothing below twenty liked documents."""
    return show_advice(await advice.analyze(principal, retriever_id, days))
