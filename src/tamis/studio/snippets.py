"""An execution's request as a program would send it again."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from tamis.model.json import JSON
from tamis.model.retriever import Definition

_LONGEST = 32_000


def body_of(definition: Definition, inputs: Mapping[str, JSON]) -> dict[str, Any]:
    """What `POST /v1/retrievers/execute` takes to run this pipeline on these inputs."""
    stages = [
        {
            "stage_name": stage.stage_name,
            "config": {"stage_id": stage.stage_id, "parameters": stage.parameters, **stage.options},
        }
        for stage in definition.stages
    ]
    body: dict[str, Any] = {
        "collection_identifiers": list(definition.collection_ids),
        "input_schema": definition.input_schema,
        "inputs": dict(inputs),
        "stages": stages,
    }
    budget = {"max_credits": definition.budget.max_credits, "max_time_ms": definition.budget.max_time_ms}
    limits = {name: value for name, value in budget.items() if value is not None}
    return {**body, "budget_limits": limits} if limits else body


def curl(body: dict[str, Any], base_url: str, namespace: str) -> str | None:
    """None where it is too long for a command line."""
    text = json.dumps(body, ensure_ascii=False, indent=2)
    if len(text) > _LONGEST:
        return None
    return "\n".join(
        (
            f"curl {shlex.quote(f'{base_url}/v1/retrievers/execute')} \\",
            '  -H "Authorization: Bearer $TAMIS_API_KEY" \\',
            f"  -H {shlex.quote(f'X-Namespace: {namespace}')} \\",
            "  -H 'Content-Type: application/json' \\",
            f"  -d {shlex.quote(text)}",
        )
    )


def python(body: dict[str, Any], base_url: str, namespace: str) -> str | None:
    """None where it is too long to be read."""
    text = json.dumps(body, ensure_ascii=False, indent=4)
    if len(text) > _LONGEST:
        return None
    return "\n".join(
        (
            "import json",
            "import os",
            "",
            "import httpx",
            "",
            "tamis = httpx.Client(",
            f"    base_url={f'{base_url}/v1'!r},",
            '    headers={"Authorization": f"Bearer {os.environ[\'TAMIS_API_KEY\']}",',
            f'             "X-Namespace": {namespace!r}}},',
            ")",
            f"request = json.loads({_raw(text)})",
            'answer = tamis.post("/retrievers/execute", json=request).raise_for_status().json()',
            'for document in answer["documents"]:',
            '    print(document["score"], document["document_id"])',
        )
    )


def _raw(text: str) -> str:
    """A literal that a person can read, whatever is in the text."""
    return f"r'''{text}'''" if "'''" not in text and not text.endswith("\\") else repr(text)
