from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.executions.summary import MAX_LENGTH, query_summary


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, None),
        ({"query": "red\n shoes\t"}, "red shoes"),
        ({"query": "red", "k": 5, "on": True, "n": None}, "query: red, k: 5, on: true, n: null"),
        ({"image": "data:image/png;base64," + "A" * 4096}, "image/png of 3 kB"),
        ({"like": {"input_mode": "content", "value": "data:image/png;base64," + "A" * 4096}}, "image/png of 3 kB"),
        ({"q": "x", "clip": "QUJD" * 1_000_000}, "q: x, clip: base64 data of 2.9 MB"),
        ({"vector": [0.1] * 384}, "vector of 384"),
        ({"tags": ["a", 1]}, "[a, 1]"),
        ({"where": {"city": "Lagos"}}, "{city: Lagos}"),
        ({"api_key": "abc", "q": "x"}, "api_key: ***, q: x"),
        ({"where": {"password": "abc"}}, "object of 1 fields"),
        ({"q": "use sk_live_0123456789abcdef please"}, "use *** please"),
        ({"q": "Bearer abc.def"}, "***"),
        ({"q": "with password=hunter2, and AKIAIOSFODNN7EXAMPLE"}, "with *** and ***"),
        ({"q": "AIzaSyA-1234567890abcdefghijklmnopqrstu glpat-abcdefghijkl"}, "*** ***"),
        ({"q": "-----BEGIN PRIVATE KEY----- MIIEvQ"}, "***"),
        ({"q": "x", "author": "Ada", "auth": "abc", "pwd": "abc"}, "q: x, author: Ada, auth: ***, pwd: ***"),
        ({"q": "what a token costs"}, "what a token costs"),
        ({"url": "https://me:pw@host/a.png?X-Amz-Signature=1"}, "https://host/a.png"),
        ({"url": "s3://bucket/key.png"}, "s3://bucket/key.png"),
    ],
)
def test_one_line(inputs: dict[str, Any], expected: str | None) -> None:
    assert query_summary(inputs) == expected


JSONS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=20), inner, max_size=6),
)


@given(st.dictionaries(st.text(max_size=20), JSONS, max_size=4))
def test_the_line_is_one_and_short(inputs: dict[str, Any]) -> None:
    line = query_summary(inputs)
    assert (line is None) is (not inputs)
    assert line is None or (len(line) <= MAX_LENGTH and "\n" not in line and "\r" not in line)


@given(st.sampled_from(["password", "API-Key", "authToken", "client_secret"]), st.text("abcdef0123", min_size=8))
def test_a_secret_is_never_in_it(name: str, value: str) -> None:
    for inputs in ({name: value}, {"q": "x", "auth": {name: value}}, {"q": [{name: value}]}):
        assert value not in (query_summary(inputs) or "")
