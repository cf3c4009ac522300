"""Whether `tamis tune` helps queries that it has not seen: tuned on one half of a collection's, measured on the other.

    python -m benchmarks.tuning [scifact chorus]

A retriever that fuses by rank with equal weights is tuned through the API, then both it and what was made of it are
asked the other half. nDCG@10; vectors are kept in `.cache/embeddings`. Exit status 1 where the other half became worse.
"""

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from tests.quality.tamis_run import RRF, URI, Corpus, open_corpus, run

from benchmarks.quality import SETS, by_query
from benchmarks.quality_sets import JudgedSet, half_of


async def tuned(corpus: Corpus, judged: JudgedSet) -> Mapping[str, Any]:
    """What tuning on the first half answers."""
    search = {"feature_uri": URI, "query": "{{INPUT.query}}", "top_k": 100}
    parameters = {"searches": [search, {**search, "lexical": True}], "fusion": "rrf", "final_top_k": 100}
    stage = {"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": parameters}}
    schema = {"query": {"type": "text", "required": True}}
    saved = {"retriever_name": "tuned", "stages": [stage], "input_schema": schema, "collection_identifiers": ["corpus"]}
    queries = [
        {
            "query_id": query, "query_input": {"query": text},
            "relevant_documents": [key for key, grade in judged.grades[query].items() if grade > 0],
            "relevance_scores": dict(judged.grades[query]),
        }
        for query, text in judged.queries.items()
        if not half_of(query)
    ]  # fmt: skip
    golden = {"dataset_name": "golden", "queries": queries, "document_field": "metadata.key"}
    for path, body in (("retrievers", saved), ("retrievers/evaluations/datasets", golden)):
        (await corpus.http.post(f"/v1/{path}", json=body)).raise_for_status()
    found: Mapping[str, Any] = await corpus.post(
        "retrievers/tuned/tune", {"dataset": "golden", "max_seconds": 3600, "max_candidates": 20, "apply": True}
    )
    return found


async def measure(judged: JudgedSet, folder: Path) -> bool:
    """Prints what it found; whether the other half is at least as good."""
    async with open_corpus(folder, judged.texts) as corpus:
        found = await tuned(corpus, judged)
        unseen = {query: text for query, text in judged.queries.items() if half_of(query)}
        parameters = found["stages"][0]["parameters"]
        meaning, words = (one.get("weight", 1.0) for one in parameters["searches"])
        after = await run(corpus, unseen, True, True, (parameters["fusion"], words, meaning))
        before = await run(corpus, unseen, True, True, RRF)
    halves = JudgedSet(judged.name, {}, unseen, {query: judged.grades[query] for query in unseen})
    a, b = (fmean(by_query(halves, one).values()) for one in (before, after))
    seen = f"{found['baseline']:.4f} -> {found['best']['value']:.4f}, cross-validated {found['held_out']:.4f}"
    print(f"{judged.name}: {'; '.join(found['best']['changes']) or 'nothing'}")
    print(f"  tuned on: {seen} (p = {found['p']:.3f}); the other half: {a:.4f} -> {b:.4f}", flush=True)
    return b >= a


async def main(names: list[str]) -> int:
    kept = True
    for name in names:
        with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
            kept &= await measure(SETS[name](), Path(folder))
    print("kept" if kept else "NOT KEPT")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:] or ["scifact", "chorus"])))
