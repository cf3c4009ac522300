"""Work done once for several callers."""

import asyncio

import pytest

from tamis.services.runs.flights import Flights


class _Work:
    """Counts how often it is done, and whether it was cut short; ends when told to."""

    def __init__(self) -> None:
        self.begun = self.cancelled = 0
        self.go = asyncio.Event()

    async def __call__(self) -> str:
        self.begun += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return "done"


async def test_all_who_come_meanwhile_get_what_one_run_made() -> None:
    flights, work = Flights[str](), _Work()
    leader = asyncio.ensure_future(flights.lead(b"k", work()))
    await asyncio.sleep(0)
    followers = [asyncio.ensure_future(flights.follow(b"k")) for _ in range(5)]
    await asyncio.sleep(0)
    work.go.set()
    assert await asyncio.gather(leader, *followers) == ["done"] * 6
    assert work.begun == 1
    await asyncio.sleep(0)
    assert b"k" not in flights


@pytest.mark.parametrize("who_leaves", [(0,), (1,), (0, 1)])
async def test_who_leaves_does_not_take_the_work_from_the_others(who_leaves: tuple[int, ...]) -> None:
    flights, work = Flights[str](), _Work()
    callers = [asyncio.ensure_future(flights.lead(b"k", work()))]
    await asyncio.sleep(0)
    callers += [asyncio.ensure_future(flights.follow(b"k")) for _ in range(2)]
    await asyncio.sleep(0)
    for n in who_leaves:
        callers[n].cancel()
        with pytest.raises(asyncio.CancelledError):
            await callers[n]
    work.go.set()
    assert await callers[2] == "done"
    assert (work.begun, work.cancelled) == (1, 0)


async def test_the_last_who_leaves_takes_the_work_along() -> None:
    flights, work = Flights[str](), _Work()
    leader = asyncio.ensure_future(flights.lead(b"k", work()))
    await asyncio.sleep(0)
    follower = asyncio.ensure_future(flights.follow(b"k"))
    await asyncio.sleep(0)
    for caller in (leader, follower):
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
    assert work.cancelled == 1
    assert b"k" not in flights


async def test_a_failure_is_all_who_wait_for_its_and_nobody_elses() -> None:
    flights = Flights[str]()

    async def fail() -> str:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    leader = asyncio.ensure_future(flights.lead(b"k", fail()))
    await asyncio.sleep(0)
    follower = asyncio.ensure_future(flights.follow(b"k"))
    for caller in (leader, follower):
        with pytest.raises(ZeroDivisionError):
            await caller
    assert b"k" not in flights


async def test_who_comes_while_abandoned_work_winds_down_begins_anew() -> None:
    flights, is_over = Flights[str](), asyncio.Event()

    async def slow_to_end() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await is_over.wait()
        return "never"

    leaver = asyncio.ensure_future(flights.lead(b"k", slow_to_end()))
    await asyncio.sleep(0)
    leaver.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not leaver.done()
    assert b"k" not in flights
    work = _Work()
    work.go.set()
    newcomer = asyncio.ensure_future(flights.lead(b"k", work()))
    is_over.set()
    assert await newcomer == "done"
    with pytest.raises(asyncio.CancelledError):
        await leaver
