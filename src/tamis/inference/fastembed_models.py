"""Rerankers by name through `fastembed`, an extra that fetches models from the network on their first use."""

import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tamis.engine.ports.inference import ModelInfo
from tamis.errors import ModelMissingError
from tamis.inference.cross_encoders import logistic
from tamis.inference.spelling import plain_name
from tamis.model.vector import FloatArray

_CROSS_ENCODERS = ("fastembed.rerank.cross_encoder", "TextCrossEncoder")
_LATE_INTERACTION = ("fastembed", "LateInteractionTextEmbedding")
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


def fastembed_cross_encoder(name: str, cache_dir: Path, downloads: bool, threads: int) -> FastembedCrossEncoder | None:
    """None where the extra is not installed or does not know the name. Raises: ModelMissingError."""
    found = _load(_CROSS_ENCODERS, name, cache_dir, downloads, threads)
    return None if found is None else FastembedCrossEncoder(*found)


def fastembed_tokens(name: str, cache_dir: Path, downloads: bool, threads: int) -> FastembedTokens | None:
    """None where the extra is not installed or does not know the name. Raises: ModelMissingError."""
    found = _load(_LATE_INTERACTION, name, cache_dir, downloads, threads)
    return None if found is None else FastembedTokens(*found)


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
