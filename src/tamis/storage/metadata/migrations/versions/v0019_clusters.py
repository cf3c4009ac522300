"""Clusters, their runs with what those found, and their triggers."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0019"
down_revision = "0018"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=optional)


def _number(name: str, *, key: bool = False, optional: bool = False) -> Column[int]:
    if key:
        return Column(name, INTEGER, primary_key=True, autoincrement=False)
    return Column(name, INTEGER, nullable=optional)


def _scope() -> tuple[Column[str], Column[str]]:
    return _text("organization_id", key=True), _text("namespace_id", key=True)


clusters = Table(
    "clusters",
    metadata,
    *_scope(),
    _text("cluster_id", key=True),
    _text("name"),
    _number("created_at"),
    _text("body"),
    sqlite_strict=True,
)
cluster_runs = Table(
    "cluster_runs",
    metadata,
    *_scope(),
    _text("run_id", key=True),
    _text("cluster_id"),
    _text("trigger_id", optional=True),
    _text("status"),
    _number("created_at"),
    _text("body"),
    sqlite_strict=True,
)
found_clusters = Table(
    "found_clusters",
    metadata,
    *_scope(),
    _text("run_id", key=True),
    _number("number", key=True),
    _text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
cluster_members = Table(
    "cluster_members",
    metadata,
    *_scope(),
    _text("run_id", key=True),
    _text("document_id", key=True),
    _number("number"),
    _number("place"),
    _text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
cluster_triggers = Table(
    "cluster_triggers",
    metadata,
    *_scope(),
    _text("trigger_id", key=True),
    _text("status"),
    _number("due_at", optional=True),
    _number("created_at"),
    _text("body"),
    sqlite_strict=True,
)
_NAMESPACE = ("organization_id", "namespace_id")
for name, table, columns in (
    ("clusters_by_name", clusters, (*_NAMESPACE, "name")),
    ("cluster_runs_of_cluster", cluster_runs, (*_NAMESPACE, "cluster_id", "created_at", "run_id")),
    ("cluster_runs_of_trigger", cluster_runs, (*_NAMESPACE, "trigger_id", "created_at", "run_id")),
    ("cluster_runs_by_status", cluster_runs, ("status", "created_at")),
    ("cluster_members_by_cluster", cluster_members, (*_NAMESPACE, "run_id", "number", "place", "document_id")),
    ("cluster_triggers_newest", cluster_triggers, (*_NAMESPACE, "created_at", "trigger_id")),
    ("cluster_triggers_due", cluster_triggers, ("status", "due_at", "trigger_id")),
):
    Index(name, *(table.c[column] for column in columns), unique=name == "clusters_by_name")


def upgrade() -> None:
    metadata.create_all(op.get_bind())
