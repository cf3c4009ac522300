"""Published retrievers, and what their visitors do."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0006"
down_revision = "0005"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=optional)


published = Table(
    "published",
    metadata,
    _text("organization_id", key=True),
    _text("namespace_id", key=True),
    _text("public_id", key=True),
    _text("retriever_id"),
    _text("name"),
    Column("is_active", INTEGER, nullable=False),
    Column("created_at", INTEGER, nullable=False),
    _text("body"),
    sqlite_strict=True,
)
_p = published.c
Index("published_by_name", _p.name, unique=True)
Index("published_by_retriever", _p.organization_id, _p.namespace_id, _p.retriever_id, unique=True)
Index("published_newest", _p.is_active, _p.created_at.desc(), _p.public_id)

interactions = Table(
    "interactions",
    metadata,
    _text("organization_id", key=True),
    _text("namespace_id", key=True),
    _text("interaction_id", key=True),
    _text("retriever_id", optional=True),
    _text("execution_id", optional=True),
    _text("feature_id"),
    Column("at", INTEGER, nullable=False),
    _text("body"),
    sqlite_strict=True,
)
_i = interactions.c
_SCOPE = (_i.organization_id, _i.namespace_id)
Index("interactions_newest", *_SCOPE, _i.at, _i.interaction_id)
Index("interactions_of_execution", *_SCOPE, _i.execution_id, _i.at, _i.interaction_id)
Index("interactions_of_retriever", *_SCOPE, _i.retriever_id, _i.at, _i.interaction_id)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
