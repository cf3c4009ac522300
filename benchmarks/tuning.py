"""Whether `tamis tune` helps queries that it has not seen: each half of a collection's by what the other half made.

    python -m benchmarks.tuning [scifact chorus]

A retriever that fuses by rank with equal weights is tuned through the API on one half of the queries, and what was made
of it is asked the other; then the other way round, so that every query is measured by a retriever that was not tuned by
it. nDCG@10; vectors are kept in `.cache/embeddings`. Exit status 1 where their mean became worse.
"""

import asyncio
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from tests.quality.tamis_run import RRF, URI, Corpus, open_corpus, run

from benchmarks.quality import SETS, by_query
from benchmarks.quality_sets import JudgedSet, half_of
from tamis.evaluation.comparison import randomisation


async def tuned(corpus: Corpus, judged: JudgedSet, half: int) -> Mapping[str, Any]:
    """What tuning on this half of the queries answers."""
    search = {"feature_uri": URI, "query": "{{INPUT.query}}", "top_k": 100}
    parameters = {"searches": [search, {**search, "lexical": True}], "fusion": "rrf", "final_top_k": 100}
    stage = {"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": parameters}}
    schema = {"query": {"type": "text", "required": True}}
    name = f"tuned-{half}"
    saved = {"retriever_name": name, "stages": [stage], "input_schema": schema, "collection_identifiers": ["corpus"]}
    queries = [
        {
            "query_id": query, "query_input": {"query": text},
            "relevant_documents": [key for key, grade in judged.grades[query].items() if grade > 0],
            "relevance_scores": dict(judged.grades[query]),
        }
        for query, text in judged.queries.items()
        if half_of(query) == half
    ]  # fmt: skip
    golden = {"dataset_name": f"golden-{half}", "queries": queries, "document_field": "metadata.key"}
    for path, body in (("retrievers", saved), ("retrievers/evaluations/datasets", golden)):
        (await corpus.http.post(f"/v1/{path}", json=body)).raise_for_status()
    asked = {"dataset": f"golden-{half}", "max_seconds": 3600, "max_candidates": 20, "apply": True}
    started = await corpus.http.post(f"/v1/retrievers/{name}/tune", json=asked)
    task_id = started.raise_for_status().json()["task_id"]
    while True:
        found: Mapping[str, Any] = (await corpus.http.get(f"/v1/retrievers/{name}/tunings/{task_id}")).json()
        if found["status"] not in ("PENDING", "IN_PROGRESS"):
            return dict(found["result"])
        await asyncio.sleep(1)


async def measure(judged: JudgedSet, folder: Path) -> bool:
    """Prints what it found; whether queries are answered better by what others made."""
    before, after = dict[str, float](), dict[str, float]()
    async with open_corpus(folder, judged.texts) as corpus:
        for half in (0, 1):
            found = await tuned(corpus, judged, half)
            unseen = {query: text for query, text in judged.queries.items() if half_of(query) != half}
            others = JudgedSet(judged.name, {}, unseen, {query: judged.grades[query] for query in unseen})
            parameters = found["stages"][0]["parameters"]
            meaning, words = (one.get("weight", 1.0) for one in parameters["searches"])
            a = by_query(others, await run(corpus, unseen, True, True, RRF))
            fused = (parameters["fusion"], words, meaning) if found["better"] else RRF
            b = by_query(others, await run(corpus, unseen, True, True, fused))
            before |= a
            after |= b
            told = f"{fmean(a.values()):.4f} -> {fmean(b.values()):.4f}"
            print(f"{judged.name}, tuned on half {half}: {_told(found)}; the other half: {told}", flush=True)
    differences = np.array([after[query] - before[query] for query in before])
    p = float(randomisation(differences[:, None])[0])
    told = f"{fmean(before.values()):.4f} -> {fmean(after.values()):.4f} (p = {p:.3f})"
    print(f"{judged.name}, every query by what the other half made: {told}", flush=True)
    return fmean(after.values()) > fmean(before.values())


def _told(found: Mapping[str, Any]) -> str:
    changes = "; ".join(found["best"]["changes"]) if found["better"] else "nothing"
    return f"{changes}, {found['baseline']:.4f} -> {found['best']['value']:.4f}, held out {found['held_out']:.4f}"


async def main(names: list[str]) -> int:
    kept = True
    for name in names:
        with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
            kept &= await measure(SETS[name](), Path(folder))
    print("kept" if kept else "NOT KEPT")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:] or ["scifact", "chorus"])))
