"""The database file itself."""

from collections.abc import Iterator

from sqlalchemy import Connection

from tamis.model.fault import Fault

KIND = "database"


def faults(connection: Connection, deep: bool) -> Iterator[Fault]:
    """PostgreSQL sees to its own files, and keeps its foreign keys."""
    if connection.dialect.name != "sqlite":
        return
    check = "integrity_check" if deep else "quick_check"
    for (message,) in connection.exec_driver_sql(f"PRAGMA {check}(20)"):
        if message != "ok":
            yield Fault(KIND, "the database file", message)
