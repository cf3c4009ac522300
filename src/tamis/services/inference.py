"""A model run on its own, outside any pipeline."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tamis.engine.ports.inference import Embedder, Models
from tamis.errors import BadRequestError, ValidationError
from tamis.model.json import JSON

PROVIDER = "tamis"
LEXICAL_MODEL = "bm25"
_MOST_TEXTS = 1000
_PARAMETERS = {"input_type": ("document", "query"), "language": None}


@dataclass(frozen=True, slots=True)
class Inference:
    """data: `{"embedding": ...}` for one text, `{"embeddings": [...]}` for several. tokens_used: by kind."""

    data: dict[str, JSON]
    provider: str
    model: str
    tokens_used: dict[str, int] | None
    latency_ms: float


@dataclass(frozen=True, slots=True)
class _Asked:
    texts: tuple[str, ...]
    is_list: bool
    is_query: bool
    language: str | None


class InferenceService:
    """Runs the models at hand: embedders by name, and `bm25` for lexical weights."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def run(
        self, provider: str, model: str, inputs: Mapping[str, Any], parameters: Mapping[str, Any] | None = None
    ) -> Inference:
        """inputs: `text`, or `texts`. parameters: `input_type` (document or query), `language` for `bm25`.

        Raises: BadRequestError (provider), UnknownModelError, ModelMissingError, ValidationError.
        """
        if provider.strip().lower() != PROVIDER:
            raise BadRequestError(f"unknown provider {provider!r}; this server has {PROVIDER!r}", provider=provider)
        asked = _asked(inputs, parameters or {})
        started = time.monotonic()
        name, data, tokens = await asyncio.to_thread(self._compute, model, asked)
        return Inference(data, PROVIDER, name, tokens, (time.monotonic() - started) * 1000)

    def _compute(self, model: str, asked: _Asked) -> tuple[str, dict[str, JSON], dict[str, int] | None]:
        if model == LEXICAL_MODEL:
            return LEXICAL_MODEL, _answer(self._lexical(asked), asked), None
        embedder = self._models.embedder(model)
        rows = (
            [embedder.embed_query(text) for text in asked.texts]
            if asked.is_query
            else list(embedder.embed_documents(asked.texts))
        )
        count = sum(_tokens(embedder, text) for text in asked.texts)
        return embedder.info.name, _answer([row.tolist() for row in rows], asked), {"input": count, "total": count}

    def _lexical(self, asked: _Asked) -> list[JSON]:
        encoder = self._models.lexical()
        encode = encoder.encode_query if asked.is_query else encoder.encode_document
        found = [encode(text, asked.language) for text in asked.texts]
        return [{"indices": sparse.indices.tolist(), "values": sparse.values.tolist()} for sparse in found]


def _tokens(embedder: Embedder, text: str) -> int:
    return min(len(embedder.spans(text)), embedder.info.max_tokens)


def _answer(rows: Sequence[JSON], asked: _Asked) -> dict[str, JSON]:
    return {"embeddings": list(rows)} if asked.is_list else {"embedding": rows[0]}


def _asked(inputs: Mapping[str, Any], parameters: Mapping[str, Any]) -> _Asked:
    for name, allowed in _PARAMETERS.items():
        value = parameters.get(name)
        if value is not None and (not isinstance(value, str) or (allowed and value not in allowed)):
            said = f"one of {', '.join(allowed)}" if allowed else "the code of a language, such as 'de'"
            raise ValidationError.at(["body", "parameters", name], said)
    texts = _texts(inputs)
    is_query = parameters.get("input_type") == "query"
    return _Asked(texts, "texts" in inputs, is_query, parameters.get("language"))


def _texts(inputs: Mapping[str, Any]) -> tuple[str, ...]:
    if "texts" in inputs:
        texts = inputs["texts"]
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
            raise ValidationError.at(["body", "inputs", "texts"], "a list of at least one string")
        if len(texts) > _MOST_TEXTS:
            raise ValidationError.at(["body", "inputs", "texts"], f"at most {_MOST_TEXTS} texts in one request")
        return tuple(texts)
    if not isinstance(inputs.get("text"), str):
        raise ValidationError.at(["body", "inputs", "text"], "a string, or `texts` with a list of strings")
    return (inputs["text"],)
