"""A hostile pattern keeps nobody waiting but its own run."""

import asyncio
import random
import time

from tamis.engine.sifting import meant
from tamis.model.filters import parse_filter
from tamis.model.hits import Hit

CHANCE = random.Random(5)


def texts(count: int, chars: int) -> list[Hit]:
    return [
        Hit(f"d{number:03}", 1.0, extra={"text": "".join(CHANCE.choices("ab", k=chars))}) for number in range(count)
    ]


async def test_others_get_their_turn_while_a_pattern_is_at_work() -> None:
    hostile = parse_filter({"field": "text", "operator": "regex", "value": "[ab]*a[ab]{900}c"})
    hits = texts(4, 20_000)
    work = asyncio.create_task(meant(hits, hostile))
    turns, began = 0, time.process_time()
    while not work.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert await work == []
    assert time.process_time() - began > 0.05, "the pattern is not hostile enough for this test to say anything"
    assert turns > 5


async def test_a_run_that_is_cancelled_ends() -> None:
    hostile = parse_filter({"field": "text", "operator": "regex", "value": "[ab]*a[ab]{900}c"})
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
