"""The extractor contract: source in, segments with features out."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from tamis.engine.ports.inference import Models
from tamis.model.document import BlobRef
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.vector import FeatureSpec, Vector


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to be read, and left as it is. content_type: by what is in it, never by its name.

    declared_type: what whoever sent it calls it, which may name a charset.
    """

    path: Path
    size_bytes: int
    content_type: str
    declared_type: str | None = None
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class SourceItem:
    """inputs: by the extractor's input names, mapped from the source's view. files: those of them that are files.

    principal: whose source it is, for an extractor that reaches outside; None where nobody may.
    """

    source_id: str
    inputs: Mapping[str, JSON]
    files: Mapping[str, SourceFile] = field(default_factory=dict)
    principal: Principal | None = None


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A small file that an extractor made, as a thumbnail; it is stored once, by its content.

    field: what the document calls it.  role: the contract's: processed, thumbnail, artifact, aux.
    content: its SHA-256 in hex, worked out where it is made, so that no transaction waits for that.
    """

    field: str
    role: str
    content_type: str
    data: bytes
    filename: str | None = None
    content: str = dataclasses.field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "content", hashlib.sha256(self.data).hexdigest())


@dataclass(frozen=True, slots=True)
class Segment:
    """One document-to-be: the fields that the extractor writes, its vectors by feature name, files that it made."""

    fields: Mapping[str, JSON]
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    blobs: tuple[BlobRef, ...] = ()
    files: tuple[MadeFile, ...] = ()


@dataclass(frozen=True, slots=True)
class ExtractionFailure:
    """Why one source could not be extracted; its neighbours in the call are not touched.

    error_type: the contract's ErrorCategory (dependency, authentication, validation, runtime, network, resource).
    """

    message: str
    error_type: str = "validation"


@dataclass(frozen=True, slots=True)
class Cost:
    """What an item takes, for people. tier: 1 copies, 2 small models, 3 decoding and small models, 4 large models.

    No credits: what an extractor runs on is the operator's own machine.
    """

    tier: int
    label: str


class ExtractorParameters(BaseModel):
    """What parameters of an extractor share: unknown ones are refused. Each has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Extractor(Protocol):
    """One file in `extractors/`, one line in its registry.

    `supported_input_types` and `icon` are the contract's. `input_schema`: JSON schema of `SourceItem.inputs`.
    A class may also have `is_repeatable = True`: it makes the same of the same inputs, bytes and parameters, whatever
    source and file are called, so that what it made stands where these are unchanged, and goes to other
    sources too; `made_with(parameters, models) -> Sequence[ModelInfo]`: the models that it
    then asks, without which every change of a text model counts and of others none; `cost: ClassVar[Cost]`; and
    `limits: ClassVar[Mapping[str, float]]`: what of a source is refused or cut beyond, by what is counted.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    description: ClassVar[str]
    icon: ClassVar[str]
    supported_input_types: ClassVar[tuple[str, ...]]
    max_inputs: ClassVar[Mapping[str, int]]
    input_schema: ClassVar[Mapping[str, Any]]
    Parameters: ClassVar[type[BaseModel]]

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]: ...
    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        """`{"properties": {field: BucketSchemaField}}` of the fields that its segments carry."""
        ...

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        """One answer for each item, in order. Blocks; runs on a worker thread."""
        ...


class Extractors(Protocol):
    """The registry. Names without `_extractor` are aliases."""

    def get(self, name: str, version: str) -> Extractor | None: ...
    def all(self) -> Sequence[Extractor]: ...
