"""The system of record: every resource, document, vector and execution record.

One transaction is one plain function over a `Session`:

    bucket = await metadata.write(lambda session: session.buckets.insert(principal, bucket))

`write` runs the function on the writer, commits (together with its neighbours: group commit) and only then returns;
an exception rolls back this function's part alone. `read` runs it on a snapshot. The function must not wait on
anything but the session. Every call takes the Principal whose organisation (and namespace, where the resource lives
in one) bounds what can be seen or touched: what is outside does not exist.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from tamis.engine.ports.agent_sessions import AgentSessions
from tamis.engine.ports.alerts import AlertExecutions
from tamis.engine.ports.analytics import Analytics, Arrivals, Extractions
from tamis.engine.ports.answers import Answers
from tamis.engine.ports.bookkeeping import Audit, Credits, StoredSecrets, Usage
from tamis.engine.ports.clusters import ClusterRuns
from tamis.engine.ports.evaluations import Evaluations, RetrieverVersions
from tamis.engine.ports.executions import Entry, Executions
from tamis.engine.ports.files import Files
from tamis.engine.ports.installation import EndedSessions, Installation
from tamis.engine.ports.interactions import Interactions
from tamis.engine.ports.learning import FusionCredits
from tamis.engine.ports.namespace_events import NamespaceEvents
from tamis.engine.ports.publishing import Published
from tamis.engine.ports.remains import Remains
from tamis.engine.ports.rollouts import Rollouts
from tamis.engine.ports.syncs import BucketSyncs, StorageConnections
from tamis.engine.ports.taxonomies import Assignments, TaxonomyVersions
from tamis.engine.ports.templates import Templates
from tamis.engine.ports.triggers import DueRuns, Firings, Triggers
from tamis.engine.ports.walks import Walks
from tamis.engine.ports.webhooks import Deliveries, Webhooks
from tamis.model.alert import Alert
from tamis.model.batch import Batch, BatchItem, ItemStatus, Task, TaskStatus
from tamis.model.bucket import Bucket, BucketObject, Upload
from tamis.model.cluster import Cluster
from tamis.model.collection import Collection
from tamis.model.dataset import Dataset
from tamis.model.document import Document, DocumentWrite
from tamis.model.filters import Filter
from tamis.model.json import JSON
from tamis.model.namespace import Namespace
from tamis.model.namespace_migration import NamespaceMigration
from tamis.model.organization import ApiKey, Holder, Organization, User
from tamis.model.page import Listing, Page
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.model.snapshot import Snapshot
from tamis.model.stage_means import Means
from tamis.model.taxonomy import Taxonomy
from tamis.model.vector import Vector

R = TypeVar("R")
T = TypeVar("T")


class Resources(Protocol[R]):
    """A kind of resource that has an id and a name unique in its scope; few enough to be listed whole."""

    def insert(self, principal: Principal, resource: R) -> R:
        """Raises: AlreadyExistsError where the name (or id) is taken."""
        ...

    def get(self, principal: Principal, identifier: str) -> R | None:
        """By id, else by name."""
        ...

    def list(self, principal: Principal) -> Sequence[R]:
        """All of the scope, newest first."""
        ...

    def replace(self, principal: Principal, resource: R) -> R:
        """Store this state under its id. Raises: AlreadyExistsError (name), NotFoundError."""
        ...

    def delete(self, principal: Principal, resource_id: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class ObjectSizes:
    """Of a bucket's objects, each as large as its blobs together. All 0 where there are none."""

    count: int = 0
    total_bytes: int = 0
    min_bytes: int = 0
    max_bytes: int = 0


class Objects(Protocol):
    """Objects of a bucket."""

    def insert(self, principal: Principal, objects: Sequence[BucketObject]) -> None: ...
    def get(self, principal: Principal, object_id: str) -> BucketObject | None: ...
    def get_many(self, principal: Principal, object_ids: Sequence[str]) -> Mapping[str, BucketObject]: ...
    def find_unique(self, principal: Principal, bucket_id: str, unique_key: str) -> BucketObject | None: ...
    def find_content(self, principal: Principal, bucket_id: str, content_hash: str) -> BucketObject | None: ...
    def page(self, principal: Principal, bucket_id: str, listing: Listing) -> Page[BucketObject]: ...
    def scan(self, principal: Principal, bucket_id: str, matching: Filter | None = None) -> Iterator[BucketObject]:
        """All of a bucket's objects, by id, without holding them in memory."""
        ...

    def replace(self, principal: Principal, objects: Sequence[BucketObject]) -> None: ...
    def set_status(
        self, principal: Principal, object_ids: Sequence[str], status: TaskStatus, error: str | None = None
    ) -> None: ...
    def delete(self, principal: Principal, object_ids: Sequence[str]) -> int: ...
    def delete_bucket(self, principal: Principal, bucket_id: str) -> int: ...
    def totals(self, principal: Principal, bucket_id: str) -> tuple[int, int]:
        """(objects, bytes of their blobs)."""
        ...

    def sizes(self, principal: Principal, bucket_id: str) -> ObjectSizes: ...


