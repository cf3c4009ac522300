"""Values from outside, made to hurt: each is read, or refused with the one error that names its place."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.decoding.sniffing import content_type
from tamis.engine.templating import templates
from tamis.engine.templating.templates import Scope
from tamis.errors import ValidationError
from tamis.model.feature_uri import FeatureUri
from tamis.model.filters import Operator, parse_filter
from tamis.model.matching import matches

T = TypeVar("T")

NAMES = st.sampled_from(["AND", "OR", "NOT", "field", "operator", "value", "case_sensitive", "a", "a.b", "", "$or"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
OPERATORS = st.sampled_from([*map(str, Operator), "EQ", "like", ""])
CONDITIONS = st.fixed_dictionaries(
    {"field": st.sampled_from(["a", "a.b", "", "a..b", "\x00"]), "operator": OPERATORS},
    optional={"value": SCALARS | st.lists(SCALARS, max_size=3), "case_sensitive": SCALARS},
)
FILTERS = st.recursive(
    SCALARS | CONDITIONS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
VIEWS = st.dictionaries(st.sampled_from(["a", "b"]), SCALARS | st.lists(SCALARS, max_size=3), max_size=2)
PIECES = st.sampled_from(
    ["{{", "}}", "{%", "%}", "{#", "#}", "{", "}", "INPUT", ".x", "DOC", "['", "']", "|", "join", "map('attr')", "(",
     ")", "[", "]", "*", "+", "~", "1", "10**9", "'a'", "for i in ", "range(9)", "if", "endfor", ".__class__", "[0]",
     "format", "%s", "\n", "lipsum", "self", "loop", "ü", "\ud800", "\x00"]
)  # fmt: skip
TEMPLATES = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join)
HEADS = st.sampled_from(
    [b"", b"%PDF-1.7\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 ",
     b"RIFF\xff\xff\xff\xffWAVE", b"OggS", b"ID3", b"\0\0\0\x18ftypmp42", b"\x1aE\xdf\xa3", b"<?xml", b"<svg", b"{",
     b"BM", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
)  # fmt: skip


def read(reading: Callable[[], T], place: str) -> T | None:
    """What was read; None where it was refused, at its place. Any other exception is a fault."""
    try:
        return reading()
    except ValidationError as error:
        refused = error
    assert all(problem["loc"][0] == place and problem["msg"] for problem in refused.problems)
    return None


@settings(max_examples=500)
@given(FILTERS, VIEWS)
def test_filters(raw: Any, view: dict[str, Any]) -> None:
    found = read(lambda: parse_filter(raw, ["filters"]), "filters")
    if found is not None:
        assert matches(found, view) in (True, False)


@settings(max_examples=500, deadline=None)
@given(TEMPLATES)
def test_templates(text: str) -> None:
    scope: Scope = {"INPUT": {"x": "v"}, "DOC": {"x": [1, 2]}}
    rendered = read(lambda: templates.render(text, scope, ["parameters"]), "parameters")
    assert isinstance(rendered, str | int | float | bool | list | dict | None)


@given(st.text() | st.lists(st.sampled_from(["mixpeek://", "a", "@v1", "/", "://", "@", "#", "%00", " "])).map("".join))
def test_feature_uris(text: str) -> None:
    found = read(lambda: FeatureUri.parse(text, ["feature_uri"]), "feature_uri")
    assert found is None or (str(found) == text and FeatureUri.parse(text) == found)


@settings(deadline=None)
@given(HEADS, st.binary(max_size=200))
def test_file_heads(head: bytes, rest: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "file"
        file.write_bytes(head + rest)
        major, slash, minor = content_type(file).partition("/")
    assert (bool(major), slash, bool(minor)) == (True, "/", True)
