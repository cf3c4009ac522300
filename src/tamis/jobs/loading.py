"""From batch items to what an extractor takes: the source is read, filtered, mapped, and its files fetched."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from pydantic import BaseModel

from tamis.engine.ports.extraction import ExtractionFailure, Extractor, SourceFile, SourceItem
from tamis.engine.ports.inference import ModelInfo, Models
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import OutsideError, TamisError, ValidationError
from tamis.jobs.source_files import FetchedFile, SourceFiles
from tamis.jobs.unchanged import content_key, extraction_key, models_behind, standing
from tamis.model.batch import BatchItem
from tamis.model.bucket import Blob, BucketObject
from tamis.model.collection import Collection, ExtractorConfig
from tamis.model.document import BlobRef, Document, Lineage
from tamis.model.filters import Filter, parse_filter
from tamis.model.json import JSON
from tamis.model.matching import matches
from tamis.model.principal import Principal
from tamis.services.data.sources import is_dynamic, mapped_inputs, parameters_for, passed_fields

_OURS = "blob://"
_WEB = ("http://", "https://")
_TOLD = ("content_type", "filename")
_MEDIA = ("image/", "audio/", "video/")


@dataclass(frozen=True, slots=True)
class Source:
    """An object or a document as a source. lineage: of the documents-to-be, their own step not yet in it.

    changed_at: when it was last written, by which a commit sees that it has been overtaken.
    made: files that a document has of its own, by field; an input may be one, as it may be a blob of an object.
    """

    source_id: str
    changed_at: datetime
    view: Mapping[str, JSON]
    lineage: Lineage
    blobs: tuple[Mapping[str, JSON], ...] = ()
    elsewhere: frozenset[str] = frozenset()
    made: Mapping[str, Mapping[str, JSON]] = field(default_factory=dict)

    def inputs(self, config: ExtractorConfig) -> dict[str, JSON]:
        return mapped_inputs({**{name: blob["url"] for name, blob in self.made.items()}, **self.view}, config)

    def blobs_of(self, inputs: Mapping[str, JSON]) -> tuple[Mapping[str, JSON], ...]:
        """The blobs that documents made of these inputs come from."""
        read = list(inputs.values())
        return (*self.blobs, *(blob for blob in self.made.values() if blob["url"] in read))


@dataclass(frozen=True, slots=True)
class Loaded:
    """A source that is ready to be extracted, and what its documents get beside the extractor's fields.

    elsewhere: addresses of its blobs that the store does not have.
    content_key, key: of what the extractor's answer, and of what its documents follow from; None where that is not
    known.
    """

    batch_item: BatchItem
    item: SourceItem
    parameters: BaseModel
    passed: Mapping[str, JSON] = field(default_factory=dict)
    lineage: Lineage = field(default_factory=Lineage)
    source_blobs: tuple[Mapping[str, JSON], ...] = ()
    changed_at: datetime | None = None
    elsewhere: frozenset[str] = frozenset()
    content_key: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A source that was extracted before, of the same content with the same parameters: its documents stand."""

    batch_item: BatchItem
    document_ids: tuple[str, ...]
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A source that the collection's filters do not let in: done, with no documents."""

    batch_item: BatchItem
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unloadable:
    batch_item: BatchItem
    failure: ExtractionFailure


Load: TypeAlias = Loaded | Kept | LeftOut | Unloadable


