import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.client.events import event_data

_WORDS = st.sampled_from(
    ["data: ", "data:", "data", "a", " ", ":", "event: x", "\u2028", "\x85", "é", "\n", "\r", "\r\n"]
)
_STREAMS = st.lists(_WORDS, max_size=40).map("".join)


def _by_the_book(text: str) -> list[str]:
    """The standard's words over the whole text at once; what follows the last line end is no line."""
    lines = re.split("\r\n|\n|\r", text)[:-1]
    found: list[str] = []
    data: list[str] = []
    for line in lines:
        name, _, value = line.partition(":")
        if line == "":
            found += ["\n".join(data)] if data else []
            data = []
        elif name == "data" and ":" in line:
            data.append(value.removeprefix(" "))
    return found


@given(text=_STREAMS, cuts=st.lists(st.integers(0, 200), max_size=20))
def test_events_are_the_same_however_the_bytes_were_cut(text: str, cuts: list[int]) -> None:
    raw = text.encode()
    places = sorted({0, len(raw), *(cut for cut in cuts if cut <= len(raw))})
    chunks = [raw[start:stop] for start, stop in pairwise(places)]
    assert list(event_data(chunks)) == _by_the_book(text)


@pytest.mark.parametrize(
    ("raw", "events"),
    [
        (b"data: one\n\ndata: two\n\n", ["one", "two"]),
        (b": only a comment\n\ndata: one\n\n", ["one"]),
        (b"\xef\xbb\xbfdata: one\r\rdata: two\r\r", ["one", "two"]),
        (b"data: one\ndata: line\n\n", ["one\nline"]),
        (b"data: cut off\n", []),
        ("data: one\u2028line\n\n".encode(), ["one\u2028line"]),
    ],
)
def test_what_an_event_is(raw: bytes, events: list[str]) -> None:
    assert list(event_data([raw])) == events
