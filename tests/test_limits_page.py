"""docs/limits.md says what the server enforces, number by number."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from tamis.api.admission import kind_of
from tamis.api.bodies import LEVELS
from tamis.api.schemas.document import Ids
from tamis.api.schemas.execution import ExecuteBatchRequest, ExecutionOptions
from tamis.cli import connections
from tamis.engine.searching.search_parameters import FeatureSearchConfig, FeatureSearchParameters
from tamis.engine.templating import sandbox
from tamis.model.filters import DEEPEST, MOST_CLAUSES
from tamis.model.limits import NOUNS, UNBOUNDED
from tamis.model.patterns import LONGEST_PATTERN, LONGEST_TEXT, MOST_S
from tamis.services.access import idempotency
from tamis.services.data import objects, uploads
from tamis.services.public.public_limits import LOOKS
from tamis.settings import Settings, Tier

PAGE = (Path(__file__).parents[1] / "docs" / "limits.md").read_text()
FIELDS = Settings.model_fields


def bound(model: type[BaseModel], name: str) -> Any:
    return of(model.model_fields[name].metadata)


def of(metadata: Any) -> Any:
    """The upper bound among what pydantic keeps of a field."""
    found = [getattr(each, name) for each in metadata for name in ("le", "max_length") if getattr(each, name, None)]
    assert len(found) == 1, "the field has no bound, or two"
    return found[0]


ENFORCED = {
    "connections that are open": FIELDS["max_connections"].default,
    "bytes of a request": FIELDS["max_request_bytes"].default,
    "bytes of an upload": FIELDS["max_upload_bytes"].default,
    "levels of JSON in a body": LEVELS,
    "stages of a pipeline": FIELDS["max_stages"].default,
    "searches of a `feature_search`": bound(FeatureSearchParameters, "searches"),
    "`top_k` of a search, `final_top_k` of a stage": bound(FeatureSearchConfig, "top_k"),
    "conditions of a filter": MOST_CLAUSES,
    "groups inside groups of a filter": DEEPEST,
    "characters of a regular expression": LONGEST_PATTERN,
    "characters of a text that a regular expression is looked for in": LONGEST_TEXT,
    "seconds of computing of a filter's regular expressions": MOST_S,
    "characters of a template's code": sandbox._MAX_CODE,
    "characters that a template makes": sandbox.MAX_TEXT,
    "objects, or uploads, of one batch request": objects.MAX_BATCH,
    "documents of one batch request": of(get_args(Ids)[1].metadata),
    "queries of `execute/batch`": bound(ExecuteBatchRequest, "queries"),
    "results of a page": bound(ExecutionOptions, "limit"),
    "looks of one address at public pages and templates, a minute": LOOKS.limit,
    "batches that are submitted and not ended": FIELDS["max_queued_batches"].default,
}


def rows(head: str) -> dict[str, list[str]]:
    """The table under the line that begins with `head`: its cells by the first one."""
    lines = PAGE[PAGE.index(f"\n{head}") + 1 :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first: rest for first, *rest in cells}


def test_sizes() -> None:
    assert {name: int(cells[0]) for name, cells in rows("| limit").items()} == ENFORCED
    assert uploads.MAX_BATCH == objects.MAX_BATCH
    named = [cells[1].strip("`") for cells in rows("| limit").values() if cells[1]]
    assert {name.removeprefix("TAMIS_").lower() for name in named} <= set(FIELDS)


def test_tiers() -> None:
    table = rows("| | free")
    for place, name in enumerate(("free", "pro", "team", "enterprise")):
        tier: Tier = getattr(FIELDS["tiers"].default, name)
        rates = tier.requests_per_minute
        each = set(rates.model_dump().values()) if rates else {None}
        shown = {noun: cells[place] for noun, cells in table.items()}
        assert [shown.pop("requests a minute, each kind")] == [_shown(rate) for rate in each]
        assert shown.pop("executions at once") == _shown(tier.executions)
        assert {noun.replace(" ", "_").lower(): most for noun, most in shown.items()} == {
            noun: _shown(getattr(tier, noun)) for noun in NOUNS
        }


def _shown(most: int | None) -> str:
    return "any" if most is None else str(most)


def test_numbers_in_the_text() -> None:
    text = " ".join(PAGE.split())
    assert f"shows {UNBOUNDED}" in text
    assert f"`TAMIS_MAX_CONNECTIONS` ({FIELDS['max_connections'].default})" in text
    assert f"less than {connections.FAIR_BYTES_A_SECOND >> 10} KiB a second" in text
    assert f"newest {idempotency.MOST_KEPT} are kept" in text
    assert idempotency.LARGEST_BYTES == 1 << 20
    assert "at most 1 MiB each" in text
    assert idempotency.KEPT_FOR.days == 1
    settings = set(re.findall(r"TAMIS_(\w+)", PAGE))
    assert {name.lower() for name in settings} <= set(FIELDS)


@pytest.mark.parametrize(
    ("kind", "operations"),
    [
        ("search", ["POST /v1/retrievers/execute", "POST /v1/retrievers/{retriever_id}/execute/batch"]),
        ("upload", ["POST /v1/buckets/{bucket_identifier}/objects", "POST /v1/buckets/{bucket_identifier}/uploads"]),
        ("compute", ["POST /v1/buckets/{bucket_identifier}/batches/{batch_id}/submit", "POST /v1/inference"]),
        ("data", ["GET /v1/tasks/{task_id}", "POST /v1/collections/{collection_identifier}/documents"]),
        ("metadata", ["POST /v1/namespaces", "PATCH /v1/organizations"]),
    ],
)
def test_kinds(kind: str, operations: list[str]) -> None:
    assert kind in {cell.strip("`") for cell in rows("| kind")}
    assert {kind_of(*operation.split()) for operation in operations} == {kind}
