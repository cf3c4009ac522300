"""How many servers may use one system of record, by the settings."""

import asyncio
import contextlib

from tamis.engine.ports.locks import Hold, Locks
from tamis.errors import ConfigurationError
from tamis.settings import Settings

_NAME = "only server"
_SHARED = ("database_url", "index_url", "blob_url")
_PATIENCE_S = 5.0
"""For the database to notice that the server before this one is gone."""


async def check_company(
    settings: Settings, locks: Locks, stack: contextlib.AsyncExitStack, patience_s: float = _PATIENCE_S
) -> None:
    """One whose index or files are its own must be the only server of its database, and is from here on.

    Documents that another brings would never come into its index, nor would its files be found by others. One that
    leaves batches to others must share everything with them.
    Raises: ConfigurationError.
    """
    lacking = [f"TAMIS_{name.upper()}" for name in _SHARED if getattr(settings, name) is None]
    if lacking and settings.extraction_threads == 0:
        raise ConfigurationError(
            "TAMIS_EXTRACTION_THREADS=0 leaves batches to other servers, which there cannot be without "
            f"{', '.join(lacking)}"
        )
    if settings.database_url is None:
        return
    hold = await _taken(locks, patience_s)
    if hold is None:
        here = f"this one lacks {' and '.join(lacking)}" if lacking else "the other has its index or files to itself"
        raise ConfigurationError(
            f"another server uses this database, and {here}: give all of them TAMIS_INDEX_URL and TAMIS_BLOB_URL"
        )
    if lacking:
        stack.push_async_callback(hold.release)
    else:
        await hold.release()


async def _taken(locks: Locks, patience_s: float) -> Hold | None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience_s):
            while (hold := await locks.take(_NAME)) is None:
                await locks.freed(_NAME)
            return hold
    return None
