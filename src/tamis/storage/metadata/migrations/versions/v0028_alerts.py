"""Alerts, and what they came to."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0028"
down_revision = "0027"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, INTEGER, nullable=False)


def _scope() -> tuple[Column[str], Column[str]]:
    return _text("organization_id", key=True), _text("namespace_id", key=True)


alerts = Table(
    "alerts",
    metadata,
    *_scope(),
    _text("alert_id", key=True),
    _text("name"),
    _number("created_at"),
    _text("body"),
    sqlite_strict=True,
)
alert_executions = Table(
    "alert_executions",
    metadata,
    *_scope(),
    _text("alert_id", key=True),
    _text("cause", key=True),
    _text("document_id", key=True),
    _number("executed_at"),
    _text("body"),
    sqlite_strict=True,
)
_NAMESPACE = ("organization_id", "namespace_id")
Index("alerts_by_name", *(alerts.c[name] for name in (*_NAMESPACE, "name")), unique=True)
for name, columns in {
    "newest": (*_NAMESPACE, "executed_at", "document_id"),
    "of_alert": (*_NAMESPACE, "alert_id", "executed_at", "document_id"),
}.items():
    Index(f"alert_executions_{name}", *(alert_executions.c[column] for column in columns))


def upgrade() -> None:
    metadata.create_all(op.get_bind())
