"""What tuning is worth over many halves: of fusions and weights it chooses by one half of the queries, for the other.

    python -m benchmarks.tuning_halves [scifact chorus stdlib]

nDCG@10 over the same vectors and terms with the candidates and the choice of `tamis tune`, for a retriever that fuses
by rank with equal weights; `benchmarks/tuning.py` does it through the API for one pair of halves, which is luck where
queries are few. Vectors are kept in `.cache/embeddings`.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from random import Random
from statistics import fmean

from tests.embedding_cache import CachedModels
from tests.quality.tamis_run import URI

from benchmarks.quality import SETS
from benchmarks.quality_moves import DEPTH, Lab, Ranking
from tamis.engine.planning.definition import parse_stages
from tamis.engine.searching.fusion import Fusion, fuse
from tamis.evaluation.selection import choose
from tamis.model.retriever import Definition
from tamis.services.learning.tuning_space import Candidate, candidates
from tamis.settings import Settings
from tamis.wiring.backends import local_models

_HALVES = 100
_FOLDS = 5
Values = Mapping[str, float]


def tried() -> list[Candidate]:
    """Without those of other depths, which need other rankings."""
    searches = [{"feature_uri": URI, "query": "{{INPUT.query}}", "lexical": lexical} for lexical in (False, True)]
    parameters = {"searches": searches, "fusion": "rrf"}
    stages = parse_stages(
        [{"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": parameters}}]
    )
    every = candidates(Definition(stages), 200)
    return [one for one in every if not any("top_k" in change for change in one.changes)]


def values(lab: Lab, candidate: Candidate) -> Values:
    parameters = candidate.definition.stages[0].parameters
    searches = parameters["searches"]
    weights = [float(one.get("weight", 1.0)) for one in searches if isinstance(one, dict)]  # type: ignore[arg-type, union-attr]
    fusion = Fusion(str(parameters["fusion"]))

    def rank(query: str) -> Ranking:
        words, meaning = lab.words[query], lab.meaning(lab.asked[query])
        return fuse(fusion, [meaning, words], weights, [False, len(words) < DEPTH])

    return lab.mean(rank)


def halves(every: list[Values], default: int | None) -> list[tuple[float, float]]:
    """(before, after) on the half that was not chosen by."""
    found = []
    for n in range(_HALVES):
        queries = Random(n).sample(sorted(every[0]), len(every[0]))
        seen, unseen = queries[::2], queries[1::2]
        choice = choose([{query: one[query] for query in seen} for one in every], _FOLDS, default)
        taken = choice.best if choice.is_better else 0
        found.append(tuple(fmean(every[place][query] for query in unseen) for place in (0, taken)))
    return [(before, after) for before, after in found]


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        models = CachedModels(local_models(Settings(data_dir=Path(folder), root_key="sk_" + "0" * 40)))
        space = tried()
        default = next(place for place, one in enumerate(space) if one.is_default)
        for name in names:
            lab = Lab(SETS[name](), models)
            found = halves([values(lab, one) for one in space], default)
            before, after = (fmean(column) for column in zip(*found, strict=True))
            worse = sum(b < a for a, b in found)
            print(f"{name}: {before:.4f} -> {after:.4f}, {worse} of {len(found)} halves became worse", flush=True)
        models.close()


if __name__ == "__main__":
    main(sys.argv[1:] or ["scifact", "chorus", "stdlib"])
