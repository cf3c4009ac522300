"""docs/clusters.md: its example runs and comes to what the page says; its tables are the code's."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from tamis.engine.clustering.clustering import MAX_DOCUMENTS, SAMPLED
from tamis.engine.clustering.clustering_parameters import PARAMETERS, Algorithm
from tamis.model.document import DocumentWrite
from tamis.model.hits import Hit, Hits
from tamis.model.vector import Dense
from tests.engine.stages.shop import PRINCIPAL, Shop, document

PAGE = (Path(__file__).parents[3] / "docs" / "clusters.md").read_text()
_SAID_BESIDE = {"n_clusters", "random_state", "min_cluster_size"}


def rows_of(header: str) -> list[list[str]]:
    """The cells of the table that begins with this header."""
    lines = PAGE[PAGE.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


async def test_the_example_comes_to_what_the_page_says(shop: Shop) -> None:
    asked, expected, *_ = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    writes = []
    for number, (name, vector, content) in enumerate(_examples()):
        vectors = (
            {"embedding": Dense(np.array([float(one) for one in vector.split(",")], np.float32))} if vector else {}
        )
        writes.append(DocumentWrite(document(name, "col_a", number, {"content": content}), vectors))
    await shop.metadata.write(lambda session: session.documents.put(PRINCIPAL, "col_a", writes))
    hits = Hits.of(Hit(one.document.document_id, 1 / (n + 1), one.document) for n, one in enumerate(writes))
    outcome = await shop.run(asked["stage_id"], asked["parameters"], hits, 1)
    assert [_short(one) for one in outcome.hits] == expected


def _examples() -> list[tuple[str, str, str]]:
    found = re.findall(r"^\| (\w+) \| ([-\d., ]*?) ?\| (the [\w ]+) \|$", PAGE, re.MULTILINE)
    assert len(found) == 7
    return found


def _short(row: Hit) -> dict[str, Any]:
    listed: Any = row.extra["documents"]
    return {**row.extra, "documents": [one["document_id"] for one in listed]}


def test_the_table_has_every_algorithm_with_its_limit_and_parameters() -> None:
    told = {row[0].strip("`"): row for row in rows_of("| `algorithm` | how many")}
    assert set(told) == set(Algorithm)
    for algorithm, model in PARAMETERS.items():
        row = told[algorithm]
        most = SAMPLED[algorithm].most if algorithm in SAMPLED else MAX_DOCUMENTS
        assert row[2] == f"{most:,}"
        assert set(re.findall(r"`(\w+)`", row[3])) - _SAID_BESIDE == set(model.model_fields) - _SAID_BESIDE
