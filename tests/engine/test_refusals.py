"""Why a filter refused a document, worked out within bounds whatever patterns it has."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tamis.engine.stages.attribute_filter import AttributeFilter
from tamis.engine.verdicts.verdict import Case, VerdictKind
from tamis.errors import ValidationError
from tamis.model.document import Document, Lineage
from tamis.model.hits import Hits

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SLOW = {"field": "body", "operator": "regex", "value": "(x+x+)+y|(a?){500}b"}
"""A tenth of a second at most over a long text, as any pattern."""


def case(body: str, condition: dict[str, Any]) -> Case:
    document = Document("doc_1", "col_1", {"body": body}, NOW, NOW, Lineage())
    stage = {"stage_name": "kept", "stage_id": "attribute_filter", "parameters": {"conditions": condition}}
    return Case(document, Hits(), Hits(), {}, {"stages": [stage], "collection_ids": ["col_1"]}, 0, AttributeFilter)


async def test_a_pattern_that_does_not_match_is_named() -> None:
    verdict = await case("x" * 10_000, SLOW).refused(SLOW, ("parameters", "conditions"))
    assert verdict is not None
    assert verdict.kind is VerdictKind.FILTERED
    assert "'body'" in verdict.reason


async def test_what_could_take_longer_than_a_filter_may_is_not_tried() -> None:
    many = {"AND": [{**SLOW, "value": f"{SLOW['value']}{number}"} for number in range(1_000)]}
    with pytest.raises(ValidationError, match="more than 2 s of computing over this document"):
        await case("x" * 1_000_000, many).refused(many, ("parameters", "conditions"))


async def test_what_it_lets_through_has_no_verdict() -> None:
    wanted = {"field": "body", "operator": "regex", "value": "^x+$"}
    assert await case("xxx", wanted).refused(wanted, ("parameters", "conditions")) is None
