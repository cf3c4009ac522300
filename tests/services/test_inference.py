"""A model run by itself."""

from typing import Any

import numpy as np
import pytest

from tamis.errors import BadRequestError, UnknownModelError, ValidationError
from tamis.inference.models import LocalModels
from tamis.services.inference import InferenceService

MINILM = "all-MiniLM-L6-v2"


@pytest.fixture
def service(models: LocalModels) -> InferenceService:
    return InferenceService(models)


async def test_one_text(service: InferenceService, models: LocalModels) -> None:
    done = await service.run("tamis", "sentence-transformers/all-MiniLM-L6-v2", {"text": "a fine sieve"})
    row = done.data["embedding"]
    assert isinstance(row, list)
    np.testing.assert_allclose(np.array(row, np.float32), models.embedder().embed_query("a fine sieve"), atol=1e-5)
    assert (done.provider, done.model, done.tokens_used) == ("tamis", MINILM, {"input": 4, "total": 4})
    assert done.latency_ms > 0


async def test_several_texts_and_lexical_weights(service: InferenceService, models: LocalModels) -> None:
    done = await service.run("Tamis", MINILM, {"texts": ["one", "two"]}, {"input_type": "query"})
    assert len(done.data["embeddings"]) == 2  # type: ignore[arg-type]  # JSON; a list here
    lexical = await service.run("tamis", "bm25", {"text": "Häuser"}, {"language": "de"})
    expected = models.lexical().encode_document("Häuser", "de")
    assert lexical.data["embedding"] == {"indices": expected.indices.tolist(), "values": expected.values.tolist()}
    assert lexical.tokens_used is None


@pytest.mark.parametrize(
    ("inputs", "parameters", "place"),
    [
        ({}, {}, "inputs.text"),
        ({"text": 3}, {}, "inputs.text"),
        ({"texts": []}, {}, "inputs.texts"),
        ({"texts": ["a", None]}, {}, "inputs.texts"),
        ({"texts": ["a"] * 1001}, {}, "at most 1000"),
        ({"text": "a"}, {"input_type": "question"}, "parameters.input_type"),
        ({"text": "a"}, {"language": 4}, "parameters.language"),
    ],
)
async def test_wrong_inputs_name_their_place(
    service: InferenceService, inputs: dict[str, Any], parameters: dict[str, Any], place: str
) -> None:
    with pytest.raises(ValidationError, match=place):
        await service.run("tamis", MINILM, inputs, parameters)


async def test_unknown_provider_and_model(service: InferenceService) -> None:
    with pytest.raises(BadRequestError, match="'tamis'"):
        await service.run("openai", "text-embedding-3-small", {"text": "a"})
    with pytest.raises(UnknownModelError, match="known: all-MiniLM"):
        await service.run("tamis", "text-embedding-3-small", {"text": "a"})
