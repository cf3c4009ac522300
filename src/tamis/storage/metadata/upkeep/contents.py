"""What is stored in each row: whether it can be read, and whether its columns say what it says."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Table, and_, select, update

from tamis.errors import StorageError
from tamis.executions.codec import decode
from tamis.model.agent_session import AgentMessage, AgentSession
from tamis.model.alert import Alert, AlertExecution
from tamis.model.audit import AuditEvent
from tamis.model.batch import Batch, Task
from tamis.model.bucket import Bucket, BucketObject, Upload
from tamis.model.collection import Collection
from tamis.model.dataset import Dataset
from tamis.model.document import Document
from tamis.model.evaluation import Evaluation
from tamis.model.execution import ExecutionHeader, StoredExecution
from tamis.model.fault import Fault
from tamis.model.fusion_credit import FusionCredit
from tamis.model.interaction import Interaction
from tamis.model.namespace import Namespace
from tamis.model.namespace_migration import NamespaceMigration
from tamis.model.organization import ApiKey, Organization, User
from tamis.model.retriever import Retriever, RetrieverVersion
from tamis.model.snapshot import Snapshot
from tamis.storage.metadata import schema
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.vectors import decode_vectors

Derived = Mapping[str, Callable[[Any], Any]]
_ROWS = 500
_NAMED: Derived = {"name": lambda one: one.name, "created_at": lambda one: to_micros(one.created_at)}
_MADE: Derived = {"created_at": lambda one: to_micros(one.created_at)}


@dataclass(frozen=True, slots=True)
class Contents:
    """derived: columns of the row by what they follow from in its body."""

    table: Table
    codec: Codec[Any]
    derived: Derived = field(default_factory=dict)


_CONTENTS = (
    Contents(schema.organizations, Codec(Organization), _MADE),
    Contents(schema.users, Codec(User), _MADE),
    Contents(schema.api_keys, Codec(ApiKey), {**_MADE, "key_hash": lambda one: one.key_hash}),
    Contents(schema.namespaces, Codec(Namespace), _NAMED),
    Contents(schema.buckets, Codec(Bucket), _NAMED),
    Contents(schema.collections, Codec(Collection), _NAMED),
    Contents(schema.retrievers, Codec(Retriever), _NAMED),
    Contents(schema.datasets, Codec(Dataset), _NAMED),
    Contents(schema.namespace_migrations, Codec(NamespaceMigration), _NAMED),
    Contents(schema.snapshots, Codec(Snapshot), _NAMED),
    Contents(schema.alerts, Codec(Alert), _NAMED),
    Contents(schema.alert_executions, Codec(AlertExecution), {"executed_at": lambda one: to_micros(one.executed_at)}),
    Contents(schema.objects, Codec(BucketObject), {**_MADE, "bucket_id": lambda one: one.bucket_id}),
    Contents(schema.uploads, Codec(Upload), {**_MADE, "bucket_id": lambda one: one.bucket_id}),
    Contents(schema.batches, Codec(Batch), {**_MADE, "bucket_id": lambda one: one.bucket_id}),
    Contents(schema.tasks, Codec(Task), {**_MADE, "type": lambda one: one.type}),
    Contents(
        schema.documents,
        Codec(Document),
        {
            **_MADE,
            "collection_id": lambda one: one.collection_id,
            "root_object_id": lambda one: one.lineage.root_object_id or one.lineage.source_object_id,
        },
    ),
    Contents(schema.audit_events, Codec(AuditEvent)),
    Contents(schema.evaluations, Codec(Evaluation), {**_MADE, "status": lambda one: one.status.value}),
    Contents(schema.retriever_versions, Codec(RetrieverVersion), _MADE),
    Contents(
        schema.interactions,
        Codec(Interaction),
        {"user_id": lambda one: one.user_id, "session_id": lambda one: one.session_id},
    ),
    Contents(
        schema.agent_sessions,
        Codec(AgentSession),
        {**_MADE, "state": lambda one: one.state.value, "expires_at": lambda one: to_micros(one.expires_at)},
    ),
    Contents(schema.agent_messages, Codec(AgentMessage), {"message_id": lambda one: one.message_id}),
    Contents(
        schema.fusion_credits,
        Codec(FusionCredit),
        {"retriever_id": lambda one: one.retriever_id, "person": lambda one: one.person},
    ),
)
_KNOWN = {one.table.name for one in _CONTENTS}
_OTHERS = tuple(
    table
    for table in schema.metadata.sorted_tables
    if "body" in table.c and table.name not in _KNOWN and table.c.body.type.python_type is str
)
_HEADER = Codec(ExecutionHeader)
_v, _b = schema.document_vectors.c, schema.input_blobs.c


def faults(connection: Connection, deep: bool) -> Iterator[Fault]:
    for contents in _CONTENTS:
        yield from _of(connection, contents)
    for table in _OTHERS:
        yield from _json(connection, table)
    yield from _vectors(connection)
    yield from _executions(connection, deep)
    yield from _revisions(connection)
    if deep:
        yield from _inputs(connection)


def mend(connection: Connection) -> None:
    """Columns from bodies, and revisions from documents. What cannot be read stays as it is."""
    for contents in _CONTENTS:
        for identity, found in list(_readable(connection, contents)):
            wrong = _wrong(contents, found)
            if wrong:
                same = [column == value for column, value in zip(contents.table.primary_key, identity, strict=True)]
                connection.execute(update(contents.table).where(and_(*same)).values(wrong))
    for (organization_id, namespace_id, collection_id), (_, least) in _behind(connection).items():
        c = schema.collections.c
        same = [c.organization_id == organization_id, c.namespace_id == namespace_id, c.collection_id == collection_id]
        connection.execute(update(schema.collections).where(*same).values(revision=least))


def _of(connection: Connection, contents: Contents) -> Iterator[Fault]:
    for identity, found in _readable(connection, contents):
        where = f"{contents.table.name} {'/'.join(str(part) for part in identity)}"
        if isinstance(found, StorageError):
            yield Fault("body", where, found.message)
            continue
        for name, value in _wrong(contents, found).items():
            problem = f"its column {name} is not {value!r}, which its body says"
            yield Fault("column", where, problem, is_derived=True)


def _readable(connection: Connection, contents: Contents) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(primary key, (the row, what its body says), or the error)."""
    table = contents.table
    identity = list(table.primary_key)
    rows = connection.execution_options(yield_per=_ROWS).execute(select(table))
    for row in rows.mappings():
        key = tuple(row[column.name] for column in identity)
        try:
            yield key, (row, contents.codec.decode(row["body"]))
        except StorageError as error:
            yield key, error


