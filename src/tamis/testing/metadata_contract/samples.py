"""Small, valid values of the model for the contract's tests, and the callers who may not see them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from tamis.engine.ports.answers import KeptAnswer
from tamis.model.agent_session import (
    AgentConfig,
    AgentMessage,
    AgentSession,
    MessageStatus,
    SessionState,
    Shown,
    ToolUse,
)
from tamis.model.alert import Alert, AlertExecution, AlertMatch
from tamis.model.batch import Batch, BatchItem, Task, TaskStatus, Tier
from tamis.model.bucket import Blob, Bucket, BucketObject, Upload
from tamis.model.bucket_sync import BucketSync, FileFilters, FileState, SyncedFile
from tamis.model.cluster import Cluster, ClusterRun, ClusterType, FoundCluster, Member, RunStatus, VectorSettings
from tamis.model.collection import Collection, ExtractorConfig, Passthrough, Source
from tamis.model.dataset import Dataset, GroundTruth, Pooled
from tamis.model.document import BlobRef, Document, DocumentWrite, Lineage, LineageStep, ProcessingStep
from tamis.model.evaluation import Evaluation, EvaluationStatus, QueryRun
from tamis.model.execution import ExecutionHeader, ExecutionStatus, StoredExecution
from tamis.model.interaction import Interaction, InteractionType
from tamis.model.json import JSON
from tamis.model.namespace import ExtractorRef, Namespace
from tamis.model.namespace_migration import (
    ExtractorChange,
    MigrationConfig,
    MigrationStatus,
    MigrationType,
    NamespaceMigration,
    Replacement,
)
from tamis.model.organization import ApiKey, Organization, User
from tamis.model.principal import Permission, Principal
from tamis.model.published import LimitTier, PublicLimits, PublishedRetriever
from tamis.model.remain import Remain, RemainKind
from tamis.model.retriever import Budget, Definition, Retriever, RetrieverVersion, StageSpec
from tamis.model.rollout import Rollout, ShadowRun
from tamis.model.snapshot import Snapshot
from tamis.model.storage_connection import StorageConnection, StorageProvider
from tamis.model.stored_secret import StoredSecret
from tamis.model.taxonomy import Assignment, Taxonomy
from tamis.model.template import Template, TemplateScope, TemplateType
from tamis.model.trigger import Action, DueRun, Firing, Trigger, TriggerType
from tamis.model.vector import Dense, FeatureSpec, MultiDense, Sparse, Vector, VectorKind
from tamis.model.walk import Walk
from tamis.model.webhook import Target, Webhook

NOW = datetime(2026, 3, 4, 5, 6, 7, 891_234, tzinfo=UTC)
ME = Principal("org_1", "ns_1")
STRANGERS = (Principal("org_2", "ns_1"), Principal("org_1", "ns_2"), Principal("org_2", "ns_2"))
"""Another organisation, another namespace, and both; each shares an id with `ME` where it can."""


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def organization(organization_id: str = "org_1") -> Organization:
    return Organization(organization_id, "Öffentlich", NOW, NOW, {"plan": None, "seats": 3})


def user(organization_id: str = "org_1") -> User:
    return User(f"usr_{organization_id}", organization_id, "admin@localhost", NOW)


def key(name: str = "first", organization_id: str = "org_1") -> ApiKey:
    permissions = (Permission.READ, Permission.ADMIN)
    identity = f"{organization_id}_{name}"
    user_id, key_hash = f"usr_{organization_id}", f"hash_{identity}"
    return ApiKey(f"key_{identity}", organization_id, user_id, name, key_hash, "sk_ab", permissions, NOW,
                  expires_at=later(60), scopes=({"resource": "bucket"},))  # fmt: skip


def remain(number: int) -> Remain:
    return Remain(RemainKind.FILES, f"bkt_{number}", f"rem_{number:04}")


def webhook(name: str = "first", *events: str, seconds: float = 0) -> Webhook:
    """Without event types it listens to collections that are created."""
    targets = (Target("https://example.com/hook", {"authorization": "{{SECRET.hook}}"}, 5.0),)
    types = events or ("collection.created",)
    return Webhook(f"wh_{name:0<10}", name, types, targets, later(seconds), later(seconds))


def namespace_migration(number: int = 1) -> NamespaceMigration:
    config = MigrationConfig(MigrationType.RE_EXTRACT, "ns_1", extractors=(ExtractorChange("text_extractor", "v2"),))
    pair = Replacement("col_first", "col_second")
    return NamespaceMigration(
        f"mig_{number:04}", "ns_1", config, later(number), later(number), MigrationStatus.IN_PROGRESS, "task_1",
        replacements=(pair,), batch_ids=("btch_1",), reached={"namespace_setup": later(number)},
    )  # fmt: skip


def snapshot(name: str = "first", seconds: float = 0) -> Snapshot:
    at, counts = later(seconds), {"documents": 1}
    return Snapshot(f"snap_{name}", name, at, at, "task_1", collection_id="col_first", counts=counts)


def template(name: str = "first", seconds: float = 0) -> Template:
    configuration: dict[str, JSON] = {"name": name, "schema": {"properties": {"title": {"type": "text"}}}}
    return Template(
        f"tmpl_{name}", TemplateType.BUCKET, name, f"As {name} is", configuration, later(seconds),
        TemplateScope.ORGANIZATION, tags=("shop",), namespace_id="ns_1", source_id="bkt_first", created_by="usr_org_1",
    )  # fmt: skip


def cluster(name: str = "first") -> Cluster:
    settings = VectorSettings("kmeans", ("embedding",), {"n_clusters": 2}, {"embedding": 0.5})
    return Cluster(f"clust_{name}", name, ClusterType.VECTOR, ("col_first",), later(0), later(0), settings)


def cluster_run(
    number: int, status: str = "pending", *, cluster: str = "first", trigger: str | None = None
) -> ClusterRun:
    return ClusterRun(
        f"run_{number:04}", f"clust_{cluster}", f"task_{number}", later(number), later(number), 7, RunStatus(status),
        trigger_id=trigger,
    )  # fmt: skip


def found_cluster(number: int) -> FoundCluster:
    return FoundCluster(number, 2, f"cluster {number}", ("a", "b"), centroid=(0.25, 0.5), representatives=("doc_1",))


def member(number: int, cluster: int = 0, place: int = 0) -> Member:
    return Member(f"doc_{number:04}", "col_first", cluster, place, 0.25, (1.0, 2.0))


def trigger(name: str = "first", due_s: float | None = 0) -> Trigger:
    due_at = None if due_s is None else later(due_s)
    schedule: dict[str, JSON] = {"interval_seconds": 60}
    return Trigger(
        f"trig_{name}", Action.CLUSTER, "clust_first", TriggerType.INTERVAL, schedule, ("col_first",), later(0),
        later(0), due_at=due_at, config={"cluster_id": "clust_first"},
    )  # fmt: skip


def alert(name: str = "first", *webhook_ids: str) -> Alert:
    return Alert(f"alt_{name}", name, "ret_first", webhook_ids, later(0), later(0))


def alert_execution(number: int, count: int = 1, alert_id: str = "alt_first") -> AlertExecution:
    found = tuple(AlertMatch(f"doc_{place:04}", "col_first", 0.5) for place in range(count))
    return AlertExecution(
        alert_id, "bat_0001", f"doc_{number:04}", "col_first", later(number), 1.5, f"exec_{number:04}", count, found
    )


def firing(number: int, status: TaskStatus = TaskStatus.PENDING, trigger_id: str = "trig_first") -> Firing:
    return Firing(trigger_id, later(number), f"task_{number:04}", later(number), status)


def due_run(cluster_id: str = "clust_first", due_s: float = 0) -> DueRun:
    return DueRun(cluster_id, "col_first", later(due_s), 60)


def storage_connection(name: str = "first") -> StorageConnection:
    config: dict[str, JSON] = {"region": "eu-central-1", "credentials": {"secret_access_key": "**********"}}
    return StorageConnection(
        f"conn_{name}", name, StorageProvider.S3, config, later(0), later(0), "c2VhbGVk", "mark", "usr_1", "Filme"
    )


def bucket_sync(name: str = "first", due_s: float | None = 0, run_id: str | None = None) -> BucketSync:
    due_at = None if due_s is None else later(due_s)
    return BucketSync(
        f"sync_{name}", "bkt_first", "conn_first", "films/new", later(0), later(0), due_at=due_at, run_id=run_id,
        filters=FileFilters(include_patterns=("*.mp4",), modified_after=later(1)), batch_ids=("btch_1",),
    )  # fmt: skip


def synced_file(number: int, state: FileState = FileState.WAITING) -> SyncedFile:
    return SyncedFile(f"films/{number:03}.mp4", f"etag {number}", state, 10 * number, f"obj_{number}", 1, "zu groß")


def answer(number: int, seconds: float = 0) -> KeptAnswer:
    return KeptAnswer(f"token {number}", "what was asked", later(seconds), f"bkt_{number}", 200, b"\x00sealed")


def secret(name: str = "api_token", sealed: str = "c2VhbGVk") -> StoredSecret:
    return StoredSecret(name, sealed, "mark", NOW, NOW, ("api.example.com",), ("ns_1",))


def namespace(name: str = "first", seconds: float = 0) -> Namespace:
    refs = (ExtractorRef("text_extractor", "v1"),)
    return Namespace(
        f"ns_{name}", name, later(seconds), NOW, "für alle", refs, ({"field_name": "a"},), True, {"k": [1]}
    )


def bucket(name: str = "first", seconds: float = 0) -> Bucket:
    schema: dict[str, JSON] = {"properties": {"content": {"type": "text", "required": True}}}
    return Bucket(f"bkt_{name}", name, schema, later(seconds), NOW, None, {"a": {"b": [1, 2.5, None, "x"]}})


def collection(name: str = "first", seconds: float = 0) -> Collection:
    extractor = ExtractorConfig("text_extractor", "v1", {"chunk": 3}, {"text": "content"}, (Passthrough("a", "b"),))
    features = (
        FeatureSpec("embedding", VectorKind.DENSE, 384, aliases=("dense",)),
        FeatureSpec("lexical", VectorKind.SPARSE, idf=True),
    )
    source = Source("bucket", ("bkt_first",), filters={"AND": []})
    return Collection(
        f"col_{name}", name, source, extractor, features, {"properties": {}}, {"x": 1}, later(seconds), NOW
    )


def retriever(name: str = "first", seconds: float = 0) -> Retriever:
    stages = (StageSpec("find", "feature_search", {"final_top_k": 5, "queries": [{"value": "{{INPUT.q}}"}]}),)
    definition = Definition(stages, {"q": {"type": "text"}}, ("col_first",), Budget(1.5, 200), {"ttl_s": 3})
    return Retriever(f"ret_{name}", name, definition, later(seconds), NOW, tags=("a", "b"), version=2)


def dataset(name: str = "first", seconds: float = 0) -> Dataset:
    query = GroundTruth("query_1", {"q": "shoes"}, ("doc_1",), {"doc_1": 3}, (Pooled("doc_2", 1, "exec_1"),))
    return Dataset(f"dset_{name}", name, later(seconds), NOW, (query,), "golden", {"by": "me"})


def object_(number: int, seconds: float = 0, bucket_id: str = "bkt_1") -> BucketObject:
    blobs = (
        Blob(f"blob_{number}", "content", "text", f"text {number}", size_bytes=10 + number),
        Blob(f"blob_{number}b", "picture", "image", url=f"blob://{number}", metadata={"w": 3}, size_bytes=100),
    )
    kind = "even" if number % 2 == 0 else "odd"
    fields: dict[str, JSON] = {"number": number, "kind": kind, "deep": {"tags": ["a", "ÄÖ"]}}
    return BucketObject(f"obj_{number:04}", bucket_id, later(seconds), NOW, blobs, fields)


def upload(number: int, status: str = "PENDING", file_hash: str | None = None) -> Upload:
    return Upload(f"upl_{number}", "bkt_1", "a.txt", "text/plain", f"k/{number}", later(number), later(900), 900,
                  status, file_hash=file_hash, metadata={"a": 1})  # fmt: skip


def batch(number: int, status: TaskStatus = TaskStatus.DRAFT) -> Batch:
    tiers = (Tier(0, ("col_first",), "bucket", status=TaskStatus.PENDING, started_at=NOW),)
    return Batch(f"btch_{number}", "bkt_1", ("obj_0001", "obj_0002"), later(number), NOW, status, tiers=tiers,
                 error_summary={"timeout": 1})  # fmt: skip


def item(number: int, tier: int = 0, collection_id: str = "col_first") -> BatchItem:
    return BatchItem("btch_1", collection_id, f"obj_{number:04}", tier)


def task(number: int) -> Task:
    return Task(f"task_{number}", "batch", TaskStatus.PENDING, later(number), NOW, inputs=("a", {"b": 1}))


def taxonomy(name: str = "goods", seconds: float = 0) -> Taxonomy:
    config: dict[str, JSON] = {"taxonomy_type": "hierarchical", "hierarchical_nodes": [{"id": "shoe", "label": "Shoe"}]}
    return Taxonomy(
        f"tax_{name}", name, config, later(seconds), NOW, description="what is sold", metadata={"owner": "us"}
    )


def assignment(number: int, node_id: str, confidence: float = 0.5) -> Assignment:
    return Assignment(f"doc_{number:04}", node_id, node_id.capitalize(), confidence, 1, 0, 1)


def walk(number: int) -> Walk:
    return Walk(f"task_{number}", "label", "col_first", later(number), 9, {"a": [1]}, requested_by=("usr_1", "key_1"))


def document(number: int, seconds: float = 0, collection_id: str = "col_first") -> Document:
    kind = "even" if number % 2 == 0 else "odd"
    fields: dict[str, JSON] = {
        "text": f"Sieve number {number}",
        "number": number,
        "kind": kind,
        "deep": {"a": [1, None, "ÄÖ"]},
    }
    step = LineageStep(collection_id, "text_extractor_v1", NOW, f"doc_{number:04}")
    lineage = Lineage(
        "bucket", "bkt_1", f"obj_{number // 2:04}", f"obj_{number // 2:04}", path="bkt_1/col", chain=(step,)
    )
    blobs = (BlobRef("picture", "blob://1", size_bytes=3),)
    history = (ProcessingStep("btch_1", 0, collection_id, "text_extractor_v1", f"obj_{number // 2:04}", NOW),)
    return Document(
        f"doc_{number:04}", collection_id, fields, later(seconds), NOW, lineage, blobs, ({"x": [1]},), 0, history
    )


def vectors(seed: int) -> dict[str, Vector]:
    chance = np.random.default_rng(seed)
    return {
        "embedding": Dense(chance.normal(size=16).astype(np.float32)),
        "tokens": MultiDense(chance.normal(size=(3, 8)).astype(np.float32)),
        "lexical": Sparse(np.array([1, 7, 2**32 - 1], np.uint32), chance.random(3).astype(np.float32)),
    }


def write(number: int, seconds: float = 0, collection_id: str = "col_first") -> DocumentWrite:
    return DocumentWrite(document(number, seconds, collection_id), vectors(number))


def execution(
    number: int,
    seconds: float = 0,
    status: ExecutionStatus = ExecutionStatus.COMPLETED,
    retriever_id: str | None = None,
) -> StoredExecution:
    header = ExecutionHeader(f"exec_{number:04}", "saved" if retriever_id else "anonymous", status, later(seconds),
                             3.25, 0.5, 100, 10, 3, 3, ("col_first",), retriever_id, None,
                             f"query {number}")  # fmt: skip
    return StoredExecution(header, '{"q":"wörter"}', bytes(range(256)) + b"record")


def rollout() -> Rollout:
    return Rollout("rol_1", "ret_first", 1, 2, NOW, later(5), 0.25, 0.5, 100, 2.5, 900, "usr_org_1")


def shadow_run(number: int) -> ShadowRun:
    return ShadowRun(
        f"exec_{number:04}", "ret_first", "rol_1", later(number), "a" * 40, ("doc_1", "doc_2"), ("doc_2",), 3.5, 4.25,
        0.5, 0.25, None if number % 2 else "it broke",
    )  # fmt: skip


def same_vectors(left: Mapping[str, Vector], right: Mapping[str, Vector]) -> bool:
    """The same features, kinds and bits."""
    return list(map(_flat, sorted(left.items()))) == list(map(_flat, sorted(right.items())))


def _flat(named: tuple[str, Vector]) -> tuple[object, ...]:
    name, vector = named
    indices = vector.indices.tolist() if isinstance(vector, Sparse) else None
    return name, type(vector), vector.values.shape, vector.values.tobytes(), indices


def renamed(documents: Iterator[Document] | list[Document], text: str) -> list[Document]:
    """The same documents with another text."""
    return [replace(each, fields={**each.fields, "text": text}) for each in documents]


def published(name: str = "first", seconds: float = 0, retriever_id: str = "") -> PublishedRetriever:
    limits = PublicLimits(tier=LimitTier.ELEVATED, per_minute=3, visitor_credits_per_day=0.5)
    return PublishedRetriever(
        f"pub_{name}", retriever_id or f"ret_{name}", f"public-{name}", f"pk_{name}", {"exposed_fields": ["title"]},
        later(seconds), NOW, limits, allowed_origins=("https://shop.example",),
    )  # fmt: skip


def evaluation(number: int, seconds: float = 0, status: str = "pending", retriever_id: str = "ret_first") -> Evaluation:
    return Evaluation(
        f"eval_{number:04}", retriever_id, 2, "dset_first", "first", f"task_{number:04}", later(seconds), NOW, 3,
        status=EvaluationStatus(status), means={"ndcg@10": 0.5}, requested_by=("usr_1", "key_1"),
    )  # fmt: skip


def query_run(place: int, query_id: str = "q") -> QueryRun:
    return QueryRun(f"{query_id}{place}", place, f"exec_{place:04}", ("doc_b", "doc_a"), metrics={"ndcg@10": 0.25})


def retriever_version(version: int = 1, retriever_id: str = "ret_first") -> RetrieverVersion:
    definition = Definition((StageSpec("search", "feature_search", {"final_top_k": version}),))
    return RetrieverVersion(retriever_id, version, definition, NOW, "usr_1")


def interaction(number: int, seconds: float = 0, execution_id: str = "exec_0001") -> Interaction:
    return Interaction(
        f"int_{number:04}", "doc_0001", (InteractionType.CLICK, InteractionType.LONG_VIEW), number, later(seconds),
        execution_id, "ret_first", "session", metadata={"device": "phone"},
    )  # fmt: skip


def agent_session(number: int, seconds: float = 0, state: str = "open", key_id: str = "key_1") -> AgentSession:
    began = later(seconds)
    return AgentSession(
        f"ses_{number:04}", AgentConfig("a/model", retrievers=("ret_first",)), began, began, began,
        began + timedelta(days=30), key_id, name="What is it?", user_memory={"language": "en"},
        state=SessionState(state), messages=1, places=2,
    )  # fmt: skip


def agent_message(place: int, content: str = "It is this [D1].") -> AgentMessage:
    document = Shown("D1", "doc_0001", "col_first", "ret_first", "exec_0001", 0.5)
    use = ToolUse(
        "execute_retriever", {"retriever": "first"}, "shown", MessageStatus.COMPLETE, "exec_0001", (document,)
    )
    return AgentMessage(
        f"msg_{place:04}", place, "assistant", content, NOW, "msg_0001", tool=use, citations=(document,)
    )
