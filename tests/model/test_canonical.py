import hashlib
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tamis.errors import ValidationError
from tamis.model.canonical import canonical_json, sha1_of, sha256_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSONS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def test_exact_bytes() -> None:
    value = {"b": [1.0, 1e16, 1e-7, True, None], "a": '€\u0007"', "é": 1, "e": 2}
    expected = '{"a":"€\\u0007\\"","b":[1,10000000000000000,1e-7,true,null],"e":2,"é":1}'
    assert canonical_json(value) == expected.encode()
    assert sha1_of({"query": "red shoes"}) == hashlib.sha1(b'{"query":"red shoes"}').hexdigest()
    assert sha256_of([]) == hashlib.sha256(b"[]").hexdigest()


@given(JSONS)
def test_the_fast_way_writes_the_same_bytes(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@given(JSONS)
def test_the_order_of_keys_does_not_matter(value: Any) -> None:
    assert sha1_of(value) == sha1_of(reordered(value))


def test_numbers_beyond_the_exact_ones_hash_by_their_digits() -> None:
    assert sha1_of([2**60]) != sha1_of([2**60 + 1])
    assert canonical_json([2**64]) == b'["18446744073709551616"]'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1: 2}, object(), "\ud800"])
def test_what_has_no_canonical_form_is_named(value: Any) -> None:
    with pytest.raises(ValidationError, match=r"body\.inputs: this value has no canonical JSON"):
        canonical_json([value], ["body", "inputs"])
