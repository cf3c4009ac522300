"""What a query's own scores, or the size of a collection, could tell the default hybrid of which search to believe.

    python -m benchmarks.quality_predictors [scifact chorus stdlib numbers stamps]

nDCG@10 of the default hybrid with the log odds of words moved by each predictor, a quarter and a half for a standard
deviation, either way, from its mean over the first halves of SciFact and Chorus. Then 100 to 2,500 documents drawn from
SciFact, Chorus and the standard library, at each weight of words; `rare words` of them ask for the one document that
has a word. Nothing is chosen by the stamps. Vectors are kept in `.cache/embeddings`.
"""

import math
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from statistics import fmean, pstdev

from tests.embedding_cache import CachedModels

from benchmarks.quality import SETS
from benchmarks.quality_moves import Lab, Ranking, hybrid, rare_words
from benchmarks.quality_sets import JudgedSet, half_of
from tamis.model.hybrid import BY_MEANING, BY_WORDS
from tamis.settings import Settings
from tamis.wiring.backends import local_models

_CHOSEN_ON = ("scifact", "chorus")
_TILTS = (-0.5, -0.25, 0.25, 0.5)
_SIZES = (100, 200, 400, 1000, 2500)
_SHARES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0)
_DRAWS, _QUERIES = 3, 40
Predictor = Callable[[Ranking, Ranking], float]


def _best(ranking: Ranking) -> float:
    return ranking[0].score if ranking else 0.0


def _gap(ranking: Ranking) -> float:
    """How far the first stands above the tenth, of its own score."""
    return (ranking[0].score - ranking[min(10, len(ranking) - 1)].score) / ranking[0].score if len(ranking) > 1 else 0.0


def _spread(ranking: Ranking) -> float:
    """Normalized query commitment (Shtok et al. 2012), by the best score for the collection's."""
    return pstdev(one.score for one in ranking) / ranking[0].score if len(ranking) > 1 else 0.0


def _agreement(words: Ranking, meaning: Ranking) -> float:
    """The share of the first ten that both have."""
    return len({one.document_id for one in words[:10]} & {one.document_id for one in meaning[:10]}) / 10


PREDICTORS: Mapping[str, Predictor] = {
    "gap of words": lambda words, meaning: _gap(words),
    "gap of meaning": lambda words, meaning: _gap(meaning),
    "spread of words": lambda words, meaning: _spread(words),
    "spread of meaning": lambda words, meaning: _spread(meaning),
    "best score of words": lambda words, meaning: math.log1p(_best(words)),
    "best score of meaning": lambda words, meaning: _best(meaning),
    "found by words": lambda words, meaning: math.log1p(len(words)),
    "agreement": _agreement,
}


def tilted(predicted: float, tilt: float, words: Ranking, meaning: Ranking) -> Ranking:
    """predicted: in standard deviations from its mean."""
    odds = BY_WORDS / BY_MEANING * math.exp(tilt * predicted)
    return hybrid(words, meaning, (1 / (1 + odds), odds / (1 + odds)))


def predictions(labs: Mapping[str, Lab]) -> Iterator[tuple[str, dict[str, float]]]:
    """(what, nDCG@10 by collection)."""
    legs = {name: _legs(lab) for name, lab in labs.items()}
    for what, predict in PREDICTORS.items():
        known = [
            predict(*legs[name][query])
            for name in _CHOSEN_ON
            if name in legs
            for query in legs[name]
            if half_of(query) == 0
        ]
        centre, deviation = fmean(known), pstdev(known)
        for tilt in _TILTS:
            found = {}
            for name, lab in labs.items():

                def rank(
                    query: str, own: Mapping[str, tuple[Ranking, Ranking]] = legs[name], by: float = tilt
                ) -> Ranking:
                    return tilted((predict(*own[query]) - centre) / deviation, by, *own[query])  # noqa: B023

                found[name] = fmean(lab.mean(rank).values())
            yield f"{what} {tilt:+g}", found


def _legs(lab: Lab) -> dict[str, tuple[Ranking, Ranking]]:
    return {query: (lab.words[query], lab.meaning(lab.asked[query])) for query in lab.judged.queries}


def drawn(judged: JudgedSet, size: int, chance: Random) -> JudgedSet:
    """So many documents, with those that are relevant for as many queries as fill seven tenths of them."""
    kept, queries = set[str](), list[str]()
    for query in chance.sample(sorted(judged.queries), len(judged.queries)):
        relevant = {key for key, grade in judged.grades[query].items() if grade > 0}
        if len(queries) < _QUERIES and len(kept | relevant) <= 0.7 * size:
            kept |= relevant
            queries.append(query)
    kept.update(chance.sample(sorted(judged.texts.keys() - kept), size - len(kept)))
    grades = {query: {key: one for key, one in judged.grades[query].items() if key in kept} for query in queries}
    texts = {key: text for key, text in judged.texts.items() if key in kept}
    return JudgedSet(judged.name, texts, {query: judged.queries[query] for query in queries}, grades)


def by_share(judged: JudgedSet, models: CachedModels) -> list[float]:
    lab = Lab(judged, models)
    legs = _legs(lab)
    return [fmean(lab.mean(lambda query: hybrid(*legs[query], (1 - w, w))).values()) for w in _SHARES]  # noqa: B023


def small(judged: JudgedSet, models: CachedModels) -> None:
    for size in _SIZES:
        draws = [drawn(judged, size, Random(f"{size} {n}")) for n in range(_DRAWS)]
        for what, sets in (("", draws), (" rare words", [rare_words(one) for one in draws])):
            rows = [by_share(one, models) for one in sets]
            told = ", ".join(f"{w:g}: {fmean(column):.4f}" for w, *column in zip(_SHARES, *rows, strict=True))
            print(f"{judged.name} {size}{what}: by share of words {told}", flush=True)


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        models = CachedModels(local_models(Settings(data_dir=Path(folder), root_key="sk_" + "0" * 40)))
        labs = {name: Lab(SETS[name](), models) for name in names}
        for what, found in predictions(labs):
            print(f"{what:28}" + "  ".join(f"{name} {value:.4f}" for name, value in found.items()), flush=True)
        for name in names:
            if name not in ("numbers", "stamps"):
                small(labs[name].judged, models)
        models.close()


if __name__ == "__main__":
    main(sys.argv[1:] or [*SETS])
