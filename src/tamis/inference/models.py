"""The models at hand: found by name, loaded once, kept."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

from tamis.engine.contents.visual_features import DEFAULT_MODEL as DEFAULT_VISUAL
from tamis.engine.ports.inference import CrossEncoder, Embedder, ModelInfo, TokenEmbedder, VisualEmbedder
from tamis.errors import ModelMissingError, UnknownModelError
from tamis.inference.acoustic import LogMelStatistics
from tamis.inference.artifacts import Artifacts, ModelStatus, default_cache_dir
from tamis.inference.cross_encoders import load_cross_encoder
from tamis.inference.descriptors import ColorGradientDescriptor
from tamis.inference.directory import DirectoryModel
from tamis.inference.embedding_endpoints import EmbeddingEndpoint, EndpointEmbedder
from tamis.inference.fastembed_models import fastembed_cross_encoder, fastembed_tokens, fastembed_visual
from tamis.inference.joint import VisualDirectory
from tamis.inference.lexical import Bm25Encoder
from tamis.inference.manifest import EMBEDDING, ModelManifest, default_manifest
from tamis.inference.onnx_text import OnnxTextEmbedder
from tamis.inference.speech import WhisperTranscriber
from tamis.inference.spelling import meant
from tamis.inference.text_in_pictures import PaddleTextReader
from tamis.inference.token_vectors import TOKENS, TokensOfEmbedder
from tamis.inference.transcribers import Transcribers

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
        endpoints: Sequence[EmbeddingEndpoint] = (),
    ) -> None:
        self._model_dir = model_dir
        self._cache_dir = cache_dir or default_cache_dir()
        self._downloads = downloads
        self._artifacts = Artifacts(model_dir, self._cache_dir, downloads)
        self._threads = threads
        self._every = tuple(manifest if manifest is not None else default_manifest())
        self._manifest = tuple(model for model in self._every if model.task == EMBEDDING)
        self._transcribers = Transcribers(self._artifacts, self._every, model_dir, threads)
        self._acoustic = LogMelStatistics()
        self._lexical = Bm25Encoder()
        self._loaded: dict[str, OnnxTextEmbedder] = {}
        self._endpoints = {one.name: EndpointEmbedder(one) for one in endpoints}
        self._cross_encoders: dict[str, CrossEncoder] = {}
        self._tokens: dict[str | None, TokenEmbedder] = {}
        self._visual: dict[str | None, VisualEmbedder] = {}
        self._ocr: PaddleTextReader | None = None
        self._ocr_lock = threading.Lock()
        self._lock = threading.Lock()
        self._rerank_lock = threading.Lock()
        self._visual_lock = threading.Lock()

    def embedder(self, name: str | None = None) -> Embedder:
        """Load on the first call, which may fetch; then answer from memory. An endpoint comes before a folder.

        Raises: UnknownModelError, ModelMissingError where a known one cannot be had.
        """
        return self._endpoints[name] if name in self._endpoints else self._onnx(name)

    def _onnx(self, name: str | None) -> OnnxTextEmbedder:
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

    def cross_encoder(self, name: str) -> CrossEncoder:
        """From the model directory, else through `fastembed`. Raises: UnknownModelError, which says how to get it."""
        with self._rerank_lock:
            if name not in self._cross_encoders:
                self._cross_encoders[name] = self._load_cross_encoder(name)
            return self._cross_encoders[name]

    def late_interaction(self, name: str | None = None) -> TokenEmbedder:
        """`<model>#tokens` are the tokens of a text embedding model; other names are `fastembed`'s, then folders'."""
        with self._rerank_lock:
            if name not in self._tokens:
                self._tokens[name] = self._load_tokens(name)
            return self._tokens[name]

    def visual(self, name: str | None = None) -> VisualEmbedder:
        """From the model directory, else through `fastembed`. Raises: UnknownModelError, which says how to get it."""
        with self._visual_lock:
            if name not in self._visual:
                self._visual[name] = self._load_visual(name)
            return self._visual[name]

    def transcriber(self, name: str | None = None) -> WhisperTranscriber:
        """Of the manifest, else a folder of the model directory. Raises: UnknownModelError, ModelMissingError."""
        return self._transcribers.get(name)

    def acoustic(self) -> LogMelStatistics:
        return self._acoustic

    def ocr(self) -> PaddleTextReader:
        with self._ocr_lock:
            if self._ocr is None:
                self._ocr = PaddleTextReader(self._threads)
            return self._ocr

    def _load_visual(self, name: str | None) -> VisualEmbedder:
        if name is None or meant(name, [DEFAULT_VISUAL]):
            return ColorGradientDescriptor()
        folders = {one.name: one for one in (VisualDirectory.list(self._model_dir) if self._model_dir else ())}
        folder = meant(name, folders)
        if folder is not None:
            return folders[folder].load(self._threads)
        found = fastembed_visual(name, self._cache_dir, self._downloads, self._threads)
        if found is None:
            raise UnknownModelError(
                f"there is no model {name!r} that looks at pictures. Put its vision_model.onnx, text_model.onnx, "
                f"tokenizer.json and preprocessor_config.json into the folder {name!r} of the model directory "
                f"(TAMIS_MODEL_DIR), or, where fastembed knows it, run pip install 'tamis[rerank]'; folders there: "
                f"{', '.join(folders) or 'none'}",
                model=name,
                known=list(folders),
            )
        return found

    def _load_cross_encoder(self, name: str) -> CrossEncoder:
        folder = self._folder(name)
        if folder is not None:
            return load_cross_encoder(folder, self._threads)
        found = fastembed_cross_encoder(name, self._cache_dir, self._downloads, self._threads)
        if found is None:
            raise _no_reranker(name, "cross-encoder", [model.name for model in self._directories()])
        return found

    def _load_tokens(self, name: str | None) -> TokenEmbedder:
        plain = name.removesuffix(TOKENS) if name is not None else None
        folder = self._folder(plain) if plain is not None else None
        if plain is None or folder is not None or self._listed(plain) is not None:
            return TokensOfEmbedder(self._onnx(folder.name if folder else plain))
        found = fastembed_tokens(plain, self._cache_dir, self._downloads, self._threads)
        if found is None:
            raise _no_reranker(plain, "late-interaction model", [model.name for model in self._directories()])
        return found

    def _folder(self, name: str) -> DirectoryModel | None:
        known = {model.name: model for model in self._directories()}
        found = meant(name, known)
        return None if found is None else known[found]

    def available(self) -> Sequence[ModelInfo]:
        """Those that can be used without fetching anything, the default one first."""
        statuses = self._artifacts.inspect(self._manifest)
        listed = [_info(status.model) for status in statuses if status.is_at_hand]
        served = [embedder.info for embedder in self._endpoints.values()]
        return [*listed, *served, *self._directory_infos({info.name for info in (*listed, *served)})]

    def inspect(self) -> list[ModelStatus]:
        """Of each model of the manifest: which files are at hand and where, what is missing."""
        return self._artifacts.inspect(self._every)

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
        known = sorted(
            {model.name for model in self._manifest}
            | {model.name for model in self._directories()}
            | {*self._endpoints}
        )
        return UnknownModelError(
            f"there is no model {name!r}; known: {', '.join(known)}. To add one, put its model.onnx and "
            f"tokenizer.json into the folder {name!r} of the model directory (TAMIS_MODEL_DIR), or name a service that "
            f"has it in TAMIS_EMBEDDING_ENDPOINTS",
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


def _no_reranker(name: str, kind: str, folders: Sequence[str]) -> UnknownModelError:
    return UnknownModelError(
        f"the {kind} {name!r} is not at hand. Put its model.onnx and tokenizer.json into the folder {name!r} of the "
        f"model directory (TAMIS_MODEL_DIR), or, where fastembed knows it, run pip install 'tamis[rerank]'; "
        f"folders there: {', '.join(folders) or 'none'}",
        model=name,
        known=list(folders),
    )


def _info(model: ModelManifest) -> ModelInfo:
    return ModelInfo(model.name, model.version, model.dimensions, model.max_tokens, model.license)
