"""Why a document is not among what an execution answered."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tamis.api.access import Reader, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.why import WhyRequest, WhyResponse, show_why
from tamis.services.records.whynot import WhyService

router = APIRouter(prefix="/v1/retrievers", route_class=JsonRoute)

Answers = Annotated[WhyService, Depends(service(WhyService))]


@router.post("/executions/{execution_id}/why", tags=["anonymous retrievers"])
async def why_anonymous(principal: Reader, execution_id: str, body: WhyRequest, answers: Answers) -> WhyResponse:
    """Stage by stage, one verdict each, and the smallest change that would let the document in."""
    return show_why(await answers.why(principal, execution_id, body.document_id, check=body.check))


@router.post("/{retriever_id}/executions/{execution_id}/why", tags=["retrievers"])
async def why_saved(
    principal: Reader, retriever_id: str, execution_id: str, body: WhyRequest, answers: Answers
) -> WhyResponse:
    """As for an anonymous execution."""
    return show_why(await answers.why(principal, execution_id, body.document_id, retriever_id, body.check))
