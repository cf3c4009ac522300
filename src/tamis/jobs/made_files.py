"""Files that extractors made, on their way into the blob store: named by their content, stored once."""

from collections.abc import Iterable, Mapping, Sequence

from tamis.engine.ports.extraction import ExtractionFailure, MadeFile
from tamis.jobs.calling import Result
from tamis.model.document import BlobRef
from tamis.model.files import OURS
from tamis.services.data.files import Payload

_TYPES = ("image", "audio", "video", "text")


def payloads(results: Iterable[Result]) -> list[Payload]:
    """To be stored before the documents are committed, so that none names a file that is not there."""
    return [
        Payload(file.content, len(file.data), file.data, file.content_type)
        for result in results
        if not isinstance(result, ExtractionFailure)
        for segment in result
        for file in segment.files
    ]


def references(keys: Mapping[str, str], files: Sequence[MadeFile]) -> tuple[BlobRef, ...]:
    """keys: of the store, by content."""
    return tuple(
        BlobRef(
            field=file.field,
            url=f"{OURS}{keys[file.content]}",
            type=_type(file.content_type),
            role=file.role,
            filename=file.filename,
            content_type=file.content_type,
            size_bytes=len(file.data),
            checksum=f"sha256:{file.content}",
        )
        for file in files
    )


def _type(content_type: str) -> str:
    kind = content_type.partition("/")[0]
    return "pdf" if content_type == "application/pdf" else kind if kind in _TYPES else "other"
