"""Files counted by who names them, documents found by what they were made of, tasks by type and status."""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer, MetaData, Table, Text, text

revision = "0007"
down_revision = "0006"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=optional)


def _integer(name: str, *, optional: bool = False) -> Column[int]:
    return Column(name, INTEGER, nullable=optional)


def _scope() -> tuple[Column[str], Column[str]]:
    return _text("organization_id", key=True), _text("namespace_id", key=True)


tasks = Table(
    "tasks",
    metadata,
    *_scope(),
    _text("task_id", key=True),
    _text("type"),
    _text("status"),
    _integer("created_at"),
    _text("body"),
    sqlite_strict=True,
)
_t = tasks.c
_TASK_INDEXES = (
    Index("tasks_newest", _t.organization_id, _t.namespace_id, _t.created_at.desc(), _t.task_id),
    Index("tasks_by_status", _t.organization_id, _t.namespace_id, _t.status, _t.created_at.desc(), _t.task_id),
    Index("tasks_by_type", _t.organization_id, _t.namespace_id, _t.type, _t.created_at.desc(), _t.task_id),
)

documents = Table("documents", metadata, *_scope(), _text("document_id", key=True))
document_contents = Table(
    "document_contents",
    metadata,
    *_scope(),
    _text("document_id", key=True),
    _integer("content_key"),
    ForeignKeyConstraint(
        ["organization_id", "namespace_id", "document_id"],
        ["documents.organization_id", "documents.namespace_id", "documents.document_id"],
        name="document_contents_of_document",
        ondelete="CASCADE",
    ),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
Index("document_contents_by_key", document_contents.c.content_key, document_contents.c.document_id)

files = Table(
    "files",
    metadata,
    *_scope(),
    _text("key", key=True),
    _text("content", optional=True),
    _integer("uses"),
    sqlite_strict=True,
)
_f = files.c
_LET_GO = _f.content.is_(None)
Index("files_by_content", _f.organization_id, _f.namespace_id, _f.content, unique=True)
Index("files_let_go", _f.organization_id, _f.namespace_id, _f.key, sqlite_where=_LET_GO, postgresql_where=_LET_GO)

file_uses = Table(
    "file_uses",
    metadata,
    *_scope(),
    _text("owner_id", key=True),
    _text("key", key=True),
    _integer("expires_at", optional=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
_EXPIRES = file_uses.c.expires_at.is_not(None)
Index("file_uses_expiring", file_uses.c.expires_at, sqlite_where=_EXPIRES, postgresql_where=_EXPIRES)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _told_in_sqlite()
    else:
        _told_in_postgres()
    for table in (document_contents, files, file_uses):
        table.create(op.get_bind())


def _told_in_sqlite() -> None:
    """By a new table: SQLite writes the text of an added column otherwise than of one that was there at first."""
    bind = op.get_bind()
    bind.execute(text("ALTER TABLE tasks RENAME TO tasks_before"))
    tasks.create(bind)
    bind.execute(
        text(
            "INSERT INTO tasks SELECT organization_id, namespace_id, task_id, json_extract(body, '$.type'),"
            " json_extract(body, '$.status'), created_at, body FROM tasks_before ORDER BY rowid"
        )
    )
    bind.execute(text("DROP TABLE tasks_before"))


def _told_in_postgres() -> None:
    bind = op.get_bind()
    for name in ("type", "status"):
        op.add_column("tasks", _text(name, optional=True))
        bind.execute(text(f"UPDATE tasks SET {name} = body::json ->> '{name}'"))  # noqa: S608 - our own names
        op.alter_column("tasks", name, nullable=False)
    for index in _TASK_INDEXES:
        index.create(bind)


def downgrade() -> None:
    for table in (file_uses, files, document_contents):
        table.drop(op.get_bind())
    for index in _TASK_INDEXES:
        op.drop_index(str(index.name), "tasks")
    for name in ("status", "type"):
        op.drop_column("tasks", name)
