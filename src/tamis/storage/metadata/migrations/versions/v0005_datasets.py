"""Evaluation data sets."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0005"
down_revision = "0004"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")

datasets = Table(
    "datasets",
    metadata,
    Column("organization_id", TEXT, primary_key=True, nullable=False),
    Column("namespace_id", TEXT, primary_key=True, nullable=False),
    Column("dataset_id", TEXT, primary_key=True, nullable=False),
    Column("name", TEXT, nullable=False),
    Column("created_at", INTEGER, nullable=False),
    Column("body", TEXT, nullable=False),
    sqlite_strict=True,
)
_c = datasets.c
Index("datasets_by_name", _c.organization_id, _c.namespace_id, _c.name, unique=True)


def upgrade() -> None:
    datasets.create(op.get_bind())
