"""What a cache keeps of stages comes back as it went in, or is not kept."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.stage import Outcome
from tamis.engine.stage_codec import NotKeepableError, decode_outcome, decode_stages, encode_outcome
from tamis.engine.tape import RecordedCall
from tamis.model.document import BlobRef, Document, Lineage, LineageStep
from tamis.model.hits import Hit, Hits

NOW = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.text(max_size=6), VALUES, max_size=4)
DOCUMENTS = st.builds(
    lambda fields, revision: Document(
        f"doc_{revision}", "col_1", fields, NOW, NOW, Lineage(chain=(LineageStep("col_1", "text_extractor_v1", NOW),)),
        (BlobRef("file", "blob://x", size_bytes=3),), ({"a": 1},), revision,
    ),
    FIELDS, st.integers(0, 5),
)  # fmt: skip
HITS = st.lists(
    st.builds(
        Hit, st.text(max_size=5), st.floats(allow_nan=False), st.none() | DOCUMENTS,
        st.dictionaries(st.text(max_size=4), st.floats(allow_nan=False), max_size=2), FIELDS,
    ),
    max_size=4,
)  # fmt: skip


@given(HITS, FIELDS, st.none() | st.integers(0, 9), st.lists(st.text(max_size=5), max_size=2), VALUES)
def test_an_outcome_comes_back_as_it_was(
    hits: list[Hit], metadata: dict[str, Any], count: int | None, warnings: list[str], told: Any
) -> None:
    outcome = Outcome(Hits.of(hits), count, count, count, metadata, tuple(warnings))
    calls = [RecordedCall("searcher", "hydrate", "00ff", told)]
    assert decode_outcome(encode_outcome(outcome, calls)) == (outcome, calls)
    assert decode_outcome(encode_outcome(outcome)) == (outcome, None)


@pytest.mark.parametrize("value", [float("nan"), 2**70, object(), {1, 2}, np.float32(0.1)])
def test_what_would_come_back_as_something_else_is_not_kept(value: Any) -> None:
    with pytest.raises(NotKeepableError):
        encode_outcome(Outcome(Hits.of([Hit("a", 1.0, None, {}, {"x": value})])))


@given(st.binary(max_size=60))
def test_bytes_of_another_making_are_no_entry(data: bytes) -> None:
    for decode in (decode_outcome, decode_stages):
        with pytest.raises(NotKeepableError):
            decode(data)
