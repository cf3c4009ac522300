"""Which speech model a name means, loaded once and kept."""

import threading
from collections.abc import Sequence
from pathlib import Path

from tamis.engine.ports.inference import ModelInfo
from tamis.errors import UnknownModelError
from tamis.inference.artifacts import Artifacts, hash_of
from tamis.inference.manifest import TRANSCRIPTION, ModelManifest, content_version
from tamis.inference.speech import WhisperTranscriber
from tamis.inference.spelling import meant

_NEEDED = ("model.bin", "config.json", "tokenizer.json")
_ALSO = ("preprocessor_config.json", "vocabulary.json", "vocabulary.txt")
_MOST_TOKENS = 448


class Transcribers:
    """Those of the manifest, and any folder of the model directory that holds a Whisper in CTranslate2's format."""

    def __init__(
        self, artifacts: Artifacts, manifest: Sequence[ModelManifest], model_dir: Path | None, threads: int
    ) -> None:
        self._artifacts = artifacts
        self._listed = [model for model in manifest if model.task == TRANSCRIPTION]
        self._model_dir = model_dir
        self._threads = threads
        self._loaded: dict[str | None, WhisperTranscriber] = {}
        self._lock = threading.Lock()

    def get(self, name: str | None) -> WhisperTranscriber:
        """The default where no name is given. Raises: UnknownModelError, ModelMissingError."""
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = self._load(name)
            return self._loaded[name]

    def _load(self, name: str | None) -> WhisperTranscriber:
        folders = _folders(self._model_dir)
        listed = next((model for model in self._listed if name is None or model.is_called(name)), None)
        if listed is not None:
            found = {file.name: self._artifacts.get(listed, file) for file in listed.files}
            info = ModelInfo(listed.name, listed.version, 0, listed.max_tokens, listed.license)
            return WhisperTranscriber(found, info, self._threads)
        folder = meant(name or "", folders)
        if folder is None:
            raise _unknown(name, [model.name for model in self._listed], list(folders))
        files = {file: folders[folder] / file for file in (*_NEEDED, *_ALSO) if (folders[folder] / file).is_file()}
        version = content_version([hash_of(path) for path in files.values()])
        return WhisperTranscriber(
            files, ModelInfo(folder, version, 0, _MOST_TOKENS, "as its owner says"), self._threads
        )


def _folders(model_dir: Path | None) -> dict[str, Path]:
    if model_dir is None:
        return {}
    found = (path.parent for path in sorted([*model_dir.glob("*/model.bin"), *model_dir.glob("*/*/model.bin")]))
    return {
        folder.relative_to(model_dir).as_posix(): folder
        for folder in found
        if all((folder / file).is_file() for file in _NEEDED)
    }


def _unknown(name: str | None, listed: Sequence[str], folders: Sequence[str]) -> UnknownModelError:
    known = [*listed, *folders]
    return UnknownModelError(
        f"there is no speech model {name!r}; known: {', '.join(known) or 'none'}. To add one, put a Whisper in "
        f"CTranslate2's format ({', '.join(_NEEDED)} and its vocabulary) into the folder {name!r} of the model "
        f"directory (TAMIS_MODEL_DIR)",
        model=name,
        known=known,
    )
