"""Pictures of this server's own, handed to a provider that takes the picture itself."""

import base64
from dataclasses import replace

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.metadata import Metadata
from tamis.engine.ports.web_search import ImageQuery, PageQuery, Pages, Sightings, WebSearch
from tamis.engine.spending.allowance import Allowance
from tamis.errors import NotFoundError, OutsideError
from tamis.model.bucket import Blob
from tamis.model.principal import Principal

_STORED = "blob://"
_LARGEST = 10 << 20
_KINDS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF8": "gif",
    b"BM": "bmp",
    b"II*\x00": "tiff",
    b"MM\x00*": "tiff",
}


class WithStoredPictures:
    """A `WebSearch` whose pictures may also be stored ones: a `blob://` file, or an object's id for its first picture.

    Whoever asks sees only what is his own: the stores are asked as the Principal.
    """

    def __init__(self, behind: WebSearch, metadata: Metadata, blobs: BlobStore) -> None:
        self._behind = behind
        self._metadata = metadata
        self._blobs = blobs

    async def pages(self, principal: Principal, query: PageQuery, allowance: Allowance) -> Pages:
        return await self._behind.pages(principal, query, allowance)

    async def images(self, principal: Principal, query: ImageQuery, allowance: Allowance) -> Sightings:
        if query.image.startswith(_STORED):
            query = replace(query, image=await self._file(principal, query.image))
        elif query.image.startswith("obj_"):
            query = replace(query, image=await self._object(principal, query.image))
        return await self._behind.images(principal, query, allowance)

    async def _file(self, principal: Principal, url: str) -> str:
        key = url.removeprefix(_STORED)
        # Who has no key sees no stored file by its name.
        size_bytes = await self._blobs.size(principal, key) if principal.sees_files else None
        if size_bytes is None:
            raise OutsideError("there is no such stored picture")
        if size_bytes > _LARGEST:
            raise OutsideError(f"the stored picture is larger than {_LARGEST} bytes")
        try:
            data = await self._blobs.get(principal, key)
        except NotFoundError:
            raise OutsideError("there is no such stored picture") from None
        kind = _kind_of(data)
        if kind is None:
            raise OutsideError("the stored file is no picture: PNG, JPEG, WebP, GIF, BMP or TIFF")
        return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"

    async def _object(self, principal: Principal, object_id: str) -> str:
        found = await self._metadata.read(lambda session: session.objects.get(principal, object_id))
        for blob in found.blobs if found is not None else ():
            place = _place_of(blob)
            if place is not None:
                return await self._file(principal, place) if place.startswith(_STORED) else place
        raise OutsideError(f"there is no picture of an object {object_id!r}")


def _place_of(blob: Blob) -> str | None:
    """Where an object's picture is; None for what is no picture, or lies where no provider gets it."""
    is_picture = blob.type == "image" or (blob.mime_type or "").startswith("image/")
    place = blob.url or (blob.data if isinstance(blob.data, str) else "")
    return place if is_picture and place.startswith((_STORED, "https://", "http://", "data:")) else None


def _kind_of(data: bytes) -> str | None:
    """By its first bytes, whatever it was called."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for start, kind in _KINDS.items() if data.startswith(start)), None)
