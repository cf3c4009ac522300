"""Raw inference on the wire."""

from typing import Any

from pydantic import BaseModel, Field

from tamis.services.inference import Inference


class RawInferenceRequest(BaseModel):
    inputs: dict[str, Any] = Field(..., description="`text`, a string, or `texts`, a list of strings.")
    model: str = Field(..., description="A model at hand, such as `all-MiniLM-L6-v2`, or `bm25`.")
    parameters: dict[str, Any] | None = Field(
        None, description="`input_type`: `document` (default) or `query`. `language`: for `bm25`, where it is known."
    )
    provider: str = Field(..., description="`tamis`: the models of this server.")


class RawInferenceResponse(BaseModel):
    data: Any
    latency_ms: float
    model: str
    provider: str
    tokens_used: dict[str, int] | None = None


def inference_response(inference: Inference) -> RawInferenceResponse:
    return RawInferenceResponse(
        data=inference.data,
        latency_ms=round(inference.latency_ms, 3),
        model=inference.model,
        provider=inference.provider,
        tokens_used=inference.tokens_used,
    )
