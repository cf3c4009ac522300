"""Embedding models that the user put into the model directory: `<name>/model.onnx` and `<name>/tokenizer.json`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tamis.engine.ports.inference import ModelInfo
from tamis.errors import ModelMissingError
from tamis.inference.artifacts import hash_of
from tamis.inference.manifest import content_version
from tamis.inference.onnx_text import OnnxTextEmbedder, Pooling, output_dimensions

_MODEL_FILES = ("model.onnx", "onnx/model.onnx")
_FALLBACK_TOKENS = 512


@dataclass(frozen=True, slots=True)
class DirectoryModel:
    """A folder laid out as sentence-transformers exports it; its small JSON files are read where they are there."""

    name: str
    folder: Path
    model: Path
    tokenizer: Path

    @classmethod
    def find(cls, model_dir: Path, name: str) -> "DirectoryModel | None":
        """The folder `name` below `model_dir`, also as `organisation/name`; None where there is no such model."""
        return next((model for model in cls.list(model_dir) if model.name == name), None)

    @classmethod
    def list(cls, model_dir: Path) -> "list[DirectoryModel]":
        found = []
        for tokenizer in sorted([*model_dir.glob("*/tokenizer.json"), *model_dir.glob("*/*/tokenizer.json")]):
            folder = tokenizer.parent
            model = next((folder / file for file in _MODEL_FILES if (folder / file).is_file()), None)
            # A joint image-text model is its halves (`inference/joint.py`); the two in one file are no use here.
            is_joint = any((folder / file.replace("model", "vision_model")).is_file() for file in _MODEL_FILES)
            if model is not None and not is_joint:
                found.append(cls(folder.relative_to(model_dir).as_posix(), folder, model, tokenizer))
        return found

    def info(self) -> ModelInfo:
        """Raises: ModelMissingError where the files do not say what is needed to run them."""
        try:
            return self.described(output_dimensions(self.model))
        except Exception as error:
            raise ModelMissingError(f"the model in {self.folder} cannot be used: {error}", model=self.name) from error

    def described(self, dimensions: int) -> ModelInfo:
        """Raises: OSError, ValueError for files that cannot be read."""
        tokens = self._json("sentence_bert_config.json").get("max_seq_length") or _FALLBACK_TOKENS
        version = content_version([hash_of(self.model), hash_of(self.tokenizer)])
        return ModelInfo(self.name, version, dimensions, int(tokens), license="as its owner says")

    def load(self, threads: int) -> OnnxTextEmbedder:
        """Raises: ModelMissingError."""
        info = self.info()
        return OnnxTextEmbedder(self.model, self.tokenizer, info, threads, self._pooling())

    def _pooling(self) -> Pooling:
        mode = "cls" if self._json("1_Pooling/config.json").get("pooling_mode_cls_token") else "mean"
        prompts = self._json("config_sentence_transformers.json").get("prompts") or {}
        return Pooling(mode, prompts.get("query", ""), prompts.get("document", prompts.get("passage", "")))

    def _json(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return found if isinstance(found, dict) else {}
