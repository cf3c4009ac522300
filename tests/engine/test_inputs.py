from typing import Any

import pytest

from tamis.engine.planning.inputs import TYPES, check_inputs, check_schema
from tamis.errors import ValidationError

SCHEMA = {
    "query": {"type": "string", "required": True, "description": "what to look for"},
    "k": {"type": "integer", "default": 10},
    "sort": {"type": "string", "enum": ["asc", "desc"]},
    "sizes": {"type": "array", "items": {"type": "number"}},
    "where": {
        "type": "object",
        "properties": {"city": {"type": "string", "required": True}, "zip": {"type": "integer"}},
    },
}

RIGHT: dict[str, list[Any]] = {
    "string": ["", "x"], "text": ["x"], "number": [1, 1.5], "float": [1, 0.5], "integer": [3, 3.0],
    "boolean": [True, False], "object": [{}], "array": [[]], "date": ["2026-01-31"],
    "datetime": ["2026-01-31T12:00:00Z", "2026-01-31"], "json": [{}, [], 1, "x", False], "automatic": [1],
    "file": ["https://a.b/c", {"url": "https://a.b/c"}], "image": ["data:image/png;base64,aaaa", {"base64": "aaaa"}],
    "audio": ["a"], "video": ["a"], "pdf": ["a"], "document": ["a"], "spreadsheet": ["a"], "presentation": ["a"],
    "dense_vector": [[0.1, 2]], "int8_vector": [[-128, 127]], "sparse_vector": [{"indices": [1], "values": [0.5]}],
}  # fmt: skip
WRONG: dict[str, list[Any]] = {
    "string": [1, True, []], "text": [1], "number": ["1", True], "float": ["x"], "integer": [1.5, True, "1"],
    "boolean": [0, "true"], "object": [[], "x"], "array": [{}, "x"], "date": ["31.1.2026", 5, "2026-01-31T12:00:00"],
    "datetime": ["yesterday", 5], "json": [], "automatic": [], "file": [5, {"size": 3}], "image": [1], "audio": [1],
    "video": [1], "pdf": [1], "document": [1], "spreadsheet": [1], "presentation": [{}],
    "dense_vector": [[], ["a"], [True], "x"], "int8_vector": [[128], [0.5], []],
    "sparse_vector": [[1], {"indices": [1], "values": []}, {"indices": [-1], "values": [1]}],
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_accepts_its_own(kind: str) -> None:
    for value in RIGHT[kind]:
        assert check_inputs({"v": {"type": kind}}, {"v": value}) == {"v": value}
    for value in WRONG[kind]:
        with pytest.raises(ValidationError) as caught:
            check_inputs({"v": {"type": kind}}, {"v": value})
        problem = caught.value.problems[0]
        assert problem["loc"] == ["body", "inputs", "v"]
        assert problem["type"] == f"{kind}_type"
        assert f"expected {TYPES[kind][0]}, not " in problem["msg"]


def test_defaults_come_in_and_undeclared_inputs_stay() -> None:
    found = check_inputs(SCHEMA, {"query": "x", "filters": {"a": 1}, "sort": None})
    assert found == {"query": "x", "k": 10, "filters": {"a": 1}}


def test_every_fault_is_told_at_once() -> None:
    given = {"k": "ten", "sort": "up", "sizes": [1, "2"], "where": {"zip": "x"}}
    with pytest.raises(ValidationError) as caught:
        check_inputs(SCHEMA, given)
    told = {".".join(map(str, one["loc"][2:])): one["msg"] for one in caught.value.problems}
    assert told == {
        "query": "this input is required: a text, what to look for",
        "k": "expected a whole number, not the text 'ten'",
        "sort": "expected one of 'asc', 'desc', not the text 'up'",
        "sizes.1": "expected a number, not the text '2'",
        "where.city": "this property is required: a text",
        "where.zip": "expected a whole number, not the text 'x'",
    }
    assert caught.value.message.endswith("(and 5 more)")


def test_a_wrapped_schema_is_understood() -> None:
    wrapped = {"properties": {"k": {"type": "integer", "default": 3}}}
    assert check_inputs(wrapped, {}) == {"k": 3}
    field_of_that_name = {"properties": {"type": "object", "required": True}}
    with pytest.raises(ValidationError, match=r"inputs\.properties"):
        check_inputs(field_of_that_name, {})


def test_a_schema_is_judged_too() -> None:
    schema = {
        "a": {"type": "strnig"},
        "b": "string",
        "c": {"type": "array", "items": {"type": "nothing"}},
        "d": {"type": "object", "properties": {"e": {}}},
        "f": {"type": "integer", "default": "x"},
        "g": {"type": ["string"]},
    }
    problems = check_schema(schema, ["body", "input_schema"])
    assert [".".join(map(str, one["loc"][2:])) for one in problems] == [
        "a.type", "b", "c.items.type", "d.properties.e.type", "f.default", "g.type",
    ]  # fmt: skip
    assert check_inputs(schema, {"a": 1, "c": [1]}) == {"a": 1, "c": [1], "f": "x"}
    assert check_schema(SCHEMA, []) == []
