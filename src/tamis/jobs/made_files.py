"""Files that extractors made, on their way into the blob store: named by their content, stored once."""

import hashlib
from collections.abc import Iterable, Sequence

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.extraction import ExtractionFailure, MadeFile
from tamis.jobs.calling import Result
from tamis.model.document import BlobRef
from tamis.model.principal import Principal

_TYPES = ("image", "audio", "video", "text")
_ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "audio/wav": ".wav"}


class MadeFiles:
    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    async def store(self, principal: Principal, collection_id: str, results: Iterable[Result]) -> None:
        """Before the documents are committed, so that none names a file that is not there. Raises: StorageError."""
        files = {
            _key(collection_id, file.data, file.content_type): file
            for result in results
            if not isinstance(result, ExtractionFailure)
            for segment in result
            for file in segment.files
        }
        for key, file in files.items():
            if await self._blobs.size(principal, key) != len(file.data):
                await self._blobs.put(principal, key, file.data, file.content_type)


def folder_of(collection_id: str) -> str:
    """Where the store keeps the files of a collection's documents."""
    return f"{collection_id}/files"


def references(collection_id: str, files: Sequence[MadeFile]) -> tuple[BlobRef, ...]:
    return tuple(
        BlobRef(
            field=file.field,
            url=f"blob://{_key(collection_id, file.data, file.content_type)}",
            type=_type(file.content_type),
            role=file.role,
            filename=file.filename,
            content_type=file.content_type,
            size_bytes=len(file.data),
            checksum=f"sha256:{hashlib.sha256(file.data).hexdigest()}",
        )
        for file in files
    )


def _type(content_type: str) -> str:
    kind = content_type.partition("/")[0]
    return "pdf" if content_type == "application/pdf" else kind if kind in _TYPES else "other"


def _key(collection_id: str, data: bytes, content_type: str) -> str:
    return f"{folder_of(collection_id)}/{hashlib.sha256(data).hexdigest()}{_ENDINGS.get(content_type, '')}"
