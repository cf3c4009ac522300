"""The tables of taxonomies, their versions, and what they said of documents."""

from sqlalchemy import ForeignKeyConstraint, Table

from tamis.storage.metadata.columns import index, integer, metadata, scope, table, text

_NAMESPACE = ("organization_id", "namespace_id")

taxonomies = table(
    "taxonomies", *scope(), text("taxonomy_id", key=True), text("name"), integer("created_at"), text("body")
)
index("taxonomies_by_name", taxonomies, *_NAMESPACE, "name", unique=True)

taxonomy_versions = table(
    "taxonomy_versions",
    *scope(),
    text("taxonomy_id", key=True),
    integer("version", key=True),
    integer("created_at"),
    text("body"),
)

# Today's labels of documents; confidence in millionths. They go with their documents.
taxonomy_assignments = Table(
    "taxonomy_assignments",
    metadata,
    *scope(),
    text("document_id", key=True),
    text("taxonomy_id", key=True),
    text("node_id", key=True),
    text("collection_id"),
    text("label"),
    integer("confidence"),
    integer("level"),
    integer("rank"),
    integer("version"),
    integer("assigned_at"),
    ForeignKeyConstraint(
        ["organization_id", "namespace_id", "document_id"],
        ["documents.organization_id", "documents.namespace_id", "documents.document_id"],
        name="taxonomy_assignments_of_document",
        ondelete="CASCADE",
    ),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
_TAXONOMY = (*_NAMESPACE, "taxonomy_id")
index("taxonomy_assignments_by_time", taxonomy_assignments, *_TAXONOMY, "assigned_at", "label", "confidence")
index(
    "taxonomy_assignments_in_collection", taxonomy_assignments, *_TAXONOMY, "collection_id", "rank", "document_id",
    "node_id",
)  # fmt: skip

# How many documents it was applied to, by the hour in seconds since 1970.
taxonomy_hours = Table(
    "taxonomy_hours",
    metadata,
    *scope(),
    text("taxonomy_id", key=True),
    integer("hour", key=True),
    integer("labelled"),
    integer("unlabelled"),
    integer("duration_us"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
