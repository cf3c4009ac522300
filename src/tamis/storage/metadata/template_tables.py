"""The table of templates. They are the organisation's: a namespace that goes leaves those that were made of it."""

from tamis.storage.metadata.columns import index, integer, table, text

templates = table(
    "templates", text("organization_id", key=True), text("template_id", key=True), integer("created_at"), text("body")
)
index("templates_newest", templates, "organization_id", "created_at")
