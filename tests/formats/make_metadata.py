"""Make the sample of the metadata store's on-disk format that this version writes.

    python -m tests.formats.make_metadata

writes `metadata-<schema revision>.db.gz` and, beside it, what every later version has to read from it. Run it once for
each schema revision and commit both; a sample that is there is never made again.
"""

import asyncio
import gzip
import sqlite3
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import orjson

from tamis.engine.ports.evaluations import EvaluationQuery
from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.audit import AuditQuery
from tamis.model.batch import ItemStatus, TaskStatus
from tamis.model.page import Listing
from tamis.model.stage_means import Means
from tamis.model.trigger import Trigger
from tamis.model.usage import UsageCount, UsageSlot, UsageWindow
from tamis.model.vector import Sparse, Vector
from tamis.storage.metadata import open_sqlite
from tamis.storage.metadata.schema import REVISION
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME

HERE = Path(__file__).parent
_HOURS = (datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC))


def fill(session: Session) -> None:
    """Something of every kind."""
    session.organizations.insert(samples.organization(), samples.user())
    session.keys.insert(ME, samples.key())
    session.namespaces.insert(ME, samples.namespace())
    session.buckets.insert(ME, samples.bucket())
    session.collections.insert(ME, samples.collection())
    session.retrievers.insert(ME, samples.retriever())
    session.datasets.insert(ME, samples.dataset())
    session.objects.insert(ME, [samples.object_(1, bucket_id="bkt_first"), samples.object_(2, bucket_id="bkt_first")])
    session.objects.set_status(ME, ["obj_0002"], TaskStatus.FAILED, "no such file")
    session.uploads.insert(ME, samples.upload(1, "COMPLETED", "abc"))
    session.batches.insert(ME, samples.batch(1, TaskStatus.PROCESSING))
    session.batches.add_items(ME, [samples.item(1), samples.item(2)])
    session.tasks.insert(ME, samples.task(1))
    session.walks.insert(ME, samples.walk(1))
    session.documents.put(ME, "col_first", [samples.write(1), samples.write(2)])
    session.executions.insert(ME, samples.execution(1))
    session.executions.insert(ME, samples.execution(2, retriever_id="ret_first"))
    session.input_blobs.put(ME, "sha", b"\x00large input")
    session.secrets.put(ME, samples.secret())
    session.usage.add({UsageSlot("org_1", "key_1", "GET /v1/namespaces", 7200): UsageCount(3, 1, 900)}, {("org_1", "key_1"): samples.NOW})  # fmt: skip  # noqa: E501 - one row
    session.stage_statistics.put(ME, {"fingerprint": Means(2, 100.0, 10.0, 100.0, 1.5)}, samples.NOW)
    session.answers.insert(ME, samples.answer(1), samples.later(0))
    session.remains.note(ME, [samples.remain(1)])
    session.installation.secret(b"s" * 32)
    session.ended_sessions.add(ME, "ended", samples.later(10), samples.later(0))
    session.published.insert(ME, samples.published())
    session.interactions.insert(ME, [samples.interaction(1)])
    session.evaluations.insert(ME, samples.evaluation(1))
    session.evaluations.put_runs(ME, "eval_0001", [samples.query_run(0), samples.query_run(1)])
    session.retriever_versions.put(ME, samples.retriever_version())
    session.rollouts.put(ME, samples.rollout())
    session.rollouts.keep(ME, samples.shadow_run(2))
    _automate(session)


def _automate(session: Session) -> None:
    """What tells of the data, copies it and works on it by itself."""
    session.webhooks.insert(ME, samples.webhook())
    session.collections.insert(ME, samples.collection("told"))
    session.templates.insert(ME, samples.template())
    session.clusters.insert(ME, samples.cluster())
    session.cluster_runs.insert(ME, samples.cluster_run(1))
    session.cluster_runs.put_found(ME, "run_0001", [samples.found_cluster(0)])
    session.cluster_runs.put_members(ME, "run_0001", [samples.member(1)])
    session.namespace_migrations.insert(ME, samples.namespace_migration())
    session.snapshots.insert(ME, samples.snapshot())
    session.storage_connections.insert(ME, samples.storage_connection())
    session.bucket_syncs.insert(ME, samples.bucket_sync())
    session.bucket_syncs.put_files(ME, "sync_first", [samples.synced_file(1)])
    session.triggers.insert(ME, samples.trigger())
    session.alerts.insert(ME, samples.alert())
    session.alert_executions.put(ME, samples.alert(), [samples.alert_execution(1)])
    session.firings.insert(ME, samples.firing(1))
    session.due_runs.put(ME, samples.due_run())
    session.taxonomies.insert(ME, samples.taxonomy())
    session.taxonomy_versions.put(ME, "tax_goods", samples.taxonomy().snapshot)
    session.assignments.put(ME, "tax_goods", "col_first", ["doc_0001"], [samples.assignment(1, "shoe")], samples.NOW)
    session.assignments.note(ME, "tax_goods", samples.NOW, 1, 0, 9)
    session.agent_sessions.insert(ME, samples.agent_session(1))
    session.agent_sessions.say(ME, "ses_0001", samples.agent_message(0))