class Uploads(Protocol):
    def insert(self, principal: Principal, upload: Upload) -> None: ...
    def get(self, principal: Principal, upload_id: str) -> Upload | None: ...
    def find_hash(self, principal: Principal, bucket_id: str, file_hash: str) -> Upload | None:
        """A completed upload of the same bytes."""
        ...

    def list(self, principal: Principal, bucket_id: str) -> Sequence[Upload]: ...
    def page(self, principal: Principal, bucket_id: str, limit: int, offset: int) -> Page[Upload]:
        """A window of `list`, newest first, without reading the rest."""
        ...

    def replace(self, principal: Principal, upload: Upload) -> None: ...
    def delete(self, principal: Principal, upload_id: str) -> bool: ...


class Batches(Protocol):
    """Batches and the items that they are made of once submitted."""

    def insert(self, principal: Principal, batch: Batch) -> None: ...
    def get(self, principal: Principal, batch_id: str) -> Batch | None: ...
    def list(self, principal: Principal, bucket_id: str) -> Sequence[Batch]: ...
    def page(
        self, principal: Principal, bucket_id: str, status: TaskStatus | None, limit: int, offset: int
    ) -> Page[Batch]:
        """A window of `list`, newest first, without reading the rest. status: None takes all."""
        ...

    def count(self, principal: Principal, bucket_id: str) -> Mapping[TaskStatus, int]:
        """By status; one that no batch has is left out."""
        ...

    def replace(self, principal: Principal, batch: Batch) -> None: ...
    def delete(self, principal: Principal, batch_id: str) -> bool: ...
    def unfinished(self) -> Sequence[tuple[Principal, Batch]]:
        """Of every tenant, those PENDING, IN_PROGRESS or PROCESSING, oldest first: what a start goes on with."""
        ...

    def add_items(self, principal: Principal, items: Sequence[BatchItem]) -> None:
        """Insert what is not there yet; an item that exists stays as it is."""
        ...

    def waiting_items(self, principal: Principal, batch_id: str, tier: int, limit: int) -> Sequence[BatchItem]: ...
    def items(
        self, principal: Principal, batch_id: str, status: ItemStatus, tier: int | None, collection_id: str | None,
        limit: int, offset: int,
    ) -> Page[BatchItem]: ...  # fmt: skip
    def update_items(self, principal: Principal, items: Sequence[BatchItem]) -> None: ...
    def count_items(self, principal: Principal, batch_id: str) -> Mapping[tuple[int, ItemStatus], int]:
        """By (tier, status)."""
        ...

    def count_documents(self, principal: Principal, batch_id: str) -> Mapping[str, int]:
        """That were made of its sources, by collection."""
        ...


class Tasks(Protocol):
    def insert(self, principal: Principal, task: Task) -> None: ...
    def get(self, principal: Principal, task_id: str) -> Task | None: ...
    def list(self, principal: Principal, status: str | None = None, kind: str | None = None) -> Sequence[Task]:
        """Newest first, then by id. status, kind: None takes all."""
        ...

    def page(
        self, principal: Principal, limit: int, offset: int, status: str | None = None, kind: str | None = None
    ) -> Page[Task]:
        """A window of `list`, without reading the rest."""
        ...

    def replace(self, principal: Principal, task: Task) -> None: ...
    def delete(self, principal: Principal, task_id: str) -> bool: ...


