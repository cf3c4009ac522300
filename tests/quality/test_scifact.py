"""SciFact: Tamis ranks as well as plain code over the same vectors and terms, and better when it fuses both.

The fixed subset asks every third claim of the abstracts that are judged for it and 150 others, so that the suite stays
quick where no vector is kept yet; all 5,183 abstracts and 300 claims, with their thresholds, are asked by
`benchmarks/quality.py`.
"""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import ir_measures
import numpy as np
import pytest
import pytest_asyncio
from ir_measures import nDCG

from tests.quality.plain import bm25_run, dense_run, rrf_run
from tests.quality.tamis_run import Corpus, open_corpus, run
from tests.shared_data import json_lines, qrels, shared

pytestmark = pytest.mark.asyncio(loop_scope="module")
CLAIMS = slice(None, None, 3)
OTHERS = 150


def subset(documents: list[dict[str, Any]], judged: set[str]) -> list[dict[str, Any]]:
    others = sorted(
        (row for row in documents if row["id"] not in judged), key=lambda row: hashlib.sha1(row["id"].encode()).digest()
    )
    return [row for row in documents if row["id"] in judged] + others[:OTHERS]


@pytest.fixture(scope="module")
def judgements() -> dict[str, dict[str, int]]:
    every = qrels(shared("data/scifact/qrels.tsv"))
    return {claim: every[claim] for claim in sorted(every)[CLAIMS]}


@pytest.fixture(scope="module")
def queries(judgements: dict[str, dict[str, int]]) -> dict[str, str]:
    every = {row["id"]: row["text"] for row in json_lines(shared("data/scifact/queries.jsonl"))}
    return {claim: every[claim] for claim in judgements}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def corpus(
    tmp_path_factory: pytest.TempPathFactory, judgements: dict[str, dict[str, int]]
) -> AsyncIterator[Corpus]:
    judged = {document for row in judgements.values() for document in row}
    rows = subset(json_lines(shared("data/scifact/corpus.jsonl")), judged)
    texts = {row["id"]: f"{row['title']}. {row['text']}" for row in rows}
    async with open_corpus(tmp_path_factory.mktemp("scifact"), texts) as opened:
        yield opened


def ndcg(judgements: dict[str, dict[str, int]], ranking: dict[str, dict[str, float]]) -> float:
    return float(ir_measures.calc_aggregate([nDCG @ 10], judgements, ranking)[nDCG @ 10])


async def test_quality_equals_plain_code_and_fusion_helps(
    corpus: Corpus, queries: dict[str, str], judgements: dict[str, dict[str, int]]
) -> None:
    lexical = await run(corpus, queries, lexical=True)
    dense = await run(corpus, queries, dense=True)
    hybrid = await run(corpus, queries, lexical=True, dense=True)

    plain_lexical = bm25_run(corpus.lexical, corpus.texts, queries)
    plain_dense = dense_run(corpus.embedder, corpus.texts, queries)
    scores = {name: ndcg(judgements, ranking) for name, ranking in (("lexical", lexical), ("dense", dense))}
    assert scores["lexical"] == pytest.approx(ndcg(judgements, plain_lexical), abs=0.002)
    assert scores["dense"] == pytest.approx(ndcg(judgements, plain_dense), abs=0.002)
    assert ndcg(judgements, hybrid) == pytest.approx(ndcg(judgements, rrf_run([plain_lexical, plain_dense])), abs=0.005)
    assert ndcg(judgements, hybrid) > max(scores.values())
    assert min(scores.values()) > 0.64


async def test_dense_ranks_exactly_as_numpy(corpus: Corpus, queries: dict[str, str]) -> None:
    few = dict(list(queries.items())[:30])
    found = await run(corpus, few, dense=True)
    plain = dense_run(corpus.embedder, corpus.texts, few)
    for query_id in few:
        expected = sorted(plain[query_id].items(), key=lambda item: -item[1])[:10]
        got = sorted(found[query_id].items(), key=lambda item: -item[1])[:10]
        assert np.allclose([score for _, score in got], [score for _, score in expected], atol=1e-3)
