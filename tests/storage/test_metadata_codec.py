"""Laws of the codecs: what goes in comes out, whatever it is; what cannot be read says so."""

from dataclasses import fields
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tamis.errors import StorageError
from tamis.model.batch import Batch, Task
from tamis.model.bucket import Bucket, BucketObject, Upload
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.execution import ExecutionHeader
from tamis.model.json import JSON
from tamis.model.namespace import Namespace
from tamis.model.organization import ApiKey, Organization, User
from tamis.model.retriever import Retriever
from tamis.model.vector import Dense, MultiDense, Sparse, Vector
from tamis.storage.metadata.codec import Codec, from_micros, to_micros
from tamis.storage.metadata.vectors import decode_vectors, encode_vectors
from tamis.testing.metadata_contract.samples import same_vectors

KINDS: tuple[type[Any], ...] = (
    Organization, User, ApiKey, Namespace, Bucket, BucketObject, Upload, Collection, Batch, Task, Document,
    ExecutionHeader, Retriever,
)  # fmt: skip

text = st.text(st.characters(codec="utf-8"), max_size=8)
moments = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
numbers = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | numbers | text
json = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=6)  # fmt: skip # noqa: E501 - one strategy
LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: text, int: st.integers(-(2**63), 2**63 - 1), float: numbers, bool: st.booleans(), datetime: moments,
    type(None): st.none(),
}  # fmt: skip


def of_type(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that the model's annotation allows."""
    if hint == JSON:
        return json
    if hint in LEAVES:
        return LEAVES[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return st.one_of(*[of_type(argument) for argument in arguments])
    if origin is tuple:
        return st.lists(of_type(arguments[0]), max_size=2).map(tuple)
    if origin is not None:
        return st.dictionaries(text, of_type(arguments[1]), max_size=3)
    if isinstance(hint, type) and hasattr(hint, "__members__"):
        return st.sampled_from(hint)
    return of_class(hint)


def of_class(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{each.name: of_type(each.type) for each in fields(kind)})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_a_resource_survives_its_codec(kind: type[Any]) -> None:
    codec = Codec(kind)

    @given(of_class(kind))
    def survives(value: Any) -> None:
        assert codec.decode(codec.encode(value)) == value

    survives()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_the_model_is_left_as_it_was(kind: type[Any]) -> None:
    """The codec shows msgspec other annotations for a moment only."""
    before = dict(kind.__annotations__)
    Codec(kind)
    assert kind.__annotations__ == before


def test_a_body_of_another_version_still_opens() -> None:
    """A field that is gone is ignored; one that is new takes its default."""
    codec = Codec(User)
    known = User("usr_1", "org_1", "a@b", datetime(2026, 1, 1, tzinfo=UTC))
    body = msgspec.json.decode(codec.encode(known))
    assert codec.decode(msgspec.json.encode({**body, "from_the_future": [1]}).decode()) == known
    document = '{"document_id":"d","collection_id":"c","fields":{},"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}'  # noqa: E501 - as it is stored
    assert Codec(Document).decode(document).revision == 0


@pytest.mark.parametrize("body", ["", "[]", '{"user_id": 3}', '{"user_id": "u"}'])
def test_a_damaged_body_says_so(body: str) -> None:
    with pytest.raises(StorageError, match="User cannot be read"):
        Codec(User).decode(body)


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(StorageError, match="User cannot be written"):
        Codec(User).encode(User("\ud800", "o", "e", datetime(2026, 1, 1, tzinfo=UTC)))


@given(moments)
def test_microseconds_keep_the_instant_and_the_order(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment
    later = moment.replace(microsecond=0)
    assert (to_micros(later) <= to_micros(moment)) == (later <= moment)


def _floats(shape: Any) -> st.SearchStrategy[Any]:
    return arrays.arrays(np.float32, shape, elements=st.floats(width=32))


def _sparse(size: int) -> st.SearchStrategy[Sparse]:
    indices = arrays.arrays(np.uint32, size, elements=st.integers(0, 2**32 - 1), unique=True).map(np.sort)
    return st.builds(Sparse, indices, _floats(size))


vectors: st.SearchStrategy[Vector] = st.one_of(
    st.builds(Dense, _floats(st.integers(0, 20))),
    st.builds(MultiDense, _floats(st.tuples(st.integers(0, 4), st.integers(0, 6)))),
    st.integers(0, 9).flatmap(_sparse),
)


@given(st.dictionaries(text, vectors, max_size=4))
def test_vectors_survive_to_the_bit(named: dict[str, Vector]) -> None:
    assert same_vectors(decode_vectors(encode_vectors(named)), named)


def test_the_layout_of_vectors_is_what_the_docstring_says() -> None:
    data = encode_vectors({"ab": Dense(np.array([1.0], np.float32)), "s": Sparse(np.array([7], np.uint32), np.array([2.0], np.float32))})  # fmt: skip # noqa: E501 - one value
    assert data.hex(" ", 4) == (
        "54560102 01020000 01000000 01000000 61620000 0000803f 03010000 01000000 01000000 73000000 07000000 00000040"
    )


def test_vectors_of_any_memory_layout_are_written_the_same() -> None:
    rows = np.arange(12, dtype=np.float32).reshape(3, 4)
    turned = np.asfortranarray(rows)
    assert encode_vectors({"m": MultiDense(turned)}) == encode_vectors({"m": MultiDense(rows)})


def test_decoded_vectors_cannot_be_written_to() -> None:
    (dense,) = decode_vectors(encode_vectors({"a": Dense(np.zeros(3, np.float32))})).values()
    with pytest.raises(ValueError, match="read-only"):
        dense.values[0] = 1


@pytest.mark.parametrize("length", range(24))
def test_truncated_vectors_say_so(length: int) -> None:
    data = encode_vectors({"ab": Dense(np.array([1.0], np.float32))})
    with pytest.raises(StorageError):
        decode_vectors(data[:length])


def test_a_newer_format_of_vectors_is_refused() -> None:
    data = bytearray(encode_vectors({}))
    data[2] = 2
    with pytest.raises(StorageError, match="cannot be read by this version"):
        decode_vectors(bytes(data))


def test_too_many_features_or_too_long_a_name_is_refused() -> None:
    vector = Dense(np.zeros(1, np.float32))
    with pytest.raises(StorageError, match="255 features"):
        encode_vectors({str(number): vector for number in range(256)})
    with pytest.raises(StorageError, match="255 bytes"):
        encode_vectors({"ä" * 128: vector})
