"""Servers of one database: those whose index or files are their own must be alone."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tamis.engine.local_locks import LocalLocks
from tamis.errors import ConfigurationError
from tamis.settings import Settings
from tamis.storage.metadata.advisory_locks import AdvisoryLocks
from tamis.wiring.company import check_company

SHARED = {"index_url": "http://qdrant:6333", "blob_url": "s3://files"}


class Server:
    """As far as it looks who else is there."""

    def __init__(self, url: str, **settings: str) -> None:
        self._settings = Settings(database_url=url, **settings)  # type: ignore[arg-type] # texts, as in the environment
        self._stack = AsyncExitStack()
        self.locks = AdvisoryLocks(url, 2.0)

    async def start(self) -> None:
        self._stack.push_async_callback(self.locks.close)
        await check_company(self._settings, self.locks, self._stack, patience_s=0.3)

    async def stop(self) -> None:
        await self._stack.aclose()


@pytest.fixture
async def servers(postgres_url: str) -> AsyncIterator[tuple[Server, Server, Server, Server]]:
    """Two that share everything, one with an index of its own, one with files of its own."""
    made = (
        Server(postgres_url, **SHARED),
        Server(postgres_url, **SHARED),
        Server(postgres_url, blob_url="s3://files"),
        Server(postgres_url, index_url="http://qdrant:6333"),
    )
    yield made
    for server in made:
        await server.stop()


async def test_any_number_of_servers_that_share_everything(servers: tuple[Server, ...]) -> None:
    await servers[0].start()
    await servers[1].start()


async def test_one_with_an_index_of_its_own_lets_nobody_else_in_until_it_ends(servers: tuple[Server, ...]) -> None:
    sharing, other, own_index, own_files = servers
    await own_index.start()
    with pytest.raises(ConfigurationError, match="the other has its index or files to itself"):
        await sharing.start()
    with pytest.raises(ConfigurationError, match="this one lacks TAMIS_BLOB_URL"):
        await own_files.start()
    await own_index.stop()
    await other.start()


async def test_without_a_database_of_their_own_kind_nothing_is_asked() -> None:
    async with AsyncExitStack() as stack:
        await check_company(Settings(database_url=None), AdvisoryLocks("postgresql://nowhere", 1.0), stack)


@pytest.mark.parametrize("shared", [{}, {"index_url": "http://qdrant:6333", "blob_url": "s3://files"}])
async def test_one_that_leaves_batches_to_others_shares_everything_with_them(shared: dict[str, str]) -> None:
    settings = Settings(extraction_threads=0, **shared)  # type: ignore[arg-type] # texts, as in the environment
    async with AsyncExitStack() as stack:
        with pytest.raises(ConfigurationError, match=r"TAMIS_EXTRACTION_THREADS=0 leaves .* TAMIS_DATABASE_URL"):
            await check_company(settings, LocalLocks(), stack)
