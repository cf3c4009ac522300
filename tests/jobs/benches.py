"""What extractors are called at in tests: made on threads here, and by actors of a Ray cluster there."""

import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar

from pydantic import BaseModel

from tamis.engine.ports.extraction import ExtractionFailure, Extractor, Extractors, Segment, SourceItem
from tamis.engine.ports.inference import Models
from tamis.model.json import JSON
from tamis.model.vector import FeatureSpec
from tests.extraction_world import LetterExtractor, NoModels, NoParameters


class FileReader:
    """Tells the size and the hash of each source's file, and who read it."""

    name: ClassVar[str] = "file_reader"
    version: ClassVar[str] = "v1"
    description: ClassVar[str] = "Reads files"
    icon: ClassVar[str] = "file"
    supported_input_types: ClassVar[tuple[str, ...]] = ()
    max_inputs: ClassVar[Mapping[str, int]] = {}
    input_schema: ClassVar[Mapping[str, Any]] = {"type": "object", "properties": {}}
    Parameters: ClassVar[type[BaseModel]] = NoParameters

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]:
        return []

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        return {"properties": {}}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        return [[Segment(_read(item))] for item in items]


class Deadly(FileReader):
    """Ends its process at a source that says so."""

    name: ClassVar[str] = "deadly"

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        if any(item.inputs.get("dies") for item in items):
            os._exit(1)
        return super().extract(items, parameters, models)


def _read(item: SourceItem) -> dict[str, JSON]:
    data = b"".join(file.path.read_bytes() for file in item.files.values())
    return {"size": len(data), "hash": sha256(data).hexdigest(), "pid": os.getpid()}


class Bookcase:
    """Implements `Extractors`."""

    def __init__(self) -> None:
        self._all: tuple[Extractor, ...] = (LetterExtractor(), FileReader(), Deadly())

    def get(self, name: str, version: str) -> Extractor | None:
        return next((each for each in self._all if (each.name, each.version) == (name, version)), None)

    def all(self) -> Sequence[Extractor]:
        return self._all


def open_bookcase() -> tuple[Extractors, Models]:
    return Bookcase(), NoModels()
