"""A store of many execution records: made through the real recorder, codec, tables and counters, in bulk.

What is bulk-loaded: rows go in by `executemany` of the store's own INSERT, ten thousand to a transaction, and are
counted ten thousand at a time as those that leave the recorder's inbox are; the index of inputs is built once at the
end. The bytes are those that the recorder leaves of an execution of two stages and ten hits: made for `DISTINCT`
different ones, then repeated in turn, each time under an id, a start, a duration and a header of its own. Of twenty,
fourteen are anonymous, five of a saved retriever and one of a visitor to a published one.
"""

import random
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, cast

from benchmarks.first import QUESTIONS
from tamis.engine.events import ExecutionFinished, ExecutionStarted, StageFailed, StageFinished
from tamis.engine.planning.definition import parse_stages
from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.run import RunRequest
from tamis.engine.running.executor import seed_of
from tamis.engine.stages import STAGES
from tamis.errors import StageTimeoutError
from tamis.executions.recorder import Recorder
from tamis.model.canonical import sha1_of
from tamis.model.collection import Collection, ExtractorConfig, Source
from tamis.model.document import Document
from tamis.model.execution import ANONYMOUS, PUBLIC, SAVED, ExecutionStatus, StoredExecution
from tamis.model.hits import Hit, Hits
from tamis.model.namespace import Namespace
from tamis.model.organization import ApiKey, Organization, User
from tamis.model.principal import Permission, Principal
from tamis.model.retriever import Definition
from tamis.model.secret import hash_key
from tamis.model.vector import FeatureSpec, VectorKind
from tamis.storage.metadata import open_sqlite
from tamis.storage.metadata.execution_counts import ExecutionCounts
from tamis.storage.metadata.execution_rows import INSERT, row_of
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.session import SqlSession

Row: TypeAlias = dict[str, Any]

ME = Principal("org_bench", "ns_bench")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "sk_benchmark_0123456789abcdef0123456789"
BATCH = 10_000
DISTINCT = 20_000
A_SECOND = 1.0
"""How many executions begin in a second of the store's time: ten million are 116 days."""

_SAVED = [f"ret_{number:028x}" for number in range(1, 6)]
_INDEX = "CREATE INDEX IF NOT EXISTS executions_by_inputs ON executions (inputs_key)"
_URI = "mixpeek://text_extractor@v1/embedding"
_FEATURES = (FeatureSpec("embedding", VectorKind.DENSE, 384), FeatureSpec("lexical", VectorKind.SPARSE, idf=True))
_WORDS = (*QUESTIONS[0].split(), *QUESTIONS[1].split(), *QUESTIONS[2].split(), *QUESTIONS[3].split())
_STATUSES = [ExecutionStatus.COMPLETED] * 94 + [ExecutionStatus.DEGRADED] * 3 + [ExecutionStatus.FAILED] * 3


class Maker:
    """Records by number."""

    def __init__(self, distinct: int = DISTINCT) -> None:
        self._distinct = distinct
        self._made: list[StoredExecution] = []
        config = ExtractorConfig("text_extractor", "v1")
        source = Source("bucket", ("bkt_" + "0" * 28,))
        self.collections = (
            Collection("col_" + "1" * 28, "bench", source, config, _FEATURES, {}, {}, EPOCH, EPOCH, revision=7),
        )
        self.documents = [
            Document(f"doc_{random.Random(n).getrandbits(128):032x}", "col_1", {}, EPOCH, EPOCH, revision=n + 1)
            for n in range(5_000)
        ]
        search = {"searches": [{"feature_uri": _URI, "query": "{{INPUT.query}}", "top_k": 100}]}
        stages = parse_stages([_stage("feature_search", search), _stage("limit", {"limit": 10})])
        definition = Definition(stages, {"query": {"type": "text", "required": True}})
        self.plan: Plan = Planner(STAGES).plan(definition, self.collections, {"query": "x"})

    def stored(self, number: int) -> StoredExecution:
        """The same number always gives the same."""
        if not self._made:
            self._made = [self.execution(each) for each in range(self._distinct)]
        made, (mode, retriever_id) = self._made[number % self._distinct], whose(number)
        header = replace(
            made.header,
            execution_id=execution_id(number),
            started_at=started_at(number),
            # Otherwise what recurs with `DISTINCT` would recur in every few hours alike.
            duration_ms=round(made.header.duration_ms * random.Random(number).lognormvariate(0, 0.4), 3),
            mode=mode,
            retriever_id=retriever_id,
        )
        return replace(made, header=header)

    def execution(self, number: int) -> StoredExecution:
        chance = random.Random(number)
        at = started_at(number)
        inputs = {"query": " ".join(chance.choices(_WORDS, k=chance.randint(3, 9)))}
        request = RunRequest(ME, f"exec_{number:028x}", dict(inputs), self.collections)
        recorder = Recorder(self.plan, request, models={"all-MiniLM-L6-v2": "8199be6f699a"})
        inputs_hash = sha1_of(inputs)
        seed = seed_of(inputs_hash, self.plan.hash)
        recorder(ExecutionStarted(request.execution_id, at, inputs, inputs_hash, self.plan.hash, seed, 2))
        found = self._hits(chance)
        took_ms = chance.uniform(4, 12)
        recorder(
            StageFinished(0, "feature_search", "feature_search", _filled(inputs), Hits(), found, 200, took_ms, 1.0,
                          metadata={"searches": 1})
        )  # fmt: skip
        status = chance.choice(_STATUSES)
        if status is ExecutionStatus.FAILED:
            recorder(
                StageFailed(1, "limit", "limit", None, found, took_ms, StageTimeoutError("the stage took too long"))
            )
        else:
            recorder(StageFinished(1, "limit", "limit", None, found, found, 10, 0.05, 0.0))
        completed = 1 if status is ExecutionStatus.FAILED else 2
        recorder(ExecutionFinished(status, took_ms, 1.0, 210, completed, None))
        return recorder.finish(10, took_ms + 1).execution

    def _hits(self, chance: random.Random) -> Hits:
        scores = sorted((chance.random() for _ in range(10)), reverse=True)
        return Hits.of(
            Hit(document.document_id, score, document, {_URI: score, "feature_search": score})
            for document, score in zip(chance.sample(self.documents, 10), scores, strict=True)
        )


