"""A shop of real products in a real Tamis, and beside it the same products as plain Python rows."""

import contextlib
import hashlib
import math
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from tests.quality.tamis_run import URI, Corpus, open_corpus
from tests.shared_data import json_lines, shared

COUNT = 1200
DEPTH = 150
FLOAT_NOISE = 1e-5
"""Scores of the engine are sums of 32-bit floats: two that are nearer than this may come either way round."""

Product: TypeAlias = Mapping[str, Any]
Scores: TypeAlias = dict[str, float]
Ranking: TypeAlias = list[tuple[str, float]]

_OWN = ("name", "ean", "supplier", "price", "date_released")
_SIZES = ("width", "height", "depth")
_NAMED = ("attr_t_product_colour", "attr_t_cable_colour", "attr_t_material")


def products() -> dict[str, dict[str, Any]]:
    """A fixed subset: fields by the corpus's own id."""
    rows = json_lines(shared("data/chorus_icecat/corpus.jsonl"))
    chosen = sorted(rows, key=lambda row: hashlib.sha1(row["id"].encode()).digest())[:COUNT]
    attributes = Counter(name for row in chosen for name in row if name.startswith("attr_"))
    common = {name for name, count in attributes.items() if count >= COUNT // 10}
    return {row["id"]: _fields(row, common) for row in chosen}


def _fields(row: Mapping[str, Any], attributes: set[str]) -> dict[str, Any]:
    """Flat fields as they are, and two that nest: an object of sizes, an array of objects of attributes."""
    sizes = {size: row[f"attr_n_{size}"] for size in _SIZES if f"attr_n_{size}" in row}
    named = [{"name": name, "value": row[name]} for name in _NAMED if name in row]
    fields = {name: row[name] for name in (*_OWN, *attributes) if name in row}
    return {**fields, "title": row["title"], "description": row["text"], "size": sizes, "attributes": named}


@dataclass(frozen=True)
class Shop:
    """products: by document id, from the source and not from what Tamis answers."""

    corpus: Corpus
    products: Mapping[str, Product]
    _dense: dict[str, Scores] = field(default_factory=dict)

    @cached_property
    def _matrix(self) -> Any:
        texts = [product["title"] for product in self.products.values()]
        return self.corpus.embedder.embed_documents(texts).astype(np.float64)

    def dense(self, query: str) -> Scores:
        """Cosine of unit rows, for every product."""
        if query not in self._dense:
            asked = self.corpus.embedder.embed_query(query).astype(np.float64)
            cosines = [math.fsum(row * asked) for row in self._matrix]
            self._dense[query] = dict(zip(self.products, cosines, strict=True))
        return self._dense[query]

    @cached_property
    def _terms(self) -> dict[str, dict[int, float]]:
        encode = self.corpus.lexical.encode_document
        encoded = {document_id: encode(product["title"]) for document_id, product in self.products.items()}
        return {one: dict(zip(e.indices.tolist(), e.values.tolist(), strict=True)) for one, e in encoded.items()}

    def lexical(self, query: str) -> Scores:
        """BM25 for every product with a word of the query; how rare a word is counts over all products."""
        encoded = self.corpus.lexical.encode_query(query)
        weights = dict(zip(encoded.indices.tolist(), encoded.values.tolist(), strict=True))
        rarity = {}
        for term in weights:
            holding = sum(term in terms for terms in self._terms.values())
            rarity[term] = math.log((COUNT - holding + 0.5) / (holding + 0.5) + 1)
        return {
            document_id: math.fsum(weights[t] * terms[t] * rarity[t] for t in sorted(weights.keys() & terms.keys()))
            for document_id, terms in self._terms.items()
            if weights.keys() & terms.keys()
        }

    def matching(self, keep: Callable[[Product], bool]) -> list[str]:
        return sorted(document_id for document_id, product in self.products.items() if keep(product))

    async def answer(self, *stages: tuple[str, Mapping[str, Any]], query: str = "", **body: Any) -> Any:
        """An anonymous execution of the stages, with all of its documents."""
        listed = [
            {"stage_name": f"{n}-{stage_id}", "config": {"stage_id": stage_id, "parameters": dict(parameters)}}
            for n, (stage_id, parameters) in enumerate(stages)
        ]
        sent = {
            "collection_identifiers": [self.corpus.collection_id],
            "input_schema": {"query": {"type": "text"}},
            "inputs": {"query": query},
            "stages": listed,
            "include_legacy_results": False,
            **body,
        }
        return await self.corpus.post("retrievers/execute", sent)


@contextlib.asynccontextmanager
async def open_shop(folder: Path) -> AsyncIterator[Shop]:
    rows = products()
    texts = {key: fields["title"] for key, fields in rows.items()}
    async with open_corpus(folder, texts, rows) as corpus:
        empty = Shop(corpus, {})
        listed = await empty.answer(("attribute_filter", {"field": "key", "operator": "exists"}))
        yield Shop(corpus, {document["document_id"]: rows[document["key"]] for document in listed["documents"]})


def search(kind: str, **more: Any) -> dict[str, Any]:
    """One search for the input's query. kind: dense, which finds every product and is cut, or lexical, which is not."""
    return {
        "feature_uri": URI,
        "query": "{{INPUT.query}}",
        "lexical": kind == "lexical",
        "top_k": more.pop("top_k", DEPTH if kind == "dense" else COUNT),
        **more,
    }


def ranking(answer: Mapping[str, Any]) -> Ranking:
    return [(document["document_id"], document["score"]) for document in answer["documents"]]


def ids(answer: Mapping[str, Any]) -> list[str]:
    return [document["document_id"] for document in answer["documents"]]


def assert_ranks(found: Ranking, expected: Scores, limit: int = COUNT) -> None:
    """The `limit` best of the expected scores, each with its score, score down and id up."""
    assert len(found) == min(limit, len(expected))
    assert len({document_id for document_id, _ in found}) == len(found)
    assert dict(found) == pytest.approx({one: expected[one] for one, _ in found}, abs=1e-4, rel=0)
    assert found == sorted(found, key=lambda entry: (-entry[1], entry[0]))
    right = [expected[document_id] for document_id, _ in found]
    assert all(ahead >= behind - FLOAT_NOISE for ahead, behind in pairwise(right))
    if found and len(found) < len(expected):
        _assert_cut(found, expected)


def _assert_cut(found: Ranking, expected: Scores) -> None:
    """Nothing that was left out is better than the last; of equal products the lower ids are in."""
    last = expected[found[-1][0]]
    inside = {document_id for document_id, _ in found}
    outside = {document_id: score for document_id, score in expected.items() if document_id not in inside}
    assert max(outside.values()) <= last + FLOAT_NOISE
    equal_inside = [document_id for document_id in inside if expected[document_id] == last]
    equal_outside = [document_id for document_id, score in outside.items() if score == last]
    assert not equal_outside or max(equal_inside) < min(equal_outside)


def fused(strategy: str, rankings: Sequence[Ranking], weights: Sequence[float]) -> Scores:
    """What several rankings make of each document that any of them holds."""
    sums: dict[str, list[float]] = {}
    for ranked, weight in zip(rankings, weights, strict=True):
        for (document_id, _), part in zip(ranked, _parts(strategy, ranked, weight), strict=True):
            sums.setdefault(document_id, []).append(part)
    combine: Callable[[list[float]], float] = max if strategy == "max" else math.fsum
    return {document_id: combine(parts) for document_id, parts in sums.items()}


def _parts(strategy: str, ranked: Ranking, weight: float) -> list[float]:
    scores = [score for _, score in ranked]
    if strategy == "rrf":
        return [weight / (60 + rank) for rank in range(1, len(ranked) + 1)]
    if strategy == "weighted":
        return [weight * score for score in scores]
    if strategy == "max":
        return scores
    # Few have any of the words: the others scored 0. Every product has a vector.
    sample = scores + [0.0] * max(30 - len(scores), 0)
    low = float(np.mean(sample)) - 3 * float(np.std(sample, ddof=1))
    return [weight * (score - low) / (6 * float(np.std(sample, ddof=1))) for score in scores]
