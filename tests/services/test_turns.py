"""Executions at once."""

import asyncio
import random
from collections import Counter

import pytest

from tamis.errors import TooManyRequestsError
from tamis.model.principal import Principal
from tamis.services.runs.turns import TurnLimits, Turns

A, B = Principal("org_a", key_id="key_a"), Principal("org_b", key_id="key_b")
A2 = Principal("org_a", key_id="key_a2")


class Runs:
    """Executions that run until they are told to end."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.running: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    def begin(self, name: str, principal: Principal) -> "asyncio.Task[None]":
        self._ends[name] = asyncio.Event()
        return asyncio.create_task(self._run(name, principal))

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settled()

    async def _run(self, name: str, principal: Principal) -> None:
        async with self.turns.taken(principal):
            self.running.append(name)
            await self._ends[name].wait()
            self.running.remove(name)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_finds_no_room_runs_when_there_is_some() -> None:
    runs = Runs(Turns(TurnLimits(server=1, wait_s=60)))
    first, second = runs.begin("first", A), runs.begin("second", B)
    await settled()
    assert runs.running == ["first"]
    await runs.end("first")
    assert runs.running == ["second"]
    await runs.end("second")
    await asyncio.gather(first, second)


@pytest.mark.parametrize(
    ("limits", "of_organization", "other", "subject"),
    [
        (TurnLimits(server=1, wait_s=0), None, B, "server"),
        (TurnLimits(key=1, wait_s=0), None, A, "key"),
        (TurnLimits(wait_s=0), 1, A2, "organization"),
    ],
)
async def test_who_waits_in_vain_is_told_of_the_limit(
    limits: TurnLimits, of_organization: int | None, other: Principal, subject: str
) -> None:
    runs = Runs(Turns(limits, lambda _: of_organization))
    first = runs.begin("first", A)
    await settled()
    with pytest.raises(TooManyRequestsError) as refused:
        async with runs.turns.taken(other):
            pass
    assert refused.value.details["subject"] == subject
    assert refused.value.details["limit"] == 1
    await runs.end("first")
    async with runs.turns.taken(other):
        await first


async def test_limits_of_one_do_not_bind_the_other() -> None:
    runs = Runs(Turns(TurnLimits(key=1, wait_s=0), lambda who: 2 if who.organization_id == "org_a" else None))
    tasks = [runs.begin("a", A), runs.begin("a2", A2), runs.begin("b", B)]
    await settled()
    assert runs.running == ["a", "a2", "b"]
    for name in ("a", "a2", "b"):
        await runs.end(name)
    await asyncio.gather(*tasks)


async def test_the_organisation_that_runs_least_goes_first() -> None:
    runs = Runs(Turns(TurnLimits(server=3, wait_s=60)))
    tasks = [runs.begin(name, A) for name in ("a1", "a2", "a3", "a4")]
    await settled()
    tasks.append(runs.begin("b1", B))
    await settled()
    await runs.end("a1")
    assert runs.running == ["a2", "a3", "b1"]
    for name in ("b1", "a2", "a3", "a4"):
        await runs.end(name)
    await asyncio.gather(*tasks)


async def test_the_queue_is_bounded_nobody_fills_it_alone_and_all_take_turns() -> None:
    runs = Runs(Turns(TurnLimits(server=1, waiting=4, wait_s=60)))
    tasks = [runs.begin(name, A) for name in ("a1", "a2", "a3")]
    await settled()
    for full in (A, A2):
        with pytest.raises(TooManyRequestsError, match="the queue is full"):
            async with runs.turns.taken(full):
                pass
    tasks += [runs.begin(name, B) for name in ("b1", "b2")]
    await settled()
    with pytest.raises(TooManyRequestsError, match="the queue is full"):
        async with runs.turns.taken(Principal("org_c")):
            pass
    for name in ("a1", "a2", "b1", "a3", "b2"):
        assert runs.running == [name]
        await runs.end(name)
    await asyncio.gather(*tasks)


async def test_turns_are_never_lost_nor_given_twice_whoever_leaves() -> None:
    """Callers who fail, hang up while they wait or run, or wait too long."""
    chance = random.Random(7)
    turns = Turns(TurnLimits(server=3, key=2, waiting=20, wait_s=0.01), lambda _: 2)
    running: Counter[str] = Counter()
    callers = [Principal(f"org_{number % 4}", key_id=f"key_{number % 6}") for number in range(24)]

    async def run(principal: Principal) -> None:
        async with turns.taken(principal):
            running[principal.organization_id] += 1
            running["all"] += 1
            try:
                assert running["all"] <= 3
                assert running[principal.organization_id] <= 2
                await asyncio.sleep(chance.random() * 0.004)
            finally:
                running[principal.organization_id] -= 1
                running["all"] -= 1

    for _ in range(20):
        tasks = [asyncio.create_task(run(principal)) for principal in callers]
        await asyncio.sleep(chance.random() * 0.01)
        for task in chance.sample(tasks, 8):
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(
            each is None or isinstance(each, (TooManyRequestsError, asyncio.CancelledError)) for each in outcomes
        )
    for _ in range(2):
        async with turns.taken(callers[0]), turns.taken(callers[1]), turns.taken(callers[2]):
            pass
