"""Texts against texts: worked by hand, held against the standard library's matcher, and for any text at all."""

import time
from difflib import SequenceMatcher

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.engine.matching.comparison import (
    NO_MATCH,
    Extraction,
    Labelling,
    Match,
    References,
    Surroundings,
    confidence,
    elements,
    even,
    mixed,
    signals,
)

TEXTS = st.text(alphabet="ab cdeé", max_size=12)


@pytest.mark.parametrize(
    ("value", "mode", "found"),
    [
        ("  one\ntwo ", Extraction.RAW, ["one\ntwo"]),
        ("one\n\n  two \n", Extraction.LINES, ["one", "two"]),
        (["a", " ", 3, None, {"x": 1}, "b"], Extraction.LIST, ["a", "3", "b"]),
        (["a", "b"], Extraction.LINES, ["a", "b"]),
        ("alone", Extraction.LIST, ["alone"]),
        (None, Extraction.RAW, []),
        (True, Extraction.RAW, []),
        ("", Extraction.LABELS, []),
        ("Click **Settings**, then **Save**.", Extraction.LABELS, ["Settings"]),
        ("API Keys \u2014 where keys are made", Extraction.LABELS, ["API Keys"]),
        ("Then configure Webhook Endpoints for it, and configure Webhook Endpoints", Extraction.LABELS,
         ["Webhook Endpoints"]),
        ("日本語 \u2014 の説明", Extraction.LABELS, ["日本語"]),
    ],
)  # fmt: skip
def test_elements(value: object, mode: Extraction, found: list[str]) -> None:
    assert elements(value, mode) == found  # type: ignore[arg-type]  # the cases mix kinds of JSON


def test_generic_labels_may_be_kept() -> None:
    assert elements("Click **Save**.", Extraction.LABELS, without_generic=False) == ["Save"]


def test_labels_with_what_they_do() -> None:
    lines = [
        "- Export \u2014 writes",
        "",
        "  \u2022 Sign out \u2014 ends",
        "no\u2014label",
        "Nothing \u2014 ",
        "x" * 81 + " \u2014 y",
    ]
    assert elements("\n".join(lines), Extraction.LABELS) == ["Export", "Sign out"]


@pytest.mark.parametrize("text", [" " * 100_000, "\n" * 100_000, "- " * 50_000, "click " * 20_000, "**" * 50_000])
def test_labels_are_looked_for_once(text: str) -> None:
    started = time.process_time()
    elements(f"a{text}b", Extraction.LABELS)
    assert time.process_time() - started < 2.0


def test_equal_but_for_case_and_white_space() -> None:
    references = References([["Bread knife"], ["bread  KNIFE"]])
    assert references.exact("BREAD KNIFE") == Match("exact", 1.0, 0, "Bread knife")
    assert references.exact("bread knife", without=0) == Match("exact", 1.0, 1, "bread  KNIFE")
    assert references.exact("bread") is None


def test_nearly_equal_by_hand() -> None:
    # `abcd` and `bcde` share `bcd`: 2 * 3 / 8.
    assert References([["abcd"]]).fuzzy("bcde", 0.75) == Match("fuzzy", 0.75, 0, "abcd")
    assert References([["abcd"]]).fuzzy("bcde", 0.76) is None


@settings(max_examples=200)
@given(st.lists(st.lists(TEXTS, max_size=3), max_size=5), TEXTS, st.sampled_from([0.0, 0.3, 0.5, 0.75, 1.0]))
def test_what_is_left_out_could_not_have_won(listed: list[list[str]], element: str, threshold: float) -> None:
    """The bound skips comparisons and never changes which reference is the most alike."""
    scored = [
        (-SequenceMatcher(None, even(text), even(element), autojunk=False).ratio(), n, text)
        for n, texts in enumerate(listed)
        for text in texts
    ]
    best = min(((score, n, text) for score, n, text in scored if -score >= threshold), default=None, key=lambda x: x[0])
    found = References(listed).fuzzy(element, threshold)
    assert found == (None if best is None else Match("fuzzy", -best[0], best[1], best[2]))


def test_labels_are_tried_in_order() -> None:
    labelling = Labelling(((0.9, "close"), (0.5, "far")), "none at all")
    named = [labelling.label(Match("fuzzy", score, 0, "x")) for score in (1.0, 0.9, 0.89, 0.5, 0.2)]
    assert named == ["close", "close", "far", "far", "none at all"]
    assert Labelling(((0.0, "anything"),), "nothing").label(NO_MATCH) == "nothing"


def test_signals_make_up_for_part_of_what_a_score_lacks() -> None:
    match = Match("fuzzy", 0.87, 2, "API Key Configuration")
    around = Surroundings(
        "open the admin page", "elsewhere entirely", "then API key  configuration is opened", previous=2, matched=2
    )
    found = signals(match, around)
    assert found == {"context_match": False, "workflow_match": True, "transcript_match": True}
    assert confidence(0.87, found) == pytest.approx(0.87 + 0.13 * 0.6 * 2 / 3)
    assert confidence(0.4, {}) == 0.4


@given(st.floats(0, 1), st.lists(st.booleans(), max_size=3))
def test_confidence_is_between_the_score_and_one(score: float, found: list[bool]) -> None:
    value = confidence(score, {str(n): one for n, one in enumerate(found)})
    assert score <= value <= 1.0 + 1e-12


def test_looks_are_a_mean_by_weight() -> None:
    assert mixed([(0.7, {"a": 1.0, "b": 0.5}), (0.3, {"a": 0.5})]) == pytest.approx({"a": 0.85, "b": 0.35})
    assert mixed([(0.0, {"a": 1.0})]) == {}
