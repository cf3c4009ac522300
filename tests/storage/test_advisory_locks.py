"""Locks that all servers of one PostgreSQL see."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tamis.engine.ports.locks import Locks
from tamis.errors import StorageUnavailableError
from tamis.storage.metadata.advisory_locks import AdvisoryLocks
from tamis.testing.lock_contract import LockContract
from tests.storage.test_metadata_postgres import _execute

_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[AdvisoryLocks]:
    locks = AdvisoryLocks(url, 2.0)
    try:
        yield locks
    finally:
        await locks.close()


class TestAdvisoryLocks(LockContract):
    @pytest.fixture
    async def locks(self, postgres_url: str) -> AsyncIterator[Locks]:
        async with opened(postgres_url) as locks:
            yield locks


async def test_two_servers_see_each_others_locks_and_one_that_ends_lets_go(postgres_url: str) -> None:
    async with opened(postgres_url) as there:
        async with opened(postgres_url) as here:
            hold = await here.take("a")
            assert hold is not None
            assert await hold.stands()
            assert await there.take("a") is None
            waiting = asyncio.create_task(there.freed("a"))
            await asyncio.wait((waiting,), timeout=0.05)
            assert not waiting.done()
        await asyncio.wait_for(waiting, 5)
        assert await there.take("a") is not None


async def test_what_went_with_its_connection_stands_no_longer(postgres_url: str) -> None:
    async with opened(postgres_url) as here, opened(postgres_url) as there:
        hold = await here.take("a")
        assert hold is not None
        _execute(postgres_url, _OTHERS)
        theirs = await there.take("a")
        assert theirs is not None
        assert not await hold.stands()
        await hold.release()
        assert await theirs.stands(), "what was lost is not let go for another"
        assert await here.take("a") is None
        assert not await hold.stands(), "nor when it is connected again"


async def test_a_database_that_is_away_is_told(postgres_url: str) -> None:
    async with opened(postgres_url.replace("/postgres", "/no_such_database")) as locks:
        for _ in range(2):
            with pytest.raises(StorageUnavailableError):
                await locks.take("a")


async def test_who_leaves_while_he_takes_it_leaves_it_to_others(postgres_url: str) -> None:
    async with opened(postgres_url) as here, opened(postgres_url) as there:
        for _ in range(5):
            taking = asyncio.create_task(here.take("a"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            taking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await taking
            hold = await there.take("a")
            assert hold is not None
            await hold.release()
