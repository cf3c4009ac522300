"""Our numbers are trec_eval's: the same judgements and the same run, asked of pytrec_eval directly."""

import math

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from tamis.evaluation.measures import grades_of, means, measure, scored
from tamis.model.dataset import GroundTruth
from tamis.model.evaluation import METRICS

K = (1, 3, 10)
DOCUMENTS = st.sampled_from([f"d{number}" for number in range(12)])
QUERIES = st.sampled_from(["q1", "q2", "q3", "q4"])
QRELS = st.dictionaries(QUERIES, st.dictionaries(DOCUMENTS, st.integers(-1, 3), min_size=1), min_size=1)
# Few scores, so that many are tied; documents that nobody judged; queries that nobody asked.
RUNS = st.dictionaries(QUERIES, st.dictionaries(DOCUMENTS, st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1))
TREC = {"precision": "P", "recall": "recall", "map": "map_cut", "ndcg": "ndcg_cut"}


@settings(deadline=None, max_examples=60)
@given(QRELS, RUNS)
def test_every_measure_is_trec_evals(qrels: dict[str, dict[str, int]], run: dict[str, dict[str, float]]) -> None:
    names = {f"{name}.{','.join(map(str, K))}" for name in TREC.values()} | {"recip_rank"}
    expected = pytrec_eval.RelevanceEvaluator(qrels, names).evaluate(run)
    found = measure(qrels, run, METRICS, K)
    assert set(found) == {query for query, grades in qrels.items() if max(grades.values()) > 0}
    for query, values in found.items():
        theirs = expected.get(query, {})
        for k in K:
            for ours, name in TREC.items():
                assert values[f"{ours}@{k}"] == pytest.approx(theirs.get(f"{name}_{k}", 0.0), abs=5e-5)
            p, r = values[f"precision@{k}"], values[f"recall@{k}"]
            assert values[f"f1@{k}"] == pytest.approx(2 * p * r / (p + r) if p else 0.0)
            assert values[f"f2@{k}"] == pytest.approx(5 * p * r / (4 * p + r) if p else 0.0)
            first = theirs.get("recip_rank", 0.0)
            assert values[f"mrr@{k}"] == (first if first >= 1 / k else 0.0)


def test_a_ranking_is_measured_in_its_own_order() -> None:
    """By hand: relevant documents with grades 3, 2, 1; found are the second, a stranger, then the first."""
    qrels = {"q": {"best": 3, "good": 2, "fair": 1}}
    (values,) = measure(qrels, {"q": scored(["good", "stranger", "best"])}, METRICS, (3,)).values()
    dcg = 2 + 3 / math.log2(4)
    ideal = 3 + 2 / math.log2(3) + 1 / math.log2(4)
    assert values["ndcg@3"] == pytest.approx(dcg / ideal)
    assert values["map@3"] == pytest.approx((1 + 2 / 3) / 3)
    assert values["mrr@3"] == 1.0
    assert (values["precision@3"], values["recall@3"]) == pytest.approx((2 / 3, 2 / 3))


def test_who_found_nothing_counts_and_who_could_find_nothing_does_not() -> None:
    qrels = {"found": {"a": 1}, "missed": {"a": 1}, "not asked": {"b": 1}, "hopeless": {"a": 0}}
    values = measure(qrels, {"found": {"a": 1.0}, "missed": {}, "hopeless": {"a": 1.0}}, ("ndcg",), (10,))
    assert values == {"found": {"ndcg@10": 1.0}, "missed": {"ndcg@10": 0.0}, "not asked": {"ndcg@10": 0.0}}
    assert means(values) == {"ndcg@10": pytest.approx(1 / 3)}
    assert means({}) == {}


def test_grades_stand_over_the_list_of_relevant_documents() -> None:
    query = GroundTruth("q", {}, ("a", "b"), {"b": 3, "c": 0})
    assert grades_of(query) == {"a": 1, "b": 3, "c": 0}
    assert grades_of(query.judged({"a": None, "c": 2, "d": 0})) == {"b": 3, "c": 2, "d": 0}
    assert query.judged({"a": None, "c": 2}).relevant_documents == ("b", "c")
