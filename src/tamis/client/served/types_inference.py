# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `inference` sends and gets."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class RawInferenceRequest(TypedDict):
    inputs: dict[str, Any]
    model: str
    parameters: NotRequired[dict[str, Any] | None]
    provider: str


class RawInferenceResponse(TypedDict):
    data: Any
    latency_ms: float
    model: str
    provider: str
    tokens_used: NotRequired[dict[str, int] | None]
