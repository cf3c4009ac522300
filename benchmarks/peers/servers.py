"""The servers, each tuned by its own guide."""

import base64
import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import httpx
from tests.live import LiveServer

from benchmarks.peers.corpus import CHEAP, TOP, Corpus
from benchmarks.peers.environment import PYTHON
from benchmarks.peers.peer import APPS, DENSE, FILTERED, HYBRID, Served
from tamis.engine.ports.inference import Models

_DEPTH = 50
"""Of each leg of a hybrid search."""
_GRAPH_FROM = 20_000
"""Documents: Tamis builds a graph from there on."""

_URI = "mixpeek://text_extractor@v1/embedding"


class Fixed(Served):
    """FastAPI that answers a fixed body: how fast the clients can ask at all."""

    name: ClassVar[str] = "FastAPI, fixed body"
    kinds: ClassVar[Sequence[str]] = (DENSE,)

    def start(self, folder: Path) -> None:
        self.serve_app(PYTHON, "fixed_app", folder)

    def fill(self, corpus: Corpus) -> None:
        """Nothing to fill."""

    def request(self, kind: str, corpus: Corpus, query: int) -> tuple[str, str, Any]:
        return "POST", "/search", {"vector": corpus.queries[query].tolist()}

    def found(self, answer: Any) -> list[int]:
        return []


class Chroma(Served):
    """`chroma run`, its HNSW widened until recall is kept."""

    name: ClassVar[str] = "Chroma"
    kinds: ClassVar[Sequence[str]] = (DENSE, FILTERED)
    _ROOT = "/api/v2/tenants/default_tenant/databases/default_database/collections"

    def start(self, folder: Path) -> None:
        command: list[str | Path] = [
            PYTHON.parent / "chroma",
            "run",
            "--path",
            folder / "data",
            "--port",
            str(self.port),
        ]
        self.serve(command, folder, "/api/v2/heartbeat", ANONYMIZED_TELEMETRY="False")

    def fill(self, corpus: Corpus) -> None:
        hnsw = {"space": "cosine", "ef_search": 100, "ef_construction": 100, "max_neighbors": 16}
        with httpx.Client(base_url=self.url, timeout=600) as http:
            made = http.post(self._ROOT, json={"name": "bench", "configuration": {"hnsw": hnsw}})
            made.raise_for_status()
            self._id = made.json()["id"]
            for numbers in _parts(len(corpus), 1000):
                rows = [corpus.fields(number) for number in numbers]
                body = {
                    "ids": [str(number) for number in numbers],
                    "embeddings": corpus.vectors[numbers].tolist(),
                    "documents": [row.pop("text") for row in rows],
                    "metadatas": rows,
                }
                http.post(f"{self._ROOT}/{self._id}/add", json=body).raise_for_status()

    def request(self, kind: str, corpus: Corpus, query: int) -> tuple[str, str, Any]:
        body: dict[str, Any] = {
            "query_embeddings": [corpus.queries[query].tolist()],
            "n_results": TOP,
            "include": ["documents", "metadatas", "distances"],
        }
        if kind == FILTERED:
            body["where"] = {"shelf": corpus.shelf(query)}
        return "POST", f"{self._ROOT}/{self._id}/query", body

    def found(self, answer: Any) -> list[int]:
        return [int(one) for one in answer["ids"][0]]


class _App(Served):
    """A minimal FastAPI of ours over a peer's library, asked alike."""

    kinds: ClassVar[Sequence[str]] = (DENSE, FILTERED, HYBRID)
    module: ClassVar[str]

    def __init__(self, model_files: tuple[Path, Path]) -> None:
        super().__init__()
        self._model_files = model_files

    def start(self, folder: Path) -> None:
        model, tokenizer = self._model_files
        self.serve_app(
            PYTHON, self.module, folder, PEER_MODEL=str(model), PEER_TOKENIZER=str(tokenizer), PEER_FOLDER=str(folder)
        )

    def fill(self, corpus: Corpus) -> None:
        with httpx.Client(base_url=self.url, timeout=1800) as http:
            for rows in _rows(corpus):
                http.post("/fill", json=rows).raise_for_status()
            http.post("/filled", json={}).raise_for_status()

    def request(self, kind: str, corpus: Corpus, query: int) -> tuple[str, str, Any]:
        if kind == HYBRID:
            return "POST", "/hybrid", {"text": corpus.questions[query], "price": CHEAP, "depth": _DEPTH, "limit": TOP}
        body: dict[str, Any] = {"vector": corpus.queries[query].tolist(), "limit": TOP}
        if kind == FILTERED:
            body["shelf"] = corpus.shelf(query)
        return "POST", "/search", body

    def found(self, answer: Any) -> list[int]:
        return [int(row["number"]) for row in answer]


class Pgvector(_App):
    name: ClassVar[str] = "pgvector, FastAPI"
    module: ClassVar[str] = "pgvector_app"


class Lance(_App):
    name: ClassVar[str] = "LanceDB, FastAPI"
    module: ClassVar[str] = "lance_app"


