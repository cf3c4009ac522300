"""Databases that come from before counters of executions had modes."""

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, text

from tamis.model.fault import Fault
from tamis.storage.metadata.count_tables import counts_left, execution_counts, execution_steps
from tamis.storage.metadata.migrations.versions import v0002_counters, v0021_modes
from tamis.storage.metadata.upkeep import SqlUpkeep

_KEY = "span_s, organization_id, namespace_id, retriever_id, start_at, status, slot"


def without_modes(url: str) -> None:
    """Make the database at this address what it was before that migration, with all of its records, and migrate it."""
    engine = create_engine(url)
    before = v0002_counters.execution_counts
    with engine.begin() as connection:
        rows = connection.execute(
            text(f'SELECT {_KEY}, CAST(sum("count") AS BIGINT) AS "count" FROM execution_counts GROUP BY {_KEY}')
        ).mappings()
        counted = [dict(row) for row in rows]
        for table in (execution_counts, execution_steps, counts_left):
            table.drop(connection)
        before.create(connection)
        if counted:
            connection.execute(before.insert(), counted)
        with Operations.context(MigrationContext.configure(connection)):
            v0021_modes.upgrade()
    engine.dispose()


def faulty_counters(upkeep: SqlUpkeep) -> list[Fault]:
    return [one for one in upkeep.faults(deep=False) if one.kind == "execution_count"]
