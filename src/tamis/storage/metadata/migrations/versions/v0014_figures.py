"""Figures of executions by hour, and how far those from before were counted.

They are counted by the running server, a few at a time (`execution_figures`): ten million would hold up its start.
"""

import time

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, text

revision = "0014"
down_revision = "0013"

_WHERE = ("executions", "execution_inbox")

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, INTEGER, primary_key=key, autoincrement=False, nullable=False)


def _owner() -> tuple[Column[str], ...]:
    return tuple(_text(name, key=True) for name in ("organization_id", "namespace_id", "retriever_id"))


execution_figures = Table(
    "execution_figures",
    metadata,
    *_owner(),
    _number("place", key=True),
    _number("hour", key=True),
    _text("stage_name", key=True),
    _text("stage_id", key=True),
    _text("outcome", key=True),
    _number("cached", key=True),
    _number("step", key=True),
    _number("slot", key=True),
    *(_number(name) for name in ("executions", "duration_us", "received", "returned", "micro_credits")),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
slow_executions = Table(
    "slow_executions",
    metadata,
    *_owner(),
    _number("hour", key=True),
    _number("duration_us", key=True),
    _text("execution_id", key=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
figures_left = Table(
    "figures_left",
    metadata,
    _number("before_at", key=True),
    _text("in_organization"),
    _text("in_namespace"),
    _text("after_id"),
    _number("turn"),
    sqlite_strict=True,
)


def upgrade() -> None:
    bind = op.get_bind()
    metadata.create_all(bind)
    if any(bind.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first() for name in _WHERE):  # noqa: S608 - our names
        before_at = time.time_ns() // 1000
        row = {"before_at": before_at, "in_organization": "", "in_namespace": "", "after_id": "", "turn": 0}
        bind.execute(figures_left.insert(), row)
