"""The system of record on SQLite (embedded) and PostgreSQL: one schema, one set of statements, two openers.

PostgreSQL's driver is optional, so its backend is loaded by `open_postgres` alone.
"""

from typing import TYPE_CHECKING

from tamis.errors import StorageError
from tamis.storage.metadata.sqlite import WAIT_S, SqliteMetadata, open_sqlite

if TYPE_CHECKING:
    from tamis.storage.metadata.postgres import PostgresMetadata

__all__ = ["SqliteMetadata", "open_postgres", "open_sqlite"]


async def open_postgres(url: str, wait_s: float = WAIT_S) -> "PostgresMetadata":
    """Reach the database at `postgresql+psycopg://...` and bring its schema up to date. wait_s: as for `open_sqlite`.

    Raises: StorageError, also where the driver is not installed.
    """
    try:
        from tamis.storage.metadata import postgres
    except ImportError as error:
        raise StorageError("PostgreSQL needs its driver: pip install 'tamis[postgres]'") from error
    return await postgres.open_postgres(url, wait_s)
