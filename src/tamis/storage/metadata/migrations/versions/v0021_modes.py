"""Counters of executions by mode, with what they cost, what caches answered and how long they took.

What is counted already stays so, without a mode: the running server counts it by its modes, a few at a time
(`mode_counts`), because reading ten million headers would hold up its start.
"""

import time

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text, text

revision = "0021"
down_revision = "0020"

_WHERE = ("executions", "execution_inbox")

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, INTEGER, primary_key=key, autoincrement=False, nullable=False)


def _spans() -> tuple[Column[int], Column[str], Column[str], Column[str], Column[int]]:
    return (
        _number("span_s", key=True), _text("organization_id", key=True), _text("namespace_id", key=True),
        _text("retriever_id", key=True), _number("start_at", key=True),
    )  # fmt: skip


execution_counts = Table(
    "execution_counts",
    metadata,
    *_spans(),
    _text("status", key=True),
    _text("mode", key=True),
    _number("slot", key=True),
    *(_number(name) for name in ("count", "micro_credits", "cacheable", "cache_micros")),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
execution_steps = Table(
    "execution_steps",
    metadata,
    *_spans(),
    _text("mode", key=True),
    _number("slot", key=True),
    Column("steps", LargeBinary(), nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
counts_left = Table(
    "counts_left",
    metadata,
    _number("before_at", key=True),
    *(_text(name) for name in ("in_organization", "in_namespace", "after_id")),
    _number("turn"),
    sqlite_strict=True,
)


def upgrade() -> None:
    bind = op.get_bind()
    bind.execute(text("ALTER TABLE execution_counts RENAME TO execution_counts_before"))
    if bind.dialect.name == "postgresql":
        bind.execute(text("ALTER INDEX execution_counts_pkey RENAME TO execution_counts_before_pkey"))
    metadata.create_all(bind)
    bind.execute(
        text(
            "INSERT INTO execution_counts SELECT span_s, organization_id, namespace_id, retriever_id, start_at, status,"
            " '', slot, \"count\", 0, 0, 0 FROM execution_counts_before"
        )
    )
    bind.execute(text("DROP TABLE execution_counts_before"))
    if any(bind.execute(text(f"SELECT 1 FROM {name} LIMIT 1")).first() for name in _WHERE):  # noqa: S608 - our names
        row = {
            "before_at": time.time_ns() // 1000,
            "in_organization": "",
            "in_namespace": "",
            "after_id": "",
            "turn": 0,
        }
        bind.execute(counts_left.insert(), row)
