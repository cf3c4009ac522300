"""A corpus in a real Tamis, in this process, asked over its own HTTP API."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

from tamis.app import build_app
from tamis.engine.ports.inference import Embedder, LexicalEncoder
from tamis.model.hybrid import BY_MEANING, BY_WORDS, HYBRID_FUSION
from tamis.settings import Settings
from tamis.wiring.backends import local_models
from tamis.wiring.system import open_system
from tests.embedding_cache import CachedModels

KEY = "sk_quality_0123456789abcdef0123456789"
URI = "mixpeek://text_extractor@v1/embedding"


@dataclass(frozen=True, slots=True)
class Corpus:
    """http: to the API.  texts: by the corpus's own id."""

    http: httpx.AsyncClient
    texts: Mapping[str, str]
    collection_id: str
    embedder: Embedder
    lexical: LexicalEncoder

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = await self.http.post(f"/v1/{path}", json=dict(body))
        assert answer.status_code == 200, answer.text
        return orjson.loads(answer.content)


@contextlib.asynccontextmanager
async def open_corpus(
    folder: Path, texts: Mapping[str, str], fields: Mapping[str, Mapping[str, Any]] | None = None
) -> AsyncIterator[Corpus]:
    """Load texts by id, with further fields by id, through a bucket, a batch and `text_extractor@v1`."""
    settings = Settings(data_dir=folder / "data", root_key=KEY)
    models = CachedModels(local_models(settings))
    system = await open_system(settings, models)
    headers = {"Authorization": f"Bearer {KEY}"}
    transport = httpx.ASGITransport(app=build_app(system))
    try:
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers, timeout=600
        ) as http:
            corpus = Corpus(http, texts, "corpus", models.embedder(), models.lexical())
            await _load(corpus, fields or {})
            await system.worker.drain()
            yield corpus
    finally:
        await system.close()
        models.close()


async def _load(corpus: Corpus, fields: Mapping[str, Mapping[str, Any]]) -> None:
    names = sorted({name for row in fields.values() for name in row})
    properties = {"text": {"type": "text"}, "key": {"type": "string"}, **{name: {"type": "json"} for name in names}}
    bucket = await corpus.post("buckets", {"bucket_name": "corpus", "bucket_schema": {"properties": properties}})
    extractor = {
        "feature_extractor_name": "text_extractor",
        "version": "v1",
        "input_mappings": {"text": "text"},
        "field_passthrough": [{"source_path": name} for name in ("key", *names)],
    }
    source = {"type": "bucket", "bucket_ids": [bucket["bucket_id"]]}
    await corpus.post("collections", {"collection_name": "corpus", "source": source, "feature_extractor": extractor})
    rows = [
        {"blobs": [{"property": "text", "type": "text", "data": text}], "key": key, **fields.get(key, {})}
        for key, text in corpus.texts.items()
    ]
    ids: list[str] = []
    for start in range(0, len(rows), 100):
        made = await corpus.post(f"buckets/{bucket['bucket_id']}/objects/batch", {"objects": rows[start : start + 100]})
        ids += [item["object_id"] for item in made]
    batch = await corpus.post(f"buckets/{bucket['bucket_id']}/batches", {"object_ids": ids})
    await corpus.post(f"buckets/{bucket['bucket_id']}/batches/{batch['batch_id']}/submit", {})


RRF = ("rrf", 1.0, 1.0)
HYBRID = (HYBRID_FUSION, BY_WORDS, BY_MEANING)


async def run(
    corpus: Corpus, queries: Mapping[str, str], lexical: bool = False, dense: bool = False,
    fused: tuple[str, float, float] = RRF,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """query id -> corpus id -> score, to depth 100, by one search or by two.

    fused: the fusion, and what words and meaning weigh in it.
    """
    fusion, by_words, by_meaning = fused
    searches = [
        {
            "feature_uri": URI, "query": "{{INPUT.query}}", "top_k": 100, "lexical": kind == "lexical",
            "weight": by_words if kind == "lexical" else by_meaning,
        }
        for kind, wanted in (("lexical", lexical), ("dense", dense))
        if wanted
    ]  # fmt: skip
    parameters = {"searches": searches, "final_top_k": 100, "fusion": fusion}
    stage = {"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": parameters}}
    ranking: dict[str, dict[str, float]] = {}
    for query_id, text in queries.items():
        body = {
            "collection_identifiers": [corpus.collection_id],
            "input_schema": {"query": {"type": "text", "required": True}},
            "inputs": {"query": text},
            "stages": [stage],
            "pagination": {"method": "offset", "page_size": 100},
        }
        answer = await corpus.post("retrievers/execute", body)
        ranking[query_id] = {document["key"]: document["score"] for document in answer["documents"]}
    return ranking
