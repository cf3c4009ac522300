"""Ranking in a few lines of numpy: what Tamis is compared with."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from tamis.engine.ports.inference import Embedder, LexicalEncoder

DEPTH = 100


def bm25_run(
    encoder: LexicalEncoder, texts: Mapping[str, str], queries: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """Sum over shared terms of document weight, query weight and ln((N - df + 0.5) / (df + 0.5) + 1)."""
    postings: dict[int, list[tuple[str, float]]] = defaultdict(list)
    for document_id, text in texts.items():
        encoded = encoder.encode_document(text)
        for term, weight in zip(encoded.indices.tolist(), encoded.values.tolist(), strict=True):
            postings[term].append((document_id, weight))
    ranking: dict[str, dict[str, float]] = {}
    for query_id, text in queries.items():
        scores: dict[str, float] = defaultdict(float)
        encoded = encoder.encode_query(text)
        for term, query_weight in zip(encoded.indices.tolist(), encoded.values.tolist(), strict=True):
            found = postings.get(term, [])
            idf = np.log((len(texts) - len(found) + 0.5) / (len(found) + 0.5) + 1)
            for document_id, weight in found:
                scores[document_id] += query_weight * weight * float(idf)
        ranking[query_id] = _top(scores)
    return ranking


def dense_run(embedder: Embedder, texts: Mapping[str, str], queries: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Cosine of unit rows."""
    ids = list(texts)
    matrix = embedder.embed_documents([texts[document_id] for document_id in ids])
    return {
        query_id: _top(dict(zip(ids, (matrix @ embedder.embed_query(text)).tolist(), strict=True)))
        for query_id, text in queries.items()
    }


def rrf_run(runs: Sequence[Mapping[str, Mapping[str, float]]], k: int = 60) -> dict[str, dict[str, float]]:
    """Sum of 1 / (k + rank), ranks from 1."""
    fused: dict[str, dict[str, float]] = {}
    for query_id in runs[0]:
        scores: dict[str, float] = defaultdict(float)
        for ranking in runs:
            for rank, document_id in enumerate(ranking[query_id], start=1):
                scores[document_id] += 1 / (k + rank)
        fused[query_id] = _top(scores)
    return fused


def _top(scores: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:DEPTH])
