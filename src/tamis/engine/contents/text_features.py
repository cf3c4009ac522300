"""What every extractor that finds text makes of it: a dense vector of its meaning and a sparse one of its words.

One name and one space whatever the text was found in, so that one query finds pages, passages and captions alike.
"""

import re
from collections.abc import Sequence

import numpy as np

from tamis.engine.ports.inference import Models
from tamis.engine.text.chunks import Chunking, chunk
from tamis.errors import ModelMissingError, UnknownModelError, ValidationError
from tamis.model.vector import Dense, FeatureSpec, FloatArray, Vector, VectorKind

EMBEDDING = "embedding"
LEXICAL = "lexical"
DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_DIMENSIONS = 384
SPECIAL_TOKENS = 2
"""Of the model's window."""
_SURROGATES = re.compile("[\ud800-\udfff]")


def text_features(
    models: Models | None, model: str | None, parameter: str = "model"
) -> tuple[FeatureSpec, FeatureSpec]:
    """`embedding` by this model, the default one where None, and `lexical`.

    parameter: of the extractor, that names the model.
    Raises: ValidationError where there is no such model, ModelMissingError where it is away.
    """
    name, dimensions = _named(models, model, parameter)
    return (
        FeatureSpec(
            name=EMBEDDING,
            kind=VectorKind.DENSE,
            dimensions=dimensions,
            inference_name=name,
            aliases=("text_embedding", "multilingual_e5_large_instruct_v1", "text_extractor_v1_embedding"),
            description=f"Meaning of the text as {dimensions} numbers of unit length.",
        ),
        FeatureSpec(
            name=LEXICAL,
            kind=VectorKind.SPARSE,
            distance="dot",
            idf=True,
            inference_name="bm25",
            aliases=("bm25_sparse", "bm25", "text_extractor_v1_lexical"),
            description="Words of the text, stemmed and weighted by BM25.",
        ),
    )


def text_vectors(
    texts: Sequence[str], models: Models, model: str | None = None, language: str | None = None
) -> list[dict[str, Vector]]:
    """Both vectors of each text, in order.  language: of all; detected where None.  Cost: a model pass a text."""
    if not texts:
        return []
    rows = models.embedder(model).embed_documents(texts)
    lexical = models.lexical()
    return [
        {EMBEDDING: Dense(row), LEXICAL: lexical.encode_document(text, language)}
        for text, row in zip(texts, rows, strict=True)
    ]


def whole_vectors(
    texts: Sequence[str], models: Models, model: str | None = None, language: str | None = None
) -> list[dict[str, Vector]]:
    """As `text_vectors`, but of all of a text that is longer than the model's window: the mean of its windows' rows.

    Cost: a model pass a window.
    """
    embedder = models.embedder(model)
    window = Chunking("tokens", embedder.info.max_tokens - SPECIAL_TOKENS)
    spans = [chunk(text, window, embedder.spans) or [(0, len(text))] for text in texts]
    pieces = [text[start:end] for text, parts in zip(texts, spans, strict=True) for start, end in parts]
    if not pieces:
        return []
    rows, lexical = iter(embedder.embed_documents(pieces)), models.lexical()
    return [
        {EMBEDDING: Dense(_mean([next(rows) for _ in parts])), LEXICAL: lexical.encode_document(text, language)}
        for text, parts in zip(texts, spans, strict=True)
    ]


def _mean(rows: Sequence[FloatArray]) -> FloatArray:
    """float32 [dim], of unit length."""
    if len(rows) == 1:
        return rows[0]
    mean = np.mean(rows, axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), np.float32)


def storable(text: str) -> str:
    """Half a surrogate pair is legal in JSON, but is no character that could be stored or tokenised."""
    return _SURROGATES.sub("\ufffd", text)


def _named(models: Models | None, name: str | None, parameter: str) -> tuple[str, int]:
    if name is None or name == DEFAULT_MODEL:
        return DEFAULT_MODEL, DEFAULT_DIMENSIONS
    if models is None:
        raise ModelMissingError(f"this server offers no model but {DEFAULT_MODEL}", model=name)
    try:
        info = models.embedder(name).info
    except UnknownModelError as unknown:
        raise ValidationError.at(["body", "feature_extractor", "parameters", parameter], unknown.message) from unknown
    return info.name, info.dimensions
