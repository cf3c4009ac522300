"""The models at hand: found by name, loaded once, kept."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from tamis.engine.ports.inference import ModelInfo
from tamis.errors import ModelMissingError, UnknownModelError
from tamis.inference.artifacts import Artifacts, ModelStatus, default_cache_dir
from tamis.inference.directory import DirectoryModel
from tamis.inference.lexical import Bm25Encoder
from tamis.inference.manifest import ModelManifest, default_manifest
from tamis.inference.onnx_text import OnnxTextEmbedder

_LOG = logging.getLogger(__name__)


class LocalModels:
    """Models on this machine: those of the manifest, and any folder of the user's model directory by its name.

    threads: inside one model call; 0 takes one for each core. cache_dir: where fetched files are kept, else the
    user's cache directory.
    """

    def __init__(
        self,
        model_dir: Path | None = None,
        cache_dir: Path | None = None,
        downloads: bool = True,
        threads: int = 0,
        manifest: Sequence[ModelManifest] | None = None,
    ) -> None:
        self._model_dir = model_dir
        self._artifacts = Artifacts(model_dir, cache_dir or default_cache_dir(), downloads)
        self._threads = threads
        self._manifest = tuple(manifest if manifest is not None else default_manifest())
        self._lexical = Bm25Encoder()
        self._loaded: dict[str, OnnxTextEmbedder] = {}
        self._lock = threading.Lock()

    def embedder(self, name: str | None = None) -> OnnxTextEmbedder:
        """Load on the first call, which may fetch; then answer from memory.

        Raises: UnknownModelError, ModelMissingError where a known one cannot be had.
        """
        listed = self._listed(name)
        key = listed.name if listed else str(name)
        loaded = self._loaded.get(key)
        if loaded is not None:
            return loaded
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = self._load(listed) if listed else self._load_directory(key)
            return self._loaded[key]

    def lexical(self) -> Bm25Encoder:
        return self._lexical

    def available(self) -> Sequence[ModelInfo]:
        """Those that can be used without fetching anything, the default one first."""
        listed = [_info(status.model) for status in self.inspect() if status.is_at_hand]
        return [*listed, *self._directory_infos({info.name for info in listed})]

    def inspect(self) -> list[ModelStatus]:
        """Of each model of the manifest: which files are at hand and where, what is missing."""
        return self._artifacts.inspect(self._manifest)

    def _listed(self, name: str | None) -> ModelManifest | None:
        if name is None:
            return self._manifest[0]
        return next((model for model in self._manifest if model.is_called(name)), None)

    def _load(self, model: ModelManifest) -> OnnxTextEmbedder:
        files = {file.name: self._artifacts.get(model, file) for file in model.files}
        return OnnxTextEmbedder(files["model.onnx"], files["tokenizer.json"], _info(model), self._threads)

    def _load_directory(self, name: str) -> OnnxTextEmbedder:
        found = DirectoryModel.find(self._model_dir, name) if self._model_dir is not None else None
        if found is None:
            raise self._unknown(name)
        return found.load(self._threads)

    def _unknown(self, name: str) -> UnknownModelError:
        known = sorted({model.name for model in self._manifest} | {model.name for model in self._directories()})
        return UnknownModelError(
            f"there is no model {name!r}; known: {', '.join(known)}. To add one, put its model.onnx and "
            f"tokenizer.json into the folder {name!r} of the model directory (TAMIS_MODEL_DIR)",
            model=name,
            known=known,
        )

    def _directories(self) -> list[DirectoryModel]:
        found = DirectoryModel.list(self._model_dir) if self._model_dir is not None else []
        return [model for model in found if self._listed(model.name) is None]

    def _directory_infos(self, taken: set[str]) -> list[ModelInfo]:
        infos = []
        for model in self._directories():
            loaded = self._loaded.get(model.name)
            try:
                infos.append(loaded.info if loaded else model.info())
            except ModelMissingError as error:
                _LOG.warning("%s", error.message)
        return [info for info in infos if info.name not in taken]


def _info(model: ModelManifest) -> ModelInfo:
    return ModelInfo(model.name, model.version, model.dimensions, model.max_tokens, model.license)
