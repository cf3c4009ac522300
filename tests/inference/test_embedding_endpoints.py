"""Text embedding by a service: batches, prefixes, repetitions, and what is refused, against a stub on a real port."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from tamis.engine.ports.extraction import ExtractionFailure, SourceItem
from tamis.errors import ConfigurationError, EmbeddingServiceError, UnknownModelError
from tamis.extractors.text_extractor import TextExtractor
from tamis.inference.embedding_endpoints import EmbeddingEndpoint, EndpointEmbedder
from tamis.inference.models import LocalModels
from tamis.settings import EmbeddingService, Settings
from tamis.wiring.backends import local_models
from tests.inference.embedding_server import EmbeddingServer, serving


@pytest.fixture
def service() -> Iterator[EmbeddingServer]:
    with serving() as service:
        yield service


def endpoint(service: EmbeddingServer, **more: Any) -> EmbeddingEndpoint:
    return replace(EmbeddingEndpoint("letters", service.url, "letters-1", 3, timeout_s=5.0), **more)


def test_batches_prefixes_and_unit_rows(service: EmbeddingServer) -> None:
    key = SecretStr("sk-quiet")
    embedder = EndpointEmbedder(endpoint(service, key=key, batch=2, query_prefix="a", document_prefix="b "))
    rows = embedder.embed_documents(["", "a", "bccc"])
    assert rows == pytest.approx(np.array([[0, 1, 0], [0.5**0.5, 0.5**0.5, 0], [0, 2 / 13**0.5, 3 / 13**0.5]]))
    assert embedder.embed_query("").tolist() == [1, 0, 0]
    assert [body["input"] for body in service.requests] == [["b ", "b a"], ["b bccc"], ["a"]]
    assert {body["model"] for body in service.requests} == {"letters-1"}
    assert set(service.keys) == {"Bearer sk-quiet"}
    assert embedder.embed_documents([]).shape == (0, 3)
    embedder.close()


def test_a_text_is_cut_at_the_window_and_never_empty(service: EmbeddingServer) -> None:
    embedder = EndpointEmbedder(endpoint(service, max_tokens=8))
    embedder.embed_documents(["", "word " * 1000, "\ud800a"])
    assert service.requests[0]["input"] == [" ", ("word " * 8).strip(), "\ufffda"]
    embedder.close()


def test_what_passes_is_tried_again_and_what_stays_is_not(service: EmbeddingServer) -> None:
    embedder = EndpointEmbedder(endpoint(service))
    service.script.extend([503, 429])
    assert embedder.embed_query("c").tolist() == [0, 0, 1]
    assert len(service.requests) == 3
    service.script.append(401)
    with pytest.raises(EmbeddingServiceError, match="'letters' gave status 401"):
        embedder.embed_query("c")
    assert len(service.requests) == 4
    service.script.append(307)
    with pytest.raises(EmbeddingServiceError, match="status 307"):
        embedder.embed_query("c")
    embedder.close()


def test_it_does_not_wait_past_its_time(service: EmbeddingServer) -> None:
    service.headers["Retry-After"] = "60"
    service.script.extend([503] * 5)
    embedder = EndpointEmbedder(endpoint(service, timeout_s=1.0))
    with pytest.raises(EmbeddingServiceError, match="status 503"):
        embedder.embed_query("c")
    assert len(service.requests) == 1
    embedder.close()
    away = EndpointEmbedder(replace(endpoint(service, retries=0), base_url="http://127.0.0.1:9"))
    with pytest.raises(EmbeddingServiceError, match="ConnectError"):
        away.embed_query("c")
    away.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"data": [{"index": 0, "embedding": [1, 2]}]}, "2 dimensions, not 3 as TAMIS_EMBEDDING_ENDPOINTS says"),
        ({"data": []}, "0 embeddings for 1 texts"),
        ({"data": [{"index": 0, "embedding": [1, 2, "nan"]}]}, "not finite"),
        ({"data": [{"index": 0, "embedding": [1, 2, None]}]}, "no embeddings|not finite"),
        ({"error": "secret text"}, "no embeddings"),
        ([], "no embeddings"),
    ],
)
def test_a_wrong_answer_is_an_error_that_repeats_none_of_it(answer: Any, reason: str, service: EmbeddingServer) -> None:
    service.script.append(answer)
    embedder = EndpointEmbedder(endpoint(service))
    with pytest.raises(EmbeddingServiceError, match=reason) as raised:
        embedder.embed_query("c")
    assert "secret" not in raised.value.message
    embedder.close()


def test_a_collection_names_it_as_its_model(service: EmbeddingServer, tmp_path: Path) -> None:
    models = LocalModels(tmp_path, tmp_path, downloads=False, endpoints=[endpoint(service)])
    extractor = TextExtractor(models)
    parameters = extractor.Parameters.model_validate({"model": "letters", "split_by": "words", "chunk_size": 1})
    dense, _ = extractor.features(parameters)
    assert (dense.inference_name, dense.dimensions) == ("letters", 3)
    (segments,) = extractor.extract([SourceItem("obj_1", {"text": "aa b"})], parameters, models)
    assert not isinstance(segments, ExtractionFailure)
    assert [segment.vectors["embedding"].values.tolist() for segment in segments] == [[1, 0, 0], [0, 1, 0]]
    assert models.available()[0] == models.embedder("letters").info
    with pytest.raises(UnknownModelError, match=r"letters.*TAMIS_EMBEDDING_ENDPOINTS"):
        models.embedder("numbers")


def test_settings_name_it_and_a_name_that_tamis_has_is_refused() -> None:
    given = EmbeddingService(base_url="http://localhost:9/v1", dimensions=8, api_key=SecretStr("sk-quiet"))
    info = local_models(Settings(embedding_endpoints={"mine": given})).embedder("mine").info
    assert (info.name, info.dimensions, info.provider) == ("mine", 8, "endpoint")
    with pytest.raises(ConfigurationError, match="'minilm' is a model that Tamis brings"):
        local_models(Settings(embedding_endpoints={"minilm": given}))
    assert "sk-quiet" not in repr(Settings(embedding_endpoints={"mine": given}))
