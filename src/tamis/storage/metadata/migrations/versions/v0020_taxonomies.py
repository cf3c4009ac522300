"""Taxonomies, their versions, and what they said of documents."""

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer, MetaData, Table, Text

revision = "0020"
down_revision = "0019"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")
_NAMESPACE = ("organization_id", "namespace_id")
_TAXONOMY = (*_NAMESPACE, "taxonomy_id")


def _texts(*names: str, key: bool = False) -> list[Column[str]]:
    return [Column(name, TEXT, primary_key=key, nullable=False) for name in names]


def _numbers(*names: str) -> list[Column[int]]:
    return [Column(name, INTEGER, nullable=False) for name in names]


def _number_key(name: str) -> Column[int]:
    return Column(name, INTEGER, primary_key=True, autoincrement=False)


documents = Table("documents", metadata, *_texts(*_NAMESPACE, "document_id", key=True))
taxonomies = Table(
    "taxonomies",
    metadata,
    *_texts(*_TAXONOMY, key=True),
    *_texts("name"),
    *_numbers("created_at"),
    *_texts("body"),
    sqlite_strict=True,
)
Index("taxonomies_by_name", *(taxonomies.c[name] for name in (*_NAMESPACE, "name")), unique=True)
taxonomy_versions = Table(
    "taxonomy_versions",
    metadata,
    *_texts(*_TAXONOMY, key=True),
    _number_key("version"),
    *_numbers("created_at"),
    *_texts("body"),
    sqlite_strict=True,
)
taxonomy_assignments = Table(
    "taxonomy_assignments",
    metadata,
    *_texts(*_NAMESPACE, "document_id", "taxonomy_id", "node_id", key=True),
    *_texts("collection_id", "label"),
    *_numbers("confidence", "level", "rank", "version", "assigned_at"),
    ForeignKeyConstraint(
        ["organization_id", "namespace_id", "document_id"],
        ["documents.organization_id", "documents.namespace_id", "documents.document_id"],
        name="taxonomy_assignments_of_document",
        ondelete="CASCADE",
    ),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
for _name, _columns in {
    "by_time": ("assigned_at", "label", "confidence"),
    "in_collection": ("collection_id", "rank", "document_id", "node_id"),
}.items():
    Index(f"taxonomy_assignments_{_name}", *(taxonomy_assignments.c[name] for name in (*_TAXONOMY, *_columns)))
taxonomy_hours = Table(
    "taxonomy_hours",
    metadata,
    *_texts(*_TAXONOMY, key=True),
    _number_key("hour"),
    *_numbers("labelled", "unlabelled", "duration_us"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


def upgrade() -> None:
    for table in (taxonomies, taxonomy_versions, taxonomy_assignments, taxonomy_hours):
        table.create(op.get_bind())
