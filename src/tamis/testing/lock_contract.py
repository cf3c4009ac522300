"""What every implementation of the `Locks` port must do, as tests that a backend inherits:

class TestMine(LockContract):
    @pytest.fixture
    async def locks(self) -> AsyncIterator[Locks]:
        ...  # nobody holds any
"""
# ruff: noqa: S101 - a contract is made of assertions

import asyncio
from typing import Any

import pytest

from tamis.engine.ports.locks import Locks, held


class LockContract:
    @pytest.fixture
    def locks(self) -> Any:
        raise NotImplementedError

    async def test_one_holds_it_at_a_time(self, locks: Locks) -> None:
        first = await locks.take("a")
        assert first is not None
        assert await locks.take("a") is None
        other = await locks.take("b")
        assert other is not None
        await first.release()
        second = await locks.take("a")
        assert second is not None
        await second.release()
        await other.release()

    async def test_of_many_at_once_one_gets_it(self, locks: Locks) -> None:
        taken = await asyncio.gather(*(locks.take("a") for _ in range(20)))
        assert sum(hold is not None for hold in taken) == 1

    async def test_who_waits_goes_on_when_it_is_freed(self, locks: Locks) -> None:
        hold = await locks.take("a")
        assert hold is not None
        waiting = [asyncio.create_task(locks.freed("a")) for _ in range(3)]
        await asyncio.wait(waiting, timeout=0.05)
        assert not any(task.done() for task in waiting)
        await hold.release()
        await asyncio.wait_for(asyncio.gather(*waiting), 5)

    async def test_what_nobody_holds_is_not_waited_for(self, locks: Locks) -> None:
        await asyncio.wait_for(locks.freed("a"), 5)

    async def test_blocks_never_overlap(self, locks: Locks) -> None:
        inside = 0

        async def work() -> None:
            nonlocal inside
            async with held(locks, "a"):
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.wait_for(asyncio.gather(*(work() for _ in range(8))), 20)

    async def test_a_block_that_fails_or_is_left_frees_it(self, locks: Locks) -> None:
        async def fail(error: type[BaseException]) -> None:
            async with held(locks, "a"):
                raise error

        for error in (ValueError, asyncio.CancelledError):
            with pytest.raises(error):
                await fail(error)
        hold = await asyncio.wait_for(locks.take("a"), 5)
        assert hold is not None
        await hold.release()
