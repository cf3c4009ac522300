"""A hostile pattern keeps nobody waiting but its own run."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tamis.engine.outreach.reaching import each
from tamis.engine.running.sifting import meant
from tamis.model.filters import parse_filter
from tamis.model.hits import Hit, Hits

CHANCE = random.Random(5)


def texts(count: int, chars: int) -> list[Hit]:
    return [
        Hit(f"d{number:03}", 1.0, extra={"text": "".join(CHANCE.choices("ab", k=chars))}) for number in range(count)
    ]


HOSTILE = {"field": "text", "operator": "regex", "value": "[ab]*a[ab]{900}c"}


async def reached(hits: list[Hit]) -> list[Hit]:
    """Those that a stage asks somebody about, of which none is meant."""

    async def ask(hit: Hit) -> Hit:
        raise AssertionError("it is not meant")

    await each(Hits.of(hits), HOSTILE, 1, "raise", ask)
    return []


@pytest.mark.parametrize("way", [lambda hits: meant(hits, parse_filter(HOSTILE)), reached], ids=["filter", "when"])
async def test_others_get_their_turn_while_a_pattern_is_at_work(
    way: Callable[[list[Hit]], Coroutine[Any, Any, list[Hit]]],
) -> None:
    hits = texts(4, 20_000)
    work = asyncio.create_task(way(hits))
    turns, began = 0, time.process_time()
    while not work.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert await work == []
    assert time.process_time() - began > 0.05, "the pattern is not hostile enough for this test to say anything"
    assert turns > 5


async def test_a_run_that_is_cancelled_ends() -> None:
    hostile = parse_filter(HOSTILE)
    hits = texts(2, 300) * 500
    work = asyncio.create_task(meant(hits, hostile))
    await asyncio.sleep(0)
    work.cancel()
    outcome = await asyncio.gather(work, return_exceptions=True)
    assert isinstance(outcome[0], asyncio.CancelledError)


async def test_it_lets_through_what_matches_in_its_order() -> None:
    hits = [Hit(f"d{number}", 1.0, extra={"text": f"text {number}"}) for number in range(100)]
    odd = parse_filter({"field": "text", "operator": "regex", "value": "[13579]$"})
    assert await meant(hits, odd) == hits[1::2]
    assert await meant(hits, parse_filter({"field": "text", "operator": "eq", "value": "text 7"})) == [hits[7]]
    assert await meant(hits, None) == hits