class Documents(Protocol):
    """Documents and their vectors. Every write raises the collection's revision by one and queues the index's work."""

    def put(self, principal: Principal, collection_id: str, writes: Sequence[DocumentWrite]) -> int:
        """Insert or replace whole documents with their vectors; returns the collection's new revision."""
        ...

    def put_fields(self, principal: Principal, collection_id: str, documents: Sequence[Document]) -> int:
        """Replace documents, keep their vectors."""
        ...

    def delete(self, principal: Principal, collection_id: str, document_ids: Sequence[str]) -> int:
        """How many there were."""
        ...

    def delete_collection(self, principal: Principal, collection_id: str) -> int: ...
    def touch(self, principal: Principal, collection_id: str) -> int:
        """Raise the revision though no document changed: what follows from it is to be found anew."""
        ...

    def get(self, principal: Principal, collection_id: str, document_id: str) -> Document | None: ...
    def get_many(self, principal: Principal, document_ids: Sequence[str]) -> Mapping[str, Document]:
        """Of any collection of the namespace; absent ones are left out. The hot path of every search."""
        ...

    def vectors(self, principal: Principal, document_ids: Sequence[str]) -> Mapping[str, Mapping[str, Vector]]: ...
    def with_vectors(self, principal: Principal, document_ids: Sequence[str]) -> frozenset[str]:
        """Those of the documents that have a vector, without reading one."""
        ...

    def page(self, principal: Principal, collection_id: str, listing: Listing) -> Page[Document]: ...
    def scan(
        self, principal: Principal, collection_id: str, matching: Filter | None = None, after: str = ""
    ) -> Iterator[Document]:
        """All of a collection, by id, without holding it in memory. after: only those with a greater id."""
        ...

    def following(
        self, principal: Principal, collection_id: str, after: str, limit: int, batch_id: str | None = None
    ) -> Sequence[Document]:
        """By id, those that come after this one. batch_id: only those made of what the batch has done."""
        ...

    def scan_writes(self, principal: Principal, collection_id: str) -> Iterator[DocumentWrite]:
        """As `scan`, with vectors: what an index is rebuilt from."""
        ...

    def by_source(self, principal: Principal, collection_id: str, source_id: str) -> Sequence[str]:
        """Ids of the documents made of this object (or of this document of the collection before)."""
        ...

    def by_root(
        self, principal: Principal, object_id: str, collection_ids: Sequence[str] | None = None
    ) -> Sequence[Document]:
        """All documents, in any collection of the namespace, that go back to this object."""
        ...

    def find_content(self, principal: Principal, content_keys: Sequence[str]) -> Mapping[str, Sequence[Document]]:
        """By content key, the first documents of sources that were made of that content: at most two of them."""
        ...

    def count(self, principal: Principal, collection_id: str) -> int: ...
    def count_written(self, principal: Principal, collection_id: str) -> int:
        """Those that were made of nothing stored, but sent as they are."""
        ...

    def count_since(self, principal: Principal, collection_id: str, since: datetime) -> int:
        """How many were made after that moment. Cost: they alone."""
        ...


@dataclass(frozen=True, slots=True)
class IndexWork:
    """One change that the index has not acknowledged yet. `sequence` grows; delete where `delete` is true."""

    sequence: int
    principal: Principal
    collection_id: str
    document_id: str
    delete: bool


class IndexQueue(Protocol):
    """The outbox between the system of record and the index: written in the same transaction as the documents."""

    def add(self, principal: Principal, collection_id: str, document_ids: Sequence[str], *, delete: bool) -> None:
        """Writes of documents do so by themselves: for what is to be brought once more."""
        ...

    def pending(self, limit: int) -> Sequence[IndexWork]:
        """Of every tenant, oldest first."""
        ...

    def pending_in(self, principal: Principal, collection_id: str, limit: int) -> Sequence[IndexWork]:
        """Of one collection, oldest first."""
        ...

    def pending_for(self, principal: Principal, collection_id: str) -> int: ...
    def acknowledge(self, principal: Principal, collection_id: str, sequences: Sequence[int]) -> None: ...


class History(Protocol):
    """Documents and collections as they were: each state that is replaced or deleted goes here, in that transaction.

    A record holds no contents. It names what was read by (id, revision) or (id, version), and this is where a frozen
    replay finds it, long after the collection was changed or deleted.
    """

    def documents(
        self, principal: Principal, versions: Sequence[tuple[str, int]]
    ) -> Mapping[tuple[str, int], Document]:
        """By (document id, revision), each state that is still known, be it today's or an earlier one."""
        ...

    def collections(
        self, principal: Principal, versions: Sequence[tuple[str, int]]
    ) -> Mapping[tuple[str, int], Collection]:
        """By (collection id, `Collection.version`), as above."""
        ...

    def forget(self, principal: Principal, before: datetime, limit: int) -> int:
        """Delete, of what was replaced before then and before the oldest record that is kept began, at most `limit`
        states, the oldest first; how many there were. No record that is kept refers to any of them.
        """
        ...


class Keys(Protocol):
    def insert(self, principal: Principal, key: ApiKey) -> None: ...
    def find_hash(self, key_hash: str) -> Holder | None:
        """The one look-up without a Principal: it is how a Principal is made."""
        ...

    def list(self, principal: Principal) -> Sequence[ApiKey]: ...
    def replace(self, principal: Principal, key: ApiKey) -> None: ...


