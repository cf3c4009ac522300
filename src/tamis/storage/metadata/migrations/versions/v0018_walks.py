"""Walks over the documents of collections."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0018"
down_revision = "0017"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=False)


walks = Table(
    "walks",
    metadata,
    *(_text(name, key=True) for name in ("organization_id", "namespace_id", "task_id")),
    _text("collection_id"),
    Column("created_at", INTEGER, nullable=False),
    _text("body"),
    sqlite_strict=True,
)
Index("walks_oldest", walks.c.created_at, walks.c.task_id)
_COLLECTION = ("organization_id", "namespace_id", "collection_id", "created_at", "task_id")
Index("walks_of_collection", *(walks.c[column] for column in _COLLECTION))


def upgrade() -> None:
    metadata.create_all(op.get_bind())
