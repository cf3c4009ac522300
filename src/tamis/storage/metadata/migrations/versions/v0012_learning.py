"""Evaluations, versions of retrievers, and who an interaction is of."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, text

revision = "0012"
down_revision = "0011"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=optional)


def _integer(name: str) -> Column[int]:
    return Column(name, INTEGER, nullable=False)


def _scope() -> tuple[Column[str], Column[str]]:
    return _text("organization_id", key=True), _text("namespace_id", key=True)


evaluations = Table(
    "evaluations",
    metadata,
    *_scope(),
    _text("evaluation_id", key=True),
    _text("retriever_id"),
    _text("dataset_id"),
    _text("status"),
    _integer("created_at"),
    _text("body"),
    sqlite_strict=True,
)
_e = evaluations.c
Index(
    "evaluations_of_retriever",
    *(_e.organization_id, _e.namespace_id, _e.retriever_id, _e.created_at, _e.evaluation_id),
)
Index("evaluations_by_status", _e.status, _e.created_at)

evaluation_queries = Table(
    "evaluation_queries",
    metadata,
    *_scope(),
    _text("evaluation_id", key=True),
    Column("place", INTEGER, primary_key=True, autoincrement=False, nullable=False),
    _text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

retriever_versions = Table(
    "retriever_versions",
    metadata,
    *_scope(),
    _text("retriever_id", key=True),
    Column("version", INTEGER, primary_key=True, autoincrement=False, nullable=False),
    _integer("created_at"),
    _text("body"),
    sqlite_strict=True,
)

interactions = Table(
    "interactions",
    metadata,
    *_scope(),
    _text("interaction_id", key=True),
    _text("retriever_id", optional=True),
    _text("execution_id", optional=True),
    _text("feature_id"),
    _text("session_id", optional=True),
    _text("user_id", optional=True),
    _integer("at"),
    _text("body"),
    sqlite_strict=True,
)
_i = interactions.c
_MINE = (_i.organization_id, _i.namespace_id)
_AT = (_i.at, _i.interaction_id)
Index("interactions_newest", *_MINE, *_AT)
Index("interactions_of_execution", *_MINE, _i.execution_id, *_AT)
Index("interactions_of_retriever", *_MINE, _i.retriever_id, *_AT)
_OF_USER = Index("interactions_of_user", *_MINE, _i.user_id, *_AT)
_NEW = ("session_id", "user_id")


def upgrade() -> None:
    bind = op.get_bind()
    for table in (evaluations, evaluation_queries, retriever_versions):
        table.create(bind)
    if bind.dialect.name == "sqlite":
        _people_in_sqlite()
    else:
        _people_in_postgres()


def _people_in_sqlite() -> None:
    """By a new table: SQLite writes the text of an added column otherwise than of one that was there at first."""
    bind = op.get_bind()
    for index in interactions.indexes - {_OF_USER}:
        bind.execute(text(f"DROP INDEX {index.name}"))
    bind.execute(text("ALTER TABLE interactions RENAME TO interactions_before"))
    interactions.create(bind)
    bind.execute(
        text(
            "INSERT INTO interactions SELECT organization_id, namespace_id, interaction_id, retriever_id,"
            " execution_id, feature_id, json_extract(body, '$.session_id'), json_extract(body, '$.user_id'), at, body"
            " FROM interactions_before ORDER BY rowid"
        )
    )
    bind.execute(text("DROP TABLE interactions_before"))


def _people_in_postgres() -> None:
    bind = op.get_bind()
    for name in _NEW:
        op.add_column("interactions", _text(name, optional=True))
        bind.execute(text(f"UPDATE interactions SET {name} = body::json ->> '{name}'"))  # noqa: S608 - our own names
    _OF_USER.create(bind)
