"""Whatever a provider answers, its reader comes back with results or says that the protocol was broken."""

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.engine.outreach.discovering import domain_of
from tamis.engine.ports.web_search import ImageQuery, PageQuery
from tamis.errors import OutsideError
from tamis.outside.search.protocol import ImageProtocol, PageProtocol
from tamis.wiring.search import IMAGES, PAGES

KEYS = st.sampled_from(
    ["results", "web", "url", "title", "link", "score", "visual_matches", "image_results", "thumbnail", "matches",
     "backlinks", "backlink", "responses", "webDetection", "pagesWithMatchingImages", "fullMatchingImages",
     "highlights", "publishedDate", "text", "width", "original_image", "error"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
    st.sampled_from(["https://a.example/x", "javascript:x", "http://", "https://[::1", "http://[x]/", "//a.example"]),
)  # fmt: skip
JSONS: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)


def wrapped(value: Any) -> list[Any]:
    """The value at each place where a reader looks for its rows."""
    return [
        value, {"results": value}, {"web": {"results": value}}, {"visual_matches": value}, {"image_results": value},
        {"results": {"matches": value}}, {"responses": [{"webDetection": {"pagesWithMatchingImages": value}}]},
    ]  # fmt: skip


@pytest.mark.parametrize("protocol", PAGES.values(), ids=PAGES)
@settings(max_examples=60)
@given(value=JSONS)
def test_pages(protocol: PageProtocol, value: Any) -> None:
    for answer in wrapped(value):
        try:
            found = protocol.read(answer, PageQuery("x"))
        except OutsideError:
            continue
        assert all(one.url.startswith(("http://", "https://")) and domain_of(one.url) for one in found)
        assert all(one.score is None or one.score == one.score for one in found)


@pytest.mark.parametrize("protocol", IMAGES.values(), ids=IMAGES)
@settings(max_examples=60)
@given(value=JSONS)
def test_images(protocol: ImageProtocol, value: Any) -> None:
    for answer in wrapped(value):
        for engine in protocol.engines or (None,):
            try:
                found = protocol.read(answer, ImageQuery("https://a.example/", engine=engine))
            except OutsideError:
                continue
            assert all(one.url.startswith(("http://", "https://")) for one in found)


@given(st.text(string.printable, max_size=40), st.text(max_size=10))
def test_what_is_asked_says_nothing_but_the_question(text: str, domain: str) -> None:
    """The wording goes out as a value: it cannot become another parameter, a header or a path."""
    for protocol in PAGES.values():
        ask = protocol.ask(PageQuery(text, included=(domain,) if domain else ()), 0)
        values = dict(ask.query) if ask.body is None else ask.body
        assert text in (values.get("q"), values.get("query")) or str(values["q"]).startswith(text)
        assert ask.path in ("/search", "/res/v1/web/search")