def read(session: Session) -> dict[str, Any]:
    """All of `fill`, as plain values."""
    vectors = session.documents.vectors(ME, ["doc_0001", "doc_0002"])
    return {
        "organization": session.organizations.get(ME),
        "users": session.organizations.users(ME),
        "key": found.key if (found := session.keys.find_hash(samples.key().key_hash)) else None,
        "namespaces": session.namespaces.list(ME),
        "buckets": session.buckets.list(ME),
        "collections": session.collections.list(ME),
        "retrievers": session.retrievers.list(ME),
        "datasets": session.datasets.list(ME),
        "objects": session.objects.page(ME, "bkt_first", Listing()).items,
        "upload": session.uploads.find_hash(ME, "bkt_1", "abc"),
        "unfinished": [batch for _, batch in session.batches.unfinished()],
        "items": session.batches.items(ME, "btch_1", ItemStatus.WAITING, None, None, 10, 0).items,
        "tasks": session.tasks.list(ME),
        "walks": session.walks.list(ME, "col_first"),
        "documents": session.documents.page(ME, "col_first", Listing()).items,
        "vectors": {key: {name: _plain(each) for name, each in value.items()} for key, value in vectors.items()},
        "queue": [[work.document_id, work.delete] for work in session.index_queue.pending(10)],
        "executions": session.executions.page(ME, ExecutionQuery()).items,
        "saved_executions": session.executions.page(ME, ExecutionQuery(retriever_id="ret_first")).items,
        "record": session.executions.get(ME, "exec_0001"),
        "input": session.input_blobs.get(ME, "sha"),
        "secrets": session.secrets.list(ME),
        "usage": session.usage.rows(ME, UsageWindow(date(1970, 1, 1), date(1970, 1, 2))),
        "last_used": session.usage.last_used(ME),
        "spent": session.credits.spent(ME),
        "audit": [event.action for event in session.audit.page(ME, AuditQuery(resource_type="secret")).items],
        "means": {key: one._asdict() for key, one in session.stage_statistics.find(ME, ["fingerprint"]).items()},
        "figures": [
            [one.figures, sorted(one.steps.items())]
            for one in session.analytics.executions(ME, "ret_first", *_HOURS).values()
        ],
        "slowest": session.analytics.slowest(ME, "ret_first", *_HOURS, limit=10),
        "remains": [remain for _, remain in session.remains.pending(10)],
        "answer": session.answers.get(ME, samples.answer(1).token),
        "published": session.published.list(ME),
        "interactions": session.interactions.newest(ME, 10),
        "evaluations": session.evaluations.page(ME, EvaluationQuery("ret_first")).items,
        "query_runs": session.evaluations.runs(ME, "eval_0001"),
        "rollout": session.rollouts.get(ME, "ret_first"),
        "shadow_runs": session.rollouts.runs(ME, "rol_1"),
        "webhooks": session.webhooks.list(ME),
        "templates": session.templates.list(ME),
        "told": [one.event.data for one in session.deliveries.page(ME, "wh_first00000", None, 10, 0).items],
        "retriever_versions": session.retriever_versions.list(ME, "ret_first"),
        **_found_in_collections(session),
    }


def _found_in_collections(session: Session) -> dict[str, Any]:
    return {
        "taxonomies": session.taxonomies.list(ME),
        "taxonomy_versions": session.taxonomy_versions.list(ME, "tax_goods"),
        "assignments": session.assignments.best_of(ME, "tax_goods", "col_first", "", 10),
        "enrichments": session.assignments.by_hour(ME, "tax_goods", *_HOURS),
        "namespace_migrations": session.namespace_migrations.list(ME),
        "snapshots": session.snapshots.list(ME),
        "clusters": session.clusters.list(ME),
        "cluster_runs": session.cluster_runs.list(ME, "clust_first"),
        "found_clusters": session.cluster_runs.found(ME, "run_0001"),
        "cluster_members": session.cluster_runs.members_of(ME, "run_0001", ["doc_0001"]),
        "agent_sessions": session.agent_sessions.list(ME),
        "agent_messages": session.agent_sessions.last_said(ME, "ses_0001", 10),
        "storage_connections": session.storage_connections.list(ME),
        "bucket_syncs": session.bucket_syncs.list(ME, "bkt_first"),
        "synced_files": session.bucket_syncs.following(ME, "sync_first", "", 10),
        "cluster_triggers": [_of_cluster(one) for one in session.triggers.list(ME)],
        "triggers": session.triggers.list(ME),
        "alerts": session.alerts.list(ME),
        "alert_executions": session.alert_executions.page(ME, None, 9, 0).items,
        "firings": session.firings.page(ME, "trig_first", 10, 0).items,
        "due_runs": [run for _, run in session.due_runs.due(samples.later(1), 10)],
    }


async def dump(metadata: Metadata) -> Any:
    """What a store holds, as JSON values."""
    return msgspec.to_builtins(await metadata.read(read))


def _of_cluster(trigger: Trigger) -> dict[str, Any]:
    """As what was before revision 25 had it."""
    found: dict[str, Any] = msgspec.to_builtins(trigger)
    return {**found, "cluster_id": trigger.resource_id, "last_run_id": None, "config": {}}


def _plain(vector: Vector) -> dict[str, Any]:
    indices = vector.indices.tolist() if isinstance(vector, Sparse) else None
    return {"kind": type(vector).__name__, "indices": indices, "values": vector.values.tolist()}


async def make() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metadata.db"
        metadata = await open_sqlite(path)
        await metadata.write(fill)
        expected = await dump(metadata)
        await metadata.close()
        connection = sqlite3.connect(path)
        connection.execute("VACUUM")
        connection.close()
        (HERE / f"metadata-{REVISION}.db.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    text = orjson.dumps(expected, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    (HERE / f"metadata-{REVISION}.json").write_bytes(text)


if __name__ == "__main__":
    asyncio.run(make())
