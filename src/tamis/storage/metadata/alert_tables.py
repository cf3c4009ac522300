"""The tables of alerts and of what they came to."""

from tamis.storage.metadata.columns import index, integer, scope, table, text

_NAMESPACE = ("organization_id", "namespace_id")

alerts = table("alerts", *scope(), text("alert_id", key=True), text("name"), integer("created_at"), text("body"))
index("alerts_by_name", alerts, *_NAMESPACE, "name", unique=True)

# The key lets an alert be executed once for a document and what brought it, whoever does so and however often.
alert_executions = table(
    "alert_executions",
    *scope(),
    text("alert_id", key=True),
    text("cause", key=True),
    text("document_id", key=True),
    integer("executed_at"),
    text("body"),
)
index("alert_executions_newest", alert_executions, *_NAMESPACE, "executed_at", "document_id")
index("alert_executions_of_alert", alert_executions, *_NAMESPACE, "alert_id", "executed_at", "document_id")