class Organizations(Protocol):
    def insert(self, organization: Organization, user: User) -> None: ...
    def get(self, principal: Principal) -> Organization | None: ...
    def replace(self, principal: Principal, organization: Organization) -> None: ...
    def users(self, principal: Principal) -> Sequence[User]: ...
    def add_user(self, principal: Principal, user: User) -> None:
        """Raises: AlreadyExistsError where the id or the address, in whatever case, is taken."""
        ...

    def replace_user(self, principal: Principal, user: User) -> None:
        """Raises: NotFoundError."""
        ...

    def delete_user(self, principal: Principal, user_id: str) -> bool: ...
    def everyones(self) -> Sequence[Organization]:
        """Of every tenant: what keeps house for all of them."""
        ...

    def first(self) -> Organization | None:
        """The organisation that the first start made, if there has been one."""
        ...


class Blobs(Protocol):
    """Large inputs of executions, by SHA-1, stored once for each namespace."""

    def put(self, principal: Principal, sha1: str, data: bytes) -> None: ...
    def get(self, principal: Principal, sha1: str) -> bytes | None: ...


class StageStatistics(Protocol):
    """What stages did on average, by fingerprint."""

    def find(self, principal: Principal, fingerprints: Sequence[str]) -> Mapping[str, Means]: ...
    def put(self, principal: Principal, means: Mapping[str, Means], at: datetime) -> None: ...
    def trim(self, principal: Principal, keep: int) -> int:
        """Forget all but the `keep` put last; how many were forgotten."""
        ...


class Session(Protocol):
    """One transaction's view of the system of record."""

    organizations: Organizations
    keys: Keys
    namespaces: Resources[Namespace]
    buckets: Resources[Bucket]
    collections: Resources[Collection]
    retrievers: Resources[Retriever]
    objects: Objects
    uploads: Uploads
    batches: Batches
    tasks: Tasks
    walks: Walks
    documents: Documents
    files: Files
    history: History
    index_queue: IndexQueue
    executions: Executions
    input_blobs: Blobs
    analytics: Analytics
    extractions: Extractions
    arrivals: Arrivals
    stage_statistics: StageStatistics
    retriever_versions: RetrieverVersions
    rollouts: Rollouts
    datasets: Resources[Dataset]
    taxonomies: Resources[Taxonomy]
    taxonomy_versions: TaxonomyVersions
    assignments: Assignments
    evaluations: Evaluations
    published: Published
    audit: Audit
    usage: Usage
    credits: Credits
    secrets: StoredSecrets
    templates: Templates
    interactions: Interactions
    fusion_credits: FusionCredits
    answers: Answers
    remains: Remains
    installation: Installation
    ended_sessions: EndedSessions
    webhooks: Webhooks
    deliveries: Deliveries
    namespace_events: NamespaceEvents
    namespace_migrations: Resources[NamespaceMigration]
    snapshots: Resources[Snapshot]
    clusters: Resources[Cluster]
    cluster_runs: ClusterRuns
    agent_sessions: AgentSessions
    storage_connections: StorageConnections
    bucket_syncs: BucketSyncs
    triggers: Triggers
    firings: Firings
    due_runs: DueRuns
    alerts: Resources[Alert]
    alert_executions: AlertExecutions

    def every_namespace(self) -> Sequence[tuple[Principal, Namespace]]:
        """Of every tenant: what keeps house for all of them."""
        ...

    def purge_namespace(self, principal: Principal) -> None:
        """Remove every row of the principal's namespace, of every kind, and the namespace itself."""
        ...


@dataclass(frozen=True, slots=True)
class MetadataHealth:
    backend: str
    ok: bool
    detail: str = ""
    facts: Mapping[str, JSON] = field(default_factory=dict)


class Metadata(Protocol):
    @property
    def generation(self) -> int | None:
        """Grows with every commit of anything but records, before that is told of. None: others may write as well."""
        ...

    async def read(self, function: Callable[[Session], T]) -> T:
        """Away from the event loop, on a thread: for whatever may scan, page or decode much."""
        ...

    async def read_now(self, function: Callable[[Session], T]) -> T:
        """Where the backend is embedded, right here: for look-ups by key of at most a few hundred rows.

        It spares the hop to a thread and back, which costs more than such a look-up; the event loop waits meanwhile.
        """
        ...

    async def write(self, function: Callable[[Session], T]) -> T:
        """The first of a request goes by `engine.change.write_in_change`, so that what the request asks for holds."""
        ...

    def keep(self, entry: Entry) -> "asyncio.Future[None]":
        """As `write` of `executions.insert`, on the path of every execution: those that come together cost less.

        Handed in at once; done when the record is durable. It cannot be cancelled: a task that is cancelled while it
        waits goes on waiting, and hears of it then. Raises: AlreadyExistsError.
        """
        ...

    async def health(self) -> MetadataHealth: ...
    async def close(self) -> None: ...
