"""Rerankers and image-text models by name through `fastembed`, an extra that fetches them on their first use."""

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tamis.engine.ports.inference import ModelInfo, Pixels, VisualEmbedder
from tamis.errors import ModelMissingError
from tamis.inference.cross_encoders import logistic
from tamis.inference.spelling import plain_name
from tamis.model.vector import FloatArray

_CROSS_ENCODERS = ("fastembed.rerank.cross_encoder", "TextCrossEncoder")
_LATE_INTERACTION = ("fastembed", "LateInteractionTextEmbedding")
_PICTURES = ("fastembed", "ImageEmbedding")
_TEXTS = ("fastembed", "TextEmbedding")
_MAX_TOKENS = 512


class FastembedCrossEncoder:
    def __init__(self, model: Any, info: ModelInfo) -> None:
        self._model = model
        self.info = info

    def score(self, query: str, texts: Sequence[str]) -> FloatArray:
        return logistic(np.array(list(self._model.rerank(query, list(texts))), dtype=np.float32))


class FastembedTokens:
    def __init__(self, model: Any, info: ModelInfo) -> None:
        self._model = model
        self.info = info

    def embed_documents(self, texts: Sequence[str]) -> Sequence[FloatArray]:
        return [_unit(rows) for rows in self._model.embed(list(texts))]

    def embed_query(self, text: str) -> FloatArray:
        return _unit(next(iter(self._model.query_embed(text))))


class FastembedVisual:
    def __init__(self, model: Any, info: ModelInfo) -> None:
        self._model = model
        self.info = info

    def embed_images(self, images: Sequence[Pixels]) -> FloatArray:
        from PIL import Image

        pictures = [Image.fromarray(image) for image in images]
        return _unit(np.reshape(list(self._model.embed(pictures)), (len(images), self.info.dimensions)))


class FastembedJoint(FastembedVisual):
    """texts: the model's other half."""

    def __init__(self, model: Any, texts: Any, info: ModelInfo) -> None:
        super().__init__(model, info)
        self._texts = texts

    def embed_texts(self, texts: Sequence[str]) -> FloatArray:
        return _unit(np.reshape(list(self._texts.embed(list(texts))), (len(texts), self.info.dimensions)))


def fastembed_cross_encoder(name: str, cache_dir: Path, downloads: bool, threads: int) -> FastembedCrossEncoder | None:
    """None where the extra is not installed or does not know the name. Raises: ModelMissingError."""
    found = _load(_CROSS_ENCODERS, name, cache_dir, downloads, threads)
    return None if found is None else FastembedCrossEncoder(*found)


def fastembed_tokens(name: str, cache_dir: Path, downloads: bool, threads: int) -> FastembedTokens | None:
    """None where the extra is not installed or does not know the name. Raises: ModelMissingError."""
    found = _load(_LATE_INTERACTION, name, cache_dir, downloads, threads)
    return None if found is None else FastembedTokens(*found)


def fastembed_visual(name: str, cache_dir: Path, downloads: bool, threads: int) -> VisualEmbedder | None:
    """Both halves where the extra has a text model of the same space: `clip-ViT-B-32`, with or without `-vision`.

    None where the extra is not installed or does not know the name. Raises: ModelMissingError.
    """
    whole = name.removesuffix("-vision").removesuffix("-text")
    for spelling in (f"{whole}-vision", whole):
        found = _load(_PICTURES, spelling, cache_dir, downloads, threads)
        if found is not None:
            text_half = f"{whole}-text" if spelling != whole else whole
            texts = _load(_TEXTS, text_half, cache_dir, downloads, threads)
            return FastembedVisual(*found) if texts is None else FastembedJoint(found[0], texts[0], found[1])
    return None


def is_installed() -> bool:
    return importlib.util.find_spec("fastembed") is not None


def _load(
    kind: tuple[str, str], name: str, cache_dir: Path, downloads: bool, threads: int
) -> tuple[Any, ModelInfo] | None:
    if not is_installed():
        return None
    module, attribute = kind
    loader = getattr(importlib.import_module(module), attribute)
    listed = next((one for one in loader.list_supported_models() if _is_called(one["model"], name)), None)
    if listed is None:
        return None
    options = {"cache_dir": str(cache_dir / "fastembed"), "threads": threads or None}
    try:
        model = loader(listed["model"], local_files_only=not downloads, **options)
    except Exception as error:
        raise ModelMissingError(
            f"{listed['model']} could not be had through fastembed: {error}; without a network, put its model.onnx and "
            f"tokenizer.json into the folder {listed['model']!r} of the model directory (TAMIS_MODEL_DIR)",
            model=listed["model"],
        ) from error
    version = f"fastembed-{importlib.import_module('fastembed').__version__}"
    info = ModelInfo(
        listed["model"], version, int(listed.get("dim") or 1), _MAX_TOKENS, str(listed["license"]), "fastembed"
    )
    return model, info


def _is_called(listed: str, name: str) -> bool:
    return plain_name(name) in (plain_name(listed), plain_name(listed.rpartition("/")[2]))


def _unit(rows: Any) -> FloatArray:
    values = np.asarray(rows, dtype=np.float32)
    unit: FloatArray = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), np.float32(1e-12))
    return unit
