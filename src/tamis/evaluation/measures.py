"""Rankings against judgements, by trec_eval's measures, which ir_measures computes.

qrels: query id -> document -> grade; 1 and more is relevant.  Names of values: "metric@k".
"""

import importlib
import math
from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from typing import Any

from tamis.errors import NotSetUpError
from tamis.model.dataset import GroundTruth

Qrels = Mapping[str, Mapping[str, int]]
Scores = Mapping[str, Mapping[str, float]]
Measured = dict[str, dict[str, float]]

_BETA = {"f1": 1.0, "f2": 2.0}
_NAMES = {"precision": "P", "recall": "R", "map": "AP", "ndcg": "nDCG"}


def grades_of(query: GroundTruth) -> dict[str, int]:
    """Every judgement of a query: who is called relevant without a grade has 1."""
    return {**dict.fromkeys(query.relevant_documents, 1), **(query.relevance_scores or {})}


def is_judged(grades: Mapping[str, int]) -> bool:
    """Whether there is anything to be found."""
    return any(grade > 0 for grade in grades.values())


def scored(ranking: Sequence[str]) -> dict[str, float]:
    """A ranking as scores without ties, so that trec_eval keeps its order."""
    return {document: float(len(ranking) - place) for place, document in enumerate(ranking)}


def measure(qrels: Qrels, run: Scores, metrics: Iterable[str], k_values: Iterable[int]) -> Measured:
    """By query of `qrels` that has a relevant document; one that `run` lacks, or found nothing for, has zeros.

    Ties of scores are trec_eval's: the document whose id is greater comes first.  Cost: O(documents log documents).
    Raises: NotSetUpError without the extra `evaluate`.
    """
    asked, depths = tuple(metrics), tuple(k_values)
    judged = {query: grades for query, grades in qrels.items() if is_judged(grades)}
    values: Measured = {query: {} for query in judged}
    found = {query: dict(run[query]) for query in judged if run.get(query)}
    if found:
        _ask(judged, found, values, asked, depths)
    return {query: _named(values[query], asked, depths) for query in judged}


def means(values: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Over the queries. Empty where there are none."""
    rows = list(values.values())
    return {name: fsum(row[name] for row in rows) / len(rows) for name in (rows[0] if rows else ())}


def _ask(qrels: Qrels, run: Scores, into: Measured, metrics: Sequence[str], depths: Sequence[int]) -> None:
    library = _library()
    needed = {part for metric in metrics for part in (("precision", "recall") if metric in _BETA else (metric,))}
    wanted = {
        getattr(library, _NAMES[metric]) @ k: f"{metric}@{k}" for metric in sorted(needed - {"mrr"}) for k in depths
    }
    if "mrr" in needed:
        wanted[library.RR] = "mrr"
    asked = {query: qrels[query] for query in run}
    for one in library.pytrec_eval.iter_calc([*wanted], asked, run):
        into[one.query_id][wanted[one.measure]] = float(one.value)


def _named(values: Mapping[str, float], metrics: Sequence[str], depths: Sequence[int]) -> dict[str, float]:
    return {f"{metric}@{k}": _value(values, metric, k) for metric in metrics for k in depths}


def _value(values: Mapping[str, float], metric: str, k: int) -> float:
    if metric == "mrr":
        # trec_eval knows no cut: a first relevant document behind k is none.
        found = values.get("mrr", 0.0)
        return found if found and round(1 / found) <= k else 0.0
    if metric in _BETA:
        return _f(values.get(f"precision@{k}", 0.0), values.get(f"recall@{k}", 0.0), _BETA[metric])
    return values.get(f"{metric}@{k}", 0.0)


def _f(precision: float, recall: float, beta: float) -> float:
    """Van Rijsbergen 1979: the weighted harmonic mean."""
    below = beta * beta * precision + recall
    return 0.0 if math.isclose(below, 0.0) else (1 + beta * beta) * precision * recall / below


def check_set_up() -> None:
    """Raises: NotSetUpError without the extra `evaluate`."""
    _library()


def _library() -> Any:
    try:
        library = importlib.import_module("ir_measures")
    except ImportError as error:
        raise NotSetUpError("evaluations (pip install 'tamis[evaluate]')") from error
    if not library.pytrec_eval.is_available():
        raise NotSetUpError("evaluations (pip install 'tamis[evaluate]')")
    return library
