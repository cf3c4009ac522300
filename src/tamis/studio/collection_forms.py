"""A collection as a form: its source, an extractor of the catalogue, and fields made from that one's schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tamis.engine.ports.extraction import Extractor
from tamis.errors import BadRequestError
from tamis.model.bucket import Bucket
from tamis.model.collection import Collection, ExtractorConfig, Source
from tamis.services.data.buckets import BucketService
from tamis.services.data.collection_design import properties_of
from tamis.services.data.collections import CollectionDraft, CollectionService
from tamis.services.listing import ListQuery
from tamis.studio.content_kinds import fitting
from tamis.studio.schema_forms import Field, fields_of, value_of
from tamis.studio.visit import Visit

_MOST_SOURCES = 200
_PARAMETER, _INPUT = "p.", "i."


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that a collection may be fed by. schema: `{"properties": ...}` of what it gives."""

    kind: str
    id: str
    name: str
    schema: Mapping[str, Any]

    @property
    def value(self) -> str:
        return f"{self.kind}:{self.id}"

    @property
    def fields(self) -> Mapping[str, Any]:
        return properties_of(self.schema)


@dataclass(frozen=True, slots=True)
class ExtractorForm:
    """inputs: name, what it is, and whether it is required.  proposed: of an input, the field that goes into it."""

    extractor: Extractor
    inputs: tuple[tuple[str, str, bool], ...]
    proposed: Mapping[str, str]
    parameters: tuple[Field, ...]

    @property
    def id(self) -> str:
        return f"{self.extractor.name}@{self.extractor.version}"


async def sources_of(visit: Visit, wanted: str) -> tuple[list[Choice], Choice | None]:
    """Buckets, then collections, the newest of each; and the one that is wanted, else the first.

    wanted: as the form sends it, or an id.  Raises: NotFoundError.
    """
    query = ListQuery(limit=_MOST_SOURCES)
    buckets = await visit.service(BucketService).list(visit.principal, query)
    collections = await visit.service(CollectionService).all(visit.principal)
    choices = [_of_bucket(one.bucket) for one in buckets.items]
    choices += [_of_collection(one) for one in collections[:_MOST_SOURCES]]
    if not wanted:
        return choices, choices[0] if choices else None
    found = next((one for one in choices if wanted in (one.value, one.id)), None) or await _fetched(visit, wanted)
    return (choices if found in choices else [found, *choices]), found


async def _fetched(visit: Visit, wanted: str) -> Choice:
    kind, _, identifier = wanted.rpartition(":")
    if kind == "collection":
        return _of_collection((await visit.service(CollectionService).get(visit.principal, identifier)).collection)
    return _of_bucket((await visit.service(BucketService).get(visit.principal, identifier)).bucket)


def _of_bucket(bucket: Bucket) -> Choice:
    return Choice("bucket", bucket.bucket_id, bucket.name, bucket.schema)


def _of_collection(collection: Collection) -> Choice:
    return Choice("collection", collection.collection_id, collection.name, collection.output_schema)


def extractor_forms(extractors: Sequence[Extractor], source: Choice, wanted: str) -> tuple[list[Extractor], Extractor]:
    """Those that take something of the source, and the one that is chosen. Raises: BadRequestError."""
    taking = fitting(list(extractors), source.schema) or list(extractors)
    if not taking:
        raise BadRequestError("this server has no extractor", field="extractor")
    if not wanted:
        return taking, taking[0]
    found = next((one for one in extractors if f"{one.name}@{one.version}" == wanted), None)
    if found is None:
        known = ", ".join(f"{one.name}@{one.version}" for one in extractors)
        raise BadRequestError(f"extractor: one of {known}", field="extractor")
    return (taking if found in taking else [*taking, found]), found


def form_of(extractor: Extractor, source: Choice) -> ExtractorForm:
    schema = extractor.input_schema
    required = set(schema.get("required", ()))
    inputs = tuple(
        (name, str(one.get("description", "")), name in required) for name, one in schema.get("properties", {}).items()
    )
    proposed = {name: field for name, _, needed in inputs if needed and (field := _proposed(extractor, name, source))}
    parameters = tuple(fields_of(extractor.Parameters.model_json_schema()))
    return ExtractorForm(extractor, inputs, proposed, parameters)


def read_draft(visit: Visit, source: Choice, extractor: Extractor) -> CollectionDraft:
    """Raises: ValidationError naming the field."""
    controls = {one.name: one.control for one in fields_of(extractor.Parameters.model_json_schema())}
    sent = [(key, value.strip()) for key, value in visit.form.multi_items() if isinstance(value, str)]
    parameters = {
        name: value_of(controls[name], value, name)
        for key, value in sent
        if key.startswith(_PARAMETER) and value and (name := key.removeprefix(_PARAMETER)) in controls
    }
    mappings: dict[str, Any] = {
        key.removeprefix(_INPUT): value for key, value in sent if key.startswith(_INPUT) and value
    }
    config = ExtractorConfig(
        name=extractor.name,
        version=extractor.version,
        parameters=parameters,
        input_mappings=mappings,
        include_all_source_fields=visit.field("pass_fields") == "yes",
    )
    ids = (source.id,)
    fed = Source("bucket", bucket_ids=ids) if source.kind == "bucket" else Source("collection", collection_ids=ids)
    return CollectionDraft(visit.field("name"), fed, config, description=visit.field("description") or None)


def _proposed(extractor: Extractor, name: str, source: Choice) -> str | None:
    """The field of that name, else the only one of a type that the extractor takes."""
    fields = source.fields
    if name in fields:
        return name
    taken = [field for field, one in fields.items() if str(one.get("type")) in extractor.supported_input_types]
    exact = [field for field in taken if f"{fields[field].get('type')}_extractor" == extractor.name]
    return next((found[0] for found in (exact, taken) if len(found) == 1), None)
