"""The system of record on SQLite (embedded) and PostgreSQL: one schema, one set of statements, two openers.

PostgreSQL's driver is optional, so its backend is loaded by `open_postgres` alone.
"""

from typing import TYPE_CHECKING

from tamis.errors import StorageError
from tamis.storage.metadata.sqlite import WAIT_S, SqliteMetadata, open_sqlite

if TYPE_CHECKING:
    from tamis.storage.metadata.advisory_locks import AdvisoryLocks
    from tamis.storage.metadata.postgres import PostgresMetadata

__all__ = ["SqliteMetadata", "open_advisory_locks", "open_postgres", "open_sqlite"]


_NO_DRIVER = "PostgreSQL needs its driver: pip install 'tamis[postgres]'"


async def open_postgres(url: str, wait_s: float = WAIT_S) -> "PostgresMetadata":
    """Reach the database at `postgresql+psycopg://...` and bring its schema up to date. wait_s: as for `open_sqlite`.

    Raises: StorageError, also where the driver is not installed.
    """
    try:
        from tamis.storage.metadata import postgres
    except ImportError as error:
        raise StorageError(_NO_DRIVER) from error
    return await postgres.open_postgres(url, wait_s)


def open_advisory_locks(url: str, wait_s: float = WAIT_S) -> "AdvisoryLocks":
    """Locks of all servers of the database at `postgresql+psycopg://...`. Raises: StorageError, as `open_postgres`."""
    try:
        from tamis.storage.metadata import advisory_locks
    except ImportError as error:
        raise StorageError(_NO_DRIVER) from error
    return advisory_locks.AdvisoryLocks(url, wait_s)
