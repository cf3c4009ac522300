"""Learned fusion against every fixed weight: simulated people search real products through a real Tamis.

    python -m benchmarks.learned_fusion [--quick]

Products and queries of Chorus, those with at least two relevant products; two groups of people: `words` like those of
the relevant products that words rank well, `meaning` those that meaning does. Who looks at place n (with 1/n) and likes
what is there clicks. Regret is what the best weight for each group, known to nobody, would have scored more (nDCG@10 by
the group's own liking). Then noise: everybody clicks by place alone, and quality by human judgement must stay.
Exit status 1 where learning does not beat the best fixed weight's regret, or noise costs more than 1 %.
"""

import argparse
import asyncio
import math
import random
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import fmean
from typing import Any

from tests.quality.tamis_run import URI, Corpus, open_corpus, run

from benchmarks.quality_sets import JudgedSet, chorus
from tamis.engine.ports.index import Scored
from tamis.engine.searching.fusion import Fusion, fuse
from tamis.model.hybrid import BY_MEANING, BY_WORDS

GROUPS = ("words", "meaning")
SHARES = [n / 20 for n in range(21)]
TOP = 10
_RANDOM_LIKING = 0.15
Likings = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query with what both legs find, and what each group likes of it, by document."""

    query_id: str
    text: str
    legs: tuple[Sequence[Scored], Sequence[Scored]]
    likings: Mapping[str, Likings]

    def ndcg(self, ranking: Sequence[str], group: str) -> float:
        likings = self.likings[group]
        best = sorted(likings.values(), reverse=True)[:TOP]
        return _gain(likings.get(one, 0.0) for one in ranking[:TOP]) / max(_gain(best), 1e-12)

    def fixed(self, share: float, group: str) -> float:
        """share: of words."""
        exhausted = (len(self.legs[0]) < 100, False)
        fused = fuse(Fusion.DBSF, self.legs, (share, 1 - share), exhausted)
        return self.ndcg([one.document_id for one in fused], group)


def _gain(values: Any) -> float:
    return math.fsum(value / math.log2(place + 2) for place, value in enumerate(values))


def liked(grades: Mapping[str, int], words: Sequence[str], meaning: Sequence[str]) -> dict[str, Likings]:
    """By group. Of the relevant ones, how much further in front the group's own leg has it than the other."""
    relevant = [one for one, grade in grades.items() if grade > 0]
    found: dict[str, Likings] = {"judges": {one: grades[one] / 3 for one in relevant}}
    for group, own, other in (("words", words, meaning), ("meaning", meaning, words)):
        ahead = {one: (_standing(relevant, own, one) - _standing(relevant, other, one) + 1) / 2 for one in relevant}
        found[group] = {one: grades[one] / 3 * ahead[one] ** 2 for one in relevant}
    return found


def _standing(among: Sequence[str], ranking: Sequence[str], document: str) -> float:
    """The share of the others that it stands before; what is not in the ranking stands behind."""
    places = {one: place for place, one in enumerate(ranking)}
    mine = places.get(document, len(ranking))
    return sum(places.get(one, len(ranking)) > mine for one in among) / max(len(among) - 1, 1)


async def asked_of(corpus: Corpus, judged: JudgedSet) -> list[Asked]:
    wanted = {q: text for q, text in judged.queries.items() if sum(g > 0 for g in judged.grades[q].values()) > 1}
    words = await run(corpus, wanted, lexical=True)
    meaning = await run(corpus, wanted, dense=True)
    return [
        Asked(
            query, text, (_scored(words[query]), _scored(meaning[query])),
            liked(judged.grades[query], [*words[query]], [*meaning[query]]),
        )
        for query, text in wanted.items()
    ]  # fmt: skip


def _scored(found: Mapping[str, float]) -> list[Scored]:
    return [Scored(key, score) for key, score in sorted(found.items(), key=lambda item: (-item[1], item[0]))]


async def save(corpus: Corpus, name: str) -> None:
    search = {"feature_uri": URI, "query": "{{INPUT.query}}", "top_k": 100}
    searches = [{**search, "weight": BY_MEANING}, {**search, "lexical": True, "weight": BY_WORDS}]
    parameters = {"searches": searches, "fusion": "learned", "final_top_k": TOP}
    stage = {"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": parameters}}
    schema = {"query": {"type": "text", "required": True}, "user_id": {"type": "text"}}
    body = {"retriever_name": name, "stages": [stage], "input_schema": schema, "collection_identifiers": ["corpus"]}
    answer = await corpus.http.post("/v1/retrievers", json=body)
    answer.raise_for_status()


