"""What is made beside the caller's work: in order, so far ahead, and ended with it."""

import threading
from collections.abc import Generator

import pytest

from tamis.engine.ahead import ahead


def test_everything_comes_in_order_whatever_the_depth() -> None:
    for depth in (1, 3, 9):
        assert list(ahead((number for number in range(7)), depth)) == list(range(7))
    assert list(ahead((number for number in range(0)), 2)) == []


def test_the_next_is_made_while_the_caller_is_at_the_last() -> None:
    made = [threading.Event() for _ in range(3)]

    def source() -> Generator[int, None, None]:
        for number, event in enumerate(made):
            event.set()
            yield number

    found = ahead(source())
    assert next(found) == 0
    assert made[1].wait(30)
    assert not made[2].is_set()
    assert list(found) == [1, 2]


def test_an_error_comes_in_its_place_and_a_source_that_is_left_is_closed() -> None:
    closed: list[str] = []

    def source(breaks: bool) -> Generator[int, None, None]:
        try:
            yield 1
            if breaks:
                raise ValueError("broken")
            yield from range(100)
        finally:
            closed.append("closed")

    found = ahead(source(True), 3)
    assert next(found) == 1
    with pytest.raises(ValueError, match="broken"):
        next(found)
    left = ahead(source(False), 3)
    assert next(left) == 1
    left.close()  # type: ignore[attr-defined]
    assert closed == ["closed", "closed"]
