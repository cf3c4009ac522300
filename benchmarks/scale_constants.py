"""What one document and one execution cost, as measured on this project's machine, each with where it is from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Constant:
    """is_measured: else it is an assumption, to be replaced by whoever plans with it."""

    value: float
    meaning: str
    source: str
    is_measured: bool = True


def _assumed(value: float, meaning: str, reason: str) -> Constant:
    return Constant(value, meaning, reason, is_measured=False)


_DATABASE = "`benchmarks.scale_measures`, PostgreSQL 15, load 12 on two cores: CPU at most"
_MODEL = "MiniLM int8 on one core, load 11 on two: at most"
_INDEX = "`benchmarks.quantization`, 100,000 x 384"

CONSTANTS = {
    "server_ms": Constant(2.0, "CPU of a server for an execution", "decision 0048: by vector, over HTTP"),
    "query_embedding_ms": Constant(8.0, "CPU for a new question", f"200 of SciFact, {_MODEL}"),
    "redis_ms": Constant(0.2, "CPU of a server for a call of Redis", "this page: 0.15 to 0.25"),
    "search_us": Constant(230, "CPU of the index for a search", f"{_INDEX}, int8"),
    "search_measured_at": Constant(100_000, "documents of the shard searched", f"{_INDEX}, int8"),
    "search_p99_to_p50": Constant(2.7, "how wide a search's times are", "results/peers-scifact-20000, one client"),
    "code_bytes": Constant(390, "memory of a vector's codes", f"{_INDEX}, int8"),
    "vector_bytes": Constant(1_540, "disk of a vector in the index", f"{_INDEX}, none"),
    "link_bytes": Constant(192, "memory of a point's links", "decision 0047: 24, twice on the lowest level, 4 bytes"),
    "record_us": Constant(690, "CPU of the database for a record", _DATABASE),
    "record_bytes": Constant(2_316, "a record with its indexes", _DATABASE),
    "record_wal_bytes": Constant(4_231, "the database's log for a record", _DATABASE),
    "record_parquet_bytes": Constant(354, "a record in Parquet with zstd", _DATABASE),
    "document_us": Constant(440, "CPU of the database to write a document", _DATABASE),
    "document_bytes": Constant(3_612, "a document with a vector, in the database", _DATABASE),
    "extraction_ms": Constant(76, "CPU to embed 1,490 characters", f"128 abstracts of SciFact, {_MODEL}"),
    "answer_bytes": _assumed(6_000, "an answer of ten documents", "500 characters and scores each"),
    "busy": _assumed(0.5, "share of a core that is planned for", "the rest is for peaks and for what dies"),
    "replicas": _assumed(2, "copies of a shard", "one may die"),
    "shard_documents": _assumed(2e7, "documents of a shard", "12 GB in memory"),
    "node_memory_gb": _assumed(64, "memory of a node of the index", "a common size"),
    "node_memory_share": _assumed(0.75, "of it for vectors and links", "the rest is for payload and files"),
    "flush_ms": _assumed(1.0, "until a commit is on disk", "a disk of a data centre"),
    "database_cores": _assumed(32, "cores of the largest database", "a common size"),
    "hot_days": _assumed(7, "days of records in the database", "what is asked for is recent"),
    "redis_calls": _assumed(2, "calls of Redis for an execution", "one rate, one cache"),
    "new_questions": _assumed(0.5, "share of questions that are embedded", "the others are in the cache"),
    "ingestion_days": _assumed(30, "days to bring all documents", "a first load"),
}
