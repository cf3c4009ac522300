"""Laws of chunking: what is covered, in which order, with how much overlap."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.text.chunks import Chunking, chunk
from tamis.engine.text.sentences import Span

TEXTS = st.text("abAB. \n\f!字", max_size=120)
WAYS = st.sampled_from(["tokens", "sentences", "paragraphs", "pages", "words", "characters"])


def tokens(text: str) -> list[Span]:
    """Like a model's: pieces of words, two characters at most, white space in none."""
    return [match.span() for match in re.finditer(r"\S{1,2}", text)]


def chunkings(by: st.SearchStrategy[str]) -> st.SearchStrategy[Chunking]:
    sizes = st.integers(1, 9).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1)))
    return st.builds(lambda way, sizes: Chunking(way, *sizes), by, sizes)


packed = st.builds(
    lambda c: Chunking(c.by, c.size, c.overlap, True), chunkings(st.sampled_from(["sentences", "paragraphs"]))
)


@given(TEXTS, st.one_of(chunkings(WAYS), packed))
def test_chunks_cover_the_text_in_order(text: str, chunking: Chunking) -> None:
    spans = chunk(text, chunking, tokens)
    covered = {place for start, end in spans for place in range(start, end)}
    assert {place for place, character in enumerate(text) if not character.isspace()} <= covered
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)
    for start, end in spans:
        assert 0 <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()


@given(TEXTS, chunkings(st.just("tokens")))
def test_windows_overlap_by_exactly_so_many_tokens(text: str, chunking: Chunking) -> None:
    every = tokens(text)
    inside = [
        [token for token in every if start <= token[0] and token[1] <= end]
        for start, end in chunk(text, chunking, tokens)
    ]
    for one, following in pairwise(inside):
        assert len(one) == chunking.size
        assert one[len(one) - chunking.overlap :] == following[: chunking.overlap]
        assert len(following) > chunking.overlap
    assert sum(map(len, inside)) == len(every) + chunking.overlap * max(0, len(inside) - 1)


@given(TEXTS, packed)
def test_packed_chunks_stay_within_their_tokens(text: str, chunking: Chunking) -> None:
    for start, end in chunk(text, chunking, tokens):
        assert len(tokens(text[start:end])) <= chunking.size


@pytest.mark.parametrize(
    ("chunking", "expected"),
    [
        (Chunking("none", 1), ["One two. Three four. Five."]),
        (Chunking("sentences", 1), ["One two.", "Three four.", "Five."]),
        (Chunking("sentences", 2, 1), ["One two. Three four.", "Three four. Five."]),
        (Chunking("sentences", 9, 0, True), ["One two.", "Three four. Five."]),
        (Chunking("words", 2), ["One two.", "Three four.", "Five."]),
        (Chunking("words", 3, 1), ["One two. Three", "Three four. Five."]),
        (Chunking("characters", 10, 2), ["One two. T", "Three fou", "our. Five."]),
        (Chunking("tokens", 4), ["One two.", "Three fo", "ur. Five", "."]),
    ],
)
def test_by_hand(chunking: Chunking, expected: list[str]) -> None:
    text = "One two. Three four. Five."
    assert [text[start:end] for start, end in chunk(text, chunking, tokens)] == expected


def test_nothing_but_space_gives_no_chunk() -> None:
    for by in ("none", "tokens", "sentences"):
        assert chunk(" \n\t ", Chunking(by, 3), tokens) == []
