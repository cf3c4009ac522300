"""A filter is as large as anyone means it, and no larger."""

from typing import Any

import pytest

from tamis.errors import ValidationError
from tamis.model.filters import DEEPEST, MOST_CLAUSES, has_regex, parse_filter
from tamis.model.matching import check_filter
from tamis.model.patterns import LONGEST_PATTERN

ONE: dict[str, Any] = {"field": "a", "operator": "eq", "value": 1}


def nested(levels: int) -> dict[str, Any]:
    tree = ONE
    for _ in range(levels - 1):
        tree = {"AND": [tree, ONE]}
    return tree


def test_as_many_conditions_as_there_may_be() -> None:
    assert parse_filter([ONE] * MOST_CLAUSES)
    with pytest.raises(ValidationError, match=f"at most {MOST_CLAUSES} conditions") as refused:
        parse_filter({"OR": [ONE] * (MOST_CLAUSES + 1)}, ["body", "filters"])
    assert refused.value.problems[0]["loc"] == ["body", "filters"]
    with pytest.raises(ValidationError, match="at most"):
        parse_filter({"NOT": [{"AND": [ONE] * 600}, {"OR": [ONE] * 600}]})


def test_as_deep_as_it_may_be() -> None:
    assert parse_filter(nested(DEEPEST))
    with pytest.raises(ValidationError, match=f"nests at most {DEEPEST} deep"):
        parse_filter(nested(DEEPEST + 1))


def test_a_pattern_as_long_as_it_may_be() -> None:
    def pattern(chars: int) -> Any:
        return parse_filter({"field": "a", "operator": "regex", "value": "x" * chars})

    check_filter(pattern(LONGEST_PATTERN), ["filters"])
    with pytest.raises(ValidationError, match=f"at most {LONGEST_PATTERN} characters"):
        check_filter(pattern(LONGEST_PATTERN + 1), ["filters"])


def test_a_regular_expression_is_seen_wherever_it_stands() -> None:
    pattern = {"field": "a", "operator": "regex", "value": "x"}
    for tree in (pattern, {"AND": [ONE, pattern]}, {"NOT": [{"OR": [ONE, pattern]}]}):
        found = parse_filter(tree)
        assert found is not None
        assert has_regex(found)
    plain = parse_filter(nested(3))
    assert plain is not None
    assert not has_regex(plain)