class Loader:
    def __init__(self, metadata: Metadata, files: SourceFiles, models: Models) -> None:
        self._metadata = metadata
        self._files = files
        self._models = models

    async def load(
        self,
        principal: Principal,
        collection: Collection,
        extractor: Extractor,
        items: Sequence[BatchItem],
        holder: str,
    ) -> list[Load]:
        """One answer for each item, in order; `release` follows. What is wrong with one source stays with it.

        holder: who needs what is fetched from the web until documents name it.
        """
        sources = await self._sources(principal, collection, [item.source_id for item in items])
        wanted = parse_filter(collection.source.filters)
        shared = None if is_dynamic(collection.extractor) else parameters_for(extractor, collection.extractor, None)

        def mapped() -> list[Load]:
            each = ((item, sources.get(item.source_id)) for item in items)
            return [_map(item, principal, source, collection, extractor, wanted, shared) for item, source in each]

        loads = await asyncio.to_thread(mapped)  # patterns in the filter may take a second for each
        filled = await asyncio.gather(*(self._with_files(principal, extractor, load, holder) for load in loads))
        return await self._without_unchanged(principal, collection, extractor, filled)

    async def _without_unchanged(
        self, principal: Principal, collection: Collection, extractor: Extractor, loads: Sequence[Load]
    ) -> list[Load]:
        keyed = await asyncio.to_thread(_with_keys, loads, extractor, self._models)
        keys = {load.item.source_id: load.key for load in keyed if isinstance(load, Loaded) and load.key is not None}
        if not keys:
            return keyed
        known = await self._metadata.read(lambda session: standing(session, principal, collection, keys))
        self.release(load for load in keyed if load.batch_item.source_id in known)
        return [
            Kept(load.batch_item, known[load.batch_item.source_id], load.changed_at)
            if isinstance(load, Loaded) and load.batch_item.source_id in known
            else load
            for load in keyed
        ]

    async def _sources(
        self, principal: Principal, collection: Collection, source_ids: Sequence[str]
    ) -> dict[str, Source]:
        def read(session: Session) -> dict[str, Source]:
            if collection.source.type == "bucket":
                objects = session.objects.get_many(principal, source_ids)
                return {key: _from_object(found, collection) for key, found in objects.items()}
            documents = session.documents.get_many(principal, source_ids)
            return {key: _from_document(found, collection) for key, found in documents.items()}

        return await self._metadata.read(read)

    async def _with_files(self, principal: Principal, extractor: Extractor, load: Load, holder: str) -> Load:
        if not isinstance(load, Loaded):
            return load
        urls = {name: value for name, value in load.item.inputs.items() if _names_file(value, name, load, extractor)}
        if not urls:
            return load
        files: dict[str, SourceFile] = {}
        blobs = load.source_blobs
        try:
            for name, url in urls.items():
                files[name], blobs = await self._taken(principal, load, name, str(url), blobs, holder)
            texts = {
                name: await asyncio.to_thread(_text, name, file)
                for name, file in files.items()
                if _is_text(extractor, name)
            }
        except TamisError as error:
            self._files.release(files.values())
            return Unloadable(load.batch_item, ExtractionFailure(error.message, _category(error)))
        item = replace(load.item, inputs={**load.item.inputs, **texts}, files=files)
        return replace(load, item=item, source_blobs=blobs)

    async def _taken(
        self,
        principal: Principal,
        load: Loaded,
        name: str,
        url: str,
        blobs: tuple[Mapping[str, JSON], ...],
        holder: str,
    ) -> tuple[SourceFile, tuple[Mapping[str, JSON], ...]]:
        """The file, and the source's blobs, in which the store's copy stands for what was fetched from the web.

        What a blob is said to be is corrected by what is in it, so that a browser is told what to play.
        """
        if not url.startswith(_OURS):
            found = await self._files.fetch(principal, url, holder)
            return found.file, _with_copy(blobs, name, url, found)
        told = next((blob for blob in blobs if blob.get("url") == url), {})
        declared, filename = (value if isinstance(value, str) else None for value in map(told.get, _TOLD))
        file = await self._files.take(principal, url.removeprefix(_OURS), declared, filename)
        return file, _with_type(blobs, url, file.content_type)

    def release(self, loads: Iterable[Load]) -> None:
        """Nothing reads the files of these sources any more."""
        for load in loads:
            if isinstance(load, Loaded):
                self._files.release(load.item.files.values())


def _map(
    item: BatchItem,
    principal: Principal,
    source: Source | None,
    collection: Collection,
    extractor: Extractor,
    wanted: Filter | None,
    parameters: BaseModel | None,
) -> Load:
    if source is None:
        return Unloadable(item, ExtractionFailure(f"the source {item.source_id} is no longer there"))
    if wanted is not None and not matches(wanted, source.view):
        return LeftOut(item, source.changed_at)
    try:
        inputs = source.inputs(collection.extractor)
        _check_inputs(inputs, collection, extractor)
        return Loaded(
            batch_item=item,
            item=SourceItem(source.source_id, inputs, principal=principal),
            parameters=parameters or parameters_for(extractor, collection.extractor, source.view),
            passed=passed_fields(source.view, collection.extractor),
            lineage=source.lineage,
            source_blobs=source.blobs_of(inputs),
            changed_at=source.changed_at,
            elsewhere=source.elsewhere,
        )
    except ValidationError as error:
        return Unloadable(item, ExtractionFailure(error.message))


def _with_keys(loads: Sequence[Load], extractor: Extractor, models: Models) -> list[Load]:
    if not getattr(extractor, "is_repeatable", False):
        return list(loads)
    behind: dict[str, Sequence[ModelInfo] | None] = {}
    keyed: list[Load] = []
    for load in loads:
        if isinstance(load, Loaded):
            told = load.parameters.model_dump_json()
            if told not in behind:
                behind[told] = models_behind(extractor, load.parameters, models)
            load = _with_key(load, extractor, behind[told])
        keyed.append(load)
    return keyed


