"""A document as one line of JSON: written so that an import of it gives the same document again."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import orjson

from tamis.errors import ValidationError
from tamis.model.document import DocumentWrite, Lineage, LineageStep
from tamis.model.vector import Sparse, Vector

CREATED_AT, UPDATED_AT = "_created_at", "_updated_at"
"""Names that no field of a document has, as some have fields `created_at` of their own."""
LINEAGE = (
    "source_type", "root_bucket_id", "root_object_id", "source_object_id", "source_collection_id",
    "source_document_id", "lineage_path",
)  # fmt: skip

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Step(msgspec.Struct):
    collection_id: str
    feature_extractor_id: str
    timestamp: _Moment
    document_id: str | None = None


class _Said(msgspec.Struct):
    source_type: Literal["bucket", "collection"] | None = None
    root_bucket_id: str | None = None
    root_object_id: str | None = None
    source_object_id: str | None = None
    source_collection_id: str | None = None
    source_document_id: str | None = None
    lineage_path: str | None = None
    lineage_chain: list[_Step] | None = None
    created_at: _Moment | None = msgspec.field(default=None, name=CREATED_AT)
    updated_at: _Moment | None = msgspec.field(default=None, name=UPDATED_AT)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a line says of where its document comes from, and since when; None where it says nothing."""

    lineage: Lineage | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


def members_of(write: DocumentWrite, with_vectors: bool) -> dict[str, Any]:
    """The line's members. Vectors are base64 of little-endian float32, row after row, or indices and values."""
    document, lineage = write.document, write.document.lineage
    values = (
        lineage.source_type, lineage.root_bucket_id, lineage.root_object_id, lineage.source_object_id,
        lineage.source_collection_id, lineage.source_document_id, lineage.path,
    )  # fmt: skip
    said: dict[str, Any] = {"document_id": document.document_id, CREATED_AT: document.created_at}
    said[UPDATED_AT] = document.updated_at
    said |= {name: value for name, value in zip(LINEAGE, values, strict=True) if value is not None}
    if lineage.chain:
        said["lineage_chain"] = [_step(step) for step in lineage.chain]
    said["metadata"] = document.fields
    if with_vectors:
        said["vectors"] = {name: _packed(vector) for name, vector in write.vectors.items()}
    return said


def line_of(members: Mapping[str, Any]) -> bytes:
    """With its end."""
    return orjson.dumps(members, option=orjson.OPT_APPEND_NEWLINE)


def origin_of(body: Mapping[str, Any]) -> Origin:
    """Of a line's members, in the names that `members_of` gives them. Raises: ValidationError naming the member."""
    try:
        said = msgspec.convert(body, _Said)
        times = [None if moment is None else moment.astimezone(UTC) for moment in (said.created_at, said.updated_at)]
        lineage = _lineage(said)
    except msgspec.ValidationError as error:
        raise ValidationError.at(["body"], str(error).replace("`$.", "`")) from None
    except OverflowError:
        raise ValidationError.at(["body"], f"{CREATED_AT}, {UPDATED_AT}: a time within the calendar") from None
    created_at, updated_at = times
    if updated_at is not None and (created_at is None or updated_at < created_at):
        raise ValidationError.at([UPDATED_AT], f"a time that is not before {CREATED_AT}, which goes with it")
    return Origin(lineage, created_at, updated_at)


def _lineage(said: _Said) -> Lineage | None:
    if all(getattr(said, name) is None for name in LINEAGE) and not said.lineage_chain:
        return None
    kind = said.source_type or ("collection" if said.source_document_id else "bucket")
    chain = tuple(
        LineageStep(step.collection_id, step.feature_extractor_id, step.timestamp.astimezone(UTC), step.document_id)
        for step in said.lineage_chain or ()
    )
    return Lineage(
        source_type=kind,
        root_bucket_id=said.root_bucket_id,
        root_object_id=said.root_object_id,
        source_object_id=said.source_object_id,
        source_collection_id=said.source_collection_id,
        source_document_id=said.source_document_id,
        path=said.lineage_path,
        chain=chain,
    )


def _step(step: LineageStep) -> dict[str, Any]:
    return {
        "collection_id": step.collection_id,
        "feature_extractor_id": step.feature_extractor_id,
        "timestamp": step.timestamp,
        "document_id": step.document_id,
    }


def _packed(vector: Vector) -> Any:
    if isinstance(vector, Sparse):
        return {"indices": vector.indices.tolist(), "values": vector.values.tolist()}
    return b64encode(vector.values.astype("<f4", copy=False).tobytes()).decode()
