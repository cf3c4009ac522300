"""What a bucket may be made for in the studio: kinds of files, each with the extractor that reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tamis.engine.ports.extraction import Extractor
from tamis.services.data.bucket_schema import FILE_TYPES
from tamis.services.data.collections import CollectionService
from tamis.studio.visit import Visit

FILE, NAME = "file", "name"
"""The properties of an object that the studio makes of a file."""


@dataclass(frozen=True, slots=True)
class ContentKind:
    """name: the type of the bucket's property.  accept: what a browser's file dialogue offers first."""

    name: str
    accept: str

    @property
    def extractor(self) -> str:
        return f"{self.name}_extractor"

    @property
    def schema(self) -> dict[str, Any]:
        return {"properties": {FILE: {"type": self.name, "required": True}, NAME: {"type": "string"}}}


KINDS = (
    ContentKind("document", ".pdf,.docx,.pptx,.xlsx,.txt,.md,.html,.csv"),
    ContentKind("image", "image/*"),
    ContentKind("audio", "audio/*"),
    ContentKind("video", "video/*"),
)


def kinds_here(visit: Visit) -> list[ContentKind]:
    """Those that this server has an extractor for."""
    known = {one.name for one in visit.service(CollectionService).extractors()}
    return [kind for kind in KINDS if kind.extractor in known]


def accept_of(property_type: str) -> str:
    """For the file dialogue of a property of this type; empty offers every file."""
    return next((kind.accept for kind in KINDS if kind.name == property_type), "")


def fitting(extractors: list[Extractor], schema: Mapping[str, Any]) -> list[Extractor]:
    """The extractors that take a field of the schema, those made for its kind of file first."""
    fields = schema.get("properties")
    types = {str(one.get("type")) for one in fields.values()} if isinstance(fields, Mapping) else set()
    made_for = [f"{kind}_extractor" for kind in types]
    files = types & FILE_TYPES
    taking = [one for one in extractors if types & set(one.supported_input_types)]
    return sorted(
        taking,
        key=lambda one: (
            one.name not in made_for,
            not one.input_schema.get("properties"),
            not files & set(one.supported_input_types),
        ),
    )