def whose(number: int) -> tuple[str, str | None]:
    """(mode, retriever_id) of the record of this number."""
    place = number % 20
    if place < len(_SAVED):
        return SAVED, _SAVED[place]
    return (PUBLIC, _SAVED[0]) if place == len(_SAVED) else (ANONYMOUS, None)


def execution_id(number: int) -> str:
    return f"exec_{int(started_at(number).timestamp() * 1000):012x}{number:016x}"


def started_at(number: int) -> datetime:
    return EPOCH + timedelta(seconds=number / A_SECOND, microseconds=number % 1000)


def _stage(stage_id: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"stage_name": stage_id, "config": {"stage_id": stage_id, "parameters": parameters}}


def _filled(inputs: dict[str, str]) -> dict[str, Any]:
    return {"searches": [{"feature_uri": _URI, "query": inputs["query"], "top_k": 100}], "final_top_k": 25}


async def fill(path: Path, count: int, deadline: float = float("inf")) -> tuple[Metadata, int]:
    """Add what is missing to `count` records, or what is there at `deadline` (monotonic); how many there are then.

    A store that was left half filled goes on where it stopped.
    """
    metadata = await open_sqlite(path)
    await metadata.write(own)
    there = await metadata.read(lambda session: sum(ExecutionCounts(_link(session)).owners(ME).values()))
    if there >= count:
        return metadata, there
    maker, began, first = Maker(min(DISTINCT, count)), time.monotonic(), there
    await metadata.write(lambda session: _link(session).driver.execute("DROP INDEX IF EXISTS executions_by_inputs"))
    while there < count and time.monotonic() < deadline:
        made = [maker.stored(number) for number in range(there, min(count, there + BATCH))]
        await metadata.write(partial(_insert, made))
        there += len(made)
        if there % 100_000 == 0:
            rate = round((there - first) / (time.monotonic() - began))
            print(f"{there} of {count} records, {rate} a second", file=sys.stderr, flush=True)
    await metadata.write(lambda session: _link(session).driver.execute(_INDEX))
    return metadata, there


def own(session: Session) -> None:
    """Who may ask for the records."""
    if session.organizations.first() is None:
        organization = Organization(ME.organization_id, "bench", EPOCH, EPOCH)
        session.organizations.insert(organization, User("usr_1", ME.organization_id, "bench@example.com", EPOCH))
        key = ApiKey(
            "key_1", ME.organization_id, "usr_1", "bench", hash_key(KEY), "sk_0", (Permission.ADMIN,), EPOCH
        )  # fmt: skip
        session.keys.insert(ME, key)
        session.namespaces.insert(ME, Namespace(ME.namespace_id, "bench", EPOCH, EPOCH))


def _insert(made: list[StoredExecution], session: Session) -> None:
    _link(session).run_many(INSERT, [row_of(ME, one) for one in made])
    cast(SqlSession, session).inbox.tally([(ME, one.header, one.record) for one in made])


def _link(session: Session) -> Link:
    return cast(SqlSession, session).link


def size_bytes(path: Path) -> int:
    """Of the database with its log."""
    return sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*"))
