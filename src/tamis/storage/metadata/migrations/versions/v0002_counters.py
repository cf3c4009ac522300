"""Counters of executions, the executions that a large input belongs to, executions by the hash of their inputs.

What is there already is counted, linked and keyed.
"""

import json
import re
from collections.abc import Iterator
from hashlib import md5
from typing import Any

import zstandard
from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

revision = "0002"
down_revision = "0001"

_SHA1 = re.compile(rb"[0-9a-f]{40}")

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, INTEGER, primary_key=True, autoincrement=False)


def _scope() -> tuple[Column[str], Column[str]]:
    return _text("organization_id", key=True), _text("namespace_id", key=True)


executions = Table(
    "executions",
    metadata,
    *_scope(),
    _text("execution_id", key=True),
    _text("retriever_id"),
    _text("status"),
    Column("started_at", INTEGER, nullable=False),
    _text("header"),
    _text("inputs"),
    Column("record", LargeBinary(), nullable=False),
    Column("inputs_key", INTEGER, nullable=True),
    sqlite_strict=True,
)
_RETRIEVER = [executions.c[name] for name in ("organization_id", "namespace_id", "retriever_id")]
_NEWEST = Index("executions_newest", *_RETRIEVER, executions.c.started_at, executions.c.execution_id)
_BY_STATUS = Index(
    "executions_by_status", *_RETRIEVER, executions.c.status, executions.c.started_at, executions.c.execution_id
)
_BY_INPUTS = Index("executions_by_inputs", executions.c.inputs_key)

input_blobs = Table(
    "input_blobs",
    metadata,
    *_scope(),
    _text("sha1", key=True),
    Column("data", LargeBinary(), nullable=False),
    sqlite_strict=True,
)
execution_blobs = Table(
    "execution_blobs",
    metadata,
    *_scope(),
    _text("sha1", key=True),
    _text("execution_id", key=True),
    ForeignKeyConstraint(
        ["organization_id", "namespace_id", "sha1"],
        ["input_blobs.organization_id", "input_blobs.namespace_id", "input_blobs.sha1"],
        name="execution_blobs_of_blob",
    ),
    sqlite_strict=True,
)
Index(
    "execution_blobs_of_execution",
    *(execution_blobs.c[name] for name in ("organization_id", "namespace_id", "execution_id", "sha1")),
)
execution_counts = Table(
    "execution_counts",
    metadata,
    _number("span_s"),
    *_scope(),
    _text("retriever_id", key=True),
    _number("start_at"),
    _text("status", key=True),
    _number("slot"),
    Column("count", INTEGER, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _keyed_in_sqlite()
    else:
        _keyed_in_postgres()
    for table in (execution_blobs, execution_counts):
        table.create(op.get_bind())
    _count()
    _link()


def _keyed_in_sqlite() -> None:
    """By a new table: SQLite writes the text of an added column otherwise than of one that was there at first."""
    bind = op.get_bind()
    driver: Any = bind.connection.driver_connection
    driver.create_function("inputs_key_of", 3, _inputs_key, deterministic=True)
    for index in (_NEWEST, _BY_STATUS):
        bind.execute(text(f"DROP INDEX {index.name}"))
    bind.execute(text("ALTER TABLE executions RENAME TO executions_before"))
    executions.create(bind)
    bind.execute(
        text(
            "INSERT INTO executions SELECT organization_id, namespace_id, execution_id, retriever_id, status,"
            " started_at, header, inputs, record, inputs_key_of(organization_id, namespace_id, header)"
            " FROM executions_before ORDER BY rowid"
        )
    )
    bind.execute(text("DROP TABLE executions_before"))


def _keyed_in_postgres() -> None:
    bind = op.get_bind()
    op.add_column("executions", Column("inputs_key", INTEGER, nullable=True))
    bind.execute(
        text(
            "UPDATE executions SET inputs_key = ('x' || substr(md5(organization_id || ' ' || namespace_id || ' ' ||"
            " (header::json ->> 'inputs_hash')), 1, 16))::bit(64)::bigint"
            " WHERE header::json ->> 'inputs_hash' IS NOT NULL"
        )
    )
    _BY_INPUTS.create(bind)


def _inputs_key(organization_id: str, namespace_id: str, header: str) -> int | None:
    inputs_hash = json.loads(header).get("inputs_hash")
    if inputs_hash is None:
        return None
    digest = md5(f"{organization_id} {namespace_id} {inputs_hash}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def _count() -> None:
    for span_s in (0, 86_400, 3_600, 60):
        start = f"started_at - started_at % {span_s * 1_000_000}" if span_s else "started_at - started_at"
        op.get_bind().execute(
            text(
                "INSERT INTO execution_counts (span_s, organization_id, namespace_id, retriever_id, start_at, status,"  # noqa: S608 - our own numbers
                f" slot, count) SELECT {span_s}, organization_id, namespace_id, retriever_id, {start}, status, 0,"
                f" count(*) FROM executions GROUP BY organization_id, namespace_id, retriever_id, {start}, status"
            )
        )


def _link() -> None:
    """Only where there are blobs are the records looked through for their names."""
    bind = op.get_bind()
    known = {tuple(row) for row in bind.execute(text("SELECT organization_id, namespace_id, sha1 FROM input_blobs"))}
    if not known:
        return
    for organization_id, namespace_id, execution_id, inputs, record in _records():
        named = {found.decode() for part in (inputs.encode(), _plain(record)) for found in _SHA1.findall(part)}
        rows = [
            dict(organization_id=organization_id, namespace_id=namespace_id, sha1=sha1, execution_id=execution_id)
            for sha1 in sorted(named)
            if (organization_id, namespace_id, sha1) in known
        ]
        if rows:
            bind.execute(execution_blobs.insert(), rows)


def _records() -> Iterator[Any]:
    bind = op.get_bind()
    after = ("", "", "")
    statement = text(
        "SELECT organization_id, namespace_id, execution_id, inputs, record FROM executions"
        " WHERE (organization_id, namespace_id, execution_id) > (:organization_id, :namespace_id, :execution_id)"
        " ORDER BY organization_id, namespace_id, execution_id LIMIT 500"
    )
    names = ("organization_id", "namespace_id", "execution_id")
    while rows := bind.execute(statement, dict(zip(names, after, strict=True))).fetchall():
        yield from rows
        after = tuple(rows[-1][:3])


def _plain(record: bytes) -> bytes:
    """A record of format 1 without its compression; of any other, its bytes as they are."""
    record = bytes(record)
    try:
        return zstandard.ZstdDecompressor().decompress(record[1:], max_output_size=1 << 30)
    except zstandard.ZstdError:
        return record


def downgrade() -> None:
    for table in (execution_counts, execution_blobs):
        table.drop(op.get_bind())
    op.drop_index("executions_by_inputs", "executions")
    op.drop_column("executions", "inputs_key")
