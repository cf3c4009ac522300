"""One vector a token from a text embedding model: a stand-in where no model was trained for late interaction."""

from collections.abc import Sequence
from dataclasses import replace

from tamis.inference.onnx_text import OnnxTextEmbedder
from tamis.model.vector import FloatArray

TOKENS = "#tokens"
"""Ends the name of a model whose tokens are used although it was trained to be pooled."""


class TokensOfEmbedder:
    """A TokenEmbedder. Special tokens are left out, unless the text has no others."""

    def __init__(self, embedder: OnnxTextEmbedder) -> None:
        self._embedder = embedder
        self.info = replace(embedder.info, name=embedder.info.name + TOKENS)

    def embed_documents(self, texts: Sequence[str]) -> Sequence[FloatArray]:
        return self._embedder.embed_tokens(texts)

    def embed_query(self, text: str) -> FloatArray:
        return self._embedder.embed_query_tokens(text)
