"""Retrievers tuned by judgements, and advice out of what was clicked."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from tamis.api.access import RetrieverReader, Writer, service
from tamis.api.bodies import JsonRoute
from tamis.api.departure import while_connected
from tamis.api.schemas.tuning import InteractionTuningResponse, TuneRequest, TuneResponse, show_advice, show_tuning
from tamis.services.learning.tuning import TuningService
from tamis.services.learning.tuning_advice import TuningAdvice

router = APIRouter(prefix="/v1", tags=["retrievers"], route_class=JsonRoute)

Service = Annotated[TuningService, Depends(service(TuningService))]
Advising = Annotated[TuningAdvice, Depends(service(TuningAdvice))]


@router.post("/retrievers/{retriever_id}/tune")
async def tune_retriever(
    principal: Writer, request: Request, retriever_id: str, tuning: Service, body: TuneRequest
) -> TuneResponse:
    """Try other fusions, weights, depths and no reranking on a data set, within time and credits; cross-validated.

    Nothing is changed unless `apply` says so: then what is better on held-out queries is the next version."""
    asked = body.request()
    return show_tuning(await while_connected(request, tuning.tune(principal, retriever_id, asked)), asked)


@router.post("/analytics/retrievers/{retriever_id}/analyze-tuning", tags=["analytics"])
async def analyze_for_tuning(
    principal: RetrieverReader,
    retriever_id: str,
    advice: Advising,
    days: Annotated[int, Query(ge=1, le=90, description="Of interactions, back from now.")] = 7,
) -> InteractionTuningResponse:
    """What interactions of the last days say about weights and depths; nothing below twenty liked documents."""
    return show_advice(await advice.analyze(principal, retriever_id, days))
