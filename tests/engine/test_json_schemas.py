"""A schema of a stranger is checked in a bounded time, whatever it asks of whatever value."""

from typing import Any

import pytest

from tamis.engine.planning.json_schemas import checked_schema, faults_of

COSTLY = ["/: too large for what the schema asks of it"]
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def doubling(levels: int) -> dict[str, Any]:
    """Each level asks the next twice."""
    definitions: dict[str, Any] = {
        f"l{n}": {"allOf": [{"$ref": f"#/$defs/l{n + 1}"}, {"$ref": f"#/$defs/l{n + 1}"}]} for n in range(levels)
    }
    return {"$defs": {**definitions, f"l{levels}": {"type": "string"}}, "$ref": "#/$defs/l0"}


def test_a_schema_that_doubles_is_given_up() -> None:
    assert faults_of(checked_schema(doubling(5)), "x") == []
    assert faults_of(checked_schema(doubling(60)), "x") == COSTLY


def test_a_pattern_that_tries_everything_is_given_up() -> None:
    schema = checked_schema({"type": "array", "items": {"pattern": "(?:[^x]{0,150}y){6}z"}})
    assert faults_of(schema, ["yyyyyyz", "ab"]) == ['/1: pattern "(?:[^x]{0,150}y){6}z"']
    assert faults_of(schema, ["aby" * 100_000] * 100) == COSTLY


def test_pairs_are_counted() -> None:
    schema = checked_schema({"uniqueItems": True})
    assert faults_of(schema, list(range(20_000))) == []
    assert faults_of(schema, [{"a": n} for n in range(100)]) == []
    assert faults_of(schema, [{"a": n} for n in range(20_000)]) == COSTLY


def test_each_check_counts_from_nothing() -> None:
    schema = checked_schema({"items": {"type": "integer"}})
    for _ in range(5):
        assert faults_of(schema, list(range(20_000))) == []


NAMED_TWICE: dict[str, Any] = {
    "properties": {"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#"}},
    "$defs": {"a": {"pattern": "^(a+)+$"}},
}


@pytest.mark.parametrize("draft", [DRAFT_7, "https://json-schema.org/draft/2020-12/schema"])
def test_no_other_draft_brings_its_own_patterns(draft: str) -> None:
    """Python's own would look for hours."""
    schema = checked_schema({"$schema": draft, **NAMED_TWICE})
    assert faults_of(schema, {"b": {"b": {"a": "a" * 50 + "!"}}}) == ['/b/b/a: pattern "^(a+)+$"']


def test_a_draft_is_named_at_the_root_alone() -> None:
    with pytest.raises(ValueError, match=r"\$schema stands at the root"):
        checked_schema({"properties": {"a": {"$schema": DRAFT_7, "pattern": "^(a+)+$"}}})
    assert checked_schema({"properties": {"$schema": {"type": "string"}}})
