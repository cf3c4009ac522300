"""A pattern takes a bounded time, whatever it is and whatever it is looked for in."""

import pytest

from tamis.errors import ValidationError
from tamis.model.filters import Condition, Operator
from tamis.model.matching import matches, patient
from tamis.model.patterns import LONGEST_PATTERN, LONGEST_TEXT, compiled
from tamis.services.listing import build_query, select

HOSTILE = "(?:[^x]{0,150}y){6}z"
"""Eight thousand instructions, of which RE2 tries each at each character."""
LONG = "aby" * 100_000


def test_it_sees_a_text_from_its_beginning() -> None:
    late = "x" * LONGEST_TEXT + "needle"
    assert not compiled("needle").is_in(late)
    assert compiled("needle").is_in(late[6:])
    assert compiled("x$").is_in(late)


def test_the_larger_it_is_the_less_it_sees() -> None:
    large, small = compiled(HOSTILE), compiled("a.c")
    assert large.most_characters < 20_000
    assert small.most_characters == LONGEST_TEXT
    assert large.steps(LONG) <= 100_000_000
    assert large.is_in(LONG[:1000] + "y" * 6 + "z")


@pytest.mark.parametrize("text", ["(", "x" * (LONGEST_PATTERN + 1), r"(?:\pL{0,900}){900}", r"(a)\1"])
def test_what_is_no_pattern_says_why(text: str) -> None:
    with pytest.raises(ValueError, match=r"RE2|at most"):
        compiled(text)


def test_a_filter_with_patterns_is_refused_once_it_took_too_long() -> None:
    wanted = Condition("text", Operator.REGEX, HOSTILE)
    keeps = patient(wanted, ("body", "filters"), most_s=0.001)
    with pytest.raises(ValidationError, match=r"patterns take more than 0\.001 s") as refused:
        keeps({"text": LONG[:30_000]})
    assert refused.value.problems[0]["loc"] == ["body", "filters"]
    plain = patient(Condition("text", Operator.EQ, LONG), ("body",), most_s=0.0)
    assert plain({"text": LONG})
    assert not matches(wanted, {"text": "short"})


def test_lists_beside_the_loop_have_half_a_second() -> None:
    query = build_query(filters={"field": "text", "operator": "regex", "value": HOSTILE})
    seen: list[int] = []

    def view(one: int) -> dict[str, str]:
        seen.append(one)
        return {"text": LONG}

    with pytest.raises(ValidationError, match=r"more than 0\.5 s"):
        select(range(60), view, query)
