"""Rows that name something that is not there."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, select

from tamis.model.fault import Fault
from tamis.storage.metadata import schema

_MOST = 1000
"""Of one kind that are named; where there are more, the rest shows after these are mended."""


@dataclass(frozen=True, slots=True)
class Reference:
    """by: the columns of `table` and `parent` that are the same, besides the tenant's.

    is_derived: a row without its parent is reached by nothing, so that it may go.
    """

    kind: str
    table: Table
    parent: Table
    by: str
    is_derived: bool = False


_REFERENCES = (
    Reference("document", schema.documents, schema.collections, "collection_id"),
    Reference("object", schema.objects, schema.buckets, "bucket_id"),
    Reference("upload", schema.uploads, schema.buckets, "bucket_id"),
    Reference("batch", schema.batches, schema.buckets, "bucket_id"),
    Reference("vector", schema.document_vectors, schema.documents, "document_id", is_derived=True),
    Reference("document_content", schema.document_contents, schema.documents, "document_id", is_derived=True),
    Reference("batch_item", schema.batch_items, schema.batches, "batch_id", is_derived=True),
    Reference("query_run", schema.evaluation_queries, schema.evaluations, "evaluation_id", is_derived=True),
    Reference("version", schema.retriever_versions, schema.retrievers, "retriever_id", is_derived=True),
    Reference("alert_execution", schema.alert_executions, schema.alerts, "alert_id", is_derived=True),
    Reference("message", schema.agent_messages, schema.agent_sessions, "session_id", is_derived=True),
    Reference("lesson", schema.fusion_credits, schema.interactions, "interaction_id", is_derived=True),
    Reference("index_queue", schema.index_queue, schema.collections, "collection_id", is_derived=True),
    Reference("input_reference", schema.execution_blobs, schema.executions, "execution_id", is_derived=True),
    Reference("input", schema.execution_blobs, schema.input_blobs, "sha1"),
    Reference("unused_input", schema.input_blobs, schema.execution_blobs, "sha1", is_derived=True),
)


def faults(connection: Connection, deep: bool) -> Iterator[Fault]:
    for one in _REFERENCES:
        identity = list(one.table.primary_key)
        for row in connection.execute(select(*identity).where(_is_orphan(one)).order_by(*identity).limit(_MOST)):
            where = f"{one.table.name} {'/'.join(str(part) for part in row)}"
            yield Fault(one.kind, where, f"its row of {one.parent.name} is not there", one.is_derived)
    yield from _without_namespace(connection)


def mend(connection: Connection) -> None:
    for one in _REFERENCES:
        if one.is_derived:
            connection.execute(delete(one.table).where(_is_orphan(one)))


def _is_orphan(one: Reference) -> ColumnElement[bool]:
    same = [one.table.c[name] == one.parent.c[name] for name in ("organization_id", "namespace_id", one.by)]
    return ~exists(select(1).select_from(one.parent).where(and_(*same)).correlate(one.table))


def _without_namespace(connection: Connection) -> Iterator[Fault]:
    known = {
        tuple(row)
        for row in connection.execute(select(schema.namespaces.c.organization_id, schema.namespaces.c.namespace_id))
    }
    for table in schema.metadata.sorted_tables:
        if table is schema.namespaces or not {"organization_id", "namespace_id"} <= set(table.c.keys()):
            continue
        tenants = select(table.c.organization_id, table.c.namespace_id).distinct()
        for row in connection.execute(tenants):
            if tuple(row) not in known and row[1]:
                yield Fault("namespace", f"{table.name} of {row[0]}/{row[1]}", "that namespace is not there")
