"""The contract suite for stages: stages of Tamis and the documented one hold to it, and bad ones do not."""

import importlib.util
import random
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tamis.engine.stage import Context, Outcome, Stage, StageKind
from tamis.engine.stages import STAGES
from tamis.engine.stages.limit import Limit
from tamis.model.hits import Hits
from tamis.testing.stage_contract import StageContract, some_hits

EXAMPLE = Path(__file__).parents[2] / "examples" / "own-stage" / "tamis_long_enough.py"
ALONE = (
    "sort_attribute", "sort_relevance", "score_normalize", "limit", "sample", "deduplicate", "group_by", "aggregate",
    "json_transform", "rag_prepare",
)  # fmt: skip


def documented() -> type[Stage]:
    spec = importlib.util.spec_from_file_location("tamis_long_enough", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stage: type[Stage] = module.LongEnough
    return stage


class TestTheDocumentedStage(StageContract):
    @pytest.fixture
    def stage(self) -> type[Stage]:
        return documented()


class TestStagesThatNeedNothing(StageContract):
    @pytest.fixture(params=ALONE)
    def stage(self, request: pytest.FixtureRequest) -> type[Stage]:
        return STAGES[request.param]


class Planted(Limit):
    example: ClassVar[dict[str, Any]] = {"limit": 3}


class Backwards(Planted):
    kind: ClassVar[StageKind] = StageKind.FILTER

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(Hits.of(reversed(list(hits))))


class Drops(Planted):
    kind: ClassVar[StageKind] = StageKind.SORT


class Invents(Planted):
    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(some_hits())


class Chance(Planted):
    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(Hits.of(hit.scored("chance", random.random()) for hit in hits))


class Changes(Planted):
    async def run(self, hits: Hits, context: Context) -> Outcome:
        for hit in hits:
            fields: Any = hit.document.fields if hit.document else {}
            fields["touched"] = True
        return Outcome(hits)


@pytest.mark.parametrize(
    ("stage", "law"),
    [
        (Backwards, "test_holds_to_the_law_of_its_kind"),
        (Drops, "test_holds_to_the_law_of_its_kind"),
        (Invents, "test_nothing_in_nothing_out"),
        (Chance, "test_the_same_again_is_the_same"),
        (Changes, "test_what_it_is_given_stays_as_it_is"),
    ],
)
async def test_a_bad_stage_is_found(stage: type[Stage], law: str) -> None:
    suite: Any = StageContract()
    context = StageContract.context.__wrapped__(suite)  # type: ignore[attr-defined]  # the fixture's own function
    arguments = {"hits": some_hits()} if law != "test_nothing_in_nothing_out" else {}
    with pytest.raises(AssertionError):
        await getattr(suite, law)(stage=stage, parameters={"limit": 3}, context=context, **arguments)
