"""What batches made of sources, by the hour: how many, how that ended, how long it took."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

revision = "0027"
down_revision = "0026"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str) -> Column[str]:
    return Column(name, TEXT, primary_key=True, nullable=False)


def _number(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, INTEGER, primary_key=key, autoincrement=False, nullable=False)


extraction_figures = Table(
    "extraction_figures",
    metadata,
    *(_text(name) for name in ("organization_id", "namespace_id", "collection_id")),
    _number("hour", key=True),
    *(_text(name) for name in ("extractor_name", "extractor_version", "outcome")),
    _number("step", key=True),
    *(_number(name) for name in ("sources", "duration_us", "documents")),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
