"""Text embedding by a service that speaks OpenAI's `/embeddings`: hosted, or a server of one's own."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from pydantic import SecretStr

from tamis.engine.ports.inference import ModelInfo
from tamis.engine.text.tokens import cut
from tamis.engine.text.tokens import spans as token_spans
from tamis.errors import EmbeddingServiceError
from tamis.inference.onnx_text import sound, unit_rows
from tamis.model.vector import FloatArray

_WORTH_TRYING_AGAIN = frozenset((408, 429, 500, 502, 503, 504))
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 20.0
_VERSION_DIGITS = 12
_CHARACTERS_A_TOKEN = 64


@dataclass(frozen=True, slots=True)
class EmbeddingEndpoint:
    """model: its name there.  dimensions: of its rows; an answer of another length is an error.

    max_tokens: longer texts are cut there, by estimate.  prefixes: what the model was trained to expect.
    batch: texts in a request.  timeout_s: for one request with its repetitions.
    """

    name: str
    base_url: str
    model: str
    dimensions: int
    key: SecretStr | None = field(default=None, repr=False)
    max_tokens: int = 512
    query_prefix: str = ""
    document_prefix: str = ""
    batch: int = 32
    timeout_s: float = 60.0
    retries: int = 3

    @property
    def info(self) -> ModelInfo:
        """version: of what was agreed with the service; whether it changes its weights it does not say."""
        agreed = "\n".join((self.base_url, self.model, str(self.dimensions), self.query_prefix, self.document_prefix))
        version = hashlib.sha256(agreed.encode()).hexdigest()[:_VERSION_DIGITS]
        return ModelInfo(self.name, version, self.dimensions, self.max_tokens, "as its owner says", "endpoint")


class EndpointEmbedder:
    """An Embedder. Safe for threads."""

    def __init__(self, endpoint: EmbeddingEndpoint) -> None:
        key = endpoint.key.get_secret_value() if endpoint.key is not None else None
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._endpoint = endpoint
        self._url = f"{endpoint.base_url.rstrip('/')}/embeddings"
        # A redirect is not followed: it would take texts and key to a host that nobody named.
        self._client = httpx.Client(headers=headers, timeout=endpoint.timeout_s, follow_redirects=False)
        self.info = endpoint.info

    def embed_documents(self, texts: Sequence[str]) -> FloatArray:
        """float32 [n, dim], unit rows. Cost: a request for each batch. Raises: EmbeddingServiceError."""
        return self._embed([self._endpoint.document_prefix + text for text in texts])

    def embed_query(self, text: str) -> FloatArray:
        """float32 [dim], unit length. Raises: EmbeddingServiceError."""
        row: FloatArray = self._embed([self._endpoint.query_prefix + text])[0]
        return row

    def spans(self, text: str) -> Sequence[tuple[int, int]]:
        """Of estimated tokens: the service does not show its own."""
        return list(token_spans(text))

    def close(self) -> None:
        self._client.close()

    def _embed(self, texts: Sequence[str]) -> FloatArray:
        given = [self._cut(text) for text in texts]
        rows = np.zeros((len(given), self.info.dimensions), np.float32)
        for start in range(0, len(given), self._endpoint.batch):
            some = given[start : start + self._endpoint.batch]
            rows[start : start + len(some)] = self._rows(self._answer(some), len(some))
        return unit_rows(rows)

    def _cut(self, text: str) -> str:
        # A service refuses an empty text; a space means as little.
        most = self.info.max_tokens
        return cut(sound(text[: most * _CHARACTERS_A_TOKEN]), most) or " "

    def _answer(self, texts: Sequence[str]) -> Any:
        body = {"model": self._endpoint.model, "input": list(texts), "encoding_format": "float"}
        deadline = time.monotonic() + self._endpoint.timeout_s
        problem = "no answer"
        for pause in self._pauses():
            answer, problem, asked_s = self._ask(body, deadline)
            if answer is not None:
                return answer
            wait = max(pause, asked_s)
            if time.monotonic() + wait >= deadline:
                break
            time.sleep(wait)
        raise self._error(problem)

    def _pauses(self) -> Iterator[float]:
        yield from (min(_FIRST_PAUSE_S * 2**n, _LONGEST_PAUSE_S) for n in range(self._endpoint.retries + 1))

    def _ask(self, body: dict[str, Any], deadline: float) -> tuple[Any, str, float]:
        """The answer, or what was wrong and for how long the service asks to be left alone.

        Nothing that the service wrote is repeated: it may quote a document. Raises: EmbeddingServiceError where
        asking again is no use.
        """
        try:
            response = self._client.post(self._url, json=body, timeout=max(0.1, deadline - time.monotonic()))
        except httpx.HTTPError as error:
            return None, type(error).__name__, 0.0
        if response.status_code in _WORTH_TRYING_AGAIN:
            asked = response.headers.get("retry-after", "")
            return None, f"status {response.status_code}", float(asked) if asked.isdecimal() else 0.0
        if not response.is_success:
            raise self._error(f"status {response.status_code}")
        try:
            return response.json(), "", 0.0
        except ValueError:
            raise self._error("no JSON") from None

    def _rows(self, answer: Any, count: int) -> FloatArray:
        try:
            listed = sorted(answer["data"], key=lambda one: int(one["index"]))
            rows = np.array([one["embedding"] for one in listed], np.float32)
        except (TypeError, KeyError, ValueError):
            raise self._error("an answer that holds no embeddings") from None
        if len(rows) != count:
            raise self._error(f"{len(rows)} embeddings for {count} texts")
        if rows.ndim != 2 or rows.shape[1] != self.info.dimensions:
            raise self._error(
                f"{rows.shape[-1]} dimensions, not {self.info.dimensions} as TAMIS_EMBEDDING_ENDPOINTS says"
            )
        if not np.isfinite(rows).all():
            raise self._error("numbers that are not finite")
        return rows

    def _error(self, problem: str) -> EmbeddingServiceError:
        return EmbeddingServiceError(
            f"the embeddings endpoint {self._endpoint.name!r} gave {problem}", model=self._endpoint.name
        )
