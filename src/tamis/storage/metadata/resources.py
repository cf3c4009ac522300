"""Namespaces, buckets, collections, retrievers: few of each, with an id and a name unique in their scope."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, TypeAlias, TypeVar

from sqlalchemy import Table, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.alert import Alert
from tamis.model.bucket import Bucket
from tamis.model.cluster import Cluster
from tamis.model.collection import Collection
from tamis.model.dataset import Dataset
from tamis.model.namespace import Namespace
from tamis.model.namespace_migration import NamespaceMigration
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.model.snapshot import Snapshot
from tamis.model.taxonomy import Taxonomy
from tamis.storage.metadata import schema
from tamis.storage.metadata.audit import SqlAudit
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.history import SqlHistory
from tamis.storage.metadata.link import Link, Row, scope

Sees: TypeAlias = Callable[[Principal, str], bool]
R = TypeVar(
    "R", Namespace, Bucket, Collection, Retriever, Dataset, Cluster, Taxonomy, NamespaceMigration, Snapshot, Alert
)  # fmt: skip


class Kind(Generic[R]):
    """What the kinds differ in, and their statements. id_column is also the attribute of the model's class."""

    def __init__(
        self, label: str, table: Table, id_column: str, model: type[R], *extra: str, sees: Sees = lambda *_: True
    ) -> None:
        """extra: columns that a row has after its body. A table whose id is the namespace's is the organisation's.

        sees: whether a caller's scopes hold the resource of this id.
        """
        self.label = label
        self.sees = sees
        self.id_column = id_column
        self.codec: Codec[R] = Codec(model)
        columns = [table.c.body, *(table.c[name] for name in extra)]
        identity = table.c[id_column]
        mine = _mine(table, id_column)
        self.insert = insert(table).on_conflict_do_nothing()
        self.by_id = select(*columns).where(*mine, identity == bindparam("identifier"))
        self.by_name = select(*columns).where(*mine, table.c.name == bindparam("identifier"))
        self.all = select(*columns).where(*mine).order_by(table.c.created_at.desc(), identity)
        self.replace = (
            update(table)
            .where(*mine, identity == bindparam("identifier"))
            .values(name=bindparam("new_name"), body=bindparam("new_body"))
        )
        self.delete = delete(table).where(*mine, identity == bindparam("identifier"))


def _mine(table: Table, id_column: str) -> list[ColumnElement[bool]]:
    bounds = ["organization_id"] if id_column == "namespace_id" else ["organization_id", "namespace_id"]
    return [table.c[name] == bindparam(name) for name in bounds]