async def searched(
    corpus: Corpus, retriever: str, asked: Asked, group: str, chance: random.Random, is_noise: bool
) -> tuple[list[str], float]:
    """Search and click as this group does; the ranking, and what words weighed."""
    inputs = {"query": asked.text, "user_id": group}
    answer = await corpus.post(f"retrievers/{retriever}/execute", {"inputs": inputs})
    (stage,) = answer["stage_statistics"]["stages"].values()
    likings, told = asked.likings[group], []
    for place, document in enumerate(answer["documents"]):
        liking = _RANDOM_LIKING if is_noise else likings.get(document["key"], 0.0)
        if chance.random() < liking / (place + 1):
            told.append({"feature_id": document["document_id"], "interaction_type": ["click"], "position": place})
    if told:
        said = [{**one, "execution_id": answer["execution_id"]} for one in told]
        await corpus.post("retrievers/interactions/batch", {"interactions": said})
    weights = stage["metadata"]["learned_fusion"]["weights"]
    return [one["key"] for one in answer["documents"]], weights[f"{URI}#lexical"]


async def preference(corpus: Corpus, every: Sequence[Asked], rounds: int) -> bool:
    """Prints the regret curves; whether learning beats the best fixed weight."""
    await save(corpus, "preference")
    chance, scores = random.Random(1), list[float]()
    met = [(chance.choice(every), GROUPS[n % 2]) for n in range(rounds)]
    shares: dict[str, float] = {}
    for asked, group in met:
        ranking, shares[group] = await searched(corpus, "preference", asked, group, chance, False)
        scores.append(asked.ndcg(ranking, group))
    fixed = {share: [asked.fixed(share, group) for asked, group in met] for share in SHARES}
    best = max(SHARES, key=lambda share: fmean(fixed[share]))
    own = {group: _best_for(group, met, fixed) for group in GROUPS}
    ideal = [fixed[own[group]][n] for n, (_, group) in enumerate(met)]
    curves = {
        "learned": [*accumulate(a - b for a, b in zip(ideal, scores, strict=True))],
        f"fixed {best:g}, the best": [*accumulate(a - b for a, b in zip(ideal, fixed[best], strict=True))],
        f"fixed {BY_WORDS:g}, the default": [*accumulate(a - b for a, b in zip(ideal, fixed[BY_WORDS], strict=True))],
    }
    print(f"best for each group, share of words: {own}; learnt at the end: {shares}")
    marks = [n for n in (50, 100, 200, 400, 800, 1600, rounds) if n <= rounds]
    print("regret after        " + "".join(f"{n:>9}" for n in marks))
    for name, curve in curves.items():
        print(f"{name:20}" + "".join(f"{curve[n - 1]:9.1f}" for n in marks))
    print(f"nDCG@10: learned {fmean(scores):.4f}, best fixed {fmean(fixed[best]):.4f}, for each {fmean(ideal):.4f}")
    learned, fixed_best = (curve[-1] for curve in list(curves.values())[:2])
    return learned < fixed_best


def _best_for(group: str, met: Sequence[tuple[Asked, str]], fixed: Mapping[float, Sequence[float]]) -> float:
    """The share of words that this group alone would have liked best."""
    own = [n for n, (_, other) in enumerate(met) if other == group]
    return max(SHARES, key=lambda share: sum(fixed[share][n] for n in own))


async def noise(corpus: Corpus, every: Sequence[Asked], rounds: int) -> bool:
    """Prints what noise does to quality by human judgement; whether that is within 1 %."""
    await save(corpus, "noise")
    chance, scores, default = random.Random(2), list[float](), list[float]()
    for _ in range(rounds):
        asked = chance.choice(every)
        ranking, _ = await searched(corpus, "noise", asked, "judges", chance, True)
        scores.append(asked.ndcg(ranking, "judges"))
        default.append(asked.fixed(BY_WORDS, "judges"))
    change = fmean(scores) / fmean(default) - 1
    print(f"noise: nDCG@10 {fmean(scores):.4f}, as written {fmean(default):.4f}: {change:+.2%}")
    return change > -0.01


def smaller(judged: JudgedSet, others: int, queries: int) -> JudgedSet:
    """The judged products and so many others."""
    wanted = dict(list(judged.queries.items())[:queries])
    needed = {document for query in wanted for document in judged.grades[query]}
    rest = [key for key in judged.texts if key not in needed][:others]
    texts = {key: judged.texts[key] for key in judged.texts if key in needed or key in set(rest)}
    return JudgedSet(judged.name, texts, wanted, {query: judged.grades[query] for query in wanted})


async def main(quick: bool) -> int:
    judged = smaller(chorus(), 50 if quick else 3000, 8 if quick else 1000)
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        async with open_corpus(Path(folder), judged.texts) as corpus:
            every = await asked_of(corpus, judged)
            print(f"{len(judged.texts)} products, {len(every)} queries")
            beats = await preference(corpus, every, 40 if quick else 2000)
            harmless = await noise(corpus, every, 20 if quick else 1000)
    kept = (beats and harmless) or quick
    print("kept" if kept else "NOT KEPT")
    return 0 if kept else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="A few rounds, to see that it runs; decides nothing.")
    sys.exit(asyncio.run(main(parser.parse_args().quick)))
