"""Links that carry their own permission: whoever has one may read this one file of the blob store, until it expires."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import time

from tamis.engine.ports.blobs import BlobStore
from tamis.errors import NotFoundError
from tamis.model.principal import Principal
from tamis.services.access.signing import Signer

PATH = "/v1/blobs/"
_OURS = "blob://"
_STEP_S = 300
"""For so long the same file has the same link, so that a browser knows it again."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """etag: keys are never written twice, so key and size say which content it is."""

    principal: Principal
    key: str
    size_bytes: int
    content_type: str
    filename: str | None
    etag: str


class BlobLinks:
    """secret: 32 bytes that only this installation knows.  public_url: how clients reach this server.

    lifetime_s: of a link, at least.
    """

    def __init__(
        self, blobs: BlobStore, secret: bytes, public_url: str | None = None, lifetime_s: float = 3600.0
    ) -> None:
        self._blobs = blobs
        self._signer = Signer(secret, "blob")
        self._public_url = public_url
        self._lifetime_s = lifetime_s

    def url(
        self,
        principal: Principal,
        url: str,
        base_url: str,
        content_type: str | None = None,
        filename: str | None = None,
    ) -> str | None:
        """url: as an object or a document has it; the link to it, or itself where it is on the web already."""
        if not url.startswith(_OURS):
            return url if url.startswith(("http://", "https://")) else None
        expires = int((time() + self._lifetime_s) // _STEP_S + 1) * _STEP_S
        key = url.removeprefix(_OURS)
        claims = (principal.organization_id, principal.namespace_id, key, content_type, filename)
        return f"{(self._public_url or base_url).rstrip('/')}{PATH}{self._signer.sign(claims, expires)}"

    async def open(self, token: str) -> StoredFile:
        """Raises: ForbiddenError where the link is not ours, or has expired; NotFoundError where the file is gone."""
        organization_id, namespace_id, key, content_type, filename = self._signer.claims(
            token, "this link is not valid", "this link has expired; ask for the document again"
        )
        principal = Principal(organization_id, namespace_id)
        size_bytes = await self._blobs.size(principal, key)
        if size_bytes is None:
            raise NotFoundError.of("blob", key)
        etag = hashlib.sha256(f"{organization_id}/{namespace_id}/{key}|{size_bytes}".encode()).hexdigest()[:32]
        return StoredFile(principal, key, size_bytes, content_type or "application/octet-stream", filename, etag)

    def stream(self, file: StoredFile, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, which is not among them."""
        return self._blobs.stream(file.principal, file.key, start, end)
