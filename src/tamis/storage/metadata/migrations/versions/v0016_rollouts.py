"""Roll-outs of retrievers' versions, and what was answered in their shadow."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0016"
down_revision = "0015"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=False)


rollouts = Table(
    "rollouts",
    metadata,
    *(_text(name, key=True) for name in ("organization_id", "namespace_id", "retriever_id")),
    _text("body"),
    sqlite_strict=True,
)
shadow_runs = Table(
    "shadow_runs",
    metadata,
    *(_text(name, key=True) for name in ("organization_id", "namespace_id", "execution_id")),
    _text("rollout_id"),
    Column("at", INTEGER, nullable=False),
    _text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
_s = shadow_runs.c
Index("shadow_runs_of_rollout", _s.organization_id, _s.namespace_id, _s.rollout_id, _s.at, _s.execution_id)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
