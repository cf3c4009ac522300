# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `inference`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_inference import RawInferenceRequest, RawInferenceResponse


class Inference(Noun):
    def execute_raw(self, **body: Unpack[RawInferenceRequest]) -> RawInferenceResponse:
        """Run a model of this server over texts."""
        return self._ask(Call("POST", "/inference", body=body, is_reading=True))


class AsyncInference(AsyncNoun):
    async def execute_raw(self, **body: Unpack[RawInferenceRequest]) -> RawInferenceResponse:
        """Run a model of this server over texts."""
        return await self._ask(Call("POST", "/inference", body=body, is_reading=True))
