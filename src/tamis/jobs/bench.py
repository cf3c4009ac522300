"""A place of a Ray cluster at which extractors are called: an actor that holds the models it has loaded."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import tamis
from tamis.engine.ports.extraction import ExtractionFailure, Extractors, SourceFile, SourceItem
from tamis.engine.ports.inference import Models
from tamis.jobs.calling import Result, Source, call

Make: TypeAlias = Callable[[], tuple[Extractors, Models]]
"""Run where the bench is, which has this package installed."""

Fetch: TypeAlias = Callable[[Any], bytes]
"""What brings a piece of a file to where the bench is."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file on its way. pieces: what `Fetch` brings, in order."""

    file: SourceFile
    pieces: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """A source on its way. item: its files' paths are those of the sender.  parameters: as JSON."""

    item: SourceItem
    parameters: str
    files: Mapping[str, SentFile]


class Bench:
    """make: its extractors and models."""

    def __init__(self, make: Make, fetch: Fetch) -> None:
        self._extractors, self._models = make()
        self._fetch = fetch
        self._leaving = threading.Event()

    def version(self) -> str:
        """Of the code here; the server takes only what the same code made."""
        return tamis.__version__

    def extract(self, name: str, version: str, sent: Sequence[Sent]) -> Mapping[str, Result]:
        """Results by source id; never raises for what a source or an extractor does."""
        extractor = self._extractors.get(name, version)
        if extractor is None:
            missing = ExtractionFailure(f"the extractor {name}@{version} is not installed on the cluster", "dependency")
            return {one.item.source_id: missing for one in sent}
        folder = Path(tempfile.mkdtemp(prefix="tamis-bench-"))
        try:
            known: dict[str, Any] = {}
            sources = []
            for number, one in enumerate(sent):
                if one.parameters not in known:
                    known[one.parameters] = extractor.Parameters.model_validate_json(one.parameters)
                item = replace(one.item, files=self._laid(one.files, folder / str(number)))
                sources.append(Source(item, known[one.parameters]))
            return call(extractor, sources, self._models, self._leaving)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _laid(self, files: Mapping[str, SentFile], folder: Path) -> dict[str, SourceFile]:
        laid: dict[str, SourceFile] = {}
        for place, (name, sent) in enumerate(files.items()):
            folder.mkdir(exist_ok=True)
            path = folder / f"{place}{sent.file.path.suffix}"
            with path.open("wb") as file:
                for piece in sent.pieces:
                    file.write(self._fetch(piece))
            laid[name] = replace(sent.file, path=path)
        return laid
