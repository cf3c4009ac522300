"""POST /v1/inference: one model, run on its own."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tamis.api.access import Reader, service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.inference import RawInferenceRequest, RawInferenceResponse, inference_response
from tamis.services.inference import InferenceService

router = APIRouter(prefix="/v1/inference", tags=["Inference"], route_class=JsonRoute)


@router.post("")
async def execute_raw_inference(
    principal: Reader,
    request: RawInferenceRequest,
    inference: Annotated[InferenceService, Depends(service(InferenceService))],
) -> RawInferenceResponse:
    """Run a model of this server over texts."""
    done = await inference.run(request.provider, request.model, request.inputs, request.parameters)
    return inference_response(done)
