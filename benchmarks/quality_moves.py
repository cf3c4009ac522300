"""Stronger moves that the default hybrid does not make, over the same vectors and terms: what each would change.

    python -m benchmarks.quality_moves [scifact chorus stamps]

nDCG@10 of the default hybrid and of each move, on half of the queries that it could be chosen by, on the other, and on
all. `prediction`: meaning weighs more where its scores lie far apart. `thin words`: where words find fewer than 30
documents they weigh less the farther meaning's lie apart. `feedback`: the query moves to the mean of the first five,
where words are thin. `passages`: by meaning a document is its best passage of three sentences, or that and itself;
only SciFact, of its judged abstracts and a thousand others. `rare words`: a word that a single document has asks for
it, with and without `thin words`. Vectors are kept in `.cache/embeddings`; Chorus's take some twenty minutes the first
time.
"""

import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha1
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.embedding_cache import CachedModels
from tests.quality.plain import bm25_run

from benchmarks.quality import SETS, by_query
from benchmarks.quality_sets import JudgedSet, half_of
from tamis.engine.ports.index import Scored
from tamis.engine.searching.fusion import FEWEST, Fusion, fuse
from tamis.engine.text.chunks import Chunking, chunk
from tamis.model.hybrid import BY_MEANING, BY_WORDS
from tamis.settings import Settings
from tamis.wiring.backends import local_models

DEPTH = 100
_RARE, _OTHERS = 300, 1000
Ranking = Sequence[Scored]
Weights = tuple[float, float]
Matrix = NDArray[Any]


@dataclass(frozen=True)
class Lab:
    """A collection in memory: its texts by words and by meaning."""

    judged: JudgedSet
    models: CachedModels

    @cached_property
    def ids(self) -> list[str]:
        return list(self.judged.texts)

    @cached_property
    def rows(self) -> Matrix:
        return self.models.embedder().embed_documents([*self.judged.texts.values()])

    @cached_property
    def words(self) -> dict[str, Ranking]:
        found = bm25_run(self.models.lexical(), self.judged.texts, self.judged.queries)
        return {query: [Scored(key, score) for key, score in ranking.items()] for query, ranking in found.items()}

    @cached_property
    def asked(self) -> dict[str, Matrix]:
        return {query: self.models.embedder().embed_query(text) for query, text in self.judged.queries.items()}

    def meaning(self, asked: Matrix, scores: Matrix | None = None) -> Ranking:
        found = self.rows @ asked if scores is None else scores
        return [Scored(self.ids[place], float(found[place])) for place in np.argsort(-found, kind="stable")[:DEPTH]]

    def mean(self, rank: Callable[[str], Ranking]) -> dict[str, float]:
        """nDCG@10 by query."""
        found = {query: {one.document_id: one.score for one in rank(query)} for query in self.judged.queries}
        return by_query(self.judged, found)


def hybrid(words: Ranking, meaning: Ranking, weights: Weights = (BY_MEANING, BY_WORDS)) -> Ranking:
    return fuse(Fusion.DBSF, [meaning, words], weights, [False, len(words) < DEPTH])


def apart(ranking: Ranking) -> float:
    """How far the first stands above the last, of its own score."""
    return (ranking[0].score - ranking[-1].score) / ranking[0].score


def predicted(words: Ranking, meaning: Ranking) -> Ranking:
    """Post-retrieval prediction by the spread of scores (as Shtok et al. 2012), in the weight's odds."""
    return hybrid(words, meaning, (BY_MEANING * apart(meaning) / 0.45, BY_WORDS))


def thinned(words: Ranking, meaning: Ranking) -> Ranking:
    if len(words) >= FEWEST:
        return hybrid(words, meaning)
    return hybrid(words, meaning, (BY_MEANING * max(1.0, apart(meaning) / 0.4) ** 4, BY_WORDS))


def moves(lab: Lab) -> Iterator[tuple[str, dict[str, float]]]:
    def plain(query: str) -> tuple[Ranking, Ranking]:
        return lab.words[query], lab.meaning(lab.asked[query])

    def fed_back(query: str) -> Ranking:
        words, meaning = plain(query)
        first = hybrid(words, meaning)
        if len(words) >= FEWEST:
            return first
        places = [lab.ids.index(one.document_id) for one in first[:5]]
        moved = lab.asked[query] + 0.3 * lab.rows[places].mean(axis=0)
        return hybrid(words, lab.meaning(moved / np.linalg.norm(moved)))

    yield "by words", lab.mean(lambda query: lab.words[query])
    yield "by meaning", lab.mean(lambda query: plain(query)[1])
    yield "the default hybrid", lab.mean(lambda query: hybrid(*plain(query)))
    yield "prediction", lab.mean(lambda query: predicted(*plain(query)))
    yield "thin words", lab.mean(lambda query: thinned(*plain(query)))
    yield "feedback, thin words only", lab.mean(fed_back)