def _with_key(load: Loaded, extractor: Extractor, models: Sequence[ModelInfo] | None) -> Loaded:
    parameters = load.parameters.model_dump(mode="json")
    content = content_key(load.item, parameters, load.source_blobs, extractor, models)
    return replace(load, content_key=content, key=extraction_key(content, load.item, load.passed, load.source_blobs))


def _check_inputs(inputs: Mapping[str, JSON], collection: Collection, extractor: Extractor) -> None:
    for name in extractor.input_schema.get("required", ()):
        if name not in inputs:
            path = collection.extractor.input_mappings.get(name, name)
            raise ValidationError(f"the source has no value at {path!r} for the input {name!r}")


def _names_file(value: JSON, name: str, load: Loaded, extractor: Extractor) -> bool:
    """A blob, wherever it lies; or an address on the web where the extractor takes nothing but a file."""
    if not isinstance(value, str):
        return False
    declared = extractor.input_schema.get("properties", {}).get(name, {})
    if declared.get("format") == "uri":
        return False
    is_far = value.startswith(_WEB) and declared.get("format") == "binary"
    return value.startswith(_OURS) or value in load.elsewhere or is_far


def _with_copy(
    blobs: tuple[Mapping[str, JSON], ...], name: str, url: str, found: FetchedFile
) -> tuple[Mapping[str, JSON], ...]:
    copy: dict[str, JSON] = {
        "url": found.url,
        "source_url": url,
        "content_type": found.file.content_type,
        "size_bytes": found.file.size_bytes,
        "checksum": found.checksum,
    }
    if any(blob.get("url") == url for blob in blobs):
        return tuple({**blob, **copy} if blob.get("url") == url else blob for blob in blobs)
    return (*blobs, {"field": name, **copy})


def _with_type(blobs: tuple[Mapping[str, JSON], ...], url: str, content_type: str) -> tuple[Mapping[str, JSON], ...]:
    """By the content where nobody said a type, or none of a medium though it is one."""
    is_medium = content_type.startswith(_MEDIA)
    return tuple(
        {**blob, "content_type": content_type}
        if blob.get("url") == url
        and (not blob.get("content_type") or (is_medium and not str(blob["content_type"]).startswith(_MEDIA)))
        else blob
        for blob in blobs
    )


def _category(error: TamisError) -> str:
    if isinstance(error, OutsideError):
        return "network"
    return "validation" if error.status < 500 else "dependency"


def _is_text(extractor: Extractor, name: str) -> bool:
    """Whether the extractor takes this input as text, and not as a file's bytes (`format: binary`)."""
    declared = extractor.input_schema.get("properties", {}).get(name, {})
    return bool(declared.get("type") == "string" and declared.get("format") != "binary")


def _text(name: str, file: SourceFile) -> str:
    try:
        return file.path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValidationError(f"the file of the input {name!r} is not UTF-8 text") from None


def _from_object(found: BucketObject, collection: Collection) -> Source:
    lineage = Lineage(
        source_type="bucket",
        root_bucket_id=found.bucket_id,
        root_object_id=found.object_id,
        source_object_id=found.object_id,
        path=f"{found.bucket_id}/{collection.collection_id}",
    )
    elsewhere = frozenset(blob.url for blob in found.blobs if blob.url and not blob.url.startswith(_OURS))
    blobs = tuple(_blob(blob) for blob in found.blobs)
    return Source(found.object_id, found.updated_at, found.view(), lineage, blobs, elsewhere)


def _from_document(found: Document, collection: Collection) -> Source:
    before = found.lineage
    lineage = replace(
        before,
        source_type="collection",
        source_object_id=before.root_object_id,
        source_collection_id=found.collection_id,
        source_document_id=found.document_id,
        path=f"{before.path or found.collection_id}/{collection.collection_id}",
    )
    made = {blob.field: _made(blob) for blob in reversed(found.blobs)}
    return Source(found.document_id, found.updated_at, found.view(), lineage, found.source_blobs, made=made)


def _blob(blob: Blob) -> dict[str, JSON]:
    known: dict[str, JSON] = {
        "blob_id": blob.blob_id,
        "field": blob.property,
        "type": blob.type,
        "url": blob.url,
        "filename": blob.filename,
        "content_type": blob.mime_type,
        "size_bytes": blob.size_bytes,
        "checksum": blob.hash,
    }
    return {name: value for name, value in known.items() if value is not None}


def _made(blob: BlobRef) -> dict[str, JSON]:
    known: dict[str, JSON] = {
        "field": blob.field,
        "type": blob.type,
        "url": blob.url,
        "filename": blob.filename,
        "content_type": blob.content_type,
        "size_bytes": blob.size_bytes,
        "checksum": blob.checksum,
    }
    return {name: value for name, value in known.items() if value is not None}
