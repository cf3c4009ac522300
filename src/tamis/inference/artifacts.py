"""Model files by content: looked for in the user's directory, our cache, then the manifest's sources."""

import hashlib
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tamis.errors import ModelMissingError
from tamis.inference.downloads import SourceUnavailable, fetch
from tamis.inference.manifest import Artifact, ModelManifest, Source, default_manifest

_LOG = logging.getLogger(__name__)
HUB_URL = "https://huggingface.co"


class ArtifactMismatchError(ModelMissingError):
    """A model file is not the one that the manifest names."""


@dataclass(frozen=True, slots=True)
class ArtifactStatus:
    """path: where the right bytes are; None where they are missing. problem: why, where there is more to say."""

    artifact: Artifact
    path: Path | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ModelStatus:
    model: ModelManifest
    files: tuple[ArtifactStatus, ...]

    @property
    def is_at_hand(self) -> bool:
        return all(file.path is not None for file in self.files)

    @property
    def missing(self) -> tuple[Artifact, ...]:
        return tuple(file.artifact for file in self.files if file.path is None)


def default_cache_dir() -> Path:
    """Where this system keeps a user's caches, and ours in it."""
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "tamis" / "models"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "tamis" / "models"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "tamis" / "models"


class Artifacts:
    """Finds and fetches the files of models.

    model_dir: the user's, holding `<model>/<file>`; a file there with another content is an error, not a miss.
    cache_dir: ours, `<sha256>/<file>`; written atomically, so several processes may fetch at once.
    downloads: whether sources outside this machine may be asked.
    """

    def __init__(self, model_dir: Path | None, cache_dir: Path, downloads: bool, hub_url: str = HUB_URL) -> None:
        self._model_dir = model_dir
        self._cache_dir = cache_dir
        self._downloads = downloads
        self._hub_url = hub_url

    def get(self, model: ModelManifest, artifact: Artifact) -> Path:
        """The file, with its content checked. Raises: ModelMissingError, ArtifactMismatchError."""
        found = self._local(model, artifact)
        if found is not None:
            return found
        if not self._downloads:
            raise ModelMissingError(f"{_named(model, artifact)} is missing and downloads are off; {how_to_get(model)}")
        return self._download(model, artifact)

    def inspect(self, models: Sequence[ModelManifest] | None = None) -> list[ModelStatus]:
        """What is at hand and where, what is missing; nothing is fetched."""
        every = default_manifest() if models is None else models
        return [ModelStatus(model, tuple(self._status(model, file) for file in model.files)) for model in every]

    def _status(self, model: ModelManifest, artifact: Artifact) -> ArtifactStatus:
        try:
            return ArtifactStatus(artifact, self._local(model, artifact))
        except ArtifactMismatchError as mismatch:
            return ArtifactStatus(artifact, None, mismatch.message)

    def _local(self, model: ModelManifest, artifact: Artifact) -> Path | None:
        if self._model_dir is not None:
            given = self._model_dir / model.name / artifact.name
            if given.is_file():
                _check(hash_of(given), artifact, model, f"the model directory ({given})")
                return given
        cached = self._cached(artifact)
        return cached if cached.is_file() and hash_of(cached) == artifact.sha256 else None

    def _cached(self, artifact: Artifact) -> Path:
        return self._cache_dir / artifact.sha256 / artifact.name

    def _download(self, model: ModelManifest, artifact: Artifact) -> Path:
        reasons: list[str] = []
        mismatch: ArtifactMismatchError | None = None
        for source in artifact.sources:
            _LOG.info("fetching %s (%.1f MB) from %s", artifact.name, artifact.size_bytes / 1e6, source)
            try:
                return self._download_from(source, model, artifact)
            except ArtifactMismatchError as error:
                mismatch = mismatch or error
                reasons.append(error.message)
            except SourceUnavailable as error:
                reasons.append(f"{source}: {error}")
            _LOG.warning("%s", reasons[-1])
        tried = "; ".join(reasons) or "the manifest lists no source"
        message = f"{_named(model, artifact)} could not be had: {tried}. {how_to_get(model)}"
        raise (ArtifactMismatchError if mismatch else ModelMissingError)(message, model=model.name)

    def _download_from(self, source: Source, model: ModelManifest, artifact: Artifact) -> Path:
        target = self._cached(artifact)
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".partial-")
        partial = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                fetch(source, file, self._hub_url)
                file.flush()
                os.fsync(file.fileno())
            _check(hash_of(partial), artifact, model, str(source))
            partial.chmod(0o644)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return target


def hash_of(path: Path) -> str:
    """SHA-256, hex; read again only where the file's size or time of change differ from the last reading."""
    state = path.stat()
    return _hash(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=256)
def _hash(path: Path, _size_bytes: int, _changed_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def how_to_get(model: ModelManifest) -> str:
    """One sentence for people without a network."""
    names = " and ".join(file.name for file in model.files)
    return f"put {names} into the folder {model.name!r} of the model directory (TAMIS_MODEL_DIR), or allow downloads"


def _check(found: str, artifact: Artifact, model: ModelManifest, source: str) -> None:
    if found != artifact.sha256:
        raise ArtifactMismatchError(
            f"{_named(model, artifact)} from {source} has SHA-256 {found}, expected {artifact.sha256}",
            source=source,
            expected=artifact.sha256,
            found=found,
        )


def _named(model: ModelManifest, artifact: Artifact) -> str:
    return f"{artifact.name} of the model {model.name}"
