"""A real adapter to a scripted language model, for stages whose model works in steps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from pydantic import SecretStr

from tamis.engine.reach import Reach
from tamis.engine.spending.allowance import Allowance
from tamis.engine.stage import Context, Outcome
from tamis.engine.stages import STAGES
from tamis.inference.language.endpoints import Endpoints, named_endpoint
from tamis.inference.language.models import Limits, OpenAILanguageModels
from tamis.model.hits import Hits
from tamis.outside.secrets import secret_store
from tests.engine.stages.shop import NOTHING, Shop
from tests.llm_server import LanguageServer, serving


@dataclass
class Theatre:
    """A shop, and a model that says what a script tells it."""

    shop: Shop
    server: LanguageServer
    reach: Reach

    def context(
        self, stage_index: int = 0, allowance: Allowance | None = None, name: str = "stage", **inputs: Any
    ) -> Context:
        plain = self.shop.context(stage_index, name, **inputs)
        return replace(plain, reach=self.reach, allowance=allowance or Allowance())

    async def run(
        self, stage_id: str, parameters: dict[str, Any], *script: Any, hits: Hits = NOTHING,
        context: Context | None = None,
    ) -> Outcome:  # fmt: skip
        """script: what the model says, answer by answer; then the plainest that fits."""
        self.server.script.extend(script)
        stage = STAGES[stage_id]
        chosen = context or self.context(1 if hits else 0)
        return await stage(stage.Parameters.model_validate(parameters)).run(hits, chosen)


@asynccontextmanager
async def theatre(shop: Shop) -> AsyncIterator[Theatre]:
    async with speaking() as (server, reach):
        yield Theatre(shop, server, reach)


@asynccontextmanager
async def speaking() -> AsyncIterator[tuple[LanguageServer, Reach]]:
    """A scripted model, and what reaches it."""
    with serving() as server:
        endpoint = named_endpoint("openai", server.url, SecretStr("sk-of-the-operator"), "small")
        models = OpenAILanguageModels(
            Endpoints("openai", {"openai": endpoint}), secret_store(None, None), Limits(5.0, 0, 3)
        )
        try:
            yield server, Reach(language=models)
        finally:
            await models.close()


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"tool": tool, "arguments": arguments}


FINISH = {"tool": "finish"}
