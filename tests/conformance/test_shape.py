from typing import Any

import pytest

from tests.conformance.shape import Comparison


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    comparison = Comparison({"components": {"schemas": {}}}, {"components": {"schemas": {}}})
    comparison.schemas("x", ours, theirs)
    return [f"{one.where} {one.what}" for one in sorted(comparison.found)]


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        (TEXT, {"type": "string", "title": "X", "description": "words", "default": 1}, []),
        (TEXT, {"type": "integer"}, ["x is string, the contract has integer"]),
        ({"type": "number", "minimum": 0}, {"type": "number", "minimum": 0.0}, []),
        ({"type": "number"}, {"type": "number", "minimum": 0.0}, ["x minimum is none, the contract has 0"]),
        ({"anyOf": [TEXT, {"type": "null"}]}, TEXT, ["x also takes null"]),
        ({"enum": ["a", "b"]}, {"enum": ["a", "c"]}, ["x has the value b beside", "x lacks the value c"]),
        (
            {"type": "array", "items": TEXT},
            {"type": "array", "items": {}},
            ["x[] is string, the contract has anything"],
        ),
        (
            {"properties": {"a": TEXT, "c": TEXT}, "required": ["a"], "type": "object"},
            {"properties": {"a": TEXT, "b": TEXT}, "type": "object"},
            ["x.a is required", "x.b is missing", "x.c is ours"],
        ),
        (
            {"type": "object", "additionalProperties": False},
            {"type": "object", "additionalProperties": True},
            ["x refuses unknown fields"],
        ),
        ({"type": "object", "additionalProperties": True}, {"type": "object"}, []),
    ],
)
def test_what_differs_is_said(ours: dict[str, Any], theirs: dict[str, Any], found: list[str]) -> None:
    assert differences(ours, theirs) == found


def test_schemas_that_refer_to_themselves_are_compared_once() -> None:
    node: dict[str, Any] = {"type": "object", "properties": {"child": {"$ref": "#/components/schemas/Node"}}}
    other = {**node, "properties": {**node["properties"], "name": TEXT}}
    comparison = Comparison({"components": {"schemas": {"Node": other}}}, {"components": {"schemas": {"Node": node}}})
    reference = {"$ref": "#/components/schemas/Node"}
    comparison.schemas("x", reference, reference)
    assert [f"{one.where} {one.what}" for one in comparison.found] == ["Node.name is missing"]
