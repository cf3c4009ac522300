"""Triggers of every kind of work in one table, their history, and runs of clusters that batches ask for.

What was a trigger of a cluster is a trigger whose action is that cluster's run. Its history begins anew: the runs that
it began are still its cluster's.
"""

import json
from typing import Any

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, text

revision = "0025"
down_revision = "0024"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False, optional: bool = False) -> Column[int]:
    if key:
        return Column(name, INTEGER, primary_key=True, autoincrement=False)
    return Column(name, INTEGER, nullable=optional)


def _scope() -> tuple[Column[str], Column[str]]:
    return _text("organization_id", key=True), _text("namespace_id", key=True)


triggers = Table(
    "triggers",
    metadata,
    *_scope(),
    _text("trigger_id", key=True),
    _text("status"),
    _number("due_at", optional=True),
    _number("created_at"),
    _text("body"),
    sqlite_strict=True,
)
trigger_firings = Table(
    "trigger_firings",
    metadata,
    *_scope(),
    _text("trigger_id", key=True),
    _number("moment", key=True),
    _number("is_open"),
    _text("body"),
    sqlite_strict=True,
)
due_runs = Table(
    "due_runs",
    metadata,
    *_scope(),
    _text("cluster_id", key=True),
    _number("due_at"),
    _text("body"),
    sqlite_strict=True,
)
_NAMESPACE = ("organization_id", "namespace_id")
for name, table, columns in (
    ("triggers_newest", triggers, (*_NAMESPACE, "created_at", "trigger_id")),
    ("triggers_due", triggers, ("status", "due_at", "trigger_id")),
    ("trigger_firings_open", trigger_firings, ("is_open", "moment", "trigger_id")),
    ("due_runs_due", due_runs, ("due_at", "cluster_id")),
):
    Index(name, *(table.c[column] for column in columns))


def upgrade() -> None:
    bind = op.get_bind()
    metadata.create_all(bind)
    for row in bind.execute(text("SELECT * FROM cluster_triggers")).mappings().all():
        bind.execute(triggers.insert(), {**row, "body": _moved(row["body"])})
    op.drop_table("cluster_triggers")


def _moved(body: str) -> str:
    """The cluster is the resource; what was sent of it is the action's."""
    found: dict[str, Any] = json.loads(body)
    cluster_id = found.pop("cluster_id")
    for gone in ("last_run_id", "config"):
        found.pop(gone, None)
    return json.dumps(
        {**found, "action": "cluster", "resource_id": cluster_id, "config": {"cluster_id": cluster_id}},
        ensure_ascii=False,
    )
