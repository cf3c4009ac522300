"""The simulation of `benchmarks/learned_fusion.py` in short, so that it does not rot: who clicks moves his weights."""

import random
from pathlib import Path

from benchmarks.learned_fusion import asked_of, liked, save, searched, smaller
from benchmarks.quality_sets import chorus

from tamis.model.hybrid import BY_WORDS
from tests.quality.tamis_run import open_corpus
from tests.shared_data import shared


def test_who_likes_what_words_rank_well_likes_other_things_than_meaning_does() -> None:
    found = liked({"a": 3, "b": 3, "c": 0}, words=["a", "c", "b"], meaning=["b", "c", "a"])
    assert found["words"] == {"a": 1.0, "b": 0.0}
    assert found["meaning"] == {"a": 0.0, "b": 1.0}
    assert found["judges"] == {"a": 1.0, "b": 1.0}


async def test_simulated_people_teach_their_own_weights(tmp_path: Path) -> None:
    """A few rounds decide nothing of quality: it goes on until somebody liked something."""
    shared("data/chorus_icecat/corpus.jsonl")
    judged = smaller(chorus(), 0, 1)
    async with open_corpus(tmp_path, judged.texts) as corpus:
        (asked,) = await asked_of(corpus, judged)
        await save(corpus, "simulated")
        chance, shares = random.Random(1), list[float]()
        while len(shares) < 100 and len({*shares}) < 2:
            ranking, share = await searched(corpus, "simulated", asked, "words", chance, False)
            assert 0 <= asked.ndcg(ranking, "words") <= 1
            shares.append(share)
    assert shares[0] == BY_WORDS
    assert shares[-1] != BY_WORDS
