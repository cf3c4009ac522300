"""POST /v1/inference on the wire."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tamis.api import inference
from tamis.inference.models import LocalModels
from tamis.services.inference import InferenceService
from tests.models import models
from tests.retrieval_world import HEADERS, opened
from tests.shared_data import shared

__all__ = ["models"]
MINILM = "all-MiniLM-L6-v2"


@pytest.fixture
async def client(tmp_path: Path, models: LocalModels) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(tmp_path) as world:
        app = world.app
        app.state.services[InferenceService] = InferenceService(models)
        app.include_router(inference.router)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tamis", headers=HEADERS) as client:
            yield client


async def ask(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post(
        "/v1/inference", json={"provider": "tamis", "model": MINILM, "inputs": {"text": "a"}, **body}
    )


async def test_the_answer_is_the_contracts(client: httpx.AsyncClient) -> None:
    answer = await ask(client, inputs={"texts": ["a fine sieve", "mesh"]}, parameters=None, unknown="ignored")
    assert answer.status_code == 200
    schemas = json.loads(shared("contract/api.json").read_text())["components"]["schemas"]
    Draft202012Validator(schemas["RawInferenceResponse"]).validate(answer.json())
    assert [len(row) for row in answer.json()["data"]["embeddings"]] == [384, 384]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"provider": "nobody"}, 400, "'tamis'"),
        ({"model": "nothing"}, 404, "known: all-MiniLM-L6-v2"),
        ({"inputs": {}}, 422, "inputs.text"),
        ({"inputs": "text"}, 422, "inputs"),
    ],
)
async def test_what_is_wrong_is_named(client: httpx.AsyncClient, body: dict[str, Any], status: int, says: str) -> None:
    answer = await ask(client, **body)
    assert answer.status_code == status
    assert says in answer.json()["error"]["message"]


async def test_a_key_is_needed(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/inference", json={}, headers={"Authorization": "Bearer sk_wrong"})
    assert answer.status_code == 401
