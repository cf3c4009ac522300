"""What a body may be, before any route looks at it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st

from tamis.api.bodies import LEVELS, JsonRoute, parse
from tamis.errors import BadRequestError
from tests.resource_world import Resources, open_resources

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
HALF = rb'{"bucket_name": "b", "bucket_schema": {"properties": {}}, "description": "\ud800"}'


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        yield resources


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@given(VALUES, st.booleans())
def test_any_json_comes_in_as_it_was(value: object, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


def test_the_depth_that_is_allowed_is_exact() -> None:
    assert parse(nested(LEVELS)) is not None
    with pytest.raises(BadRequestError, match="deeper"):
        parse(nested(LEVELS + 1))


def test_brackets_in_strings_and_side_by_side_are_not_depth() -> None:
    assert parse(json.dumps({"text": "[{" * 500 + '\\"'}).encode()) == {"text": "[{" * 500 + '\\"'}
    assert len(parse(b"[" + b",".join([b"[[]]"] * 500) + b"]")) == 500


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"a": NaN}', "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (rb'"\ud800"', "surrogate"),
        (rb'{"\uDFFF": 1}', "surrogate"),
        (b'"\xff"', "UTF-8"),
        ("[]".encode("utf-16"), "UTF-8"),
    ],
)
def test_what_could_not_be_kept_is_refused(body: bytes, says: str) -> None:
    with pytest.raises(BadRequestError, match=says):
        parse(body)


@pytest.mark.parametrize("body", [HALF, nested(5000), b'{"limit": ' + b"9" * 5000 + b"}", b"\x80"])
async def test_hostile_bodies_are_the_callers_fault(world: Resources, body: bytes) -> None:
    headers = {**world.me.headers, "Content-Type": "application/json"}
    for path in ("/v1/buckets", "/v1/buckets/list"):
        answer = await world.http.post(path, content=body, headers=headers)
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["type"] == "BadRequestError"
    assert (await world.me.post("/buckets/list"))["total_count"] == 0


def test_a_route_is_worked_out_by_who_asks_for_more_than_was_told() -> None:
    router = APIRouter(route_class=JsonRoute)

    @router.get("/items/{item:path}", status_code=202)
    def items(item: str, limit: int = 3) -> dict[str, int]:
        """Some of them."""
        return {item: limit}

    (route,) = router.routes
    assert isinstance(route, APIRoute)
    assert (route.path_format, route.methods, route.status_code) == ("/items/{item}", {"GET"}, 202)
    assert "dependant" not in vars(route)
    with pytest.raises(AttributeError):
        _ = route.nothing_of_the_kind  # type: ignore[attr-defined]
    assert [one.name for one in route.dependant.query_params] == ["limit"]
    assert route.response_model == dict[str, int]

    served = FastAPI()
    served.include_router(router)
    described = served.openapi()["paths"]["/items/{item}"]["get"]
    assert described["description"] == "Some of them."
    assert "202" in described["responses"]


def test_a_route_that_is_included_is_worked_out_once() -> None:
    """The router's own is left as it was told: a second working out of each would lengthen every start."""
    router = APIRouter(route_class=JsonRoute)

    @router.get("/numbers")
    def numbers(limit: int = 3) -> list[int]:
        return [*range(limit)]

    served = FastAPI()
    served.include_router(router)
    for route in served.routes:
        route.matches({"type": "http", "method": "GET", "path": "/numbers", "headers": []})
    assert "dependant" not in vars(router.routes[0])
    assert served.openapi()["paths"]["/numbers"]["get"]["parameters"][0]["name"] == "limit"
