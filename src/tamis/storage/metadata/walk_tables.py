"""The table of walks over the documents of collections."""

from tamis.storage.metadata.columns import index, integer, scope, table, text

walks = table("walks", *scope(), text("task_id", key=True), text("collection_id"), integer("created_at"), text("body"))
index("walks_oldest", walks, "created_at", "task_id")
index("walks_of_collection", walks, "organization_id", "namespace_id", "collection_id", "created_at", "task_id")
