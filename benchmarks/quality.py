"""Quality on the whole of SciFact: 5,183 abstracts, 300 claims, nDCG@10 against the thresholds that plain code sets.

    python -m benchmarks.quality

Embeds with the real model, about five minutes on two cores the first time; they are kept in `.cache/embeddings`.
"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from tests.quality.plain import bm25_run, dense_run, rrf_run
from tests.quality.tamis_run import open_corpus, run
from tests.quality.test_scifact import ndcg
from tests.shared_data import ROOT, json_lines, qrels

THRESHOLDS = {"lexical": 0.67, "dense": 0.64, "hybrid": 0.71}


async def measure(folder: Path) -> dict[str, dict[str, float]]:
    data = ROOT / "data" / "scifact"
    judgements = qrels(data / "qrels.tsv")
    queries = {row["id"]: row["text"] for row in json_lines(data / "queries.jsonl")}
    texts = {row["id"]: f"{row['title']}. {row['text']}" for row in json_lines(data / "corpus.jsonl")}
    async with open_corpus(folder, texts) as corpus:
        lexical = await run(corpus, queries, lexical=True)
        dense = await run(corpus, queries, dense=True)
        hybrid = await run(corpus, queries, lexical=True, dense=True)
        plain_lexical = bm25_run(corpus.lexical, texts, queries)
        plain_dense = dense_run(corpus.embedder, texts, queries)
    pairs = {
        "lexical": (lexical, plain_lexical),
        "dense": (dense, plain_dense),
        "hybrid": (hybrid, rrf_run([plain_lexical, plain_dense])),
    }
    return {
        name: {"tamis": round(ndcg(judgements, ours), 4), "plain": round(ndcg(judgements, plain), 4)}
        for name, (ours, plain) in pairs.items()
    }


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as name:
        figures = asyncio.run(measure(Path(name)))
    print(json.dumps(figures, indent=2))
    kept = all(figures[name]["tamis"] >= threshold for name, threshold in THRESHOLDS.items())
    print("thresholds kept" if kept else f"THRESHOLDS NOT KEPT: {THRESHOLDS}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
