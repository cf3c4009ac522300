"""Sources that were extracted before, of the same content with the same parameters: their documents stand."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from pydantic import BaseModel

from tamis import __version__
from tamis.engine.ports.extraction import Extractor, SourceItem
from tamis.engine.ports.inference import ModelInfo, Models
from tamis.engine.ports.metadata import Session
from tamis.errors import ModelMissingError, UnknownModelError
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.ids import derived_id
from tamis.model.json import JSON
from tamis.model.principal import Principal

_OURS = "blob://"


def content_key(
    item: SourceItem,
    parameters: Mapping[str, Any],
    blobs: Sequence[Mapping[str, JSON]],
    extractor: Extractor,
    models: Sequence[ModelInfo] | None,
) -> str | None:
    """A hash over all that the extractor's answer follows from; None where it is not known, or never the same twice.

    Whatever the source and its files are called: the same content in another object has the same key.

    models: that the documents are made with; another version of any is another key, as is another version of Tamis.
    """
    if models is None or not getattr(extractor, "is_repeatable", False):
        return None
    contents = {name: _content(name, item, blobs) for name in item.files}
    if None in contents.values():
        return None
    inputs = {name: value for name, value in item.inputs.items() if contents.get(name, "text") == "text"}
    declared = {name: file.declared_type for name, file in item.files.items() if file.content_type.startswith("text/")}
    return _hash(
        [__version__, extractor.name, extractor.version, [asdict(one) for one in models], parameters, inputs, contents,
         declared]
    )  # fmt: skip


def extraction_key(
    content: str | None, item: SourceItem, passed: Mapping[str, JSON], blobs: Sequence[Mapping[str, JSON]]
) -> str | None:
    """A hash over all that the documents follow from, those of this very source. content: its content key."""
    return None if content is None else _hash([content, item.inputs, passed, list(blobs)])


def _hash(follows_from: Sequence[Any]) -> str:
    return hashlib.sha256(orjson.dumps(follows_from, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()[:40]


def models_behind(extractor: Extractor, parameters: BaseModel, models: Models) -> Sequence[ModelInfo] | None:
    """What the extractor makes documents with. None where one of them is away, so that it is tried and says so."""
    told = getattr(extractor, "made_with", None)
    if told is None:
        return models.available()
    try:
        found: Sequence[ModelInfo] = told(parameters, models)
    except (ModelMissingError, UnknownModelError):
        return None
    return found


def mark(key: str | None, count: int) -> str | None:
    """What each of the documents made of a source is told: their key, and how many they are."""
    return None if key is None else f"{key}:{count}"


def standing(
    session: Session, principal: Principal, collection: Collection, keys: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """keys: by source id. Of those whose documents are all there and follow from the same: the documents' ids."""
    firsts = {derived_id("doc", collection.collection_id, source_id, 0): source_id for source_id in keys}
    found = session.documents.get_many(principal, list(firsts))
    wanted: dict[str, tuple[str, ...]] = {}
    for document_id, document in found.items():
        source_id = firsts[document_id]
        key, _, count = (document.made_from or "").partition(":")
        if key == keys[source_id]:
            wanted[source_id] = tuple(
                derived_id("doc", collection.collection_id, source_id, index) for index in range(int(count))
            )
    others = [document_id for ids in wanted.values() for document_id in ids[1:]]
    found = {**found, **(session.documents.get_many(principal, others) if others else {})}
    return {source_id: ids for source_id, ids in wanted.items() if _are_one_set(ids, found)}


def made_together(session: Session, principal: Principal, first: Document) -> Sequence[Document]:
    """All documents that were made of a source, by the first of them; none where one is not as it was made."""
    source_id = first.lineage.source_document_id or first.lineage.source_object_id or ""
    _, _, count = (first.made_from or "").partition(":")
    ids = [derived_id("doc", first.collection_id, source_id, index) for index in range(int(count or 0))]
    found = session.documents.get_many(principal, ids)
    return [found[document_id] for document_id in ids] if ids and _are_one_set(ids, found) else ()


def _are_one_set(ids: Sequence[str], found: Mapping[str, Document]) -> bool:
    marks = {found[document_id].made_from if document_id in found else None for document_id in ids}
    return len(marks) == 1 and None not in marks


def _content(name: str, item: SourceItem, blobs: Sequence[Mapping[str, JSON]]) -> JSON:
    """A file's checksum; where the extractor takes it as text, the text is among the inputs already."""
    value = item.inputs.get(name)
    told = [blob for blob in blobs if value in (blob.get("url"), blob.get("source_url"))]
    if told:
        return told[0].get("checksum")
    return None if str(value).startswith(_OURS) else "text"
