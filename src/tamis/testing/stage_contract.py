"""What every stage must hold to. Inherit, give the fixtures, and pytest runs it on yours:

class TestMine(StageContract):
    @pytest.fixture
    def stage(self) -> type[Stage]:
        return Mine

For stages that ask nothing of models, data or the outside, or are given a `context` that answers.
"""

# ruff: noqa: S101 - this is a suite of tests, for plug-in authors too

import copy
import inspect
import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest

from tamis.engine.stage import Context, Outcome, Stage, StageKind
from tamis.model.document import Document, Lineage
from tamis.model.hits import Hit, Hits

_WHEN = datetime(2026, 1, 1, tzinfo=UTC)
_FIELDS: tuple[dict[str, Any], ...] = (
    {"text": "running shoes for long roads", "price": 90, "tags": ["a", "b"]},
    {"text": "日本語の小説 \u0000 e\u0301 \U0001f9ea", "price": 1.5, "brand": "É"},
    {"text": None, "price": None, "tags": []},
    {},
    {"text": 7, "price": math.nan, "tags": "none", "nested": {"deep": [{"er": None}]}},
    {"text": "", "price": -math.inf},
)


def some_hits() -> Hits:
    """Documents with text of many scripts, missing fields, nulls, values of other types, NaN; two scores are equal."""
    lineage = Lineage(root_bucket_id="bkt_1", root_object_id="obj_1", source_object_id="obj_1")
    documents = [Document(f"d{n}", "col_1", fields, _WHEN, _WHEN, lineage) for n, fields in enumerate(_FIELDS)]
    return Hits.of(Hit(one.document_id, 1.0 - n // 2 / 10, one, {}) for n, one in enumerate(documents))


class StageContract:
    """Give the fixtures `stage` and, where the example is not enough, `parameters`, `hits`, `context`."""

    @pytest.fixture
    def stage(self) -> type[Stage]:
        raise NotImplementedError

    @pytest.fixture
    def parameters(self, stage: type[Stage]) -> dict[str, Any]:
        return dict(inspect.getattr_static(stage, "example"))

    @pytest.fixture
    def hits(self) -> Hits:
        return some_hits()

    @pytest.fixture
    def context(self) -> Context:
        unreached: Any = None
        return Context(
            principal=unreached, inputs={}, collections=(), seed=7, stage_name="stage", stage_index=1,
            searcher=unreached, models=unreached, clock=unreached, render=lambda value, hit, here=None: value,
        )  # fmt: skip

    def test_says_what_it_is(self, stage: type[Stage]) -> None:
        assert stage.id.isidentifier()
        assert stage.id == stage.id.lower()
        assert isinstance(stage.kind, StageKind)
        assert stage.icon
        assert stage.description.endswith(".")
        assert inspect.iscoroutinefunction(stage.run)
        schema = stage.Parameters.model_json_schema()
        json.dumps(schema)
        assert schema["additionalProperties"] is False
        assert all(field.description for field in stage.Parameters.model_fields.values())

    def test_unknown_parameters_are_refused(self, stage: type[Stage], parameters: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="no_such_parameter"):
            stage.Parameters.model_validate({**parameters, "no_such_parameter": 1})

    async def test_nothing_in_nothing_out(
        self, stage: type[Stage], parameters: dict[str, Any], context: Context
    ) -> None:
        assert not (await _run(stage, parameters, Hits(), context)).hits

    async def test_what_it_is_given_stays_as_it_is(
        self, stage: type[Stage], parameters: dict[str, Any], hits: Hits, context: Context
    ) -> None:
        before = repr(copy.deepcopy(hits))
        await _run(stage, parameters, hits, context)
        assert repr(hits) == before

    async def test_the_same_again_is_the_same(
        self, stage: type[Stage], parameters: dict[str, Any], hits: Hits, context: Context
    ) -> None:
        once, again = [await _run(stage, parameters, hits, context) for _ in range(2)]
        assert repr(once.hits) == repr(again.hits)

    async def test_holds_to_the_law_of_its_kind(
        self, stage: type[Stage], parameters: dict[str, Any], hits: Hits, context: Context
    ) -> None:
        """A filter leaves some in their order, a sort none out; a reduce gives no more; what enriches keeps all."""
        given = [hit.id for hit in hits]
        found = [hit.id for hit in (await _run(stage, parameters, hits, context)).hits]
        if stage.kind is StageKind.FILTER:
            assert found == [one for one in given if one in found]
        elif stage.kind is StageKind.SORT:
            assert sorted(found) == sorted(given)
        elif stage.kind is StageKind.ENRICH:
            assert found == given
        else:
            assert stage.kind is StageKind.APPLY or len(found) <= len(given)


async def _run(stage: type[Stage], parameters: dict[str, Any], hits: Hits, context: Context) -> Outcome:
    return await stage(stage.Parameters.model_validate(parameters)).run(hits, context)