def passages(lab: Lab) -> Iterator[tuple[str, dict[str, float]]]:
    """By meaning: the whole text, its best passage, the mean of both."""
    embedder, spans, owners = lab.models.embedder(), list[str](), list[int]()
    for place, text in enumerate(lab.judged.texts.values()):
        for start, end in chunk(text, Chunking("sentences", 3, 1), embedder.spans):
            spans.append(text[start:end])
            owners.append(place)
    pieces = [embedder.embed_documents(spans[n : n + 64]) for n in range(0, len(spans), 64)]
    rows: Matrix = np.concatenate(pieces)

    def best(query: str) -> Matrix:
        found: Matrix = np.full(len(lab.ids), -1.0, dtype=np.float32)
        np.maximum.at(found, owners, rows @ lab.asked[query])
        return found

    def both(query: str) -> Matrix:
        found: Matrix = (best(query) + lab.rows @ lab.asked[query]) / 2
        return found

    def whole(query: str) -> Matrix:
        return lab.rows @ lab.asked[query]

    for name, way in (("the whole", whole), ("its best passage", best), ("both", both)):

        def alone(query: str, way: Callable[[str], Matrix] = way) -> Ranking:
            return lab.meaning(lab.asked[query], way(query))

        def fused(query: str, alone: Callable[[str], Ranking] = alone) -> Ranking:
            return hybrid(lab.words[query], alone(query))

        yield f"passages: {name}, by meaning", lab.mean(alone)
        yield f"passages: {name}, hybrid", lab.mean(fused)


def fewer(judged: JudgedSet) -> JudgedSet:
    """Its judged documents and a thousand others, by a hash of their ids."""
    known = {document for grades in judged.grades.values() for document in grades}
    rest = sorted(judged.texts.keys() - known, key=lambda one: sha1(one.encode(), usedforsecurity=False).digest())
    kept = known | {*rest[:_OTHERS]}
    texts = {key: text for key, text in judged.texts.items() if key in kept}
    return JudgedSet(judged.name, texts, judged.queries, judged.grades)


def rare_words(judged: JudgedSet) -> JudgedSet:
    """Words that a single document has, each asking for it."""
    own = {key: {*re.findall(r"[a-z]{4,}", text.lower())} for key, text in judged.texts.items()}
    counts = Counter(word for words in own.values() for word in words)
    owners = {word: key for key, words in own.items() for word in words if counts[word] == 1}
    chosen = sorted(owners, key=lambda one: sha1(one.encode(), usedforsecurity=False).digest())[:_RARE]
    return JudgedSet(
        judged.name, judged.texts, {word: word for word in chosen}, {word: {owners[word]: 1} for word in chosen}
    )


def rarely(lab: Lab) -> Iterator[tuple[str, dict[str, float]]]:
    yield "rare words", lab.mean(lambda query: hybrid(lab.words[query], lab.meaning(lab.asked[query])))
    yield "rare words, thin words", lab.mean(lambda query: thinned(lab.words[query], lab.meaning(lab.asked[query])))


def report(name: str, what: str, values: Mapping[str, float]) -> None:
    halves = [[value for query, value in values.items() if half_of(query) == half] for half in (0, 1)]
    told = ", ".join(f"{fmean(one):.4f}" if one else "none" for one in halves)
    print(f"{name:8} {what:36} {fmean(values.values()):.4f}  (halves {told})", flush=True)


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        models = CachedModels(local_models(Settings(data_dir=Path(folder), root_key="sk_" + "0" * 40)))
        for name in names:
            judged = SETS[name]()
            for what, values in moves(Lab(judged, models)):
                report(name, what, values)
            for what, values in rarely(Lab(rare_words(judged), models)):
                report(name, what, values)
            if name == "scifact":
                for what, values in passages(Lab(fewer(judged), models)):
                    report(name, what, values)
        models.close()


if __name__ == "__main__":
    main(sys.argv[1:] or ["scifact", "chorus", "stamps"])
