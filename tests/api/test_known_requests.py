"""A request that is known is read as if it were not."""

import json
from typing import Any

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.api.known_requests import Asked, KnownRequests
from tamis.errors import TamisError
from tests.retrieval_world import search, stage

PIPELINE = {"stages": [search(), stage("limit", limit=2)], "input_schema": {"query": {"type": "text"}}}
BESIDE = [
    PIPELINE,
    {**PIPELINE, "limit": 3, "return_presigned_urls": True, "stream": True},
    {**PIPELINE, "collection_identifiers": ["shoes"], "settings": {"limit": 2}, "skip_cache": True, "filters": None},
    {**PIPELINE, "pagination": {"method": "offset", "page_number": 2, "page_size": 5}, "page_size": 4},
    {**PIPELINE, "budget_limits": {"max_credits": 1.5}, "input": {"query": "not the inputs"}},
    {"stages": [], "limit": 0},
    {**PIPELINE, "limit": "three"},
]
texts = st.text(st.sampled_from('ab"\\/{}[]:,é\u2028\U0001f45f'), max_size=4)
values = st.recursive(
    st.sampled_from([None, True, 0, -(2**70), 1.5, 1e300]) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
inputs = st.dictionaries(texts, values, max_size=3) | values


def outcome(known: KnownRequests, content: bytes, is_anonymous: bool) -> Any:
    try:
        asked = known.read(content, is_anonymous)
    except (TamisError, ValueError):
        return "goes on to the application"
    return shown(asked)


def shown(asked: Asked) -> Any:
    return asked.body, asked.body.model_fields_set, asked.options, asked.pipeline


@settings(max_examples=60)
@given(
    beside=st.sampled_from(BESIDE), first=inputs, second=inputs, is_anonymous=st.booleans(), ascii_only=st.booleans()
)
def test_as_if_it_came_for_the_first_time(
    beside: dict[str, Any], first: Any, second: Any, is_anonymous: bool, ascii_only: bool
) -> None:
    known = KnownRequests()
    outcome(known, json.dumps({**beside, "inputs": first}).encode(), is_anonymous)
    content = json.dumps({"inputs": second, **beside} if ascii_only else {**beside, "inputs": second}).encode()
    assert outcome(known, content, is_anonymous) == outcome(KnownRequests(), content, is_anonymous)


@pytest.mark.parametrize(
    "written",
    [
        b'{"who": NaN}',
        b'{"who": "\\ud800"}',
        b'{"who": "\xff"}',
        b'{"who": 1',
        b'{"who": 12345678901234567890123}',
        b'{"who": ' + b"[" * 126 + b"]" * 126 + b"}",
        b'{"who": ' + b"[" * 127 + b"]" * 127 + b"}",
        b'{"who": 1, "who": 2}',
        b'{"who": 1}, "inputs": {"who": 3}',
        b"{}}",
        b"[1]",
        b"7",
        b"null",
    ],
    ids=repr,
)
def test_inputs_that_want_a_close_look(written: bytes) -> None:
    known, before = KnownRequests(), json.dumps(PIPELINE).encode()[:-1] + b', "inputs": '
    known.read(before + b"{}}", is_anonymous=True)
    content = before + written + b"}"
    assert outcome(known, content, True) == outcome(KnownRequests(), content, True)


def test_nothing_of_one_request_is_in_the_next() -> None:
    known = KnownRequests()
    first = known.read(json.dumps({**PIPELINE, "inputs": {"secret": "mine"}}).encode(), is_anonymous=True)
    second = known.read(json.dumps(PIPELINE).encode(), is_anonymous=True)
    third = known.read(json.dumps({**PIPELINE, "inputs": {"query": "shoes"}}).encode(), is_anonymous=True)
    assert first.options.inputs == {"secret": "mine"}
    assert second.options.inputs == {}
    assert third.options.inputs == {"query": "shoes"}
    assert third.body.inputs == {}


def test_a_retrievers_request_is_not_a_pipelines() -> None:
    known, content = KnownRequests(), json.dumps(PIPELINE).encode()
    assert known.read(content, is_anonymous=False).pipeline is None
    assert known.read(content, is_anonymous=True).pipeline is not None


def test_no_more_is_kept_than_there_is_room_for() -> None:
    known = KnownRequests(capacity=2)
    contents = [json.dumps({**PIPELINE, "limit": limit}).encode() for limit in (1, 2, 3)]
    first, _, third = [known.read(content, is_anonymous=True) for content in contents]
    again = [known.read(content, is_anonymous=True) for content in (contents[2], contents[0])]
    assert again[0].pipeline is third.pipeline
    assert again[1].pipeline is not first.pipeline
    assert again[1].pipeline == first.pipeline


def test_what_is_wrong_is_not_kept() -> None:
    known, content = KnownRequests(), json.dumps({"stages": []}).encode()
    for _ in range(2):
        with pytest.raises(pydantic.ValidationError):
            known.read(content, is_anonymous=True)
