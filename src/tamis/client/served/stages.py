# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `stages`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tamis.client.calls import Call
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_stages import RetrieverStageDefinition


class Stages(Noun):
    def list(self) -> Sequence[RetrieverStageDefinition]:
        """Every stage, with what a server lacks that does not run it. Open to all: it holds nobody's data."""
        return self._ask(Call("GET", "/retrievers/stages"))


class AsyncStages(AsyncNoun):
    async def list(self) -> Sequence[RetrieverStageDefinition]:
        """Every stage, with what a server lacks that does not run it. Open to all: it holds nobody's data."""
        return await self._ask(Call("GET", "/retrievers/stages"))
