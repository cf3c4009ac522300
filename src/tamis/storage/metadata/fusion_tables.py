"""What interactions taught learned fusions, one by one and in sums."""

from sqlalchemy import Table

from tamis.storage.metadata.columns import index, integer, metadata, scope, table, text

fusion_credits = table(
    "fusion_credits",
    *scope(),
    text("interaction_id", key=True),
    text("retriever_id"),
    text("person", optional=True),
    text("body"),
)
_OURS = ("organization_id", "namespace_id")
index("fusion_credits_of_retriever", fusion_credits, *_OURS, "retriever_id", "interaction_id")
index("fusion_credits_of_person", fusion_credits, *_OURS, "person", "interaction_id")

# kind: `search` or `place`, which `item` names.  agreed, pairs: in millionths, so that what was added can be taken away
# without a trace.
fusion_days = Table(
    "fusion_days",
    metadata,
    *scope(),
    text("retriever_id", key=True),
    text("stage_name", key=True),
    text("context", key=True),
    text("kind", key=True),
    integer("day", key=True),
    text("item", key=True),
    integer("count"),
    integer("agreed"),
    integer("pairs"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
