"""The contract suite over the stages that ask something, in a shop with models, data and an outside that stand in for
the real ones: whatever documents come, odd ones too."""

from dataclasses import replace
from typing import Any

import pytest

from tamis.engine.stage import Context, Stage
from tamis.engine.stages import STAGES
from tamis.model.hits import Hits
from tamis.testing.stage_contract import StageContract
from tests.engine.stages.conftest import shop as shop
from tests.engine.stages.shop import Shop
from tests.generated import reach
from tests.testing.test_stage_contract import ALONE

FINDING = ("feature_search", "query_expand", "agent_search", "external_web_search", "external_reverse_image")
"""They bring documents of their own, in an order of their own."""
CUTTING = ("top_k", "top_n")
"""With these a sort also leaves some out."""


@pytest.fixture(autouse=True)
def nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "FAILING", 0.0)


@pytest.fixture
def context(shop: Shop) -> Context:
    return replace(shop.context(stage_index=1, query="shoes"), reach=reach.STUBS)


class TestWhatAsks(StageContract):
    @pytest.fixture(params=[name for name in STAGES if name not in (*FINDING, *ALONE)])
    def stage(self, request: pytest.FixtureRequest) -> type[Stage]:
        return STAGES[request.param]

    @pytest.fixture
    def parameters(self, stage: type[Stage]) -> dict[str, Any]:
        example: dict[str, Any] = getattr(stage, "example", {})
        given = {name: value for name, value in example.items() if name not in CUTTING}
        return {**given, "top_k": 100} if stage.id == "mmr" else given

    @pytest.fixture
    def context(self, context: Context) -> Context:
        return context


class TestTheFindingStages(StageContract):
    """Of no law but that they change nothing and do the same again."""

    @pytest.fixture(params=FINDING)
    def stage(self, request: pytest.FixtureRequest) -> type[Stage]:
        return STAGES[request.param]

    @pytest.fixture
    def context(self, context: Context) -> Context:
        return context

    async def test_nothing_in_nothing_out(self, stage: type[Stage], parameters: Any, context: Context) -> None:
        outcome = await stage(stage.Parameters.model_validate(parameters)).run(Hits(), context)
        assert bool(outcome.hits) <= stage.id.startswith("external")  # they add pages to nothing, too

    async def test_holds_to_the_law_of_its_kind(
        self, stage: type[Stage], parameters: Any, hits: Hits, context: Context
    ) -> None:
        outcome = await stage(stage.Parameters.model_validate(parameters)).run(hits, context)
        assert len({one.id for one in outcome.hits}) == len(outcome.hits)