class SqlResources(Generic[R]):
    """One kind of resource, on one connection."""

    def __init__(self, link: Link, kind: Kind[R], audit: SqlAudit, history: SqlHistory | None = None) -> None:
        """history: where the states go that are replaced or deleted; only collections have one."""
        self._link = link
        self._kind: Kind[R] = kind
        self._audit = audit
        self._history = history

    def insert(self, principal: Principal, resource: R) -> R:
        """Raises: AlreadyExistsError where the name (or id) is taken."""
        values = {
            **scope(principal),
            self._kind.id_column: self._id(resource),
            "name": resource.name,
            "created_at": to_micros(resource.created_at),
            "body": self._kind.codec.encode(resource),
        }
        if isinstance(resource, Collection):
            values["revision"] = resource.revision
        if self._link.run(self._kind.insert, values) == 0:
            raise self._taken(resource)
        self._audit.changed(principal, self._kind.label, self._id(resource), None, resource)
        return resource

    def get(self, principal: Principal, identifier: str) -> R | None:
        """By id, else by name."""
        parameters = {**scope(principal), "identifier": identifier}
        row = self._link.row(self._kind.by_id, parameters) or self._link.row(self._kind.by_name, parameters)
        return None if row is None else self._seen(principal, self._decode(row))

    def list(self, principal: Principal) -> Sequence[R]:
        """All of the scope, newest first."""
        every = (self._decode(row) for row in self._link.rows(self._kind.all, scope(principal)))
        return [resource for resource in every if self._kind.sees(principal, self._id(resource))]

    def replace(self, principal: Principal, resource: R) -> R:
        """Store this state under its id; a collection's revision stays what its documents have made it.

        Raises: AlreadyExistsError (name), NotFoundError.
        """
        identifier = self._id(resource)
        if not self._kind.sees(principal, identifier):
            raise NotFoundError.of(self._kind.label, identifier)
        parameters = {
            **scope(principal),
            "identifier": identifier,
            "new_name": resource.name,
            "new_body": self._kind.codec.encode(resource),
        }
        before = self._keep(principal, identifier)
        try:
            with self._link.savepoint():
                touched = self._link.run(self._kind.replace, parameters)
        except self._link.unique_violation as error:
            raise self._taken(resource) from error
        if touched == 0:
            raise NotFoundError.of(self._kind.label, identifier)
        self._audit.changed(principal, self._kind.label, identifier, before, resource)
        row = self._link.row(self._kind.by_id, {**scope(principal), "identifier": identifier})
        return resource if row is None else self._decode(row)

    def delete(self, principal: Principal, resource_id: str) -> bool:
        if not self._kind.sees(principal, resource_id):
            return False
        before = self._keep(principal, resource_id)
        if before is None:
            return False
        self._link.run(self._kind.delete, {**scope(principal), "identifier": resource_id})
        self._audit.changed(principal, self._kind.label, resource_id, before, None)
        return True

    def _keep(self, principal: Principal, resource_id: str) -> R | None:
        """The state that is about to go, put into the history where there is one."""
        row = self._link.row(self._kind.by_id, {**scope(principal), "identifier": resource_id})
        before = None if row is None else self._decode(row)
        if self._history is not None and isinstance(before, Collection):
            self._history.keep_collection(principal, before)
        return before

    def _seen(self, principal: Principal, resource: R) -> R | None:
        return resource if self._kind.sees(principal, self._id(resource)) else None

    def _id(self, resource: R) -> str:
        return str(getattr(resource, self._kind.id_column))

    def _decode(self, row: Row) -> R:
        resource = self._kind.codec.decode(row[0])
        return replace(resource, revision=row[1]) if isinstance(resource, Collection) else resource

    def _taken(self, resource: R) -> AlreadyExistsError:
        label = self._kind.label
        return AlreadyExistsError(
            f"a {label} named {resource.name!r} exists already", resource=label, name=resource.name
        )


NAMESPACES = Kind("namespace", schema.namespaces, "namespace_id", Namespace, sees=Principal.sees_namespace)
BUCKETS = Kind("bucket", schema.buckets, "bucket_id", Bucket)
COLLECTIONS = Kind("collection", schema.collections, "collection_id", Collection, "revision")
RETRIEVERS = Kind("retriever", schema.retrievers, "retriever_id", Retriever, sees=Principal.may_retriever)

_EVERYWHERE = select(schema.namespaces.c.organization_id, schema.namespaces.c.body)


def every_namespace(link: Link) -> list[tuple[Principal, Namespace]]:
    """Of every tenant."""
    found = [(organization, NAMESPACES.codec.decode(body)) for organization, body in link.rows(_EVERYWHERE, {})]
    return [(Principal(organization, namespace.namespace_id), namespace) for organization, namespace in found]


DATASETS = Kind("dataset", schema.datasets, "dataset_id", Dataset)
CLUSTERS = Kind("cluster", schema.clusters, "cluster_id", Cluster)
NAMESPACE_MIGRATIONS = Kind("migration", schema.namespace_migrations, "migration_id", NamespaceMigration)
SNAPSHOTS = Kind("snapshot", schema.snapshots, "snapshot_id", Snapshot)
ALERTS = Kind("alert", schema.alerts, "alert_id", Alert)
TAXONOMIES = Kind("taxonomy", schema.taxonomies, "taxonomy_id", Taxonomy)
