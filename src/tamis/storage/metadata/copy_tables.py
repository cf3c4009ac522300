"""Tables of what copies and replaces collections and namespaces."""

from tamis.storage.metadata.columns import index, integer, scope, table, text

namespace_migrations = table(
    "namespace_migrations", *scope(), text("migration_id", key=True), text("name"), integer("created_at"), text("body")
)
index("namespace_migrations_by_name", namespace_migrations, "organization_id", "namespace_id", "name", unique=True)

snapshots = table(
    "snapshots", *scope(), text("snapshot_id", key=True), text("name"), integer("created_at"), text("body")
)
index("snapshots_by_name", snapshots, "organization_id", "namespace_id", "name", unique=True)
