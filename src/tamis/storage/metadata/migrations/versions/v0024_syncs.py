"""Connections to storages of others, syncs of buckets, and what became of each file."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0024"
down_revision = "0023"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=optional)


def _number(name: str, *, optional: bool = False) -> Column[int]:
    return Column(name, INTEGER, nullable=optional)


storage_connections = Table(
    "storage_connections",
    metadata,
    _text("organization_id", key=True),
    _text("connection_id", key=True),
    _text("name"),
    _number("created_at"),
    _text("body"),
    sqlite_strict=True,
)
bucket_syncs = Table(
    "bucket_syncs",
    metadata,
    _text("organization_id", key=True),
    _text("namespace_id", key=True),
    _text("sync_id", key=True),
    _text("bucket_id"),
    _text("run_id", optional=True),
    _number("due_at", optional=True),
    _number("created_at"),
    _text("body"),
    sqlite_strict=True,
)
synced_files = Table(
    "synced_files",
    metadata,
    _text("organization_id", key=True),
    _text("namespace_id", key=True),
    _text("sync_id", key=True),
    _text("path", key=True),
    _text("state"),
    _text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
_c, _s, _f = storage_connections.c, bucket_syncs.c, synced_files.c
Index("storage_connections_by_name", _c.organization_id, _c.name, unique=True)
Index("storage_connections_newest", _c.organization_id, _c.created_at, _c.connection_id)
Index("bucket_syncs_of_bucket", _s.organization_id, _s.namespace_id, _s.bucket_id, _s.created_at, _s.sync_id)
for name, column, condition in (
    ("bucket_syncs_due", _s.due_at, _s.due_at.is_not(None)),
    ("bucket_syncs_running", _s.created_at, _s.run_id.is_not(None)),
):
    Index(name, column, _s.sync_id, sqlite_where=condition, postgresql_where=condition)
Index("synced_files_by_state", _f.organization_id, _f.namespace_id, _f.sync_id, _f.state, _f.path)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
