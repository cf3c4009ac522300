"""Sentences as Unicode has them, with offsets that point into the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uniseg.sentencebreak import sentence_boundaries as uniseg_boundaries

from tamis.engine.text.sentences import pages, paragraphs, sentence_boundaries, sentences

# Of each property a few characters. Those of the property Other are left out: uniseg 0.10 forgets them in rule SB8.
ALPHABET = 'abAB1.!?。 \t\n\r\u2028,")(字\u0301\u200d\u00ad:ßÉกا؟।'


@given(st.text(ALPHABET, max_size=30))
def test_boundaries_equal_those_of_uniseg(text: str) -> None:
    assert sentence_boundaries(text) == [end for end in uniseg_boundaries(text) if end]


@given(st.text(max_size=200))
def test_boundaries_rise_to_the_end(text: str) -> None:
    ends = sentence_boundaries(text)
    assert ends == sorted(set(ends))
    assert ends[-1:] == ([len(text)] if text else [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It rains. It pours! Does it? Yes.", ["It rains.", "It pours!", "Does it?", "Yes."]),
        ("Pi is 3.14 or so. Next.", ["Pi is 3.14 or so.", "Next."]),
        ("He said “No.” Then he left.", ["He said “No.”", "Then he left."]),
        ("今日は雨です。明日は晴れ。「本当？」はい。", ["今日は雨です。", "明日は晴れ。", "「本当？」", "はい。"]),
        ("وصل القطار. هل أنت هنا؟ نعم.", ["وصل القطار.", "هل أنت هنا؟", "نعم."]),
        ("Die Häuser z.b. hier. Über alles.", ["Die Häuser z.b. hier.", "Über alles."]),
        ("Ọmọ náà ń ṣeré. Ṣé o gbọ́?", ["Ọmọ náà ń ṣeré.", "Ṣé o gbọ́?"]),
        ("यह एक वाक्य है। यह दूसरा है।", ["यह एक वाक्य है।", "यह दूसरा है।"]),
    ],
)
def test_sentences_of_many_languages(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_wrapped_prose_keeps_its_sentences_and_lists_fall_apart() -> None:
    text = "This was wrapped\nBy an editor. Twice\r\nOver.\n\nNew paragraph\n- first item\n- second item"
    assert [text[start:end] for start, end in sentences(text)] == [
        "This was wrapped\nBy an editor.",
        "Twice\r\nOver.",
        "New paragraph",
        "- first item",
        "- second item",
    ]


def test_paragraphs_and_pages() -> None:
    text = "one\ntwo\n \nthree\r\n\r\nfour\u2029five\f six "
    assert [text[start:end] for start, end in paragraphs(text)] == ["one\ntwo", "three", "four", "five\f six"]
    assert [text[start:end] for start, end in pages(text)] == ["one\ntwo\n \nthree\r\n\r\nfour\u2029five", "six"]
    assert sentences(" \n ") == paragraphs("") == pages("\f") == []


def test_long_runs_of_anything_cost_no_more_than_their_length() -> None:
    for part in (" \n", ". (", "a.", "...", "\n\n", "\u0301", '"('):
        text = part * 50_000
        assert sentence_boundaries(text)[-1] == len(text)
        assert len(sentences(text)) + len(paragraphs(text)) < len(text)
