"""How well searches rank out of the box: nDCG@10 by words, by meaning, and by both, on five collections.

    python -m benchmarks.quality [scifact chorus stdlib numbers stamps]

Through a real Tamis, its API and its own index, embedding with the real model: the first time some twenty minutes on
two cores, for the 19,406 products of Chorus; vectors are kept in `.cache/embeddings`. Weights were chosen on the first
half of the queries of SciFact and Chorus (by a hash of their ids); `held out` is the other half. Exit status 1 where a
threshold is not kept. What else was tried, and what came of it, is in `docs/quality.md`.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import fmean

import ir_measures
from ir_measures import nDCG
from tests.quality.tamis_run import HYBRID, open_corpus, run

from benchmarks.quality_sets import JudgedSet, chorus, half_of, numbers, scifact, stamps, stdlib

SETS: Mapping[str, Callable[[], JudgedSet]] = {
    "scifact": scifact, "chorus": chorus, "stdlib": stdlib, "numbers": lambda: numbers(chorus()), "stamps": stamps,
}  # fmt: skip
THRESHOLDS = {"scifact": {"by words": 0.67, "by meaning": 0.64, "rrf": 0.71, "hybrid": 0.73}}
BEATS_ITS_LEGS = ("scifact", "chorus", "stdlib")


def by_query(judged: JudgedSet, found: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """nDCG@10."""
    values = ir_measures.iter_calc([nDCG @ 10], judged.grades, found)
    return {**dict.fromkeys(judged.grades, 0.0), **{str(one.query_id): float(one.value) for one in values}}


async def measure(judged: JudgedSet, folder: Path) -> dict[str, dict[str, float]]:
    """By way of searching and query."""
    async with open_corpus(folder, judged.texts) as corpus:
        ways = {
            "by words": await run(corpus, judged.queries, lexical=True),
            "by meaning": await run(corpus, judged.queries, dense=True),
            "rrf": await run(corpus, judged.queries, lexical=True, dense=True),
            "hybrid": await run(corpus, judged.queries, lexical=True, dense=True, fused=HYBRID),
        }
    return {way: by_query(judged, found) for way, found in ways.items()}


def report(name: str, ways: Mapping[str, Mapping[str, float]]) -> bool:
    """Prints them; whether thresholds are kept."""
    means = {way: fmean(values.values()) for way, values in ways.items()}
    for way, values in ways.items():
        held_out = [value for query, value in values.items() if half_of(query)]
        told = f"held out {fmean(held_out):.4f}" if held_out else ""
        print(f"{name:8} {way:11} {means[way]:.4f}  {told}  ({len(values)} queries)", flush=True)
    kept = all(means[way] >= least for way, least in THRESHOLDS.get(name, {}).items())
    if name in BEATS_ITS_LEGS:
        kept &= means["hybrid"] > max(means["by words"], means["by meaning"])
    return kept


def main(names: list[str]) -> int:
    kept = True
    for name in names or SETS:
        with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
            kept &= report(name, asyncio.run(measure(SETS[name](), Path(folder))))
    print("thresholds kept" if kept else "THRESHOLDS NOT KEPT")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
