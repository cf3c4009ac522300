"""Bring a database to the schema that this code is written for."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text

from tamis.errors import StorageError
from tamis.storage.metadata.schema import REVISION

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """Run what is missing, within the caller's transaction.

    Raises: StorageError where the database has been through migrations that this code does not know.
    """
    current = current_revision(connection)
    if current == REVISION:
        return
    script = _script()
    _refuse_newer(current, {each.revision for each in script.walk_revisions()})
    _upgrade(connection, script)


def current_revision(connection: Connection) -> str | None:
    """The last migration that this database has been through; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _refuse_newer(current: str | None, known: set[str]) -> None:
    if current is not None and current not in known:
        raise StorageError(
            f"this database was written by a newer Tamis: its schema is {current!r}, this version knows up to "
            f"{REVISION!r}; start the newer version, or restore a backup",
            found=current,
            known=REVISION,
        )


@cache
def _script() -> "ScriptDirectory":
    # Alembic takes 0.1 s to import, which a start on an up-to-date database need not pay.
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(_MIGRATIONS))


def _upgrade(connection: Connection, script: "ScriptDirectory") -> None:
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    def steps(revision: Any, _context: Any) -> Any:
        return script._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), script, fn=steps, destination_rev="head") as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