class Haystack(_App):
    """Its in-memory store: three pipelines that Hayhooks serves."""

    name: ClassVar[str] = "Haystack, Hayhooks"
    module: ClassVar[str] = "haystack"

    def start(self, folder: Path) -> None:
        model, tokenizer = self._model_files
        command: list[str | Path] = [PYTHON.parent / "hayhooks", "run", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--pipelines-dir", APPS / self.module, "--additional-python-path", APPS]
        environment = {
            "PEER_MODEL": str(model),
            "PEER_TOKENIZER": str(tokenizer),
            "HAYSTACK_TELEMETRY_ENABLED": "False",
        }
        self.serve(command, folder, "/status", **environment)

    def fill(self, corpus: Corpus) -> None:
        with httpx.Client(base_url=self.url, timeout=1800) as http:
            for rows in _rows(corpus):
                http.post("/fill/run", json={"rows": rows}).raise_for_status()

    def request(self, kind: str, corpus: Corpus, query: int) -> tuple[str, str, Any]:
        method, path, body = super().request(kind, corpus, query)
        return method, f"{path}/run", body

    def found(self, answer: Any) -> list[int]:
        return super().found(answer["result"])


class Tamis:
    """`tamis serve` as it is: each request is authenticated, planned, run and durably recorded."""

    name: ClassVar[str] = "Tamis"
    kinds: ClassVar[Sequence[str]] = (DENSE, FILTERED, HYBRID)

    def __init__(self, models: Models) -> None:
        self._models = models
        self._server: LiveServer | None = None
        self.port = 0
        self.headers: Mapping[str, str] = {}

    def start(self, folder: Path) -> None:
        self._server = LiveServer(folder / "data")
        self._server.start()
        self.port = int(self._server.url.rpartition(":")[2])
        self.headers = {"Authorization": f"Bearer {self._server.key}", "X-Namespace": "default"}

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()

    def fill(self, corpus: Corpus) -> None:
        assert self._server is not None
        with httpx.Client(base_url=f"{self._server.url}/v1", headers=self.headers, timeout=1800) as http:
            properties = {"text": {"type": "text"}}
            http.post("/buckets", json={"bucket_name": "bench", "bucket_schema": {"properties": properties}})
            extractor = {
                "feature_extractor_name": "text_extractor",
                "version": "v1",
                "input_mappings": {"text": "text"},
            }
            source = {"type": "bucket", "bucket_ids": ["bench"]}
            body = {"collection_name": "bench", "source": source, "feature_extractor": extractor}
            http.post("/collections", json=body).raise_for_status()
            answer = http.post("/collections/bench/documents/import", content=_joined(self._lines(corpus)))
            answer.raise_for_status()
            assert answer.json()["created"] == len(corpus), answer.text
        self._wait_for_the_graph(len(corpus))

    def _wait_for_the_graph(self, documents: int) -> None:
        """It is built while the server goes on; the others have built theirs when they say that they are filled."""
        assert self._server is not None
        shards = list((self._server.data_dir / "index").glob("*/*/*"))
        while documents >= _GRAPH_FROM and not all(_is_built(shard) for shard in shards):
            time.sleep(0.2)

    def _lines(self, corpus: Corpus) -> Iterator[bytes]:
        lexical = self._models.lexical()
        for number in range(len(corpus)):
            terms = lexical.encode_document(corpus.texts[number], "en")
            vectors = {
                "embedding": base64.b64encode(corpus.vectors[number].astype("<f4").tobytes()).decode(),
                "lexical": {"indices": terms.indices.tolist(), "values": terms.values.tolist()},
            }
            line = {"document_id": f"doc_{number:032x}", "metadata": corpus.fields(number), "vectors": vectors}
            yield json.dumps(line).encode() + b"\n"

    def request(self, kind: str, corpus: Corpus, query: int) -> tuple[str, str, Any]:
        search: dict[str, Any] = {"feature_uri": _URI, "top_k": TOP}
        parameters: dict[str, Any] = {"final_top_k": TOP}
        stages = []
        if kind == HYBRID:
            text = {"input_mode": "text", "value": corpus.questions[query]}
            search = {"feature_uri": _URI, "query": text, "top_k": _DEPTH}
            parameters = {"searches": [search, {**search, "lexical": True}], "final_top_k": _DEPTH, "fusion": "rrf"}
            parameters["filters"] = {"AND": [{"field": "price", "operator": "lt", "value": CHEAP}]}
            order = {"stage_id": "sort_attribute", "parameters": {"sort_field": "price", "order": "asc"}}
            stages = [{"stage_name": "order", "config": order}]
        else:
            search["query"] = {"input_mode": "vector", "value": corpus.queries[query].tolist()}
            parameters["searches"] = [search]
        if kind == FILTERED:
            parameters["filters"] = {"AND": [{"field": "shelf", "operator": "eq", "value": corpus.shelf(query)}]}
        find = {"stage_name": "find", "config": {"stage_id": "feature_search", "parameters": parameters}}
        body = {
            "collection_identifiers": ["bench"],
            "stages": [find, *stages],
            "inputs": {},
            "pagination": {"method": "offset", "page_size": TOP},
        }
        return "POST", "/v1/retrievers/execute", body

    def found(self, answer: Any) -> list[int]:
        return [int(hit["document_id"].removeprefix("doc_"), 16) for hit in answer["documents"]]


def _is_built(shard: Path) -> bool:
    """Its generation is a build's, and none is under way."""
    current = shard / (shard / "CURRENT").read_text().strip()
    return (current / "built.json").exists() and not list(shard.glob("build-*"))


def _parts(size: int, step: int) -> Iterator[list[int]]:
    for begin in range(0, size, step):
        yield list(range(begin, min(begin + step, size)))


def _rows(corpus: Corpus) -> Iterator[list[dict[str, Any]]]:
    for numbers in _parts(len(corpus), 1000):
        yield [
            {**corpus.fields(number), "number": number, "vector": corpus.vectors[number].tolist()} for number in numbers
        ]


def _joined(lines: Iterator[bytes]) -> Iterator[bytes]:
    while part := list(itertools.islice(lines, 200)):
        yield b"".join(part)
