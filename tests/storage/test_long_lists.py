"""Lists whose patterns take long are made one at a time: the threads that read are everybody's."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tamis.errors import TooManyRequestsError, ValidationError
from tamis.model.filters import parse_filter
from tamis.model.page import Listing
from tamis.storage.metadata.listing import matching_only, window

HOSTILE = parse_filter({"field": "text", "operator": "regex", "value": "(?:[^x]{0,150}y){6}z"})
ROW = {"text": "aby" * 10_000}


def listed(rows: Iterator[dict[str, Any]]) -> Any:
    return window(rows, lambda row: row, str, Listing(filter=HOSTILE))


def test_one_at_a_time_and_not_for_long() -> None:
    under_way, go = threading.Event(), threading.Event()

    def rows() -> Iterator[dict[str, Any]]:
        for _ in range(5):
            yield ROW
        under_way.set()
        go.wait(20)
        while True:
            yield ROW

    ends: list[BaseException] = []

    def first() -> None:
        try:
            listed(rows())
        except ValidationError as error:
            ends.append(error)

    thread = threading.Thread(target=first)
    thread.start()
    assert under_way.wait(20)
    with pytest.raises(TooManyRequestsError, match="takes long"):
        listed(iter([ROW] * 50))
    with pytest.raises(TooManyRequestsError):
        list(matching_only([ROW] * 50, lambda row: row, HOSTILE))
    quick = parse_filter({"field": "text", "operator": "regex", "value": "ab"})
    assert window(iter([ROW] * 3), lambda row: row, str, Listing(filter=quick)).total == 3
    go.set()
    thread.join(60)
    assert "more than 2 s of computing" in str(ends[0])
    assert list(matching_only([ROW] * 2, lambda row: row, HOSTILE)) == []