def _wrong(contents: Contents, found: Any) -> dict[str, Any]:
    """What the columns should be, of those that are not."""
    if isinstance(found, StorageError):
        return {}
    row, body = found
    said = {name: read(body) for name, read in contents.derived.items()}
    return {name: value for name, value in said.items() if row[name] != value}


def _json(connection: Connection, table: Table) -> Iterator[Fault]:
    identity = list(table.primary_key)
    for *key, body in connection.execution_options(yield_per=_ROWS).execute(select(*identity, table.c.body)):
        try:
            orjson.loads(body)
        except ValueError as error:
            yield Fault("body", f"{table.name} {'/'.join(map(str, key))}", f"it is no JSON: {error}")


def _vectors(connection: Connection) -> Iterator[Fault]:
    wanted = select(_v.organization_id, _v.namespace_id, _v.document_id, _v.vectors)
    for *key, data in connection.execution_options(yield_per=_ROWS).execute(wanted):
        try:
            decode_vectors(bytes(data))
        except StorageError as error:
            yield Fault("vectors", f"document_vectors {'/'.join(key)}", error.message)


def _executions(connection: Connection, deep: bool) -> Iterator[Fault]:
    for table in (schema.executions, schema.execution_inbox):
        yield from _records(connection, table, deep)


def _records(connection: Connection, table: Table, deep: bool) -> Iterator[Fault]:
    c = table.c
    wanted = select(c.organization_id, c.namespace_id, c.execution_id, c.header, c.inputs, c.record)
    for *key, header, inputs, record in connection.execution_options(yield_per=_ROWS).execute(wanted):
        try:
            stored = StoredExecution(_HEADER.decode(header), inputs, bytes(record))
            orjson.loads(inputs)
            if deep:
                decode(stored)
        except (StorageError, ValueError) as error:
            yield Fault("execution", f"{table.name} {'/'.join(key)}", str(error))


def _revisions(connection: Connection) -> Iterator[Fault]:
    for key, (told, least) in sorted(_behind(connection).items()):
        problem = f"its revision is {told}, and a document was written at {least}"
        yield Fault("revision", f"collections {'/'.join(key)}", problem, is_derived=True)


def _behind(connection: Connection) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(revision, that of its newest document) of each collection whose revision is behind."""
    newest: dict[tuple[str, str, str], int] = {}
    codec: Codec[Document] = Codec(Document)
    c = schema.documents.c
    wanted = select(c.organization_id, c.namespace_id, c.collection_id, c.body)
    for organization_id, namespace_id, collection_id, body in connection.execution_options(yield_per=_ROWS).execute(
        wanted
    ):
        try:
            revision = codec.decode(body).revision
        except StorageError:
            continue
        key = (organization_id, namespace_id, collection_id)
        newest[key] = max(newest.get(key, 0), revision)
    k = schema.collections.c
    told = {
        (row[0], row[1], row[2]): row[3]
        for row in connection.execute(select(k.organization_id, k.namespace_id, k.collection_id, k.revision))
    }
    return {key: (told[key], least) for key, least in newest.items() if key in told and told[key] < least}


def _inputs(connection: Connection) -> Iterator[Fault]:
    for *key, data in connection.execution_options(yield_per=_ROWS).execute(
        select(_b.organization_id, _b.namespace_id, _b.sha1, _b.data)
    ):
        if hashlib.sha1(bytes(data), usedforsecurity=False).hexdigest() != key[2]:
            yield Fault("input_data", f"input_blobs {'/'.join(key)}", "its SHA-1 is another")
